//! When a breaker becomes half-open, and what a probe that hangs does to other callers.

use std::cell::RefCell;

use redress::breaker::{CallResult, FailureRule, SliceRule, TimeSlices};
use redress::event::CircuitState;
use redress::testing::MockClock;
use redress::{Breaker, BreakerConfig, CircuitOpen, Clock, Duration, ErrorClass, Instant, Policy};

use crate::faults::{Small, TRIPPED, half_open_next};
use crate::{block_on, on};

const SECOND: Duration = Duration::from_secs(1);
const ONCE: Policy = Policy::once();
const FAILURE: CallResult = CallResult::Failure(ErrorClass::Transient);

/// Line 126.
#[test]
fn an_open_breaker_becomes_half_open_when_it_is_asked_and_not_before() {
    let month = Duration::from_secs(30 * 86_400);
    for silence in [Duration::from_secs(30), month] {
        let clock = MockClock::new();
        let mut breaker = Small::new(&TRIPPED).unwrap();
        let permit = breaker.admit_closed().unwrap();
        breaker.settle(permit, FAILURE, clock.now());
        clock.advance(Duration::from_micros(29_999_999));
        assert_eq!(
            breaker.admit(clock.now()).unwrap_err().retry_after,
            Some(Duration::from_micros(1))
        );
        clock.advance(silence.saturating_sub(clock.elapsed()));
        assert_eq!(breaker.state(), CircuitState::Open);
        let admitted = breaker.admit(clock.now()).unwrap();
        assert!(admitted.half_opened && admitted.permit.is_probe());
    }
}

/// Line 129.
#[test]
fn a_hung_probe_frees_its_place_when_its_lease_ends() {
    let (clock, breaker) = half_open_next();
    let mut breaker = breaker.into_inner();
    let hung = breaker.admit(clock.now()).unwrap().permit;
    clock.advance(Duration::from_micros(59_999_999));
    assert_eq!(breaker.admit(clock.now()).unwrap_err().retry_after, Some(Duration::from_micros(1)));
    clock.advance(Duration::from_micros(1));
    let next = breaker.admit(clock.now()).unwrap().permit;
    // The result of the hung probe no longer counts.
    assert_eq!(breaker.settle(hung, FAILURE, clock.now()), None);
    assert!(breaker.admit(clock.now()).is_err());
    let closed = breaker.settle(next, CallResult::Success, clock.now());
    assert_eq!(closed, Some(CircuitState::Closed));
}

/// Line 130: a caller behind a hung probe is rejected at once, with the time until it may come back.
#[test]
fn no_caller_waits_behind_a_hung_probe() {
    let (clock, breaker) = half_open_next();
    let mut probing = on(&ONCE, &clock).breaker(&breaker);
    let _hung = probing.begin().unwrap();
    for asked in 0..50 {
        let mut retry = on(&ONCE, &clock).breaker(&breaker);
        let outcome = block_on(retry.execute_async(async |_| Ok::<_, ErrorClass>(())));
        // The rest of the probe's lease, at most the recovery time.
        let retry_after = Some(Duration::from_secs((60 - asked).min(30)));
        let state = CircuitState::HalfOpen;
        assert_eq!(outcome.rejection(), Some(CircuitOpen { state, retry_after }));
        assert_eq!(breaker.borrow().check(clock.now()).err(), outcome.rejection());
        clock.advance(SECOND);
    }
}

/// A clock that is set back by far: it is open for as long as it was from the start, and no longer.
#[test]
fn a_recovery_time_that_has_grown_begins_anew_after_a_clock_that_was_set_back() {
    const GROWS: BreakerConfig<FailureRule> = BreakerConfig::failures(1, SECOND)
        .recovery_timeout(SECOND)
        .recovery_growth_to(Duration::from_secs(100));
    for (failed, recovery) in [(0, 1), (1, 2), (2, 4), (3, 8)] {
        let recovery = Duration::from_secs(recovery);
        let mut breaker = Small::new(&GROWS).unwrap();
        let mut now = Instant::from_micros(3_600_000_000);
        breaker.settle(breaker.admit_closed().unwrap(), FAILURE, now);
        for _ in 0..failed {
            let rejected = breaker.check(now).unwrap_err();
            now = now.saturating_add(rejected.retry_after.unwrap());
            let probe = breaker.admit(now).unwrap().permit;
            breaker.settle(probe, FAILURE, now);
        }
        let rejected = breaker.admit(Instant::ZERO).unwrap_err();
        assert_eq!(rejected.retry_after, Some(recovery), "{failed}");
        let over = Instant::ZERO.saturating_add(recovery);
        assert!(breaker.admit(over.saturating_sub(Duration::from_micros(1))).is_err());
        assert!(breaker.admit(over).is_ok(), "{failed}");
    }
}

/// A probe that succeeds as slowly as a slow call is none that recovers anything.
#[test]
fn a_probe_closes_a_breaker_by_rates_unless_it_was_slow() {
    const RATES: BreakerConfig<SliceRule> =
        BreakerConfig::slices(SECOND, 500, 1).slow_calls(SECOND, 500);
    for (micros, state) in [
        (0, CircuitState::Closed),
        (999_999, CircuitState::Closed),
        (1_000_000, CircuitState::Open),
        (2_000_000, CircuitState::Open),
    ] {
        let mut breaker = Breaker::<TimeSlices<2>>::new(&RATES).unwrap();
        let opened = breaker.settle(breaker.admit_closed().unwrap(), FAILURE, Instant::ZERO);
        assert_eq!(opened, Some(CircuitState::Open));
        let now = Instant::from_micros(30_000_000);
        let probe = breaker.admit(now).unwrap().permit;
        let took = Duration::from_micros(micros);
        let changed = breaker.settle_timed(probe, CallResult::Success, took, 0, now);
        assert_eq!(changed, Some(state), "{micros}");
    }
}

/// A device without a source of randomness has no jitter, whatever is configured.
#[test]
fn without_randomness_a_recovery_time_has_no_jitter() {
    const JITTERED: BreakerConfig<FailureRule> =
        BreakerConfig::failures(1, SECOND).recovery_jitter(Duration::from_secs(86_400));
    let (clock, breaker) = (MockClock::new(), RefCell::new(Small::new(&JITTERED).unwrap()));
    let mut retry = on(&ONCE, &clock).breaker(&breaker);
    assert!(retry.call(|_| Err::<(), _>(ErrorClass::Transient)).is_err());
    let rejected = retry.execute(|_| Ok(())).rejection().unwrap();
    assert_eq!(rejected.retry_after, Some(Duration::from_secs(30)));
}
