//! A breaker in a run of two minutes: what it sends, what it rejects, and its state.

use std::cell::RefCell;

use plotters::prelude::{Color, Rectangle};
use redress::breaker::{FailureRule, FailureTimes};
use redress::event::CircuitState;
use redress::random::NoRandom;
use redress::testing::MockClock;
use redress::{Breaker, BreakerConfig, Duration, Error, ErrorClass, Instant, Policy};

use crate::chart::{BLUE, GREY, ORANGE, axes, svg};

const ONCE: Policy = Policy::once();
/// Five failures within a minute open it for 10 s, then 20 s, then 40 s.
const RULE: BreakerConfig<FailureRule> = BreakerConfig::failures(5, Duration::from_secs(60))
    .recovery_timeout(Duration::from_secs(10))
    .recovery_growth_to(Duration::from_secs(40));

const SECONDS: u64 = 120;
/// The upstream is down from 20 s to 60 s.
const DOWN: std::ops::Range<u64> = 20..60;

pub(crate) fn picture() -> String {
    let seconds = run();
    svg((880, 260), |area| {
        let title = "calls per second: sent (blue), rejected (orange); grey above: the breaker is not closed";
        let mut chart = axes(
            area,
            title,
            ("time, s; the service is down from 20 s to 60 s", SECONDS as f64),
            ("calls", 5.0),
        );
        for (second, Second { sent, rejected, state }) in (0_u32..).zip(seconds) {
            let (left, right) = (f64::from(second), f64::from(second) + 0.8);
            let bar = |from: u32, to: u32, color: plotters::style::RGBColor| {
                Rectangle::new([(left, f64::from(from)), (right, f64::from(to))], color.filled())
            };
            let bars = [bar(0, sent, BLUE), bar(sent, sent + rejected, ORANGE)];
            chart.draw_series(bars).expect("bars can be drawn");
            if state != CircuitState::Closed {
                let not_closed = Rectangle::new([(left, 4.4), (left + 1.0, 4.8)], GREY.filled());
                chart.draw_series([not_closed]).expect("a bar can be drawn");
            }
        }
    })
}

struct Second {
    sent: u32,
    rejected: u32,
    /// At its end.
    state: CircuitState,
}

/// Four calls each second.
fn run() -> Vec<Second> {
    let clock = MockClock::new();
    let breaker =
        RefCell::new(Breaker::<FailureTimes<5>>::new(&RULE).expect("the settings are right"));
    let mut retry =
        ONCE.on(&clock, NoRandom).classify(|(): &()| ErrorClass::Transient).breaker(&breaker);
    let second = |now: u64| {
        let mut second = Second { sent: 0, rejected: 0, state: CircuitState::Closed };
        for nth in 0..4 {
            clock.jump_to(Instant::from_micros(now * 1_000_000 + nth * 250_000));
            match retry.call(|_| if DOWN.contains(&now) { Err(()) } else { Ok(()) }) {
                Err(Error::CircuitOpen(_)) => second.rejected += 1,
                Ok(()) | Err(Error::Exhausted(_)) => second.sent += 1,
            }
        }
        second.state = breaker.borrow().state();
        second
    };
    (0..SECONDS).map(second).collect()
}
