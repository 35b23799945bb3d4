//! A rate limiter whose log is full, whose clock is wrong, or whose numbers are at their end.

use std::cell::RefCell;

use redress::budget::{
    Acquire, Budget, Limit, Limited, LimiterConfig, NotBefore, Pool, RatioConfig,
};
use redress::snapshot::{Restored, Snapshot};
use redress::{Duration, Instant, Keyed, RateLimiter, RatioBudget, by_key};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const NEVER: Result<(), NotBefore> = Err(NotBefore { wait: None });

const fn at(minutes: u64) -> Instant {
    Instant::from_micros(minutes * 60_000_000)
}

fn after(wait: Duration) -> Result<(), NotBefore> {
    Err(NotBefore { wait: Some(wait) })
}

fn limiter<const N: usize>(config: &LimiterConfig) -> RateLimiter<N, &LimiterConfig> {
    RateLimiter::new(config).unwrap()
}

/// Four windows and four phases have a place, and no number of more is taken for fewer.
#[test]
fn windows_and_phases_beyond_four_are_refused_however_many() {
    for count in [4, 5, 6, 255, 256, 257, 300, 512] {
        let (mut windows, mut phases) = (LimiterConfig::new(), LimiterConfig::default());
        for _ in 0..count {
            windows = windows.window(1, HOUR);
            phases = phases.phase(1, HOUR);
        }
        for (config, field) in [(windows, "limiter.windows"), (phases, "limiter.phases")] {
            let refused = RateLimiter::<1, _>::new(&config).err();
            let want = (count > 4).then_some(field);
            assert_eq!(refused.map(|error| error.field()), want, "{count}");
        }
    }
    // Each window needs a limit.
    for nth in 0..4 {
        let windows = (0..4)
            .fold(LimiterConfig::new(), |config, at| config.window(u32::from(at != nth), HOUR));
        let refused = RateLimiter::<1, _>::new(&windows).err();
        assert_eq!(refused.map(|error| error.field()), Some("limiter.limit"), "{nth}");
    }
}

/// What does not fit the log is counted together, at the later time: then more may be there
/// than a window holds.
#[test]
fn a_window_that_holds_more_than_its_limit_has_nothing_left() {
    let config = LimiterConfig::new().window(3, HOUR).window(20, DAY);
    let mut limiter = limiter::<2>(&config);
    for minutes in [0, 600, 660] {
        assert_eq!(limiter.acquire(3, at(minutes)), Ok(()));
    }
    assert_eq!(limiter.available(at(660)), 0);
    assert_eq!(limiter.acquire(1, at(660)), after(HOUR));
    // Nothing always fits.
    assert_eq!((limiter.check(0, at(660)), limiter.acquire(0, at(660))), (Ok(()), Ok(())));
    assert_eq!(limiter.available(at(720)), 3);
}

#[test]
fn what_has_left_its_window_takes_no_room_from_what_has_not() {
    let config = LimiterConfig::new().window(2, HOUR);
    let mut limiter = limiter::<2>(&config);
    for minutes in [0, 59, 61] {
        assert_eq!(limiter.acquire(1, at(minutes)), Ok(()));
    }
    assert_eq!((limiter.available(at(118)), limiter.available(at(119))), (0, 1));
}

/// Of two that could leave late it is the one that costs less, also where costs are huge.
#[test]
fn a_huge_cost_does_not_leave_late_for_a_small_one() {
    let long = Duration::from_micros(1 << 40);
    let config = LimiterConfig::new().window((1 << 25) + 10, long.saturating_add(long));
    let mut limiter = limiter::<2>(&config);
    let then = Instant::ZERO.saturating_add(long);
    for (cost, now) in [(1 << 25, Instant::ZERO), (1, then), (1, then.saturating_add(HOUR))] {
        assert_eq!(limiter.acquire(cost, now), Ok(()));
    }
    assert_eq!(limiter.available(then.saturating_add(long)), (1 << 25) + 8);
}

#[test]
fn a_key_keeps_its_limiter_while_anything_counts() {
    let config = LimiterConfig::new().window(2, HOUR);
    let map = RefCell::new(Keyed::<u8, _, 1>::new(limiter::<2>(&config)));
    for minutes in [0, 50] {
        assert_eq!(by_key(&map, 1).acquire(1, at(minutes)), Ok(()));
    }
    assert_eq!(by_key(&map, 2).acquire(1, at(61)), NEVER);
    assert_eq!(by_key(&map, 2).acquire(1, at(110)), Ok(()));
}

/// A limit for all time is kept for all time.
#[test]
fn a_window_or_a_phase_without_end_does_not_begin_anew() {
    let ever = LimiterConfig::new().window(1, Duration::MAX);
    let mut once = limiter::<1>(&ever).starting_at(Instant::ZERO);
    assert_eq!(once.acquire(1, at(5)), Ok(()));
    for now in [at(5), at(1_000_000), Instant::from_micros(u64::MAX - 1), Instant::MAX] {
        assert_eq!(once.acquire(1, now), NEVER);
    }
    // What is named after such a phase never applies.
    let phases = LimiterConfig::new().phase(5, Duration::MAX).phase(5, HOUR).window(1, HOUR);
    let mut phased = limiter::<4>(&phases);
    for _ in 0..5 {
        assert_eq!(phased.acquire(1, at(0)), Ok(()));
    }
    assert_eq!(phased.acquire(1, at(120)), NEVER);
    let phases = LimiterConfig::new().phase(9, Duration::MAX).phase(9, HOUR).window(1, HOUR);
    let mut phased = limiter::<4>(&phases).starting_at(at(0));
    for _ in 0..3 {
        assert_eq!(phased.acquire(1, at(120)), Ok(()));
    }
    // And a silence before it is over when it is over.
    let silent = LimiterConfig::new().window(5, Duration::MAX).phase(0, HOUR).phase(0, HOUR);
    let mut silent = limiter::<4>(&silent);
    assert!(silent.acquire(1, at(0)).is_err());
    assert_eq!(silent.acquire(1, at(180)), Ok(()));
}

/// Its own time ends where numbers do; a clock that comes there loses nothing before.
#[test]
fn instants_at_the_end_of_time_are_as_good_as_others() {
    let config = LimiterConfig::new().window(1, HOUR);
    let late = Instant::MAX.saturating_sub(Duration::from_secs(60));
    let mut stale = limiter::<1>(&config);
    assert_eq!(stale.acquire(1, late), Ok(()));
    let second = Duration::from_secs(1);
    let ahead = HOUR.saturating_add(second);
    assert_eq!(stale.acquire(1, late.saturating_sub(second)), after(ahead));
    assert_eq!(stale.acquire(1, late), after(HOUR));
    let mut last = limiter::<1>(&config);
    assert_eq!(last.acquire(1, Instant::MAX), Ok(()));
    let refused = last.acquire(1, Instant::MAX).unwrap_err();
    assert!(refused.wait.is_some_and(|wait| wait <= HOUR));
    // A wait that is longer than all time.
    let long = LimiterConfig::new().window(1, Duration::from_micros(u64::MAX - 1));
    let mut waits = limiter::<1>(&long);
    assert_eq!(waits.acquire(1, at(2)), Ok(()));
    assert_eq!(waits.acquire(1, at(1)), after(Duration::MAX));
}

/// A limiter that has run for longer than its clock can say has come to its end.
#[test]
fn the_time_of_a_limiter_does_not_begin_anew_after_its_end() {
    let per = Duration::from_micros(3 << 62);
    let config = LimiterConfig::new().window(1, per);
    let mut limiter = limiter::<1>(&config).starting_at(Instant::ZERO);
    assert_eq!(limiter.acquire(1, at(1)), Ok(()));
    let late = Instant::from_micros(5 << 61);
    let mut bytes = [0; RateLimiter::<1>::BYTES];
    limiter.snapshot(late, &mut bytes).unwrap();
    // The clock begins anew, and goes on for as long again.
    assert_eq!(limiter.restore(&bytes, Instant::ZERO, None), Ok(Restored::TimeStoodStill));
    assert!(limiter.acquire(1, at(1)).is_err());
    assert_eq!(limiter.acquire(1, late), Ok(()));
}

/// Whatever is around a limiter or a budget, it is asked, and earns.
#[test]
fn what_wraps_a_limiter_or_a_budget_passes_everything_on() {
    let config = LimiterConfig::new().window(1, HOUR);
    let shared = RefCell::new(limiter::<1>(&config));
    let optional = Some(&shared);
    assert_eq!((optional.check(1, at(0)), optional.acquire(1, at(0))), (Ok(()), Ok(())));
    assert_eq!((optional.check(1, at(0)), optional.acquire(1, at(0))), (after(HOUR), after(HOUR)));
    let none: Option<&RefCell<RateLimiter<1>>> = None;
    assert_eq!((none.check(9, at(0)), none.acquire(9, at(0))), (Ok(()), Ok(())));

    let earns = RatioConfig::new(500).initial(0).floor_per_sec(0);
    let budget = RefCell::new(RatioBudget::new(&earns).unwrap());
    Limited::new(&budget, &shared).deposit();
    Some(&budget).deposit();
    assert_eq!(budget.borrow().remaining(at(0)), 1);
    // One that is lent out already grants nothing.
    let lent = budget.borrow_mut();
    assert!(!redress::budget::Withdraw::withdraw(&&budget, at(0)));
    drop(lent);
    assert!(redress::budget::Withdraw::withdraw(&&budget, at(0)));
}

#[test]
fn a_refusal_says_when_to_come_back() {
    for (wait, text) in [
        (Some(HOUR), "over the rate limit: not before 3600s from now"),
        (None, "over the rate limit: it is not known to fit at any time"),
    ] {
        assert_eq!(NotBefore { wait }.to_string(), text);
    }
}
