//! Instants, spans and counts at the ends of their ranges.

use redress::breaker::{CallResult, FailureRule, FailureTimes, SliceRule, TimeSlices};
use redress::budget::{Budget, RatioConfig, RollingConfig};
use redress::driver::Decision;
use redress::event::CircuitState;
use redress::random::from_fn;
use redress::testing::MockClock;
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, Instant, Policy, RatioBudget,
    RollingBudget,
};

use crate::faults::{Small, TRIPPED};
use crate::{each_second, on};

const TRANSIENT: ErrorClass = ErrorClass::Transient;
const FAILURE: CallResult = CallResult::Failure(TRANSIENT);
/// A millisecond before the last instant of all.
const END: u64 = u64::MAX - 1000;

fn at(micros: u64) -> Instant {
    Instant::from_micros(micros)
}

/// What would be due after the last instant is due then, not at the first one.
#[test]
fn a_breaker_that_opens_at_the_end_of_time_stays_open() {
    for by_hand in [false, true] {
        let mut breaker = Small::new(&TRIPPED).unwrap();
        let permit = breaker.admit_closed().unwrap();
        let opened =
            if by_hand { breaker.trip(at(END)) } else { breaker.settle(permit, FAILURE, at(END)) };
        assert_eq!(opened, Some(CircuitState::Open));
        for later in [0, 1, 999] {
            let rejection = breaker.admit(at(END + later)).unwrap_err();
            assert_eq!(rejection.retry_after, Some(Duration::from_micros(1000 - later)));
        }
    }
}

#[test]
fn failures_at_the_end_of_time_are_counted_together() {
    const MINUTE: Duration = Duration::from_secs(60);
    const TIMES: BreakerConfig<FailureRule> = BreakerConfig::failures(2, MINUTE);
    const SLICES: BreakerConfig<SliceRule> = BreakerConfig::slices(MINUTE, 500, 2);
    let mut breaker = Breaker::<FailureTimes<2>>::new(&TIMES).unwrap();
    let permit = breaker.admit_closed().unwrap();
    assert_eq!(breaker.settle(permit, FAILURE, at(END)), None);
    assert_eq!(breaker.settle(permit, FAILURE, at(END + 1)), Some(CircuitState::Open));
    let mut breaker = Breaker::<TimeSlices<4>>::new(&SLICES).unwrap();
    let permit = breaker.admit_closed().unwrap();
    assert_eq!(breaker.settle(permit, FAILURE, at(END)), None);
    assert_eq!(breaker.settle(permit, FAILURE, at(END + 1)), Some(CircuitState::Open));
}

#[test]
fn budgets_at_the_end_of_time_grant_no_more_than_ever() {
    const TOKENS: RollingConfig = RollingConfig::new(2, Duration::from_secs(60));
    let mut rolling = RollingBudget::<2>::new(&TOKENS).unwrap();
    assert!(rolling.consume(2, at(END)));
    for later in [0, 1, 999] {
        assert_eq!(rolling.remaining(at(END + later)), 0);
        assert!(!rolling.consume(1, at(END + later)));
    }
    // The floor of ages fills the budget, however much that would be.
    for (initial, floor, age) in [(0, 4, 1 << 62), (1, 4, 1 << 63), (0, 1, 1 << 63)] {
        let config = RatioConfig::new(0).initial(initial).floor_per_sec(floor).limit(5);
        let mut ratio = RatioBudget::new(&config).unwrap();
        assert!(!ratio.consume(2, at(0)));
        assert_eq!(ratio.remaining(at(age)), 5, "{initial} {floor}");
        assert!(ratio.consume(5, at(age)) && !ratio.consume(1, at(age)));
    }
}

#[test]
fn a_call_suspended_at_the_end_of_time_wakes_then() {
    let policy = each_second().no_deadline().build().unwrap();
    let clock = MockClock::new();
    clock.jump_to(at(END));
    let mut retry = on(&policy, &clock);
    let mut steps = retry.begin().unwrap();
    steps.start().unwrap();
    assert!(matches!(steps.fail(TRANSIENT), Decision::Retry { .. }));
    let call = steps.suspend().unwrap();
    drop(steps);
    assert_eq!(call.wake_after, Duration::from_micros(1000));
    let resumed = retry.resume(&call.bytes, clock.now(), None).unwrap();
    assert_eq!(resumed.due, Instant::MAX);
}

/// The longest delay there is fits where nothing limits the call.
#[test]
fn a_delay_without_a_deadline_always_fits() {
    let policy = Policy::builder()
        .no_deadline()
        .max_attempts(3)
        .backoff(Backoff::constant(Duration::MAX))
        .build()
        .unwrap();
    let clock = MockClock::new();
    let mut retry = on(&policy, &clock);
    let mut steps = retry.begin().unwrap();
    clock.jump_to(at(1 << 62));
    steps.start().unwrap();
    assert_eq!(steps.fail(TRANSIENT), Decision::Retry { after: Duration::MAX });
}

/// Jitter over more than 71 minutes, where the product has more than 64 bits.
#[test]
fn jitter_over_hours_is_exact() {
    let hours = |count: u64| Duration::from_secs(3600 * count);
    for (draw, delay) in [
        (0, Duration::ZERO),
        (1 << 31, hours(100)),
        (3 << 30, hours(150)),
        (u32::MAX, Duration::from_micros(200 * 3_600_000_000 - 168)),
    ] {
        let policy = Policy::builder()
            .no_deadline()
            .backoff(Backoff::full_jitter(hours(200), hours(200)))
            .build()
            .unwrap();
        let clock = MockClock::new();
        let mut retry = policy.on(&clock, from_fn(|| draw)).classify(|class: &ErrorClass| *class);
        let mut steps = retry.begin().unwrap();
        steps.start().unwrap();
        assert_eq!(steps.fail(TRANSIENT), Decision::Retry { after: delay }, "{draw:#x}");
    }
}
