//! A session goes on whatever happens to it, and keeps no permit.

use std::cell::RefCell;

use proptest::prelude::*;
use redress::breaker::FailureTimes;
use redress::budget::RatioConfig;
use redress::event::CircuitState;
use redress::random::from_fn;
use redress::session::{SessionConfig, SessionState, SessionStep};
use redress::testing::MockClock;
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, Instant, Policy, RatioBudget,
};

use crate::{any_u64, cases};

/// What a program does with a session, or what happens to it.
#[derive(Clone, Copy, Debug)]
enum Act {
    Next,
    Up,
    Check,
    Broke(ErrorClass),
    Cut,
    Advance(Duration),
    SetBack(u64),
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::Next),
        2 => Just(Act::Up),
        1 => Just(Act::Check),
        2 => prop::sample::select(ErrorClass::ALL.to_vec()).prop_map(Act::Broke),
        1 => Just(Act::Cut),
        3 => any_u64().prop_map(|span| Act::Advance(Duration::from_micros(span >> 26))),
        1 => any_u64().prop_map(|at| Act::SetBack(at >> 30)),
    ]
}

const MOST: Duration = Duration::from_secs(20);

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_session_goes_on_and_keeps_no_permit(
        acts in prop::collection::vec(any_act(), 1..40),
        seed in any::<u32>(),
        healthy in any_u64(),
        pause in 1_u64..20_000_000,
    ) {
        let policy = Policy::builder()
            .max_attempts(4)
            .deadline(Duration::from_secs(100))
            .attempt_timeout(Duration::from_secs(5))
            .backoff(Backoff::full_jitter(Duration::from_millis(100), MOST))
            .build()
            .unwrap();
        let rule = BreakerConfig::failures(2, Duration::from_secs(60)).recovery_timeout(MOST);
        let breaker = RefCell::new(Breaker::<FailureTimes<2>, 1, _>::new(&rule).unwrap());
        let ratio = RatioConfig::new(900).initial(1).floor_per_sec(0);
        let budget = RefCell::new(RatioBudget::<_>::new(&ratio).unwrap());
        let (clock, mut register) = (MockClock::new(), seed | 1);
        clock.advance(Duration::from_secs(1_000));
        let random = from_fn(|| {
            register = register.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            register
        });
        let mut retry = policy
            .on(&clock, random)
            .classify(|class: &ErrorClass| *class)
            .breaker(&breaker)
            .budget(&budget);
        let config = SessionConfig::new()
            .healthy_after(Duration::from_micros(healthy >> 28))
            .spread(Duration::from_secs(3))
            .pause(Duration::from_micros(pause));
        let mut session = retry.session_steps(config);
        let mut number = 0;
        for act in acts {
            match act {
                Act::Up => session.up(),
                Act::Cut => session.cut(),
                Act::Broke(class) => session.broke(class),
                Act::Check => {
                    let left = session.check();
                    prop_assert!(left.is_none_or(|left| left <= Duration::from_micros(healthy >> 28)));
                    prop_assert_eq!(left.is_some(), session.state() == SessionState::Up);
                }
                Act::Advance(span) => clock.advance(span),
                Act::SetBack(at) => clock.jump_to(Instant::from_micros(at)),
                // Waits as it is told come to a connect, or to the end.
                Act::Next => for round in 0.. {
                    prop_assert!(round < 20, "it waits for ever");
                    match session.next() {
                        Ok(SessionStep::Wait(span)) => {
                            prop_assert!(!span.is_zero() && span <= MOST, "{}", span);
                            clock.advance(span);
                        }
                        Ok(SessionStep::Connect(attempt)) => {
                            prop_assert!(attempt.number == 1 || attempt.number == number + 1);
                            number = attempt.number;
                            prop_assert_eq!(session.state(), SessionState::Connecting(number));
                            break;
                        }
                        Err(reason) => {
                            prop_assert_eq!(session.state(), SessionState::Over(reason));
                            prop_assert_eq!(session.next(), Err(reason));
                            break;
                        }
                    }
                },
            }
        }
        drop(session);
        // Its probe is free.
        let now = (&clock).now();
        let answer = breaker.borrow().check(now);
        prop_assert!(answer.is_ok() || breaker.borrow().state() == CircuitState::Open);
    }
}
