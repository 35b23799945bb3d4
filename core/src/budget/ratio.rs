//! Retries in proportion to calls: [`RatioBudget`].

use crate::budget::Budget;
use crate::config_error::{ConfigError, demands};
use crate::{Fixed, Instant, Settings};

/// The settings of a [`RatioBudget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RatioConfig {
    pub(crate) deposit: u32,
    pub(crate) floor_per_sec: u32,
    pub(crate) limit: u64,
}

/// One retry, in the millionths that a balance counts: a rate of `n` per second
/// is then `n` for each microsecond, and nothing is divided.
pub(crate) const RETRY: u64 = 1_000_000;

impl RatioConfig {
    /// Every call earns `ratio_milli` thousandths of a retry: 100 allows one
    /// retry for ten calls, 6 is exactly 0.6 %. At most 1000 retries are saved
    /// up, and without [`floor_per_sec`](Self::floor_per_sec) nothing else earns.
    pub const fn new(ratio_milli: u16) -> Self {
        Self { deposit: ratio_milli as u32 * 1000, floor_per_sec: 0, limit: 1000 * RETRY }
    }

    /// Besides, so many retries are earned each second, so that a caller with few
    /// calls may retry at all. The first second's are there from the start.
    pub const fn floor_per_sec(mut self, retries: u32) -> Self {
        self.floor_per_sec = retries;
        self
    }

    /// The most retries that are saved up, 1 to 100,000.
    pub const fn limit(mut self, retries: u32) -> Self {
        self.limit = retries as u64 * RETRY;
        self
    }

    demands! {
        self;
        self.limit >= RETRY && self.limit <= 100_000 * RETRY =>
            ConfigError::new("budget.limit", self.limit / RETRY, "1 to 100000"),
        self.deposit > 0 || self.floor_per_sec > 0 =>
            ConfigError::new("budget.ratio_milli", 0, "1 or more, or floor_per_sec must be"),
    }
}

/// Retries in proportion to calls, for all callers together: each call deposits a
/// fraction of a retry, each retry withdraws a whole one.
///
/// In an outage the load grows by the ratio and no more. Integer arithmetic, in
/// millionths of a retry. Source: the retry budget of Finagle; the same in Linkerd
/// and tower.
///
/// ```
/// use redress::{Budget, Instant, RatioBudget, RatioConfig};
/// const CONFIG: RatioConfig = RatioConfig::new(100);
/// let mut budget = RatioBudget::new(&CONFIG)?;
/// assert!(!budget.consume(1, Instant::ZERO));
/// (0..10).for_each(|_| budget.deposit());
/// assert!(budget.consume(1, Instant::ZERO) && !budget.consume(1, Instant::ZERO));
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RatioBudget<C = &'static RatioConfig> {
    pub(crate) settings: C,
    pub(crate) balance: u64,
    /// Up to when the floor has been earned; `Instant::MAX` before the first time
    /// is known.
    pub(crate) earned: Instant,
}

impl<'c> RatioBudget<&'c RatioConfig> {
    /// A budget that holds the floor of one second.
    ///
    /// # Errors
    ///
    /// If nothing can ever be earned, or the limit is out of its range.
    pub const fn new(config: &'c RatioConfig) -> Result<Self, ConfigError> {
        match config.check() {
            Ok(()) => Ok(Self::first_second(config, config)),
            Err(error) => Err(error),
        }
    }
}

impl<F: Fixed<Of = RatioConfig>> RatioBudget<F> {
    /// A budget that holds the floor of one second and whose settings are in its type;
    /// what is wrong with them does not compile.
    pub const fn fixed(settings: F) -> Self {
        const {
            if let Err(error) = F::SETTINGS.check() {
                error.refuse();
            }
        }
        Self::first_second(settings, F::SETTINGS)
    }
}

impl<C> RatioBudget<C> {
    const fn first_second(settings: C, config: &RatioConfig) -> Self {
        let first = config.floor_per_sec as u64 * RETRY;
        let balance = if first < config.limit { first } else { config.limit };
        Self { settings, balance, earned: Instant::MAX }
    }
}

impl<C: Settings<RatioConfig>> RatioBudget<C> {
    #[inline]
    pub(crate) fn config(&self) -> &RatioConfig {
        self.settings.settings()
    }

    /// The balance with the floor earned since the last time.
    pub(crate) fn balance_at(&self, now: Instant) -> u64 {
        let floor = self.config().floor_per_sec as u64;
        if floor == 0 {
            return self.balance;
        }
        let earned = now.since(self.earned).as_micros().saturating_mul(floor);
        let balance = self.balance.saturating_add(earned);
        if balance < self.config().limit { balance } else { self.config().limit }
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
        if now != self.earned {
            self.balance = self.balance_at(now);
            self.earned = now;
        }
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
    use crate::Duration;

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
        let config = RatioConfig::new(6);
        let mut budget = RatioBudget::new(&config).unwrap();
        let granted = (0..100_000)
            .filter(|_| {
                budget.deposit();
                budget.consume(1, at(0))
            })
            .count();
        assert_eq!(granted, 600);
    }

    #[test]
    fn the_floor_is_earned_by_time_and_saved_up_to_the_limit() {
        let config = RatioConfig::new(0).floor_per_sec(2).limit(5);
        let mut budget = RatioBudget::new(&config).unwrap();
        let start = at(u64::MAX / 2);
        assert!(budget.consume(2, start) && !budget.consume(1, start));
        let later = |halves: u64| start.saturating_add(Duration::from_millis(halves * 500));
        assert!(budget.consume(1, later(1)) && !budget.consume(1, later(1)));
        assert_eq!(budget.remaining(later(100)), 5);
        assert!(!budget.consume(6, later(100)) && budget.consume(5, later(100)));
    }

    #[test]
    fn a_clock_that_jumps_back_earns_nothing() {
        let config = RatioConfig::new(0).floor_per_sec(1).limit(10);
        let mut budget = RatioBudget::new(&config).unwrap();
        assert!(budget.consume(1, at(5_000_000)));
        assert!(!budget.consume(1, at(0)));
        assert!(budget.consume(1, at(1_000_000)));
    }
}
