//! Calls that outlive a restart: a suspended call goes on where it was.

use std::cell::RefCell;

use redress::budget::Budget;
use redress::config::RetryConfig;
use redress::driver::Decision;
use redress::event::CircuitState;
use redress::snapshot::{Restored, Resumed, Snapshot, SnapshotError};
use redress::testing::MockClock;
use redress::{Backoff, Clock, Duration, ErrorClass, Instant, Policy, RollingBudget};

use crate::faults::{Small, TRIPPED, half_open_next};
use crate::snapshots::{ROLLING, bytes_of, seal, states};
use crate::{each_second, on};

const SECOND: Duration = Duration::from_secs(1);
const TRANSIENT: ErrorClass = ErrorClass::Transient;

/// A call that waits five seconds for its third attempt, in bytes.
fn suspended(policy: &Policy, clock: &MockClock) -> Vec<u8> {
    let mut retry = on(policy, clock);
    let mut steps = retry.begin().unwrap();
    for class in [TRANSIENT, ErrorClass::Unknown] {
        steps.start().unwrap();
        let Decision::Retry { after } = steps.fail(class) else { panic!() };
        clock.advance(after);
        steps.on_wake().unwrap();
    }
    steps.start().unwrap();
    assert!(matches!(steps.fail(TRANSIENT), Decision::Retry { .. }));
    steps.suspend().unwrap().bytes.to_vec()
}

/// Five seconds between attempts, a minute for all.
fn each_five_seconds() -> RetryConfig {
    Policy::builder().backoff(Backoff::constant(Duration::from_secs(5)))
}

/// Damaged, foreign, newer, or of other settings.
#[test]
fn what_is_no_snapshot_of_this_call_is_refused_with_its_reason() {
    let policy = each_five_seconds().build().unwrap();
    let clock = MockClock::new();
    let good = suspended(&policy, &clock);
    let breaker = RefCell::new(Small::new(&TRIPPED).unwrap());
    let budget = RefCell::new(RollingBudget::<3>::new(&ROLLING).unwrap());
    let refused = |policy: &Policy, bytes: &[u8]| {
        let mut retry = on(policy, &clock).breaker(&breaker).budget(&budget);
        let error = retry.resume(bytes, clock.now(), None).err();
        // Nothing was entered and nothing spent.
        assert_eq!(breaker.borrow().state(), CircuitState::Closed);
        assert_eq!(budget.borrow().remaining(clock.now()), 3);
        error
    };
    for at in 0..good.len() {
        for flip in [0xFF, 1, 2, 4, 8, 16, 32, 64, 128] {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            assert_eq!(refused(&policy, &bytes), Some(SnapshotError::Damaged), "{at}");
        }
    }
    assert_eq!(refused(&policy, &bytes_of(&states().0)), Some(SnapshotError::Kind));
    let mut newer = good.clone();
    newer[1] = 2;
    seal(&mut newer);
    assert_eq!(refused(&policy, &newer), Some(SnapshotError::Version { has: 2 }));
    let mut longer = good.clone();
    longer.push(0);
    seal(&mut longer);
    let (needs, has) = (good.len(), good.len() + 1);
    assert_eq!(refused(&policy, &longer), Some(SnapshotError::Length { needs, has }));
    assert_eq!(refused(&policy, &[]), Some(SnapshotError::Length { needs, has: 0 }));
    for other in [
        each_five_seconds().max_attempts(7),
        each_five_seconds().deadline(SECOND),
        each_five_seconds().attempt_timeout(SECOND),
        each_five_seconds().max_unknown_attempts(1),
        each_five_seconds().max_attempts_for(TRANSIENT, 9),
        each_second(),
        each_five_seconds().backoff_for(TRANSIENT, Backoff::constant(SECOND)),
    ] {
        let other = other.build().unwrap();
        assert_eq!(refused(&other, &good), Some(SnapshotError::Fingerprint));
    }
    // The class of the latest failure, which no class is.
    let mut wrong = good.clone();
    let class = good.len() - 4 - 12 - 3;
    assert_eq!(wrong[class], TRANSIENT as u8);
    wrong[class] = 8;
    seal(&mut wrong);
    assert_eq!(refused(&policy, &wrong), Some(SnapshotError::Value));
    // It went without a breaker, and goes on without.
    assert_eq!(refused(&policy, &good), Some(SnapshotError::Value));
    assert!(on(&policy, &clock).resume(&good, clock.now(), None).is_ok());
}

/// Whatever a tampered call says, it goes on without a panic.
#[test]
fn a_tampered_call_with_a_right_checksum_breaks_nothing() {
    let policy = each_five_seconds().build().unwrap();
    let clock = MockClock::new();
    let good = suspended(&policy, &clock);
    for at in 6..good.len() - 4 {
        for value in 0..=255 {
            let mut bytes = good.clone();
            bytes[at] = value;
            seal(&mut bytes);
            let breaker = RefCell::new(Small::new(&TRIPPED).unwrap());
            let mut retry = on(&policy, &clock).breaker(&breaker);
            let Ok(resumed) = retry.resume(&bytes, clock.now(), None) else { continue };
            let mut steps = resumed.steps;
            while steps.on_wake().is_ok() && steps.start().is_ok() {
                if let Decision::Stop(_) = steps.fail(TRANSIENT) {
                    break;
                }
            }
        }
    }
}

/// Line 129: attempts, delay and deadline go on where they were.
#[test]
fn a_resumed_call_has_what_was_left_of_it() {
    for (off, rest, attempts) in [(None, 5, 6), (Some(3), 2, 6), (Some(9), 0, 6), (Some(60), 0, 3)]
    {
        let policy = each_five_seconds().deadline(Duration::from_secs(31)).build().unwrap();
        let bytes = suspended(&policy, &MockClock::new());
        let clock = MockClock::new();
        clock.advance(Duration::from_secs(1000));
        let mut retry = on(&policy, &clock);
        let off = off.map(Duration::from_secs);
        let Resumed { mut steps, due, restored, .. } =
            retry.resume(&bytes, clock.now(), off).unwrap();
        let left = due.since(clock.now());
        assert_eq!(left, Duration::from_secs(rest));
        assert_eq!(restored == Restored::TimeOff, off.is_some());
        assert_eq!((steps.call().attempts(), steps.call().previous().as_secs()), (3, 5));
        clock.advance(left);
        let mut woke = steps.on_wake();
        while woke.is_ok() {
            steps.start().unwrap();
            let Decision::Retry { after } = steps.fail(TRANSIENT) else { break };
            clock.advance(after);
            woke = steps.on_wake();
        }
        assert_eq!(steps.call().attempts(), attempts, "{off:?}");
        assert_eq!(woke.is_err(), attempts == 3);
    }
}

/// Line 129: a probe sleeps with its call, keeps its place, and its result counts.
#[test]
fn a_suspended_probe_keeps_its_place_until_its_lease_ends() {
    let policy = each_five_seconds().build().unwrap();
    for (off, holds) in [(None, true), (Some(59), true), (Some(60), false)] {
        let (clock, breaker) = half_open_next();
        let mut bytes = vec![0; Small::BYTES];
        let call = {
            let mut retry = on(&policy, &clock).breaker(&breaker);
            let mut steps = retry.begin().unwrap();
            steps.start().unwrap();
            assert!(matches!(steps.fail(TRANSIENT), Decision::Retry { .. }));
            // Whatever happens between the two snapshots takes time.
            let call = steps.suspend().unwrap();
            clock.advance(Duration::from_millis(3));
            call
        };
        breaker.borrow().snapshot(call.at, &mut bytes).unwrap();

        let off = off.map(Duration::from_secs);
        let clock = MockClock::new();
        let now = clock.now();
        let breaker = RefCell::new(Small::new(&TRIPPED).unwrap());
        breaker.borrow_mut().restore(&bytes, now, off).unwrap();
        assert_eq!(breaker.borrow().check(now).is_err(), holds, "{off:?}");
        clock.advance(Duration::from_millis(3));
        let mut retry = on(&policy, &clock).breaker(&breaker);
        let mut steps = retry.resume(&call.bytes, now, off).unwrap().steps;
        if steps.on_wake().is_ok() {
            steps.start().unwrap();
            steps.succeed();
        }
        let state = if holds { CircuitState::Closed } else { CircuitState::HalfOpen };
        assert_eq!(breaker.borrow().state(), state, "{off:?}");
    }
}

/// A clock that jumped back before the power went cuts the permit of a suspended probe
/// and the end of its place alike.
#[test]
fn a_suspended_probe_keeps_its_place_over_a_clock_that_jumped_back() {
    let policy = each_five_seconds().build().unwrap();
    let (clock, breaker) = half_open_next();
    let mut bytes = vec![0; Small::BYTES];
    let call = {
        let mut retry = on(&policy, &clock).breaker(&breaker);
        let mut steps = retry.begin().unwrap();
        steps.start().unwrap();
        assert!(matches!(steps.fail(TRANSIENT), Decision::Retry { .. }));
        clock.jump_to(Instant::from_micros(clock.now().as_micros() - 20_000_000));
        steps.suspend().unwrap()
    };
    breaker.borrow().snapshot(call.at, &mut bytes).unwrap();

    let clock = MockClock::new();
    let breaker = RefCell::new(Small::new(&TRIPPED).unwrap());
    breaker.borrow_mut().restore(&bytes, clock.now(), None).unwrap();
    let mut retry = on(&policy, &clock).breaker(&breaker);
    let mut steps = retry.resume(&call.bytes, clock.now(), None).unwrap().steps;
    steps.on_wake().unwrap();
    steps.start().unwrap();
    steps.succeed();
    assert_eq!(breaker.borrow().state(), CircuitState::Closed);
}

/// A snapshot of a call fits the very strategies that it was taken under.
#[test]
fn a_call_does_not_go_on_under_another_strategy() {
    const A: [Duration; 1] = [Duration::from_secs(1)];
    const B: [Duration; 1] = [Duration::from_secs(2)];
    let (s, l) = (Duration::from_secs(1), Duration::from_secs(9));
    let clock = MockClock::new();
    for (one, other) in [
        (Backoff::sequence(&A), Backoff::sequence(&B)),
        (Backoff::exponential_by(s, l, 1500), Backoff::exponential_by(s, l, 3000)),
        (Backoff::exponential(s, l), Backoff::fibonacci(s, l)),
    ] {
        let one = Policy::builder().backoff(one).build().unwrap();
        let other = Policy::builder().backoff(other).build().unwrap();
        let bytes = suspended(&one, &clock);
        assert!(on(&one, &clock).resume(&bytes, clock.now(), None).is_ok());
        let refused = on(&other, &clock).resume(&bytes, clock.now(), None).err();
        assert_eq!(refused, Some(SnapshotError::Fingerprint));
    }
}
