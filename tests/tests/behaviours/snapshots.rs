//! State of breakers and budgets that outlives a restart.

use redress::breaker::{
    CallResult, FailureRule, FailureTimes, LastOutcomes, OutcomeRule, SliceRule, TimeSlices, Window,
};
use redress::budget::{Budget, RatioConfig, RollingConfig};
use redress::classify::ClassSet;
use redress::event::CircuitState;
use redress::snapshot::{Restored, Snapshot, SnapshotError};
use redress::{
    Breaker, BreakerConfig, Clock, Duration, ErrorClass, Instant, Keyed, RatioBudget, RollingBudget,
};

use crate::faults::{Small, TRIPPED, half_open_next, panics};

const SECOND: Duration = Duration::from_secs(1);
const TRANSIENT: ErrorClass = ErrorClass::Transient;
const FAILURE: CallResult = CallResult::Failure(TRANSIENT);

/// The checksum that a snapshot ends with: CRC-32 of IEEE 802.3.
pub(crate) fn seal(bytes: &mut [u8]) {
    let (body, checksum) = bytes.split_at_mut(bytes.len() - 4);
    let crc = body.iter().fold(u32::MAX, |crc, byte| {
        let shift = |crc: u32, _| crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
        (0..8).fold(crc ^ u32::from(*byte), shift)
    });
    checksum.copy_from_slice(&(!crc).to_le_bytes());
}

const NOW: Instant = Instant::from_micros(1_000_000_000);

pub(crate) fn bytes_of<S: Snapshot>(state: &S) -> Vec<u8> {
    let mut bytes = vec![0; S::BYTES];
    assert_eq!(state.snapshot(NOW, &mut bytes), Ok(S::BYTES));
    bytes
}

/// What every state refuses, and with which reason; it is then as it was.
fn refuses<S: Snapshot + Clone>(state: &S, others: &[Vec<u8>], mut of_other_settings: Vec<u8>) {
    let good = bytes_of(state);
    let refused = |bytes: &[u8]| {
        let mut victim = state.clone();
        let error = victim.restore(bytes, NOW, None).unwrap_err();
        assert_eq!(bytes_of(&victim), good, "changed by {error}");
        error
    };
    // Every byte flipped, whole and bit by bit.
    for at in 0..good.len() {
        for flip in [0xFF, 1, 2, 4, 8, 16, 32, 64, 128] {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            assert_eq!(refused(&bytes), SnapshotError::Damaged, "{at} {flip}");
        }
    }
    for other in others {
        assert_eq!(refused(other), SnapshotError::Kind);
    }
    assert_eq!(refused(&of_other_settings), SnapshotError::Fingerprint);
    of_other_settings[1] = 2;
    seal(&mut of_other_settings);
    // The version comes first: the layout of another one says nothing.
    assert_eq!(refused(&of_other_settings), SnapshotError::Version { has: 2 });
    for has in [0, 1, 5] {
        let error = SnapshotError::Length { needs: S::BYTES, has };
        assert_eq!(refused(&good[..has]), error);
    }
    for has in [good.len() - 1, good.len() + 1, good.len() + 100] {
        let mut bytes = good.clone();
        bytes.resize(has, 0);
        assert_eq!(refused(&bytes), SnapshotError::Damaged);
        seal(&mut bytes);
        assert_eq!(refused(&bytes), SnapshotError::Length { needs: S::BYTES, has });
    }
    let mut short = vec![7; S::BYTES - 1];
    let error = SnapshotError::Length { needs: S::BYTES, has: S::BYTES - 1 };
    assert_eq!(state.snapshot(NOW, &mut short), Err(error));
    assert_eq!(state.clone().restore(&good, NOW, None), Ok(Restored::TimeStoodStill));
}

pub(crate) const TIMES: BreakerConfig<FailureRule> =
    BreakerConfig::failures(3, Duration::from_secs(60));
pub(crate) const RATE: BreakerConfig<OutcomeRule> = BreakerConfig::outcomes(40, 500, 10);
const SLICES: BreakerConfig<SliceRule> = BreakerConfig::slices(Duration::from_secs(10), 500, 4);
pub(crate) const ROLLING: RollingConfig = RollingConfig::new(3, Duration::from_secs(60));
const RATIO: RatioConfig = RatioConfig::new(100).initial(1).floor_per_sec(1).limit(10);

pub(crate) type Times = Breaker<FailureTimes<3>>;
pub(crate) type Rate = Breaker<LastOutcomes<2>>;
pub(crate) type Slices = Breaker<TimeSlices<3>>;

/// A state of each kind that has seen something.
pub(crate) fn states() -> (Times, Rate, Slices, RollingBudget<3>, RatioBudget) {
    let mut times = Times::new(&TIMES).unwrap();
    let mut rate = Rate::new(&RATE).unwrap();
    let mut slices = Slices::new(&SLICES).unwrap();
    for result in [FAILURE, CallResult::Success, FAILURE] {
        times.settle(times.admit_closed().unwrap(), result, NOW);
        rate.settle(rate.admit_closed().unwrap(), result, NOW);
        slices.settle(slices.admit_closed().unwrap(), result, NOW);
    }
    let mut rolling = RollingBudget::new(&ROLLING).unwrap();
    let mut ratio = RatioBudget::new(&RATIO).unwrap();
    assert!(rolling.consume(2, NOW) && ratio.consume(1, NOW));
    (times, rate, slices, rolling, ratio)
}

/// Line 129: a snapshot that is damaged, foreign, newer or of other settings.
#[test]
fn what_is_no_snapshot_of_this_state_is_refused_with_its_reason() {
    let (times, rate, slices, rolling, ratio) = states();
    let all = [
        bytes_of(&times),
        bytes_of(&rate),
        bytes_of(&slices),
        bytes_of(&rolling),
        bytes_of(&ratio),
    ];
    let without = |nth: usize| {
        let others = all.iter().enumerate().filter(|(at, _)| *at != nth);
        others.map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>()
    };
    let other = TIMES.lease(SECOND);
    refuses(&times, &without(0), bytes_of(&Breaker::<FailureTimes<3>, 1, _>::new(&other).unwrap()));
    let other = BreakerConfig::outcomes(40, 501, 10);
    refuses(&rate, &without(1), bytes_of(&Breaker::<LastOutcomes<2>, 1, _>::new(&other).unwrap()));
    let other = SLICES.slow_calls(SECOND, 1000);
    refuses(&slices, &without(2), bytes_of(&Breaker::<TimeSlices<3>, 1, _>::new(&other).unwrap()));
    let other = RollingConfig::new(2, Duration::from_secs(60));
    refuses(&rolling, &without(3), bytes_of(&RollingBudget::<3, _>::new(&other).unwrap()));
    let other = RATIO.limit(11);
    refuses(&ratio, &without(4), bytes_of(&RatioBudget::new(&other).unwrap()));
}

/// Each setting counts, of a breaker as of its window.
#[test]
fn a_snapshot_under_any_other_setting_is_refused() {
    let good = bytes_of(&states().0);
    for config in [
        TIMES.trip_on(ClassSet::of(&[TRANSIENT])),
        TIMES.recovery_timeout(SECOND),
        TIMES.recovery_growth_to(Duration::from_secs(60)),
        TIMES.lease(SECOND),
        TIMES.successes_to_close(2),
        TIMES.class_threshold(ErrorClass::RateLimit, 1),
        BreakerConfig::failures(2, Duration::from_secs(60)),
        BreakerConfig::failures(3, Duration::from_secs(61)),
    ] {
        let mut breaker = Breaker::<FailureTimes<3>, 1, _>::new(&config).unwrap();
        let refused = breaker.restore(&good, NOW, None);
        assert_eq!(refused, Err(SnapshotError::Fingerprint), "{config:?}");
    }
    // The same settings with more room are another layout.
    let mut roomy = Breaker::<FailureTimes<5>>::new(&TIMES).unwrap();
    let length = SnapshotError::Length { needs: good.len() + 18, has: good.len() };
    assert_eq!(roomy.restore(&good, NOW, None), Err(length));
}

/// A breaker goes on as one does, whatever it was restored from.
fn exercised<W: Window + Clone>(breaker: Breaker<W>) {
    const SUCCESS: CallResult = CallResult::Success;
    for results in [[FAILURE, SUCCESS, SUCCESS], [SUCCESS, FAILURE, FAILURE]] {
        let mut breaker = breaker.clone();
        for minute in 0..4 {
            let now = NOW.saturating_add(Duration::from_secs(60 * minute));
            for result in results {
                if let Ok(admitted) = breaker.admit(now) {
                    breaker.settle(admitted.permit, result, now);
                }
                let _ = breaker.check(now);
            }
        }
    }
}

/// Every byte of a state set to every value, under a checksum that is right.
fn tampered<S: Snapshot + Clone>(state: &S, go_on: impl Fn(S)) {
    let good = bytes_of(state);
    for at in 6..good.len() - 4 {
        for value in 0..=255 {
            let mut bytes = good.clone();
            bytes[at] = value;
            seal(&mut bytes);
            let mut victim = state.clone();
            match victim.restore(&bytes, NOW, None) {
                Ok(_) => {
                    let again = panics(|| go_on(victim));
                    assert!(!again, "byte {at} of {value}");
                }
                Err(error) => {
                    assert_eq!((error, bytes_of(&victim)), (SnapshotError::Value, good.clone()));
                }
            }
        }
    }
}

/// A value that no state can have is refused, or does no harm.
#[test]
fn a_tampered_snapshot_with_a_right_checksum_breaks_nothing() {
    let (times, rate, slices, rolling, ratio) = states();
    tampered(&rate, exercised);
    tampered(&slices, exercised);
    tampered(&times, exercised);
    let spent = |mut budget: RollingBudget<3>| {
        for secs in 0..100 {
            budget.consume(secs % 4, NOW.saturating_add(Duration::from_secs(secs.into())));
        }
    };
    tampered(&rolling, spent);
    tampered(&ratio, |mut budget| {
        budget.deposit();
        budget.consume(budget.remaining(NOW), NOW);
    });
}

/// The same in half-open, where probes are counted and have leases.
#[test]
fn a_tampered_half_open_breaker_with_a_right_checksum_breaks_nothing() {
    let (clock, breaker) = half_open_next();
    let mut breaker = breaker.into_inner();
    let probe = breaker.admit(clock.now()).unwrap().permit;
    breaker.cancel(probe);
    tampered(&breaker, exercised);
}

/// Line 129: the true opened-at time is kept, over any number of restarts.
#[test]
fn an_open_breaker_goes_on_recovering_where_it_was() {
    for (off, waits) in [(None, [20, 20, 20]), (Some(8), [12, 4, 0])] {
        let mut breaker = Small::new(&TRIPPED).unwrap();
        breaker.settle(breaker.admit_closed().unwrap(), FAILURE, Instant::ZERO);
        let mut bytes = vec![0; Small::BYTES];
        let ten = Instant::ZERO.saturating_add(Duration::from_secs(10));
        breaker.snapshot(ten, &mut bytes).unwrap();
        let told = if off.is_some() { Restored::TimeOff } else { Restored::TimeStoodStill };
        for (restart, wait) in waits.into_iter().enumerate() {
            // Each time another process, whose clock has another origin.
            let now = Instant::from_micros(restart as u64 * 77);
            let mut restored = Small::new(&TRIPPED).unwrap();
            let off = off.map(Duration::from_secs);
            assert_eq!(restored.restore(&bytes, now, off), Ok(told));
            let left =
                restored.check(now).err().and_then(|open| open.retry_after).unwrap_or_default();
            assert_eq!((restored.state(), left.as_secs()), (CircuitState::Open, wait));
            restored.snapshot(now, &mut bytes).unwrap();
        }
    }
}

/// Line 129: a power-off of a minute empties windows and refills budgets, if
/// it is known; else nothing has changed.
#[test]
fn windows_and_budgets_know_of_the_time_off_or_stand_still() {
    let minute = Some(Duration::from_secs(60));
    for (off, failures_to_open, tokens, floor) in [(None, 1, 1, 0), (minute, 3, 3, 10)] {
        let (times, _, slices, rolling, ratio) = states();
        let mut restored = Times::new(&TIMES).unwrap();
        restored.restore(&bytes_of(&times), Instant::ZERO, off).unwrap();
        let mut fail = || {
            restored.settle(restored.admit_closed().unwrap(), FAILURE, Instant::ZERO);
            restored.state() == CircuitState::Open
        };
        assert_eq!((1..).find(|_| fail()), Some(failures_to_open));

        let mut restored = Slices::new(&SLICES).unwrap();
        restored.restore(&bytes_of(&slices), Instant::ZERO, off).unwrap();
        let mut fail = || {
            restored.settle(restored.admit_closed().unwrap(), FAILURE, Instant::ZERO);
            restored.state() == CircuitState::Open
        };
        // Four calls are the least; three were before.
        let needed = if off.is_some() { 4 } else { 1 };
        assert_eq!((1..).find(|_| fail()), Some(needed));

        let mut restored = RollingBudget::<3>::new(&ROLLING).unwrap();
        restored.restore(&bytes_of(&rolling), Instant::ZERO, off).unwrap();
        assert_eq!(restored.remaining(Instant::ZERO), tokens);

        let mut restored = RatioBudget::new(&RATIO).unwrap();
        restored.restore(&bytes_of(&ratio), Instant::ZERO, off).unwrap();
        assert_eq!(restored.remaining(Instant::ZERO), floor);
    }
}

/// Of a snapshot of three tokens: how long each has left, and which is the oldest.
fn tokens(left: [u64; 3], next: u16) -> Vec<u8> {
    let mut bytes = bytes_of(&RollingBudget::<3>::new(&ROLLING).unwrap());
    for (at, left) in left.iter().enumerate() {
        bytes[6 + 8 * at..][..8].copy_from_slice(&left.to_le_bytes());
    }
    bytes[30..32].copy_from_slice(&next.to_le_bytes());
    seal(&mut bytes);
    bytes
}

/// Line 129: a due time beyond the window would hold its token for ever.
#[test]
fn tokens_that_a_rolling_budget_cannot_have_are_refused() {
    const MINUTE: u64 = 60_000_000;
    let fresh = RollingBudget::<3>::new(&ROLLING).unwrap();
    for (left, next, is_fine) in [
        ([0; 3], 0, true),
        ([0; 3], 2, true),
        ([0, 1, MINUTE], 0, true),
        ([MINUTE, 0, 1], 1, true),
        ([1, MINUTE, 1], 2, true),
        ([7; 3], 1, true),
        // Longer than the window.
        ([0, 0, MINUTE + 1], 0, false),
        ([0, u64::MAX, 0], 2, false),
        ([u64::MAX; 3], 0, false),
        // Not the oldest first.
        ([1, 0, 2], 0, false),
        ([1, 0, 2], 1, false),
        ([1, 2, 3], 1, false),
        ([3, 2, 1], 2, false),
        // No token of the three.
        ([0; 3], 3, false),
    ] {
        let mut restored = fresh.clone();
        let result = restored.restore(&tokens(left, next), NOW, None);
        assert_eq!(result.is_ok(), is_fine, "{left:?} {next}");
        if is_fine {
            assert!(restored.consume(3, NOW.saturating_add(Duration::from_micros(MINUTE))));
        } else {
            assert_eq!(result, Err(SnapshotError::Value));
            assert_eq!(bytes_of(&restored), bytes_of(&fresh));
        }
    }
    // Tokens beyond max_retries are never spent.
    let two = RollingConfig::new(2, Duration::from_secs(60));
    let mut small = RollingBudget::<3, _>::new(&two).unwrap();
    let mut bytes = bytes_of(&small);
    bytes[22] = 1;
    seal(&mut bytes);
    assert_eq!(small.restore(&bytes, NOW, None), Err(SnapshotError::Value));
    // A balance above the limit.
    let mut ratio = RatioBudget::new(&RATIO).unwrap();
    let mut bytes = bytes_of(&ratio);
    bytes[6..14].copy_from_slice(&10_000_001_u64.to_le_bytes());
    seal(&mut bytes);
    assert_eq!(ratio.restore(&bytes, NOW, None), Err(SnapshotError::Value));
}

/// Line 129: what was granted at the start is granted at the first start alone.
#[test]
fn a_restored_ratio_budget_does_not_grant_the_retries_of_the_start_again() {
    const CONFIG: RatioConfig = RatioConfig::new(100);
    let mut ratio = RatioBudget::new(&CONFIG).unwrap();
    assert!(ratio.consume(8, NOW));
    let mut bytes = bytes_of(&ratio);
    for (off, left) in [(None, 2), (Some(Duration::from_secs(3)), 5)] {
        let mut restored = RatioBudget::new(&CONFIG).unwrap();
        restored.restore(&bytes, Instant::ZERO, off).unwrap();
        assert_eq!(restored.remaining(Instant::ZERO), left);
        // The clock begins anew; the floor goes on.
        assert_eq!(restored.remaining(Instant::from_micros(1_000_000)), left + 1);
    }
    // A key's budget, which earns nothing by time, does so after a restore, too.
    let mut keys = Keyed::<u8, RatioBudget, 2>::new(RatioBudget::new(&CONFIG).unwrap());
    let key = keys.entry(&7).unwrap();
    key.snapshot(NOW, &mut bytes).unwrap();
    key.restore(&bytes, NOW, Some(Duration::from_secs(3600))).unwrap();
    assert_eq!(key.remaining(NOW.saturating_add(Duration::from_secs(3600))), 1);
}

/// Line 129: a snapshot holds what remains, so the clock may be another one.
#[test]
fn a_rolling_budget_survives_a_clock_that_was_set_back_before_its_snapshot() {
    let mut rolling = RollingBudget::<3>::new(&ROLLING).unwrap();
    assert!(rolling.consume(1, NOW));
    let later = NOW.saturating_add(Duration::from_secs(20));
    assert!(rolling.consume(2, later));
    let mut bytes = vec![0; RollingBudget::<3>::BYTES];
    rolling.snapshot(Instant::ZERO, &mut bytes).unwrap();
    rolling.restore(&bytes, Instant::ZERO, None).unwrap();
    for (secs, left) in [(0, 0), (39, 0), (40, 1), (59, 1), (60, 3)] {
        let now = Instant::ZERO.saturating_add(Duration::from_secs(secs));
        assert_eq!(rolling.remaining(now), left, "{secs}");
    }
}

#[test]
fn a_length_known_at_run_time_has_the_snapshot_of_an_array_of_that_length() {
    let config = BreakerConfig::failures(3, SECOND).class_threshold(ErrorClass::RateLimit, 2);
    let (times, places) = (vec![NOW; config.entries()], vec![9; config.entries()]);
    let window = FailureTimes::<255, _, _>::with_storage(times, places).unwrap();
    let mut by_storage = Breaker::<_, 2, _>::with_window(config, window).unwrap();
    let mut by_array = Breaker::<FailureTimes<4>, 2, _>::from_settings(config).unwrap();
    for class in [TRANSIENT, ErrorClass::RateLimit, TRANSIENT] {
        let (result, permit) = (CallResult::Failure(class), by_array.admit_closed().unwrap());
        assert_eq!(by_array.settle(permit, result, NOW), None);
        assert_eq!(by_storage.settle(by_storage.admit_closed().unwrap(), result, NOW), None);
    }
    let bytes = bytes_of(&by_array);
    let mut written = vec![0; by_storage.size()];
    assert_eq!(by_storage.snapshot(NOW, &mut written), Ok(bytes.len()));
    assert_eq!(written, bytes);

    // What is refused changes nothing.
    let mut wrong = bytes.clone();
    *wrong.iter_mut().rev().nth(4).unwrap() = 99;
    seal(&mut wrong);
    let mut restored = by_storage.clone();
    restored.reset();
    let before = format!("{restored:?}");
    assert_eq!(restored.restore(&wrong, NOW, None), Err(SnapshotError::Value));
    assert_eq!(format!("{restored:?}"), before);
    let short = SnapshotError::Length { needs: bytes.len(), has: bytes.len() - 1 };
    assert_eq!(by_storage.snapshot(NOW, &mut written[1..]), Err(short));
    assert_eq!(restored.restore(&bytes, NOW, None), Ok(Restored::TimeStoodStill));
    // The third transient failure opens it.
    let third = restored.admit_closed().unwrap();
    assert_eq!(restored.settle(third, FAILURE, NOW), Some(CircuitState::Open));

    let config = RollingConfig::new(3, SECOND);
    let mut by_array = RollingBudget::<3, _>::from_settings(config).unwrap();
    let mut by_storage = RollingBudget::<4096, _, _>::with_storage(config, vec![NOW; 3]).unwrap();
    assert!(by_array.consume(2, NOW) && by_storage.consume(2, NOW));
    let bytes = bytes_of(&by_array);
    let mut written = vec![0; by_storage.size()];
    assert_eq!(by_storage.snapshot(NOW, &mut written), Ok(bytes.len()));
    assert_eq!(written, bytes);
    let mut restored = RollingBudget::<4096, _, _>::with_storage(config, vec![NOW; 3]).unwrap();
    assert_eq!(restored.restore(&bytes, NOW, None), Ok(Restored::TimeStoodStill));
    assert!(restored.consume(1, NOW) && !restored.consume(1, NOW));
}

#[test]
fn storage_that_does_not_fit_is_refused() {
    let window = |times: usize, places: usize| {
        FailureTimes::<4, _, _>::with_storage(vec![NOW; times], vec![0; places])
    };
    assert!(window(5, 5).is_none() && window(3, 4).is_none() && window(4, 3).is_none());
    let config = BreakerConfig::failures(4, SECOND);
    let error = Breaker::<_, 1, _>::with_window(config, window(3, 3).unwrap()).unwrap_err();
    assert_eq!((error.field(), error.value()), ("breaker.thresholds", 4));
    assert!(Breaker::<_, 1, _>::with_window(config, window(4, 4).unwrap()).is_ok());
    for (settings, times) in [(3, 2), (5, 8)] {
        let config = RollingConfig::new(settings, SECOND);
        let error = RollingBudget::<4, _, _>::with_storage(config, vec![NOW; times]).unwrap_err();
        assert_eq!(error.field(), "budget.max_retries");
    }
}
