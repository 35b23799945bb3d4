//! A rate limiter against a plain model that looks at every grant again.

use proptest::prelude::*;
use redress::budget::{Limit, LimiterConfig, NotBefore};
use redress::snapshot::Snapshot;
use redress::{Duration, Instant, RateLimiter};

use crate::{any_times, any_u64, cases};

/// A window, or a phase (the number that each begins with says which), a limit and a length.
type Named = (bool, u32, u64);

/// What the settings mean, and all that was ever granted: in the limiter's own time.
#[derive(Debug, Default)]
struct Model {
    /// Limit, length, and from when on.
    windows: Vec<(u32, u64, u64)>,
    /// Limit, begin and end.
    phases: Vec<(u32, u64, u64)>,
    shortest: u64,
    granted: Vec<(u64, u32)>,
}

fn built(named: &[Named]) -> (LimiterConfig, Model) {
    let (mut config, mut model) = (LimiterConfig::new(), Model::default());
    model.shortest = named.iter().map(|(_, _, length)| *length).min().unwrap();
    let mut phased = 0;
    for &(is_window, limit, length) in named {
        if is_window {
            config = config.window(limit, Duration::from_micros(length));
            model.windows.push((limit, length, phased));
        } else {
            config = config.phase(limit - 1, Duration::from_micros(length));
            model.phases.push((limit - 1, phased, phased + length));
            phased += length;
        }
    }
    (config, model)
}

impl Model {
    fn spent(&self, counts: impl Fn(u64) -> bool) -> u32 {
        self.granted.iter().filter(|(at, _)| counts(*at)).map(|(_, cost)| cost).sum()
    }

    fn fits(&self, cost: u32, now: u64) -> bool {
        let window = |&(limit, per, from): &(u32, u64, u64)| {
            now < from || self.spent(|at| at >= from && now - at < per) + cost <= limit
        };
        let phase = |&(limit, begin, end): &(u32, u64, u64)| {
            !(begin..end).contains(&now)
                || self.spent(|at| (begin..end).contains(&at)) + cost <= limit
        };
        cost == 0 || self.windows.iter().all(window) && self.phases.iter().all(phase)
    }

    /// How long it takes until `cost` fits; no time of the test is longer.
    fn wait(&self, cost: u32, now: u64) -> Option<u64> {
        (0..200).find(|wait| self.fits(cost, now + wait))
    }

    /// Whether any window that begins at any time, or any phase, holds more than its limit.
    fn is_kept(&self) -> bool {
        let window = |&(limit, per, from): &(u32, u64, u64)| {
            let mut begins = self.granted.iter().map(|(at, _)| *at).filter(|at| *at >= from);
            begins.all(|begin| self.spent(|at| at >= begin && at < begin + per) <= limit)
        };
        let phase = |&(limit, begin, end): &(u32, u64, u64)| {
            self.spent(|at| (begin..end).contains(&at)) <= limit
        };
        self.windows.iter().all(window) && self.phases.iter().all(phase)
    }
}

/// Of an ask: how much later than the one before, by how much the instant is stale, what it
/// costs, and whether the limiter is saved and restored before it.
fn asks() -> impl Strategy<Value = Vec<(u64, u64, u32, bool)>> {
    let late = prop_oneof![3 => Just(0_u64), 1 => 0..9_u64, 1 => 0..60_u64];
    prop::collection::vec((0..7_u64, late, 0..7_u32, prop::bool::weighted(0.1)), 1..40)
}

fn named() -> impl Strategy<Value = Vec<Named>> {
    prop::collection::vec((prop::bool::weighted(0.7), 1..9_u32, 1..30_u64), 1..5)
}

/// Asks a limiter of `N` entries; it must be exact if they suffice.
fn follows<const N: usize>(
    named: &[Named],
    asks: Vec<(u64, u64, u32, bool)>,
    is_exact: bool,
) -> Result<(), TestCaseError> {
    let (config, mut model) = built(named);
    let at = Instant::from_micros;
    let mut limiter = RateLimiter::<N, _>::new(&config).unwrap().starting_at(at(1_000));
    // The latest instant, and the limiter's own time then.
    let (mut latest, mut own) = (1_000, 0);
    for (step, late, cost, is_saved) in asks {
        if is_saved {
            let mut bytes = [0; 2_000];
            let len = limiter.snapshot(at(latest), &mut bytes).unwrap();
            limiter = RateLimiter::new(&config).unwrap();
            // Another clock, and some time off.
            latest = 40;
            own += step;
            let off = Some(Duration::from_micros(step));
            limiter.restore(&bytes[..len], at(latest), off).unwrap();
        }
        let now = if late == 0 { latest + step } else { latest.saturating_sub(late) };
        own += now.saturating_sub(latest);
        // A clock that was set back stands still until it has gone on for the shortest.
        latest = if now > latest { now } else { latest.min(now + model.shortest) };
        let ahead = latest - now;

        // No limit is higher than 8; without any, so much and more fits.
        let most = (0..=9).take_while(|cost| model.fits(*cost, own)).last().unwrap();
        let untouched = limiter.clone();
        let available = limiter.available(at(now));
        let answer = limiter.acquire(cost, at(now));
        if is_exact {
            prop_assert_eq!(available.min(9), most);
            prop_assert_eq!(answer.is_ok(), model.fits(cost, own));
        }
        match answer {
            Ok(()) => {
                prop_assert!(cost == 0 || cost <= available);
                model.granted.push((own, cost));
                prop_assert!(model.is_kept(), "{:?}", model);
            }
            Err(NotBefore { wait }) => {
                if is_exact {
                    let wait = wait.map(Duration::as_micros);
                    prop_assert_eq!(wait, model.wait(cost, own).map(|wait| wait + ahead));
                }
                // What leaves late may leave only when a window that begins later is too small.
                prop_assert!(wait.is_none() || model.wait(cost, own).is_some());
                prop_assert_eq!(limiter.available(at(now)), available);
                if let Some(wait) = wait {
                    // It is granted exactly then.
                    let then = at(now).saturating_add(wait);
                    prop_assert_eq!(limiter.clone().acquire(cost, then), Ok(()));
                    let short = wait.saturating_sub(Duration::from_micros(1));
                    let early = at(now).saturating_add(short);
                    prop_assert!(limiter.clone().acquire(cost, early).is_err());
                    // And a refusal spends nothing, though it takes note of a clock set back.
                    if late <= model.shortest {
                        prop_assert_eq!(untouched.clone().acquire(cost, then), Ok(()));
                    }
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn promise_8_a_limiter_is_exact_while_its_log_suffices(named in named(), asks in asks()) {
        follows::<64>(&named, asks, true)?;
    }

    #[test]
    fn promise_5_a_full_log_grants_no_more_than_the_limit(named in named(), asks in asks()) {
        follows::<1>(&named, asks.clone(), false)?;
        follows::<2>(&named, asks.clone(), false)?;
        follows::<3>(&named, asks, false)?;
    }

    #[test]
    fn promise_2_a_limiter_waits_for_two_windows_at_most_whatever_the_clock_does(
        times in any_times(2..12), per in any_u64(), limit in 1..3_u32,
    ) {
        let per = per.max(1);
        let config = LimiterConfig::new().window(limit, Duration::from_micros(per));
        let mut limiter = RateLimiter::<2, _>::new(&config).unwrap();
        let mut bytes = [0; 256];
        for now in times {
            let now = Instant::from_micros(now);
            if let Err(NotBefore { wait }) = limiter.acquire(1, now) {
                let Some(wait) = wait else { break };
                prop_assert!(wait.as_micros() <= per.saturating_mul(2));
                let then = now.saturating_add(wait);
                prop_assert!(then == Instant::MAX || limiter.clone().acquire(1, then).is_ok());
            }
            let len = limiter.snapshot(now, &mut bytes).unwrap();
            limiter.restore(&bytes[..len], now, Some(Duration::ZERO)).unwrap();
        }
    }
}
