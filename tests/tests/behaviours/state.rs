//! What a restart keeps of windows, breakers, budgets and limiters, to the last field.

use redress::breaker::{
    CallResult, FailureRule, FailureTimes, LastOutcomes, OutcomeRule, SliceRule, TimeSlices,
};
use redress::budget::{Budget, Limit, LimiterConfig, RollingConfig};
use redress::event::CircuitState;
use redress::snapshot::{Snapshot, SnapshotError};
use redress::{Breaker, BreakerConfig, Duration, ErrorClass, Instant, RateLimiter, RollingBudget};

use crate::snapshots::seal;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn at_secs(at: u64) -> Instant {
    Instant::from_micros(at * 1_000_000)
}

const FAILURE: CallResult = CallResult::Failure(ErrorClass::Transient);
const SUCCESS: CallResult = CallResult::Success;

fn taken<S: Snapshot>(state: &S, now: Instant) -> Vec<u8> {
    let mut bytes = vec![0; S::BYTES];
    assert_eq!(state.snapshot(now, &mut bytes), Ok(S::BYTES));
    bytes
}

/// Whether a state takes over a snapshot of which these bytes are other ones.
fn accepts<S: Snapshot + Clone>(state: &S, good: &[u8], changes: &[(usize, &[u8])]) -> bool {
    let mut bytes = good.to_vec();
    for (at, value) in changes {
        bytes[*at..*at + value.len()].copy_from_slice(value);
    }
    seal(&mut bytes);
    match state.clone().restore(&bytes, at_secs(0), None) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error, SnapshotError::Value);
            false
        }
    }
}

/// After a restart at any instant of another clock.
#[test]
fn a_slice_goes_on_for_what_was_left_of_it() {
    const SLICES: BreakerConfig<SliceRule> = BreakerConfig::slices(secs(10), 500, 4);
    type Slices = Breaker<TimeSlices<3>>;
    let mut before = Slices::new(&SLICES).unwrap();
    for result in [FAILURE, SUCCESS, FAILURE] {
        before.settle(before.admit_closed().unwrap(), result, at_secs(1000));
    }
    // Six seconds of the slice are left, and two more follow it.
    let bytes = taken(&before, at_secs(1004));
    for (now, off, counted) in
        [(0, None, 26), (500, None, 26), (0, Some(2), 24), (500, Some(2), 24)]
    {
        for (micros, opens) in [(-1, true), (0, false)] {
            let mut after = Slices::new(&SLICES).unwrap();
            after.restore(&bytes, at_secs(now), off.map(secs)).unwrap();
            let then = (now + counted) * 1_000_000;
            let then = Instant::from_micros(then.checked_add_signed(micros).unwrap());
            let changed = after.settle(after.admit_closed().unwrap(), FAILURE, then);
            assert_eq!(changed.is_some(), opens, "{now} {off:?} {micros}");
        }
    }
    // Where the clock is at its end nothing of it is lost.
    let late = Instant::MAX.saturating_sub(secs(1));
    let mut after = Slices::new(&SLICES).unwrap();
    after.restore(&bytes, late, None).unwrap();
    assert!(after.settle(after.admit_closed().unwrap(), FAILURE, late).is_some());
    // The slice that runs is one of the three.
    for (running, is_fine) in [(0, true), (2, true), (3, false), (4, false), (255, false)] {
        assert_eq!(accepts(&before, &bytes, &[(44, &[running])]), is_fine, "{running}");
    }
}

#[test]
fn a_place_beyond_the_last_results_is_refused() {
    const RATE: BreakerConfig<OutcomeRule> = BreakerConfig::outcomes(40, 500, 10);
    let mut breaker = Breaker::<LastOutcomes<2>>::new(&RATE).unwrap();
    for _ in 0..45 {
        breaker.settle(breaker.admit_closed().unwrap(), SUCCESS, at_secs(0));
    }
    let bytes = taken(&breaker, at_secs(0));
    for (next, count, is_fine) in [
        (5, 40, true),
        (39, 40, true),
        (40, 40, false),
        (41, 40, false),
        (5, 39, false),
        (39, 39, true),
        (38, 39, false),
        (39, 38, false),
        (5, 41, false),
    ] {
        let changes: &[(usize, &[u8])] = &[(26, &[next]), (28, &[count])];
        assert_eq!(accepts(&breaker, &bytes, changes), is_fine, "{next} of {count}");
    }
}

/// Opens at once for a second, and twice as long after each probe that fails.
const GROWS: BreakerConfig<FailureRule> = BreakerConfig::failures(1, secs(60))
    .recovery_timeout(secs(1))
    .recovery_growth_to(secs(100))
    .successes_to_close(3);
type Three = Breaker<FailureTimes<1>, 3>;

#[test]
fn a_breaker_that_was_opened_by_hand_stays_open_over_a_restart() {
    let mut before = Three::new(&GROWS).unwrap();
    before.isolate();
    let mut after = Three::new(&GROWS).unwrap();
    after.restore(&taken(&before, at_secs(5)), at_secs(0), Some(secs(99_999))).unwrap();
    assert_eq!(after.state(), CircuitState::Open);
    assert_eq!(after.admit(Instant::MAX).unwrap_err().retry_after, None);
}

/// How often it was opened anew and how many probes have succeeded.
#[test]
fn a_breaker_goes_on_recovering_as_far_as_it_had_come() {
    let mut breaker = Three::new(&GROWS).unwrap();
    breaker.settle(breaker.admit_closed().unwrap(), FAILURE, at_secs(0));
    let probe = breaker.admit(at_secs(1)).unwrap().permit;
    breaker.settle(probe, FAILURE, at_secs(1));
    let open = taken(&breaker, at_secs(1));
    // Two seconds are left, for each of its places.
    let left = |micros: u64| micros.to_le_bytes();
    let (most, more) = (left(2_000_000), left(2_000_001));
    assert!(accepts(&breaker, &open, &[(10, &most), (18, &most), (26, &most)]));
    assert!(!accepts(&breaker, &open, &[(10, &more), (18, &more), (26, &more)]));
    let restart = |breaker: &Three| {
        let mut after = Three::new(&GROWS).unwrap();
        after.restore(&taken(breaker, at_secs(3)), at_secs(3), None).unwrap();
        after
    };
    let mut breaker = restart(&breaker);
    for closes in [false, false, true] {
        let probe = breaker.admit(at_secs(3)).unwrap().permit;
        let changed = breaker.settle(probe, SUCCESS, at_secs(3));
        assert_eq!(changed, closes.then_some(CircuitState::Closed));
        breaker = restart(&breaker);
    }
    // A probe that fails opens it for longer than the one before the restart.
    let mut breaker = Three::new(&GROWS).unwrap();
    breaker.restore(&open, at_secs(1), None).unwrap();
    let probe = breaker.admit(at_secs(3)).unwrap().permit;
    breaker.settle(probe, FAILURE, at_secs(3));
    assert_eq!(breaker.check(at_secs(3)).unwrap_err().retry_after, Some(secs(4)));
}

#[test]
fn probes_that_cannot_be_are_refused() {
    let mut breaker = Three::new(&GROWS).unwrap();
    breaker.settle(breaker.admit_closed().unwrap(), FAILURE, at_secs(0));
    let _ = breaker.admit(at_secs(1)).unwrap();
    let bytes = taken(&breaker, at_secs(1));
    for (changes, is_fine, what) in [
        (&[][..], true, "one probe"),
        (&[(7, &[2][..])][..], true, "two successes"),
        (&[(7, &[3])], false, "as many successes as close it"),
        (&[(7, &[4])], false, "more successes than close it"),
        (&[(18, &[1])], false, "a second probe of one"),
        (&[(26, &[1])], false, "a third probe of one"),
    ] {
        assert_eq!(accepts(&breaker, &bytes, changes), is_fine, "{what}");
    }
}

/// A lease of half of all time.
#[test]
fn a_probe_without_a_real_lease_keeps_its_place() {
    let long = Duration::from_micros(1 << 63);
    let config = BreakerConfig::failures(1, secs(60)).lease(long);
    let mut breaker = Breaker::<FailureTimes<1>, 1, _>::new(&config).unwrap();
    breaker.settle(breaker.admit_closed().unwrap(), FAILURE, at_secs(0));
    let probe = breaker.admit(at_secs(30)).unwrap().permit;
    let bytes = taken(&breaker, at_secs(30));
    let mut restored = Breaker::<FailureTimes<1>, 1, _>::new(&config).unwrap();
    restored.restore(&bytes, at_secs(30), None).unwrap();
    for mut breaker in [breaker, restored] {
        assert!(breaker.admit(at_secs(31)).is_err());
        assert_eq!(breaker.settle(probe, SUCCESS, at_secs(32)), Some(CircuitState::Closed));
    }
}

/// Fewer retries than there is room for.
#[test]
fn a_rolling_budget_with_room_to_spare_goes_on_after_a_restart() {
    const TWO: RollingConfig = RollingConfig::new(2, secs(60));
    type Roomy = RollingBudget<4>;
    let mut before = Roomy::new(&TWO).unwrap();
    assert!(before.consume(1, at_secs(100)));
    let bytes = taken(&before, at_secs(110));
    let mut after = Roomy::new(&TWO).unwrap();
    after.restore(&bytes, at_secs(0), None).unwrap();
    assert_eq!(after.remaining(at_secs(0)), 1);
    // The second token is free, and the first again after fifty seconds.
    assert!(after.consume(1, at_secs(0)) && !after.consume(1, at_secs(49)));
    assert!(after.consume(1, at_secs(50)));
    for (left, next, is_fine) in [
        ([0, 0, 0, 0], 0, true),
        ([5, 7, 0, 0], 0, true),
        ([7, 5, 0, 0], 1, true),
        ([7, 5, 0, 0], 0, false),
        ([5, 7, 0, 0], 1, false),
        ([5, 7, 1, 0], 0, false),
        ([5, 7, 0, 1], 0, false),
        ([0, 0, 0, 0], 1, true),
        ([0, 0, 0, 0], 2, false),
        ([0, 0, 0, 0], 3, false),
    ] {
        let changes = [
            (6, &[left[0]][..]),
            (14, &[left[1]]),
            (22, &[left[2]]),
            (30, &[left[3]]),
            (38, &[next]),
        ];
        let zero = taken(&Roomy::new(&TWO).unwrap(), at_secs(0));
        assert_eq!(accepts(&before, &zero, &changes), is_fine, "{left:?} {next}");
    }
}

/// Where they are: time since the start 6, entries 14, phase 16, spent in it 17; then age and
/// cost of each entry from 21 on.
#[test]
fn what_a_limiter_cannot_have_spent_is_refused() {
    const HOUR: Duration = secs(3600);
    const PHASED: LimiterConfig =
        LimiterConfig::new().window(5, HOUR).phase(2, HOUR).phase(4, HOUR);
    type Phased = RateLimiter<2>;
    let fresh = Phased::new(&PHASED).unwrap();
    let unstarted = taken(&fresh, at_secs(0));
    let micros = |span: Duration| span.as_micros().to_le_bytes();
    for (changes, is_fine, what) in [
        (&[][..], true, "nothing"),
        (&[(17, &[1][..])][..], false, "something before it has started"),
        (&[(14, &[1]), (29, &[1])], false, "an entry before it has started"),
    ] {
        assert_eq!(accepts(&fresh, &unstarted, changes), is_fine, "{what}");
    }
    let mut limiter = Phased::new(&PHASED).unwrap().starting_at(at_secs(0));
    for now in [9_000, 9_010] {
        assert_eq!(limiter.acquire(1, at_secs(now)), Ok(()));
    }
    let bytes = taken(&limiter, at_secs(10_000));
    let (same, old) = (micros(secs(990)), micros(HOUR));
    for (changes, is_fine, what) in [
        (&[][..], true, "as it was"),
        (&[(16, &[0][..])][..], true, "in the last of its phases"),
        (&[(21, &same)], false, "two entries of one time"),
        (&[(21, &old)], false, "an entry that no window counts"),
        (&[(16, &[2]), (17, &[1])], false, "in a phase that there is not"),
    ] {
        assert_eq!(accepts(&limiter, &bytes, changes), is_fine, "{what}");
    }
    limiter = Phased::new(&PHASED).unwrap().starting_at(at_secs(0));
    assert_eq!(limiter.acquire(1, at_secs(4_000)), Ok(()));
    let second = taken(&limiter, at_secs(4_000));
    assert!(accepts(&limiter, &second, &[]));
    assert!(!accepts(&limiter, &second, &[(17, &[0])]), "a phase in which nothing was spent");
    // One that has not started does so when it is asked, however long nothing ran.
    let mut after = Phased::new(&PHASED).unwrap();
    after.restore(&unstarted, at_secs(0), Some(secs(7_200))).unwrap();
    assert_eq!(after.available(at_secs(1)), 2);
    assert_eq!(after.acquire(2, at_secs(1)), Ok(()));
    assert!(after.acquire(1, at_secs(2)).is_err());
}
