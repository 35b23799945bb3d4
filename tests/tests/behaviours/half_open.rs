//! When a breaker becomes half-open, and what a probe that hangs does to other callers.

use redress::breaker::CallResult;
use redress::event::CircuitState;
use redress::testing::MockClock;
use redress::{CircuitOpen, Clock, Duration, ErrorClass, Policy};

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
        clock.advance(SECOND);
    }
}
