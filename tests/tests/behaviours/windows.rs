//! What windows count, at the edges of their slices and of what numbers hold.

use redress::breaker::{
    CallResult, FailureRule, FailureTimes, LastOutcomes, OutcomeRule, SliceRule, TimeSlices,
};
use redress::classify::ClassSet;
use redress::event::CircuitState;
use redress::snapshot::Snapshot;
use redress::{Breaker, BreakerConfig, Duration, ErrorClass, Instant};

use crate::snapshots::seal;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn at_secs(at: u64) -> Instant {
    Instant::from_micros(at * 1_000_000)
}

const FAILURE: CallResult = CallResult::Failure(ErrorClass::Transient);
const SUCCESS: CallResult = CallResult::Success;

/// Room for the failures of each class beside those of all others.
#[test]
fn a_threshold_of_its_own_needs_room_whichever_class_it_is_of() {
    for class in ErrorClass::ALL {
        let config = BreakerConfig::failures(3, secs(60)).class_threshold(class, 2);
        assert!(Breaker::<FailureTimes<3>, 1, _>::new(&config).is_err(), "{class}");
        let mut breaker = Breaker::<FailureTimes<4>, 1, _>::new(&config).unwrap();
        let failed = CallResult::Failure(class);
        assert_eq!(breaker.settle(breaker.admit_closed().unwrap(), failed, at_secs(0)), None);
        let changed = breaker.settle(breaker.admit_closed().unwrap(), failed, at_secs(0));
        assert_eq!(changed, Some(CircuitState::Open), "{class}");
    }
}

/// Of a failure it is known to which of the thresholds it belongs.
#[test]
fn a_failure_of_a_class_without_a_threshold_of_its_own_is_refused() {
    const APART: BreakerConfig<FailureRule> =
        BreakerConfig::failures(3, secs(60)).class_threshold(ErrorClass::RateLimit, 2);
    let mut breaker = Breaker::<FailureTimes<4>>::new(&APART).unwrap();
    let mut bytes = [0; Breaker::<FailureTimes<4>>::BYTES];
    breaker.snapshot(at_secs(0), &mut bytes).unwrap();
    // The places come after the times: 0 for none, 1 and up for a class, 9 for all others.
    for (place, is_fine) in [(0, true), (9, true), (5, true), (4, false), (6, false), (1, false)] {
        let mut bytes = bytes;
        bytes[26] = place;
        seal(&mut bytes);
        assert_eq!(breaker.restore(&bytes, at_secs(0), None).is_ok(), is_fine, "{place}");
    }
}

/// A snapshot may hold more failures than open it.
#[test]
fn a_failure_beyond_the_threshold_opens_too() {
    const TWO: BreakerConfig<FailureRule> = BreakerConfig::failures(2, secs(60));
    type Roomy = Breaker<FailureTimes<5>>;
    let mut breaker = Roomy::new(&TWO).unwrap();
    let mut bytes = [0; Roomy::BYTES];
    breaker.snapshot(at_secs(0), &mut bytes).unwrap();
    for nth in 0..4 {
        let at = 18 + 9 * nth;
        bytes[at..at + 8].copy_from_slice(&9_000_000_u64.to_le_bytes());
        bytes[at + 8] = 9;
    }
    seal(&mut bytes);
    breaker.restore(&bytes, at_secs(0), None).unwrap();
    let changed = breaker.settle(breaker.admit_closed().unwrap(), FAILURE, at_secs(0));
    assert_eq!(changed, Some(CircuitState::Open));
}

/// A class that does not trip is none of a rate's, either.
#[test]
fn a_rate_counts_the_classes_that_trip_alone() {
    const RATE: BreakerConfig<OutcomeRule> =
        BreakerConfig::outcomes(10, 500, 2).trip_on(ClassSet::of(&[ErrorClass::Transient]));
    let mut breaker = Breaker::<LastOutcomes<1>>::new(&RATE).unwrap();
    for _ in 0..9 {
        let other = CallResult::Failure(ErrorClass::Permanent);
        assert_eq!(breaker.settle(breaker.admit_closed().unwrap(), other, at_secs(0)), None);
    }
    assert_eq!(breaker.settle(breaker.admit_closed().unwrap(), FAILURE, at_secs(0)), None);
    let changed = breaker.settle(breaker.admit_closed().unwrap(), FAILURE, at_secs(0));
    assert_eq!(changed, Some(CircuitState::Open));
}

/// Two calls of one instant are in one slice, also after a silence that ends with one.
#[test]
fn a_slice_begins_with_the_call_that_ends_a_silence() {
    const PAIR: BreakerConfig<SliceRule> = BreakerConfig::slices(secs(10), 1000, 2);
    for second in [10, 20, 25, 30, 1_000_000] {
        let mut breaker = Breaker::<TimeSlices<1>>::new(&PAIR).unwrap();
        for (at, opens) in [(0, false), (second, false), (second, true)] {
            let changed = breaker.settle(breaker.admit_closed().unwrap(), FAILURE, at_secs(at));
            assert_eq!(changed.is_some(), opens, "{at}");
        }
    }
}

/// A slice that would end after all time ends with it.
#[test]
fn slices_at_the_end_of_time_are_not_forgotten() {
    const FOUR: BreakerConfig<SliceRule> = BreakerConfig::slices(secs(10), 500, 4);
    let mut breaker = Breaker::<TimeSlices<3>>::new(&FOUR).unwrap();
    let late = |before| Instant::MAX.saturating_sub(secs(before));
    for _ in 0..3 {
        assert_eq!(breaker.settle(breaker.admit_closed().unwrap(), FAILURE, late(15)), None);
    }
    let changed = breaker.settle(breaker.admit_closed().unwrap(), FAILURE, late(1));
    assert_eq!(changed, Some(CircuitState::Open));
}

/// A slice that is full keeps its share of slow calls, too.
#[test]
fn a_full_slice_keeps_its_share_of_slow_calls() {
    const SLOW: BreakerConfig<SliceRule> =
        BreakerConfig::slices(secs(3600), 1000, 10).slow_calls(secs(1), 400);
    let mut breaker = Breaker::<TimeSlices<1>>::new(&SLOW).unwrap();
    let permit = breaker.admit_closed().unwrap();
    let mut settle = |longest| breaker.settle_timed(permit, SUCCESS, longest, 0, at_secs(0));
    // Of three calls one is slow, until the slice is full.
    let (calls, wanted) = if cfg!(miri) { (300, 30..40) } else { (65_536_u32, 3_600..3_700) };
    for nth in 0..calls {
        let took = if nth % 3 == 2 { secs(2) } else { Duration::ZERO };
        assert_eq!(settle(took), None, "{nth}");
    }
    // Of 32,768 that are counted a third is slow: 3,642 more make it four of ten.
    let more = (1..).find(|_| settle(secs(1)).is_some()).unwrap_or(0);
    assert!(wanted.contains(&more), "{more}");
}
