//! Instants, spans and counts at the ends of their ranges.

use std::cell::RefCell;

use redress::random::{NoRandom, from_fn};
use redress::testing::MockClock;
use redress::{
    Backoff, Breaker, BreakerConfig, Budget, CallResult, CircuitState, Classification, Clock,
    Decision, Duration, ErrorClass, FailureRule, FailureTimes, Instant, LastOutcomes, OutcomeRule,
    Policy, RatioBudget, RatioConfig, RollingBudget, RollingConfig, SliceRule, StopReason,
    TimeSlices,
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
        let permit = breaker.enter().unwrap();
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
    let permit = breaker.enter().unwrap();
    assert_eq!(breaker.settle(permit, FAILURE, at(END)), None);
    assert_eq!(breaker.settle(permit, FAILURE, at(END + 1)), Some(CircuitState::Open));
    let mut breaker = Breaker::<TimeSlices<4>>::new(&SLICES).unwrap();
    let permit = breaker.enter().unwrap();
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

/// A ratio budget without a floor needs no time, and one of zero cost is always granted.
#[test]
fn a_budget_without_a_floor_is_as_full_at_any_time() {
    let config = RatioConfig::new(1000).initial(1).floor_per_sec(0);
    let mut budget = RatioBudget::new(&config).unwrap();
    for now in [0, 5, 1 << 40, 7] {
        assert_eq!(budget.remaining(at(now)), 1);
    }
    assert!(budget.consume(0, at(9)) && budget.consume(1, at(9)) && !budget.consume(1, at(8)));
    budget.deposit();
    assert!(budget.consume(1, at(3)) && budget.consume(0, at(3)));
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

/// A call that has taken nearly all the time there is may be deferred for the rest.
#[test]
fn a_delay_without_a_deadline_always_fits() {
    let policy = Policy::new()
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
        let policy = Policy::new()
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

/// What was configured is what is read, for every class.
#[test]
fn a_policy_says_each_of_its_limits() {
    let mut config = each_second().max_unknown_attempts(9);
    for (nth, class) in ErrorClass::ALL.into_iter().enumerate() {
        let built = config.build().unwrap();
        assert_eq!(built.max_attempts_for(class), None);
        config = config.max_attempts_for(class, 20 + nth as u16);
    }
    let built = config.build().unwrap();
    for (nth, class) in ErrorClass::ALL.into_iter().enumerate() {
        assert_eq!(built.max_attempts_for(class), Some(20 + nth as u16));
    }
    assert_eq!(built.max_unknown_attempts(), Some(9));
    assert_eq!(Policy::once().max_unknown_attempts(), None);
}

/// A breaker that a configuration may leave out does all that one does which is always there.
#[test]
fn an_optional_breaker_is_asked_for_everything() {
    const HELD: BreakerConfig<OutcomeRule> = BreakerConfig::outcomes(64, 1000, 64)
        .open_for_hint(Duration::from_secs(30))
        .check_before_retry(true);
    type Held = Breaker<LastOutcomes<2>>;
    let policy = each_second().build().unwrap();
    let busy = Classification::new(ErrorClass::RateLimit).retry_after(Duration::from_secs(10));
    for is_there in [true, false] {
        let (clock, breaker) = (MockClock::new(), RefCell::new(Held::new(&HELD).unwrap()));
        let gate = is_there.then_some(&breaker);
        let mut retry = policy.on(&clock, NoRandom).classify(|_: &()| busy).breaker(gate);
        let outcome = retry.execute(|attempt| if attempt.number == 1 { Err(()) } else { Ok(()) });
        let reason = outcome.result.as_ref().err().and_then(redress::Error::stop_reason);
        let state = breaker.borrow().state();
        if is_there {
            assert_eq!((reason, state), (Some(StopReason::CircuitOpen), CircuitState::Open));
        } else {
            assert_eq!((reason, state), (None, CircuitState::Closed));
        }
        // By hand, and over a deep sleep with a permit or without one.
        assert_eq!(retry.reset(), is_there.then_some(CircuitState::Closed));
        let mut steps = retry.begin().unwrap();
        steps.start().unwrap();
        assert!(matches!(steps.fail(TRANSIENT), Decision::Retry { .. }));
        let call = steps.suspend().unwrap();
        drop(steps);
        assert!(retry.resume(&call.bytes, call.at, None).is_ok());
    }
}
