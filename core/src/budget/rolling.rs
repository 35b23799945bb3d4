//! A number of retries within a rolling window: [`RollingBudget`].

use crate::budget::Budget;
use crate::config::error::{ConfigError, demands};
use crate::config::{Fixed, Settings};
use crate::time::{Duration, Instant};

/// The settings of a [`RollingBudget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RollingConfig {
    pub(crate) max_retries: u16,
    pub(crate) window: Duration,
}

impl RollingConfig {
    /// At most `max_retries` (0 for none at all) within any span of `window`, which is 1 us or
    /// more. Needs a [`RollingBudget<N>`] with an `N` of at least `max_retries`: `new(8, ..)`
    /// goes with `RollingBudget<8>` or larger.
    pub const fn new(max_retries: u16, window: Duration) -> Self {
        Self { max_retries, window }
    }

    /// The most retries within a window.
    pub const fn max_retries(&self) -> u16 {
        self.max_retries
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

/// Grants all callers together at most `max_retries` retries within a rolling window.
///
/// `N` is at least `max_retries`: [`RollingConfig::new(8, ..)`](RollingConfig::new) needs
/// `RollingBudget<8>` or larger. The budget keeps the time of each retry until it leaves the
/// window, so the count is exact. It takes 8 bytes for each of the `N` times, and 16 more.
/// Source: `Budget` of redress for Python.
///
/// Callers read the clock before they take the lock, so readings may come out of order. A retry
/// is never recorded earlier than the one before it, so by the recorded times no window holds
/// more than `max_retries`. Real time can differ: if a caller's reading is `d` old, its retry may
/// leave the window up to `d` too early. The limit is then only guaranteed over spans of
/// `window - d`.
///
/// A reading that is earlier by a window or more shows that the clock was set back. Every retry
/// then leaves the window after at most two windows of the new clock.
///
/// The times are in the budget. If their number is known only at run time, they are in storage of
/// yours, `D`: see [`with_storage`](Self::with_storage). `N` is then the most that there may be.
///
/// ```
/// use redress::budget::{Budget, RollingConfig};
/// use redress::{Duration, Instant, RollingBudget};
/// const CONFIG: RollingConfig = RollingConfig::new(2, Duration::from_secs(10));
/// let mut budget = RollingBudget::<2>::new(&CONFIG)?;
/// let now = Instant::ZERO;
/// assert!(budget.consume(2, now) && !budget.consume(1, now));
/// assert_eq!(budget.remaining(now.saturating_add(Duration::from_secs(10))), 2);
/// # Ok::<(), redress::config::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RollingBudget<const N: usize, C = &'static RollingConfig, D = [Instant; N]> {
    pub(crate) settings: C,
    /// When each token leaves the window, oldest first from `next`; one that has
    /// left, or was never spent, is due in the past.
    pub(crate) due: D,
    pub(crate) next: u16,
}

impl<'c, const N: usize> RollingBudget<N, &'c RollingConfig> {
    /// A budget with all its retries left.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the window is zero or `max_retries` is more than `N`.
    pub const fn new(config: &'c RollingConfig) -> Result<Self, ConfigError> {
        match config.check(N) {
            Ok(()) => Ok(Self::unspent(config)),
            Err(error) => Err(error),
        }
    }
}

impl<const N: usize, C: Settings<RollingConfig>> RollingBudget<N, C> {
    /// As [`new`](Self::new), with settings in any form ([`Settings`]): owned or in an `Arc` for
    /// instance.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the window is zero or `max_retries` is more than `N`.
    pub fn from_settings(settings: C) -> Result<Self, ConfigError> {
        settings.settings().check(N)?;
        Ok(Self::unspent(settings))
    }
}

impl<const N: usize, F: Fixed<Of = RollingConfig>> RollingBudget<N, F> {
    /// A budget with all its retries left, whose settings are in its type. Settings that are out
    /// of range are a compile error.
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

impl<const N: usize, C, D> RollingBudget<N, C, D>
where
    C: Settings<RollingConfig>,
    D: AsRef<[Instant]> + AsMut<[Instant]>,
{
    /// As [`from_settings`](Self::from_settings), with as many times as the storage has: a slice,
    /// or a `Vec`. What it holds is overwritten.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the window is zero, or `max_retries` is more than the storage or `N`.
    ///
    /// ```
    /// use redress::budget::RollingConfig;
    /// use redress::{Duration, Instant, RollingBudget};
    ///
    /// let config = RollingConfig::new(300, Duration::from_secs(60));
    /// let due = vec![Instant::ZERO; 300];
    /// let budget = RollingBudget::<4096, _, _>::with_storage(config, due)?;
    /// # let _ = budget;
    /// # Ok::<(), redress::config::ConfigError>(())
    /// ```
    pub fn with_storage(settings: C, mut due: D) -> Result<Self, ConfigError> {
        let times = due.as_mut();
        settings.settings().check(times.len().min(N))?;
        times.fill(Instant::ZERO);
        Ok(Self { settings, due, next: 0 })
    }

    #[inline]
    pub(crate) fn config(&self) -> &RollingConfig {
        self.settings.settings()
    }

    /// How many tokens there are.
    pub(crate) fn len(&self) -> usize {
        self.due.as_ref().len()
    }

    /// How many are in use: `max_retries` of them.
    pub(crate) fn used(&self) -> usize {
        usize::from(self.config().max_retries).min(self.len())
    }

    fn tokens(&mut self) -> &mut [Instant] {
        let used = self.used();
        self.due.as_mut().get_mut(..used).unwrap_or_default()
    }

    /// When the newest token was spent; the origin of the clock if none was.
    fn newest(&self) -> Instant {
        let used = self.used();
        let last = match self.next {
            0 => used.saturating_sub(1),
            next => usize::from(next) - 1,
        };
        // The origin stands for it where `max_retries` is 0.
        let due = self.due.as_ref().get(last).map_or(0, |due| due.as_micros());
        Instant::from_micros(due.saturating_sub(self.config().window.as_micros()))
    }

    /// `now`, but never before the newest token was spent: it is at least as late as that,
    /// whatever a caller read before.
    pub(crate) fn known(&self, now: Instant) -> Instant {
        now.max(self.newest())
    }

    /// As [`known`](Self::known); after a clock that was set back, the newest token was spent a
    /// window from now, and the others as long before it as they were.
    fn follow(&mut self, now: Instant) -> Instant {
        let (newest, horizon) = (self.newest(), now.saturating_add(self.config().window));
        let back = newest.since(horizon);
        if back.is_zero() {
            return now.max(newest);
        }
        for token in self.tokens() {
            *token = token.saturating_sub(back);
        }
        horizon
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

impl<const N: usize, C, D> Budget for RollingBudget<N, C, D>
where
    C: Settings<RollingConfig>,
    D: AsRef<[Instant]> + AsMut<[Instant]>,
{
    fn consume(&mut self, cost: u32, now: Instant) -> bool {
        let now = self.follow(now);
        if cost > 1 && cost > self.remaining(now) {
            return false;
        }
        (0..cost).all(|_| self.take(now))
    }

    fn remaining(&self, now: Instant) -> u32 {
        let now = self.known(now);
        let used = self.due.as_ref().iter().take(usize::from(self.config().max_retries));
        used.filter(|&&due| due <= now).count() as u32
    }
}

#[cfg(feature = "defmt")]
impl<const N: usize, C, D: AsRef<[Instant]>> defmt::Format for RollingBudget<N, C, D> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "RollingBudget({=[?]})", self.due.as_ref());
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
    fn a_clock_that_is_set_back_holds_no_token_for_longer_than_two_windows() {
        let config = RollingConfig::new(3, WINDOW);
        for back in [4, 999_990, 999_991, 999_995, 1_000_000] {
            let mut budget = RollingBudget::<3, _>::new(&config).unwrap();
            assert!(budget.consume(1, at(999_993)) && budget.consume(1, at(1_000_000)));
            // The third one was never spent. Of the others, the newest is held longest.
            assert!(budget.consume(1, at(back)) && !budget.consume(1, at(back)), "{back}");
            assert!(budget.consume(3, at(back + 20)), "{back}");
        }
        // A token that had left the window before is not held again.
        let mut budget = RollingBudget::<3, _>::new(&config).unwrap();
        assert!(budget.consume(2, at(999_000)) && budget.consume(1, at(1_000_000)));
        assert!(budget.consume(2, at(4)) && !budget.consume(1, at(23)));
        assert!(budget.consume(1, at(24)));
    }

    #[test]
    fn an_instant_that_is_a_little_late_shortens_no_token() {
        let config = RollingConfig::new(2, WINDOW);
        let mut budget = RollingBudget::<2, _>::new(&config).unwrap();
        assert!(budget.consume(1, at(100)));
        // Read before the first one, asked after it.
        assert!(budget.consume(1, at(92)) && !budget.consume(1, at(91)));
        assert_eq!((budget.remaining(at(109)), budget.remaining(at(110))), (0, 2));
        assert!(!budget.consume(1, at(109)) && budget.consume(2, at(110)));
    }

    #[test]
    fn capacity_and_window_are_checked() {
        let (large, zero) = (RollingConfig::new(3, WINDOW), RollingConfig::new(1, Duration::ZERO));
        assert_eq!(RollingBudget::<2, _>::new(&large).unwrap_err().field(), "budget.max_retries");
        assert_eq!(RollingBudget::<2, _>::new(&zero).unwrap_err().field(), "budget.window");
    }
}
