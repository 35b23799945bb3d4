//! Values that a state cannot have, each by itself, under a right checksum.

use std::cell::RefCell;

use redress::breaker::{CallResult, FailureTimes, LastOutcomes, TimeSlices};
use redress::driver::Decision;
use redress::event::CircuitState;
use redress::random::NoRandom;
use redress::snapshot::{Snapshot, SnapshotError};
use redress::testing::MockClock;
use redress::{Breaker, Duration, ErrorClass, Policy};

use super::{CALL, FAILURE, LEASE, LONGEST, RATE, RECOVERY, SLICES, TIMES, seal, written};
use crate::{at, us};

/// Where the state begins: kind, version and fingerprint are before it.
const BODY: usize = 6;
const NOW: u64 = 1_000_000_000;

type Times = Breaker<FailureTimes<3>, 2>;
type Rate = Breaker<LastOutcomes<2>>;
type Slices = Breaker<TimeSlices<4>>;

/// Whether the snapshot is accepted with these bytes in place of its own.
fn takes<S: Snapshot + Clone>(state: &S, offset: usize, field: &[u8]) -> bool {
    let mut bytes = written(state, NOW);
    bytes[BODY + offset..][..field.len()].copy_from_slice(field);
    seal(&mut bytes);
    let mut state = state.clone();
    let before = written(&state, NOW);
    match state.restore(&bytes, at(NOW), None) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error, SnapshotError::Value);
            assert_eq!(written(&state, NOW), before, "refused, and changed");
            false
        }
    }
}

fn micros(span: Duration, more: u64) -> [u8; 8] {
    (span.as_micros() + more).to_le_bytes()
}

fn opened() -> Times {
    let mut breaker = Times::new(&TIMES).unwrap();
    for _ in 0..3 {
        let permit = breaker.admit_closed().unwrap();
        breaker.settle(permit, FAILURE, at(NOW));
    }
    assert_eq!(breaker.state(), CircuitState::Open);
    breaker
}

// Phase, tally and generation; then the two places; then the window.
const TALLY: usize = 1;
const PLACES: usize = 4;
const WINDOW: usize = PLACES + 16;

#[test]
fn an_open_breaker_is_due_within_its_recovery_time() {
    let open = opened();
    let both = |span, more| [micros(span, more); 2].concat();
    assert!(takes(&open, PLACES, &both(RECOVERY, 0)));
    assert!(!takes(&open, PLACES, &both(RECOVERY, 1)));
    assert!(!takes(&open, PLACES, &[0xFF; 16]));
    // The recovery time ends for all places at once.
    for place in [PLACES, PLACES + 8] {
        assert!(takes(&open, place, &micros(RECOVERY, 0)));
        assert!(!takes(&open, place, &micros(Duration::from_micros(7), 0)));
    }
    // After three failed probes it is open for eight times as long, as far as it grows.
    let grown = |more| [&[0x30, 1, 0][..], &both(LONGEST, more)].concat();
    assert!(takes(&open, TALLY, &grown(0)) && !takes(&open, TALLY, &grown(1)));
    // A recovery time that does not grow has no failed probes to count.
    let mut fixed = Rate::new(&RATE).unwrap();
    fixed.trip(at(NOW));
    assert!(takes(&fixed, TALLY, &[0]) && !takes(&fixed, TALLY, &[0x10]));
}

#[test]
fn a_place_is_leased_for_at_most_two_leases() {
    let mut half_open = opened();
    let recovered = at(NOW).saturating_add(RECOVERY);
    let _ = half_open.admit(recovered).unwrap().permit;
    let two = us(2 * LEASE.as_micros());
    assert!(takes(&half_open, PLACES, &micros(two, 0)));
    assert!(!takes(&half_open, PLACES, &micros(two, 1)));
    assert!(!takes(&half_open, PLACES, &[0xFF; 8]));
    // One of two successes is fine, two would have closed it.
    assert!(takes(&half_open, TALLY, &[1]) && !takes(&half_open, TALLY, &[2]));
    // A closed breaker has no places and counts no probes; nor has an isolated one.
    let closed = Times::new(&TIMES).unwrap();
    assert!(!takes(&closed, PLACES, &[1]) && !takes(&closed, TALLY, &[1]));
    assert!(!takes(&closed, TALLY, &[0x10]) && !takes(&closed, 0, &[4]));
    let mut isolated = closed.clone();
    isolated.isolate();
    assert!(!takes(&isolated, PLACES, &[1]) && !takes(&isolated, TALLY, &[1]));
    // A breaker of one permit uses one of its two places.
    let one = TIMES.half_open_permits(1);
    let mut half_open = Breaker::<FailureTimes<3>, 2, _>::new(&one).unwrap();
    half_open.trip(at(NOW));
    let _ = half_open.admit(recovered).unwrap().permit;
    assert!(!takes(&half_open, PLACES + 8, &[1]));
}

/// After a clock that was set back by leases, the snapshot is still one that is accepted.
#[test]
fn a_clock_that_was_set_back_is_no_reason_to_refuse_a_snapshot() {
    let mut breaker = opened();
    let _ = breaker.admit(at(NOW).saturating_add(RECOVERY)).unwrap().permit;
    for now in [NOW, NOW - LEASE.as_micros(), NOW - 10 * LEASE.as_micros(), 0] {
        for mut breaker in [opened(), breaker.clone()] {
            let bytes = written(&breaker, now);
            assert!(breaker.restore(&bytes, at(now), None).is_ok(), "{now}");
            let later = at(now).saturating_add(LEASE).saturating_add(LEASE);
            assert!(breaker.admit(later).is_ok());
        }
    }
}

#[test]
fn a_failure_leaves_its_window_and_is_of_a_class_that_counts() {
    let config = TIMES.class_threshold(ErrorClass::RateLimit, 1);
    let mut closed = Breaker::<FailureTimes<3>, 2, _>::new(&config).unwrap();
    let permit = closed.admit_closed().unwrap();
    closed.settle(permit, FAILURE, at(NOW));
    let window = Duration::from_secs(1);
    for entry in 0..3 {
        let offset = WINDOW + 9 * entry;
        assert!(takes(&closed, offset, &micros(window, 0)));
        assert!(!takes(&closed, offset, &micros(window, 1)));
        let place = offset + 8;
        let own = ErrorClass::RateLimit as u8 + 1;
        for (value, fits) in [(0, true), (own, true), (9, true), (own + 1, false), (10, false)] {
            assert_eq!(takes(&closed, place, &[value]), fits, "{value}");
        }
    }
}

#[test]
fn the_counts_of_outcomes_are_those_of_their_bits() {
    let mut closed = Rate::new(&RATE).unwrap();
    for result in [FAILURE, CallResult::Success, FAILURE] {
        let permit = closed.admit_closed().unwrap();
        closed.settle(permit, result, at(NOW));
    }
    // The first word, the second; next, count and failures.
    let window = |first: u32, second: u32, [next, count, failures]: [u16; 3]| {
        let words = [first, second].map(u32::to_le_bytes).concat();
        [words, [next, count, failures].map(u16::to_le_bytes).concat()].concat()
    };
    let bits = PLACES + 8;
    for (first, second, counts, fits) in [
        (0b101, 0, [3, 3, 2], true),
        (0b111, 0, [3, 3, 3], true),
        (0b111, 0, [3, 3, 2], false),
        (0b001, 0, [3, 3, 2], false),
        (0b1001, 0, [3, 3, 2], false),
        (0b101, 0, [2, 3, 2], false),
        (0b101, 1, [3, 3, 2], false),
        (u32::MAX, 0, [32, 32, 32], true),
        (u32::MAX, 1, [33, 33, 33], true),
        (0, 1 << 17, [3, 50, 1], true),
        (0, 1 << 18, [3, 50, 1], false),
        (0, 0, [50, 50, 0], false),
        (0, 0, [0, 51, 0], false),
    ] {
        let field = window(first, second, counts);
        assert_eq!(takes(&closed, bits, &field), fits, "{first:b} {second:b} {counts:?}");
    }
}

#[test]
fn the_running_slice_ends_within_a_slice() {
    let mut closed = Slices::new(&SLICES).unwrap();
    let permit = closed.admit_closed().unwrap();
    closed.settle(permit, FAILURE, at(NOW));
    let slices = PLACES + 8;
    let ends = slices + 6 * 4;
    let slice = Duration::from_millis(100);
    assert!(takes(&closed, ends, &micros(slice, 0)) && !takes(&closed, ends, &micros(slice, 1)));
    let running = ends + 8;
    assert!(takes(&closed, running, &[3]) && !takes(&closed, running, &[4]));
    for (counts, fits) in [([2, 1, 1], true), ([2, 3, 1], false), ([2, 1, 3], false)] {
        let field = counts.map(u16::to_le_bytes).concat();
        assert_eq!(takes(&closed, slices, &field), fits, "{counts:?}");
    }
}

/// Failures of slices that ended before the snapshot was taken are not in it.
#[test]
fn slices_that_have_ended_are_not_revived() {
    let hour = NOW + 3_600_000_000;
    let mut breaker = Slices::new(&SLICES).unwrap();
    let fail = |breaker: &mut Slices, now| {
        let permit = breaker.admit_closed().unwrap();
        breaker.settle(permit, FAILURE, at(now))
    };
    for _ in 0..4 {
        assert_eq!(fail(&mut breaker, NOW), None);
    }
    let mut restored = Slices::new(&SLICES).unwrap();
    restored.restore(&written(&breaker, hour), at(7), None).unwrap();
    for _ in 0..4 {
        assert_eq!(fail(&mut restored, 7), None);
    }
    assert_eq!(fail(&mut restored, 7), Some(CircuitState::Open));
    // Half of the window later, what is in it still counts.
    let mut restored = Slices::new(&SLICES).unwrap();
    restored.restore(&written(&breaker, NOW + 200_000), at(7), None).unwrap();
    assert_eq!(fail(&mut restored, 7), Some(CircuitState::Open));
}

/// A place that is free in the snapshot is free for an instant that is a little stale, too.
#[test]
fn what_is_over_in_a_snapshot_is_over_for_a_stale_instant() {
    let mut breaker = opened();
    let recovered = NOW + RECOVERY.as_micros();
    let probe = breaker.admit(at(recovered)).unwrap().permit;
    breaker.cancel(probe);
    breaker.restore(&written(&breaker, recovered), at(recovered), None).unwrap();
    assert!(breaker.admit(at(recovered - 1)).is_ok());
}

#[test]
fn a_call_is_one_that_its_policy_can_have_made() {
    let clock = MockClock::new();
    let breaker = RefCell::new(Times::new(&TIMES).unwrap());
    let bytes = {
        let mut retry = CALL.on(&clock, NoRandom).breaker(&breaker);
        let mut steps = retry.begin().unwrap();
        for _ in 0..2 {
            steps.start().unwrap();
            let Decision::Retry { after } = steps.fail(ErrorClass::Transient) else { panic!() };
            clock.advance(after);
            steps.on_wake().unwrap();
        }
        steps.start().unwrap();
        assert_eq!(steps.fail(ErrorClass::ServerError).delay(), Duration::from_secs(4));
        steps.suspend().unwrap().bytes
    };
    let policy: &Policy = &CALL;
    let takes = |offset: usize, field: &[u8]| {
        let mut bytes = bytes;
        bytes[BODY + offset..][..field.len()].copy_from_slice(field);
        seal(&mut bytes);
        let mut retry = policy.on(&clock, NoRandom).breaker(&breaker);
        let error = retry.resume(&bytes, at(0), None).err();
        assert!(error.is_none_or(|error| error == SnapshotError::Value));
        error.is_none()
    };
    // Age, rest of the deadline, delay, rest of it.
    const LEFT: usize = 8;
    const REST: usize = 24;
    let (delay, deadline) = (Duration::from_secs(4), Duration::from_secs(34));
    assert!(takes(LEFT, &micros(deadline, 0)) && !takes(LEFT, &micros(deadline, 1)));
    assert!(!takes(LEFT, &[0xFF; 8]));
    assert!(takes(REST, &micros(delay, 0)) && !takes(REST, &micros(delay, 1)));
    // Three of five attempts; two of them TRANSIENT, one SERVER_ERROR.
    const ATTEMPTS: usize = 32;
    for (attempts, fits) in [(2, false), (3, true), (4, true), (5, false), (u32::MAX, false)] {
        assert_eq!(takes(ATTEMPTS, &attempts.to_le_bytes()), fits, "{attempts}");
    }
    let count = |class: ErrorClass| ATTEMPTS + 4 + 2 * class as usize;
    for (class, failures, fits) in [
        (ErrorClass::Transient, 1, true),
        (ErrorClass::Transient, 3, false),
        (ErrorClass::Unknown, 1, false),
        (ErrorClass::ServerError, 0, false),
        (ErrorClass::Auth, 1, false),
    ] {
        let field = u16::to_le_bytes(failures);
        assert_eq!(takes(count(class), &field), fits, "{class:?} {failures}");
    }
    // Four attempts leave room for one more failure, of a class that may have one.
    let with_four = |class: ErrorClass, failures: u16| {
        let at = 4 + 2 * class as usize;
        let mut field = bytes[BODY + ATTEMPTS..][..20].to_vec();
        field[..4].copy_from_slice(&4_u32.to_le_bytes());
        field[at..at + 2].copy_from_slice(&failures.to_le_bytes());
        takes(ATTEMPTS, &field)
    };
    assert!(with_four(ErrorClass::Unknown, 1) && with_four(ErrorClass::ServerError, 2));
    assert!(!with_four(ErrorClass::Permanent, 1) && !with_four(ErrorClass::Unknown, 2));
    // The class and the cause of the last failure.
    const LAST: usize = ATTEMPTS + 20;
    assert!(takes(LAST, &[ErrorClass::Transient as u8]) && takes(LAST + 1, &[1]));
    assert!(!takes(LAST, &[ErrorClass::Unknown as u8]) && !takes(LAST, &[8]));
    assert!(!takes(LAST + 1, &[2]) && !takes(LAST, &[0xFF, 0xFF]));
    // Whether it waits for a rate limit, which this call has not.
    assert!(takes(LAST + 2, &[0]) && !takes(LAST + 2, &[1]) && !takes(LAST + 2, &[2]));
    // A permit: whether there is one, its place, period and lease.
    const PERMIT: usize = LAST + 3;
    let permit = |has: u8, slot: u8, period: u8, lease: u8| {
        takes(PERMIT, &[has, slot, period, 0, lease, 0, 0, 0, 0, 0, 0, 0])
    };
    assert!(permit(1, 0xFF, 0, 0) && permit(1, 0xFF, 9, 0));
    assert!(permit(1, 0, 1, 7) && permit(1, 1, 1, 7));
    // Two places are all that the breaker has, a closed period has no leases, and there are
    // three wishes that it may have.
    assert!(!permit(1, 2, 1, 7) && !permit(1, 0xFE, 1, 7) && !permit(1, 0xFF, 0, 7));
    assert!(permit(0xF, 0xFF, 0, 0) && !permit(0x11, 0xFF, 0, 0));
    assert!(!permit(0, 0, 0, 0) && !permit(2, 0xFF, 0, 0) && !permit(0, 0xFF, 1, 0));
}
