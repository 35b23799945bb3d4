//! How much all callers may do together, first attempts and retries alike.

use std::cell::RefCell;
use std::sync::Mutex;

use redress::budget::{
    Acquire, Limit, Limited, LimiterConfig, NotBefore, Pool, RollingConfig, Turn, WhenLimited,
    Withdraw,
};
use redress::snapshot::{Restored, Snapshot, SnapshotError};
use redress::{Duration, Instant, Keyed, RateLimiter, RollingBudget, by_key, settings};

use crate::snapshots::seal;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

fn at_secs(secs: u64) -> Instant {
    Instant::ZERO.saturating_add(Duration::from_secs(secs))
}

settings! {
    /// Three an hour and twenty a day.
    Uplinks: LimiterConfig = LimiterConfig::new().window(3, HOUR).window(20, DAY)
}

/// A budget limits retries alone; a program that restarts its calls at once made 53 sends in
/// 507 seconds under one of three an hour.
#[test]
fn first_attempts_are_limited_as_retries_are() {
    let limiter = RefCell::new(RateLimiter::<20, Uplinks>::fixed(Uplinks));
    let mut sent = Vec::new();
    // Two days of a caller that asks every ten seconds.
    for secs in (0..2 * 86_400).step_by(10) {
        if limiter.acquire(1, at_secs(secs)).is_ok() {
            sent.push(secs);
        }
    }
    let within = |span| {
        let count = |from: &u64| sent.iter().filter(|at| (*from..from + span).contains(at)).count();
        sent.iter().map(count).max()
    };
    assert_eq!((within(3_600), within(86_400)), (Some(3), Some(20)));
    // Nor are there fewer than that.
    assert_eq!(sent.len(), 40);
}

/// The join rule of LoRaWAN, in milliseconds on air: 36 s in the first hour, 36 s in the next
/// ten, then 8.7 s in any day.
#[test]
fn a_device_that_never_joins_keeps_the_rule_of_its_network() {
    const JOIN: LimiterConfig = LimiterConfig::new()
        .phase(36_000, HOUR)
        .phase(36_000, Duration::from_secs(36_000))
        .window(8_700, DAY);
    // The slowest data rate and a faster one in turns, each as soon as it may.
    for costs in [[1_483_u32, 1_483], [1_483, 371], [62, 62]] {
        let mut limiter = RateLimiter::<160>::new(&JOIN).unwrap().starting_at(at_secs(7));
        let (mut now, mut spent) = (at_secs(7), Vec::new());
        for nth in 0_usize.. {
            let cost = costs[nth % 2];
            while let Err(NotBefore { wait }) = limiter.acquire(cost, now) {
                now = now.saturating_add(wait.unwrap());
            }
            let since = now.since(at_secs(7)).as_secs();
            if since > 5 * 86_400 {
                break;
            }
            spent.push((since, cost));
            // It is on air for so long.
            now = now.saturating_add(Duration::from_millis(cost.into()));
        }
        let within = |from: u64, to: u64| -> u32 {
            spent.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, cost)| cost).sum()
        };
        let most = costs[0].max(costs[1]);
        for (sum, limit) in [(within(0, 3_600), 36_000), (within(3_600, 39_600), 36_000)] {
            assert!(sum <= limit && sum > limit - most, "{sum} of {limit}");
        }
        for (at, _) in spent.iter().filter(|(at, _)| *at >= 39_600) {
            assert!(within(*at, at + 86_400) <= 8_700);
        }
        assert!(within(39_600, 39_600 + 86_400) > 8_700 - most);
    }
}

/// Over a reset: by what is known of the time off, or standing still.
#[test]
fn a_limiter_goes_on_after_a_reset_where_it_stood() {
    let mut limiter = RateLimiter::<4, Uplinks>::fixed(Uplinks);
    for secs in [900, 1_200, 1_500] {
        assert_eq!(limiter.acquire(1, at_secs(secs)), Ok(()));
    }
    let mut bytes = [0; RateLimiter::<4, Uplinks>::BYTES];
    limiter.snapshot(at_secs(1_800), &mut bytes).unwrap();
    for (off, restored, wait) in [
        (None, Restored::TimeStoodStill, 2_700),
        (Some(700), Restored::TimeOff, 2_000),
        (Some(2_700), Restored::TimeOff, 0),
        (Some(u64::MAX), Restored::TimeOff, 0),
    ] {
        let mut after = RateLimiter::<4, Uplinks>::fixed(Uplinks);
        let off = off.map(Duration::from_secs);
        // The clock begins anew.
        assert_eq!(after.restore(&bytes, Instant::ZERO, off), Ok(restored));
        let then = Duration::from_secs(wait);
        if wait > 0 {
            let refused = Err(NotBefore { wait: Some(then) });
            assert_eq!(after.acquire(1, Instant::ZERO), refused, "{off:?}");
        }
        assert_eq!(after.acquire(1, Instant::ZERO.saturating_add(then)), Ok(()), "{off:?}");
    }
    // One that was never asked has not started.
    let fresh = RateLimiter::<4, Uplinks>::fixed(Uplinks);
    fresh.snapshot(at_secs(5), &mut bytes).unwrap();
    limiter.restore(&bytes, Instant::ZERO, None).unwrap();
    assert_eq!(format!("{limiter:?}"), format!("{fresh:?}"));
}

/// A checksum may be right and a value wrong.
#[test]
fn a_snapshot_that_a_limiter_cannot_have_is_refused() {
    const PHASED: LimiterConfig =
        LimiterConfig::new().window(5, HOUR).phase(2, HOUR).phase(4, HOUR);
    let mut limiter = RateLimiter::<3>::new(&PHASED).unwrap();
    assert_eq!(limiter.acquire(1, at_secs(10)), Ok(()));
    assert_eq!(limiter.acquire(1, at_secs(20)), Ok(()));
    let mut good = [0; RateLimiter::<3>::BYTES];
    limiter.snapshot(at_secs(30), &mut good).unwrap();
    let before = format!("{limiter:?}");
    // Where they are: time since the start 6, entries 14, phase 16, spent in it 17; then age
    // and cost of each entry from 21 on.
    for (at, value, what) in [
        (14, &[4, 0][..], "more entries than there are"),
        (14, &[3, 0], "an entry of no cost"),
        (14, &[1, 0], "an entry beyond the last"),
        (16, &[1], "a phase to come"),
        (16, &[9], "a phase that there is not"),
        (17, &[3], "more than the limit of the phase"),
        (17, &[0, 1], "more than the limit of the phase"),
        (21, &[0; 8], "not the oldest first"),
        (21, &[255; 8], "before the start"),
        (29, &[0], "an entry of no cost"),
        (45, &[1], "an age where there is no entry"),
        (53, &[1], "a cost where there is no entry"),
        (6, &[255; 8], "entries before the start"),
    ] {
        let mut bytes = good;
        bytes[at..at + value.len()].copy_from_slice(value);
        seal(&mut bytes);
        let refused = limiter.restore(&bytes, at_secs(30), None);
        assert_eq!(refused, Err(SnapshotError::Value), "{what}");
        assert_eq!(format!("{limiter:?}"), before, "{what}");
    }
    const OTHER: LimiterConfig = LimiterConfig::new().window(5, HOUR).phase(2, HOUR).phase(5, HOUR);
    let mut other = RateLimiter::<3>::new(&OTHER).unwrap();
    assert_eq!(other.restore(&good, at_secs(30), None), Err(SnapshotError::Fingerprint));
    assert_eq!(limiter.restore(&good, at_secs(30), None), Ok(Restored::TimeStoodStill));
}

/// A limiter for each key, whose entry stays while it counts something.
#[test]
fn each_key_has_a_limit_of_its_own_that_is_not_forgotten_for_another_key() {
    const ONE: LimiterConfig = LimiterConfig::new().window(1, HOUR);
    type Devices = Keyed<u8, RateLimiter<1>, 2>;
    let devices = RefCell::new(Devices::new(RateLimiter::new(&ONE).unwrap()));
    let ask = |key, secs| by_key(&devices, key).acquire(1, at_secs(secs));
    let refused = |wait: Option<u64>| Err(NotBefore { wait: wait.map(Duration::from_secs) });
    assert_eq!((ask(1, 0), ask(2, 600), ask(1, 600)), (Ok(()), Ok(()), refused(Some(3_000))));
    // Neither makes room; without an entry there is no attempt.
    assert_eq!((ask(3, 3_599), devices.borrow().refused()), (refused(None), 1));
    assert_eq!((ask(3, 3_600), ask(2, 3_600)), (Ok(()), refused(Some(600))));
    assert_eq!(devices.borrow().len(), 2);
}

/// What a call asks before each attempt, and what it does with the answer.
#[test]
fn a_limited_budget_limits_attempts_by_one_and_retries_by_the_other() {
    const TWO: LimiterConfig = LimiterConfig::new().window(2, HOUR);
    const RETRIES: RollingConfig = RollingConfig::new(1, HOUR);
    let limiter = Mutex::new(RateLimiter::<2>::new(&TWO).unwrap());
    let budget = RefCell::new(RollingBudget::<1>::new(&RETRIES).unwrap());
    let pool = Limited::new(&budget, &limiter).cost(|number| number);
    assert!(limits(&pool) && !limits(&&budget));
    assert_eq!(pool.attempt(at_secs(0), 1), Turn::Now);
    assert_eq!(pool.attempt(at_secs(0), 2), Turn::Wait(HOUR));
    assert_eq!(pool.attempt(at_secs(0), 3), Turn::Reject(None));
    let deferring = pool.when_limited(WhenLimited::Defer);
    assert_eq!(deferring.attempt(at_secs(600), 2), Turn::Defer(Duration::from_secs(3_000)));
    let rejecting = pool.when_limited(WhenLimited::Reject);
    let wait = Some(Duration::from_secs(3_000));
    assert_eq!(rejecting.attempt(at_secs(600), 2), Turn::Reject(wait));
    // Nothing but the first attempt was spent, and no retry.
    assert_eq!(limiter.lock().unwrap().available(at_secs(600)), 1);
    assert!(pool.withdraw(at_secs(600)) && !pool.withdraw(at_secs(600)));
}

fn limits<P: Pool>(_: &P) -> bool {
    P::LIMITS
}

/// Threads together.
#[test]
fn threads_together_never_spend_more_than_the_limit() {
    const TEN: LimiterConfig = LimiterConfig::new().window(10, HOUR);
    let limiter = Mutex::new(RateLimiter::<10>::new(&TEN).unwrap());
    let granted: usize = std::thread::scope(|scope| {
        let asks = || (0..9).filter(|now| limiter.acquire(1, at_secs(*now)).is_ok()).count();
        let callers: Vec<_> = (0..8).map(|_| scope.spawn(asks)).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    assert_eq!(granted, 10);
}

#[test]
fn a_keyed_limiter_is_asked_without_spending() {
    const TWO: LimiterConfig = LimiterConfig::new().window(2, Duration::from_secs(1));
    let template = RateLimiter::<2>::new(&TWO).unwrap();
    let map = RefCell::new(Keyed::<u8, _, 1>::new(template));
    assert!(map.borrow().is_empty());
    let (one, now) = (by_key(&map, 1), Instant::ZERO);
    for _ in 0..5 {
        assert_eq!(one.check(2, now), Ok(()));
    }
    assert_eq!(one.acquire(2, now), Ok(()));
    assert_eq!(one.check(1, now).unwrap_err().wait, Some(Duration::from_secs(1)));
    assert!(!map.borrow().is_empty());
    // Another key finds no room beside a limiter that counts something.
    assert_eq!(by_key(&map, 2).check(1, now).unwrap_err().wait, None);
}

/// The log of a limiter may be full.
#[test]
fn a_full_limiter_is_restored_and_one_with_more_than_its_entries_is_refused() {
    let mut limiter = RateLimiter::<3, Uplinks>::fixed(Uplinks);
    for secs in [10, 20, 30] {
        assert_eq!(limiter.acquire(1, at_secs(secs)), Ok(()));
    }
    let mut bytes = [0; RateLimiter::<3, Uplinks>::BYTES];
    limiter.snapshot(at_secs(40), &mut bytes).unwrap();
    let mut restored = RateLimiter::<3, Uplinks>::fixed(Uplinks);
    assert_eq!(restored.restore(&bytes, at_secs(40), None), Ok(Restored::TimeStoodStill));
    assert_eq!(restored.available(at_secs(40)), 0);
    bytes[14] = 4;
    seal(&mut bytes);
    assert_eq!(restored.restore(&bytes, at_secs(40), None), Err(SnapshotError::Value));
}

/// A window that is longer than any run is none that forgets.
#[test]
fn a_window_of_half_of_all_time_outlives_a_restart() {
    const EVER: LimiterConfig = LimiterConfig::new().window(1, Duration::from_micros(3 << 62));
    let mut limiter = RateLimiter::<1>::new(&EVER).unwrap().starting_at(Instant::ZERO);
    assert_eq!(limiter.acquire(1, at_secs(5)), Ok(()));
    let late = Instant::from_micros(5 << 61);
    let mut bytes = [0; RateLimiter::<1>::BYTES];
    limiter.snapshot(late, &mut bytes).unwrap();
    let mut restored = RateLimiter::<1>::new(&EVER).unwrap();
    assert_eq!(restored.restore(&bytes, late, None), Ok(Restored::TimeStoodStill));
    assert!(restored.acquire(1, late).is_err());
}

/// Phases begin but once: an entry that was asked stays, and one that never was makes room.
#[test]
fn a_key_that_has_begun_its_phases_keeps_its_entry() {
    const PHASE: LimiterConfig = LimiterConfig::new().phase(1, HOUR);
    let map = RefCell::new(Keyed::<u8, _, 1>::new(RateLimiter::<1>::new(&PHASE).unwrap()));
    assert!(map.borrow_mut().entry(&1).is_some());
    assert!(map.borrow_mut().entry(&4).is_some());
    assert!(map.borrow().peek(&1).is_none());
    assert_eq!(by_key(&map, 2).acquire(1, at_secs(0)), Ok(()));
    assert!(map.borrow().peek(&4).is_none());
    for secs in [0, 3_600, 1_000_000] {
        assert_eq!(by_key(&map, 3).acquire(1, at_secs(secs)), Err(NotBefore { wait: None }));
    }
    assert!(map.borrow().peek(&2).is_some());
}
