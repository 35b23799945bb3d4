//! Retries in proportion to calls: [`RatioBudget`].

use crate::budget::Budget;
use crate::config::error::{ConfigError, demands};
use crate::config::{Fixed, Settings};
use crate::time::{Duration, Instant};

/// The settings of a [`RatioBudget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RatioConfig {
    pub(crate) deposit: u32,
    /// `None` for the default, which depends on whether there is one budget or one a key.
    pub(crate) initial: Option<u32>,
    pub(crate) floor_per_sec: Option<u32>,
    pub(crate) limit: u64,
}

/// One retry, in the millionths that a balance counts: a rate of `n` per second
/// is then `n` for each microsecond, and nothing is divided.
pub(crate) const RETRY: u64 = 1_000_000;

/// The retries at the start of one budget, and of each key's.
const INITIAL: u32 = 10;
const INITIAL_OF_KEY: u32 = 1;
/// The retries a second of one budget. A key's earns none.
const FLOOR_PER_SEC: u32 = 1;

impl RatioConfig {
    /// Every call earns `ratio_milli` thousandths of a retry: 100 allows one retry for ten calls,
    /// 6 is exactly 0.6 %. By default the budget also starts with 10 retries
    /// ([`initial`](Self::initial)), earns one each second
    /// ([`floor_per_sec`](Self::floor_per_sec)), and saves up at most 1000
    /// ([`limit`](Self::limit)).
    pub const fn new(ratio_milli: u16) -> Self {
        let deposit = ratio_milli as u32 * 1000;
        Self { deposit, initial: None, floor_per_sec: None, limit: 1000 * RETRY }
    }

    /// How many retries the budget starts with, at most the limit: 10 by default, and 1 for each
    /// new key of a [`Keyed`](crate::Keyed) map. They let the first calls of a program retry,
    /// before any call has earned something.
    ///
    /// Every start grants them again: the start of a program, of a device after a reset, of an
    /// isolate of an edge worker, and of a key that comes back after its entry was removed. If
    /// starts are frequent, restore a [`Snapshot`](crate::snapshot::Snapshot), which grants none
    /// again, or set 0.
    pub const fn initial(mut self, retries: u32) -> Self {
        self.initial = Some(retries);
        self
    }

    /// The floor: how many retries the budget earns each second in addition, so that a caller
    /// with few calls can retry at all. 1 by default, and 0 for each key of a
    /// [`Keyed`](crate::Keyed) map, because many keys would add up to many retries.
    pub const fn floor_per_sec(mut self, retries: u32) -> Self {
        self.floor_per_sec = Some(retries);
        self
    }

    /// The most retries that are saved up, 1 to 100,000. 1000 by default.
    pub const fn limit(mut self, retries: u32) -> Self {
        self.limit = retries as u64 * RETRY;
        self
    }

    /// What is earned each second by a budget that is not a key's.
    pub(crate) const fn floor(&self) -> u32 {
        match self.floor_per_sec {
            Some(floor) => floor,
            None => FLOOR_PER_SEC,
        }
    }

    /// The balance at the start, where `default` retries are there by default.
    const fn first(&self, default: u32) -> u64 {
        let initial = match self.initial {
            Some(initial) => initial as u64 * RETRY,
            None => default as u64 * RETRY,
        };
        if initial < self.limit { initial } else { self.limit }
    }

    demands! {
        self;
        self.limit >= RETRY && self.limit <= 100_000 * RETRY =>
            ConfigError::new("budget.limit", self.limit / RETRY, "1 to 100000"),
        // The default of a floor is 0 for a key.
        self.deposit > 0 || matches!(self.floor_per_sec, Some(1..)) =>
            ConfigError::new("budget.ratio_milli", 0, "1 or more, or floor_per_sec must be"),
    }
}

/// Retries in proportion to calls, for all callers together: each call deposits a
/// fraction of a retry, each retry withdraws a whole one.
///
/// In an outage the additional load is at most the ratio of the calls, plus the
/// [floor](RatioConfig::floor_per_sec) for each second, plus the retries that are saved up or were
/// granted at the [start](RatioConfig::initial). The
/// arithmetic is on integers, in millionths of a retry. Source: the retry budget of Finagle; the
/// same in Linkerd and tower.
///
/// Callers read the clock before they take the lock, so readings may come out of order. A reading
/// that is earlier than the latest one earns nothing, so no second earns the floor twice. After
/// the clock is set back, the budget earns the floor again one second later. A reading that is
/// stale by more than one second cannot be told from a clock set back, so the floor for the
/// time beyond one second is earned twice.
///
/// ```
/// use redress::budget::{Budget, RatioConfig};
/// use redress::{Instant, RatioBudget};
/// const CONFIG: RatioConfig = RatioConfig::new(100);
/// let mut budget = RatioBudget::new(&CONFIG)?;
/// assert!(budget.consume(10, Instant::ZERO) && !budget.consume(1, Instant::ZERO));
/// (0..10).for_each(|_| budget.deposit());
/// assert!(budget.consume(1, Instant::ZERO) && !budget.consume(1, Instant::ZERO));
/// # Ok::<(), redress::config::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RatioBudget<C = &'static RatioConfig> {
    pub(crate) settings: C,
    pub(crate) balance: u64,
    /// Up to when the floor has been earned; [`UNKNOWN`] before the first time is known,
    /// [`NEVER`] if there is none.
    pub(crate) earned: Instant,
}

/// No time is known yet.
const UNKNOWN: Instant = Instant::MAX;
/// The floor is earned up to so late that nothing more ever is: that of a key by default. In
/// the place of an instant it takes no room of its own.
pub(crate) const NEVER: Instant = Instant::from_micros(u64::MAX - 1);
/// As far as the floor may have been earned ahead of any instant asked with.
const AHEAD: Duration = Duration::from_secs(1);

impl<'c> RatioBudget<&'c RatioConfig> {
    /// A budget that holds its [`initial`](RatioConfig::initial) retries.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if nothing can ever be earned, or the limit is out of its range.
    pub const fn new(config: &'c RatioConfig) -> Result<Self, ConfigError> {
        match config.check() {
            Ok(()) => Ok(Self::started(config, config)),
            Err(error) => Err(error),
        }
    }
}

impl<C: Settings<RatioConfig>> RatioBudget<C> {
    /// As [`new`](Self::new), with settings in any form ([`Settings`]): owned or in an `Arc` for
    /// instance.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if nothing can ever be earned, or the limit is out of its range.
    pub fn from_settings(settings: C) -> Result<Self, ConfigError> {
        settings.settings().check()?;
        Ok({
            let balance = settings.settings().first(INITIAL);
            Self { settings, balance, earned: UNKNOWN }
        })
    }
}

impl<F: Fixed<Of = RatioConfig>> RatioBudget<F> {
    /// A budget that holds its [`initial`](RatioConfig::initial) retries, whose settings are in
    /// its type. Settings that are out of range are a compile error.
    pub const fn fixed(settings: F) -> Self {
        const {
            if let Err(error) = F::SETTINGS.check() {
                error.refuse();
            }
        }
        Self::started(settings, F::SETTINGS)
    }
}

impl<C> RatioBudget<C> {
    const fn started(settings: C, config: &RatioConfig) -> Self {
        Self { settings, balance: config.first(INITIAL), earned: UNKNOWN }
    }
}

impl<C: Settings<RatioConfig>> RatioBudget<C> {
    #[inline]
    pub(crate) fn config(&self) -> &RatioConfig {
        self.settings.settings()
    }

    /// From now on this is the budget of a key: what is not set has the defaults of one.
    pub(crate) fn of_key(&mut self) {
        let config = self.settings.settings();
        if config.initial.is_none() {
            self.balance = config.first(INITIAL_OF_KEY);
        }
        if config.floor_per_sec.is_none() {
            self.earned = NEVER;
        }
    }

    /// The balance with the floor of so long.
    pub(crate) fn balance_after(&self, span: Duration) -> u64 {
        let earned = span.as_micros().saturating_mul(self.config().floor().into());
        self.balance.saturating_add(earned).min(self.config().limit)
    }

    /// The balance with the floor earned since the last time.
    pub(crate) fn balance_at(&self, now: Instant) -> u64 {
        if self.config().floor() == 0 {
            return self.balance;
        }
        self.balance_after(now.since(self.earned))
    }

    /// Earns the floor up to `now`.
    #[inline]
    fn earn(&mut self, now: Instant) {
        if self.config().floor() == 0 || self.earned == now {
            return;
        }
        // Both marks by one word; no clock comes near them.
        if (self.earned.as_micros() >> 32) as u32 == u32::MAX {
            if self.earned != NEVER {
                self.earned = now;
            }
            return;
        }
        self.balance = self.balance_at(now);
        self.earned = self.earned.min(now.saturating_add(AHEAD)).max(now);
    }
}

impl<C: Settings<RatioConfig>> Budget for RatioBudget<C> {
    #[inline]
    fn deposit(&mut self) {
        let balance = self.balance + u64::from(self.config().deposit);
        self.balance = balance.min(self.config().limit);
    }

    #[inline]
    fn consume(&mut self, cost: u32, now: Instant) -> bool {
        self.earn(now);
        let Some(rest) = self.balance.checked_sub(u64::from(cost) * RETRY) else { return false };
        self.balance = rest;
        true
    }

    /// Rounded down.
    fn remaining(&self, now: Instant) -> u32 {
        // 10^6 = 2^6 * 15,625, and 100,000 retries fit 32 bits after the shift. By its
        // reciprocal, which is exact for them all: a Cortex-M0 has no division.
        let rest = self.balance_at(now) >> 6;
        ((rest & u64::from(u32::MAX)).wrapping_mul(2_251_799_814) >> 45) as u32
    }
}

#[cfg(feature = "defmt")]
impl<C> defmt::Format for RatioBudget<C> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "RatioBudget({=u64} us of retries)", self.balance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn earnings_and_limit_are_checked() {
        let nothing = RatioConfig::new(0);
        assert_eq!(RatioBudget::new(&nothing).unwrap_err().field(), "budget.ratio_milli");
        let limit = RatioConfig::new(1).limit(0);
        assert_eq!(RatioBudget::new(&limit).unwrap_err().field(), "budget.limit");
    }

    #[test]
    fn a_ratio_of_six_thousandths_is_exact() {
        let config = RatioConfig::new(6).initial(0).floor_per_sec(0);
        let mut budget = RatioBudget::new(&config).unwrap();
        let calls = if cfg!(miri) { 1_000 } else { 100_000 };
        let granted = (0..calls)
            .filter(|_| {
                budget.deposit();
                budget.consume(1, at(0))
            })
            .count();
        assert_eq!(granted, calls * 6 / 1000);
    }

    #[test]
    fn the_floor_is_earned_by_time_and_saved_up_to_the_limit() {
        let config = RatioConfig::new(0).initial(2).floor_per_sec(2).limit(5);
        let mut budget = RatioBudget::new(&config).unwrap();
        let start = at(u64::MAX / 2);
        assert!(budget.consume(2, start) && !budget.consume(1, start));
        let later = |halves: u64| start.saturating_add(Duration::from_millis(halves * 500));
        assert!(budget.consume(1, later(1)) && !budget.consume(1, later(1)));
        assert_eq!(budget.remaining(later(100)), 5);
        assert!(!budget.consume(6, later(100)) && budget.consume(5, later(100)));
    }

    #[test]
    fn no_second_earns_its_floor_twice_by_instants_that_are_out_of_order() {
        let config = RatioConfig::new(0).initial(0).floor_per_sec(2).limit(1000);
        // A second passes, and every other instant is stale by so long.
        for stale in [1, 1_000, 999_999, 1_000_000] {
            let mut budget = RatioBudget::new(&config).unwrap();
            let (start, mut granted) = (5_000_000, 0);
            assert!(!budget.consume(1, at(start)));
            let step = if cfg!(miri) { 90 } else { 1 };
            for now in (start..start + 1000).step_by(step) {
                let now = start + (now - start) * 1001;
                granted += u32::from(budget.consume(1, at(now)));
                granted += u32::from(budget.consume(1, at(now - stale)));
            }
            assert_eq!(granted, 1, "{stale}");
            assert_eq!(budget.remaining(at(start + 1_000_000)), 1, "{stale}");
        }
        // Only what is stale by more than a second earns anything twice: the rest of it.
        let mut budget = RatioBudget::new(&config).unwrap();
        for now in [5_000_000, 3_500_000, 5_000_000] {
            assert!(!budget.consume(2, at(now)));
        }
        assert_eq!(budget.remaining(at(5_000_000)), 1);
    }

    #[test]
    fn a_clock_that_is_set_back_stops_the_floor_for_a_second() {
        let config = RatioConfig::new(0).initial(0).floor_per_sec(1).limit(10);
        for back in [0, 7, 4_000_001, 4_999_999] {
            let mut budget = RatioBudget::new(&config).unwrap();
            assert!(!budget.consume(1, at(5_000_000)) && !budget.consume(1, at(back)));
            assert!(!budget.consume(1, at(back + 999_999)));
            // A second of the floor after at most one second of the clock.
            assert!(budget.consume(1, at(back + 2_000_000)), "{back}");
        }
    }

    #[test]
    fn the_first_calls_may_retry_and_so_may_a_caller_of_few() {
        for (config, first, after_a_second) in [
            (RatioConfig::new(100), 10, 11),
            (RatioConfig::new(100).limit(3), 3, 3),
            (RatioConfig::new(100).initial(0), 0, 1),
            (RatioConfig::new(100).floor_per_sec(0), 10, 10),
            (RatioConfig::new(100).initial(2).floor_per_sec(5), 2, 7),
            (RatioConfig::new(100).initial(0).floor_per_sec(0), 0, 0),
        ] {
            let mut budget = RatioBudget::new(&config).unwrap();
            assert!(budget.consume(0, at(7)));
            assert_eq!(budget.remaining(at(7)), first, "{config:?}");
            assert_eq!(budget.remaining(at(1_000_007)), after_a_second, "{config:?}");
        }
    }
}
