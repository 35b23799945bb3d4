//! How many retries all callers of an upstream may make together: the rolling
//! [`RollingBudget`] and the proportional [`RatioBudget`].

use crate::config_error::{ConfigError, demands};
use crate::{Duration, Fixed, Instant, Settings, Shared};

/// A pool of retries. Both budgets are one; your own can be, too.
pub trait Budget {
    /// A call was made (not a retry). A ratio budget earns from it.
    fn deposit(&mut self) {}

    /// Takes `cost` retries, all or none; says whether they were there. A cost of
    /// zero is always granted.
    fn consume(&mut self, cost: u32, now: Instant) -> bool;

    /// How many retries there are now.
    fn remaining(&self, now: Instant) -> u32;
}

/// Asks a budget for one retry: what the decision needs of it.
pub trait Withdraw {
    /// Takes one retry; says whether it was there.
    fn withdraw(&self, now: Instant) -> bool;
}

/// What a call needs of its budget: `()` for none, or a reference to a
/// [`Shared`] one.
pub trait Pool: Withdraw {
    /// A call begins.
    fn deposit(&self);
}

/// Without a budget every retry is granted.
impl Withdraw for () {
    #[inline]
    fn withdraw(&self, _: Instant) -> bool {
        true
    }
}

impl Pool for () {
    #[inline]
    fn deposit(&self) {}
}

impl<S: Shared<Item: Budget>> Withdraw for &S {
    #[inline]
    fn withdraw(&self, now: Instant) -> bool {
        self.with(|budget| budget.consume(1, now)).unwrap_or(false)
    }
}

impl<S: Shared<Item: Budget>> Pool for &S {
    #[inline]
    fn deposit(&self) {
        self.with(Budget::deposit);
    }
}

/// A budget that a configuration may leave out.
impl<P: Withdraw> Withdraw for Option<P> {
    #[inline]
    fn withdraw(&self, now: Instant) -> bool {
        self.as_ref().is_none_or(|pool| pool.withdraw(now))
    }
}

impl<P: Pool> Pool for Option<P> {
    #[inline]
    fn deposit(&self) {
        if let Some(pool) = self {
            pool.deposit();
        }
    }
}

/// The settings of a [`RollingBudget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RollingConfig {
    pub(crate) max_retries: u16,
    pub(crate) window: Duration,
}

impl RollingConfig {
    /// At most `max_retries` (0 for none at all) within any span of `window`,
    /// which is 1 us or more.
    pub const fn new(max_retries: u16, window: Duration) -> Self {
        Self { max_retries, window }
    }

    demands! {
        self, capacity;
        !self.window.is_zero() => ConfigError::of_span("budget.window", self.window, "1 us or more"),
        self.max_retries as usize <= capacity => ConfigError::new(
            "budget.max_retries",
            self.max_retries as u64,
            "at most the capacity of the budget",
        ),
    }
}

/// At most so many retries within a rolling window, for all callers together.
///
/// `N` is the most that `max_retries` may be: each retry's time is kept until it
/// leaves the window, so the count is exact. 8 bytes for each of them and 16
/// around it. Source: `Budget` of redress for Python.
///
/// ```
/// use redress::{Budget, Duration, Instant, RollingBudget, RollingConfig};
/// const CONFIG: RollingConfig = RollingConfig::new(2, Duration::from_secs(10));
/// let mut budget = RollingBudget::<2>::new(&CONFIG)?;
/// let now = Instant::ZERO;
/// assert!(budget.consume(2, now) && !budget.consume(1, now));
/// assert_eq!(budget.remaining(now.saturating_add(Duration::from_secs(10))), 2);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RollingBudget<const N: usize, C = &'static RollingConfig> {
    pub(crate) settings: C,
    /// When each token leaves the window, oldest first from `next`; one that has
    /// left, or was never spent, is due in the past.
    pub(crate) due: [Instant; N],
    pub(crate) next: u16,
}

impl<'c, const N: usize> RollingBudget<N, &'c RollingConfig> {
    /// A budget of which nothing is spent.
    ///
    /// # Errors
    ///
    /// If the window is zero or `max_retries` does not fit into `N`.
    pub const fn new(config: &'c RollingConfig) -> Result<Self, ConfigError> {
        match config.check(N) {
            Ok(()) => Ok(Self::unspent(config)),
            Err(error) => Err(error),
        }
    }
}

impl<const N: usize, F: Fixed<Of = RollingConfig>> RollingBudget<N, F> {
    /// A budget of which nothing is spent and whose settings are in its type; what is
    /// wrong with them does not compile.
    pub const fn fixed(settings: F) -> Self {
        const {
            if let Err(error) = F::SETTINGS.check(N) {
                error.refuse();
            }
        }
        Self::unspent(settings)
    }
}

impl<const N: usize, C> RollingBudget<N, C> {
    const fn unspent(settings: C) -> Self {
        Self { settings, due: [Instant::ZERO; N], next: 0 }
    }
}

impl<const N: usize, C: Settings<RollingConfig>> RollingBudget<N, C> {
    #[inline]
    pub(crate) fn config(&self) -> &RollingConfig {
        self.settings.settings()
    }

    /// The tokens in use: `max_retries` of the `N`.
    fn tokens(&mut self) -> &mut [Instant] {
        let used = usize::from(self.config().max_retries).min(N);
        self.due.get_mut(..used).unwrap_or_default()
    }

    /// Spends the oldest token if it has left the window.
    fn take(&mut self, now: Instant) -> bool {
        let (next, due) = (usize::from(self.next), now.saturating_add(self.config().window));
        let tokens = self.tokens();
        let count = tokens.len();
        let Some(token) = tokens.get_mut(next) else { return false };
        if *token > now {
            return false;
        }
        *token = due;
        self.next = if next + 1 < count { next as u16 + 1 } else { 0 };
        true
    }
}

impl<const N: usize, C: Settings<RollingConfig>> Budget for RollingBudget<N, C> {
    fn consume(&mut self, cost: u32, now: Instant) -> bool {
        // After a clock that jumped back no token is due later than a window from
        // now, so that none is held back for longer.
        let latest = now.saturating_add(self.config().window);
        let newest = match self.next {
            0 => self.tokens().last().copied(),
            next => self.due.get(usize::from(next) - 1).copied(),
        };
        if newest.is_some_and(|newest| newest > latest) {
            for token in self.tokens() {
                *token = (*token).min(latest);
            }
        }
        if cost > 1 && cost > self.remaining(now) {
            return false;
        }
        (0..cost).all(|_| self.take(now))
    }

    fn remaining(&self, now: Instant) -> u32 {
        let used = self.due.iter().take(usize::from(self.config().max_retries));
        used.filter(|&&due| due <= now).count() as u32
    }
}

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
impl<const N: usize, C> defmt::Format for RollingBudget<N, C> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "RollingBudget({=[?]})", self.due);
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

    const WINDOW: Duration = Duration::from_micros(10);

    fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn tokens_come_back_at_exactly_the_window() {
        let config = RollingConfig::new(2, WINDOW);
        let mut budget = RollingBudget::<4, _>::new(&config).unwrap();
        assert!(budget.consume(1, at(0)) && budget.consume(1, at(3)));
        assert!(!budget.consume(1, at(9)));
        assert_eq!((budget.remaining(at(9)), budget.remaining(at(10))), (0, 1));
        assert!(budget.consume(1, at(10)) && !budget.consume(1, at(12)));
        assert!(budget.consume(1, at(13)));
    }

    #[test]
    fn a_cost_is_taken_as_a_whole_or_not_at_all() {
        let config = RollingConfig::new(3, WINDOW);
        let mut budget = RollingBudget::<3, _>::new(&config).unwrap();
        assert!(budget.consume(2, at(0)));
        assert!(!budget.consume(2, at(0)) && !budget.consume(u32::MAX, at(0)));
        assert_eq!(budget.remaining(at(0)), 1);
        assert!(budget.consume(0, at(0)) && budget.consume(1, at(0)));
    }

    #[test]
    fn no_retries_at_all_is_a_budget() {
        let config = RollingConfig::new(0, WINDOW);
        let mut budget = RollingBudget::<0, _>::new(&config).unwrap();
        assert!(!budget.consume(1, at(5)));
        assert_eq!(budget.remaining(at(5)), 0);
    }

    #[test]
    fn a_clock_that_jumps_back_holds_no_token_for_longer_than_the_window() {
        let config = RollingConfig::new(2, WINDOW);
        let mut budget = RollingBudget::<2, _>::new(&config).unwrap();
        assert!(budget.consume(2, at(1_000_000)));
        assert!(!budget.consume(1, at(4)));
        assert!(budget.consume(2, at(14)));
    }

    #[test]
    fn capacity_and_window_are_checked() {
        let (large, zero) = (RollingConfig::new(3, WINDOW), RollingConfig::new(1, Duration::ZERO));
        assert_eq!(RollingBudget::<2, _>::new(&large).unwrap_err().field(), "budget.max_retries");
        assert_eq!(RollingBudget::<2, _>::new(&zero).unwrap_err().field(), "budget.window");
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
