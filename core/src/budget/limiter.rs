//! A limit within each of several windows, for first attempts and retries alike: [`RateLimiter`].

mod config;

pub(crate) use config::LimitWindow;
pub use config::LimiterConfig;

use crate::budget::{Limit, NotBefore};
use crate::config::{ConfigError, Fixed, Settings};
use crate::time::{Duration, Instant};

/// Allows all callers together at most a limit within each of its windows: of attempts, bytes,
/// milliseconds on air, or any other unit of cost.
///
/// A budget limits only retries; a limiter limits first attempts, too. Set it with
/// [`Retry::limiter`](crate::Retry::limiter), or with [`Limited`](crate::budget::Limited) for
/// costs other than 1.
///
/// The limiter keeps up to `N` records of what was spent and when: 12 bytes each, and at most 36
/// more. With enough records it is exact: no window holds more than its limit, and a cost leaves
/// a window exactly one length of the window later. An `N` of the largest limit divided by the smallest cost is
/// always enough. When all `N` records are in use, the two neighbours whose merge delays least (cost
/// multiplied by time) become one record with the later time. Capacity may then return late,
/// never early.
///
/// The limiter keeps its own time, which begins with its start and never goes back. Callers read
/// the clock before they take the lock, so readings may come out of order: a cost is recorded at
/// the latest reading so far. With a reading that is `d` old, the limit is only guaranteed over
/// `per - d`. A reading that is earlier by more than the shortest window or phase shows that the
/// clock was set back. The limiter's time then stands still for the length of that window or
/// phase, so nothing is refused for longer than two of its windows.
///
/// ```
/// use redress::budget::{Limit, LimiterConfig, NotBefore};
/// use redress::{Duration, Instant, RateLimiter};
/// const HOUR: Duration = Duration::from_secs(3600);
/// const CONFIG: LimiterConfig =
///     LimiterConfig::new().window(3, HOUR).window(20, Duration::from_secs(86_400));
/// let mut limiter = RateLimiter::<20>::new(&CONFIG)?;
/// for _ in 0..3 {
///     assert_eq!(limiter.acquire(1, Instant::ZERO), Ok(()));
/// }
/// assert_eq!(limiter.acquire(1, Instant::ZERO), Err(NotBefore { wait: Some(HOUR) }));
/// assert_eq!(limiter.acquire(4, Instant::ZERO), Err(NotBefore { wait: None }));
/// # Ok::<(), redress::config::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RateLimiter<const N: usize, C = &'static LimiterConfig> {
    pub(crate) settings: C,
    /// When costs were spent, so long after the start; the oldest first, `len` of them.
    pub(crate) at: [Duration; N],
    pub(crate) cost: [u32; N],
    pub(crate) len: u16,
    /// The phase in which something was spent the last time, and what was spent in it.
    pub(crate) phase: u8,
    pub(crate) spent: u32,
    /// How long after the start it was at `latest`.
    pub(crate) elapsed: Duration,
    /// The latest instant that is known; [`UNKNOWN`] before the start.
    pub(crate) latest: Instant,
}

/// No time is known yet.
pub(crate) const UNKNOWN: Instant = Instant::MAX;
/// The last instant that can be known.
const LAST: Instant = Instant::from_micros(u64::MAX - 1);
/// The end of the limiter's own time.
const END: Duration = Duration::from_micros(u64::MAX - 1);

impl<'c, const N: usize> RateLimiter<N, &'c LimiterConfig> {
    /// A limiter with nothing spent. It starts when it is asked for the first time.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if there is neither a window nor a phase, or more than four of either; if
    /// a window or a phase has no length; if the limit of a window is 0; if `N` is 0 and there is
    /// a window.
    pub const fn new(config: &'c LimiterConfig) -> Result<Self, ConfigError> {
        match config.check(N) {
            Ok(()) => Ok(Self::unspent(config)),
            Err(error) => Err(error),
        }
    }
}

impl<const N: usize, C: Settings<LimiterConfig>> RateLimiter<N, C> {
    /// As [`new`](Self::new), with settings in any form ([`Settings`]): owned or in an `Arc` for
    /// instance.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] as [`new`](Self::new): a number of windows or phases, a length, a limit or
    /// a capacity that is out of range.
    pub fn from_settings(settings: C) -> Result<Self, ConfigError> {
        settings.settings().check(N)?;
        Ok(Self::unspent(settings))
    }
}

impl<const N: usize, F: Fixed<Of = LimiterConfig>> RateLimiter<N, F> {
    /// A limiter with nothing spent, whose settings are in its type. Settings that are out of
    /// range are a compile error.
    pub const fn fixed(settings: F) -> Self {
        const {
            if let Err(error) = F::SETTINGS.check(N) {
                error.refuse();
            }
        }
        Self::unspent(settings)
    }
}

impl<const N: usize, C: Copy> RateLimiter<N, C> {
    /// Sets the start of the limiter, instead of the first time that it is asked: boot for
    /// instance, which is [`Instant::ZERO`] on many clocks.
    pub const fn starting_at(self, start: Instant) -> Self {
        Self { latest: start, ..Self::unspent(self.settings) }
    }
}

impl<const N: usize, C> RateLimiter<N, C> {
    const fn unspent(settings: C) -> Self {
        Self {
            settings,
            at: [Duration::ZERO; N],
            cost: [0; N],
            len: 0,
            phase: 0,
            spent: 0,
            elapsed: Duration::ZERO,
            latest: UNKNOWN,
        }
    }

    /// What is remembered: when it was spent and how much it was, the newest last.
    pub(crate) fn log(&self) -> impl DoubleEndedIterator<Item = (Duration, u32)> + use<'_, N, C> {
        // By slices of a length that is checked once: a range of an array may panic.
        let at = self.at.get(..self.len.into()).unwrap_or_default();
        let cost = self.cost.get(..self.len.into()).unwrap_or_default();
        at.iter().copied().zip(cost.iter().copied())
    }
}

impl<const N: usize, C: Settings<LimiterConfig>> RateLimiter<N, C> {
    #[inline]
    pub(crate) fn config(&self) -> &LimiterConfig {
        self.settings.settings()
    }

    /// The most that could be spent at once at `now`.
    pub fn available(&self, now: Instant) -> u32 {
        let now = self.elapsed_at(now);
        let phase = self.config().phase_at(now);
        let in_phase =
            phase.map(|(number, phase)| phase.limit.saturating_sub(self.spent_in(number)));
        let in_window = |window: &LimitWindow| {
            let counted = self.log().rev().take_while(|&(at, _)| window.counts(at, now));
            counted.fold(window.limit, |left, (_, cost)| left.saturating_sub(cost))
        };
        let windows = self.config().windows().filter(|window| window.from <= now).map(in_window);
        windows.chain(in_phase).min().unwrap_or(u32::MAX)
    }

    /// How long after the start `now` is.
    pub(crate) fn elapsed_at(&self, now: Instant) -> Duration {
        self.elapsed_after(now.since(self.latest))
    }

    /// How long after the start it is when so long has passed since the latest instant.
    pub(crate) fn elapsed_after(&self, passed: Duration) -> Duration {
        self.elapsed.saturating_add(passed.min(self.config().forgets_after())).min(END)
    }

    /// Whether no window counts anything at `now`, and no phase was begun.
    pub(crate) fn is_idle(&self, now: Instant) -> bool {
        let (config, now) = (self.config(), self.elapsed_at(now));
        !self.log().any(|(at, _)| config.counts(at, now))
            && (config.phase_count == 0 || self.latest == UNKNOWN)
    }

    /// Takes note of the time; returns by how much the latest instant is ahead of `now`.
    fn follow(&mut self, now: Instant) -> Duration {
        self.elapsed = self.elapsed_at(now);
        self.latest = if self.latest == UNKNOWN || self.latest < now {
            now.min(LAST)
        } else {
            self.latest.min(now.saturating_add(self.config().shortest))
        };
        self.latest.since(now)
    }

    /// What is spent in the phase of this number.
    fn spent_in(&self, phase: u8) -> u32 {
        if self.phase == phase { self.spent } else { 0 }
    }

    /// The earliest time from `now` on at which `cost` fits, if nothing else is spent; `None`
    /// for never.
    fn earliest(&self, cost: u32, now: Duration) -> Option<Duration> {
        let mut at = now;
        loop {
            let next = self.next(cost, at)?;
            if next == at {
                return Some(at);
            }
            at = next;
        }
    }

    /// `at` if `cost` fits then, or else a later time before which it does not.
    fn next(&self, cost: u32, at: Duration) -> Option<Duration> {
        let mut next = at;
        if let Some((number, phase)) = self.config().phase_at(at)
            && phase.limit.saturating_sub(self.spent_in(number)) < cost
        {
            next = phase.ends;
        }
        for window in self.config().windows().filter(|window| window.from <= at) {
            let mut left = window.limit.checked_sub(cost)?;
            for (spent, cost) in self.log().rev().take_while(|&(spent, _)| window.counts(spent, at))
            {
                let Some(rest) = left.checked_sub(cost) else {
                    next = next.max(spent.saturating_add(window.per));
                    break;
                };
                left = rest;
            }
        }
        // What saturates never comes.
        if next == Duration::MAX { None } else { Some(next) }
    }

    /// As many times as are remembered at most.
    const MOST: usize = if N < u16::MAX as usize { N } else { u16::MAX as usize };

    fn spend(&mut self, cost: u32, now: Duration) {
        let settings = self.settings.clone();
        let config = settings.settings();
        if let Some((number, _)) = config.phase_at(now) {
            self.spent = self.spent_in(number).saturating_add(cost);
            self.phase = number;
        }
        while self.log().next().is_some_and(|(oldest, _)| !config.counts(oldest, now)) {
            self.remove(0);
        }
        if !config.counts(now, now) {
            return;
        }
        self.make_room(now);
        let is_full = usize::from(self.len) >= Self::MOST;
        match self.newest() {
            Some((at, spent)) if is_full || *at == now => {
                (*at, *spent) = (now, spent.saturating_add(cost));
            }
            _ => {
                self.len += 1;
                if let Some((at, spent)) = self.newest() {
                    (*at, *spent) = (now, cost);
                }
            }
        }
    }

    /// Where the log is full, makes one of two that follow one another, at the later time:
    /// those where that delays the least, by cost and time. If they are the newest and `now`,
    /// the log stays full.
    fn make_room(&mut self, now: Duration) {
        if usize::from(self.len) < Self::MOST {
            return;
        }
        let later = self.log().skip(1).map(|(at, _)| at).chain([now]);
        let delays = self.log().zip(later).map(|((at, cost), later)| {
            later.saturating_sub(at).as_micros().saturating_mul(cost.into())
        });
        let mut closest = (u64::MAX, 0);
        for (index, delay) in delays.enumerate() {
            if delay < closest.0 {
                closest = (delay, index);
            }
        }
        let index = closest.1;
        let moved = self.cost.get(index).copied().unwrap_or(0);
        if index + 1 < usize::from(self.len)
            && let Some(cost) = self.cost.get_mut(index + 1)
        {
            *cost = cost.saturating_add(moved);
            self.remove(index);
        }
    }

    fn newest(&mut self) -> Option<(&mut Duration, &mut u32)> {
        let index = usize::from(self.len).checked_sub(1)?;
        Some((self.at.get_mut(index)?, self.cost.get_mut(index)?))
    }

    fn remove(&mut self, index: usize) {
        let len = usize::from(self.len);
        move_up(self.at.get_mut(index..len).unwrap_or_default());
        move_up(self.cost.get_mut(index..len).unwrap_or_default());
        self.len = self.len.saturating_sub(1);
    }
}

/// Drops the first; each of the others takes the place before it.
fn move_up<T: Copy>(values: &mut [T]) {
    let mut values = values.iter_mut();
    let Some(mut place) = values.next() else { return };
    for next in values {
        *place = *next;
        place = next;
    }
}

impl<const N: usize, C: Settings<LimiterConfig>> Limit for RateLimiter<N, C> {
    fn acquire(&mut self, cost: u32, now: Instant) -> Result<(), NotBefore> {
        self.check(cost, now)?;
        if cost > 0 {
            self.spend(cost, self.elapsed);
        }
        Ok(())
    }

    fn check(&mut self, cost: u32, now: Instant) -> Result<(), NotBefore> {
        let ahead = self.follow(now);
        if cost == 0 {
            return Ok(());
        }
        let now = self.elapsed;
        match self.earliest(cost, now) {
            Some(at) if at == now => Ok(()),
            at => {
                Err(NotBefore { wait: at.map(|at| at.saturating_sub(now).saturating_add(ahead)) })
            }
        }
    }
}

#[cfg(feature = "defmt")]
impl<const N: usize, C> defmt::Format for RateLimiter<N, C> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "RateLimiter({=u16} of {=usize} remembered)", self.len, N);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const DAY: Duration = Duration::from_secs(86_400);

    fn at(hours: u64) -> Instant {
        Instant::from_micros(hours * HOUR.as_micros())
    }

    fn after(hours: u64) -> Result<(), NotBefore> {
        Err(NotBefore { wait: Some(Duration::from_micros(hours * HOUR.as_micros())) })
    }

    const NEVER: Result<(), NotBefore> = Err(NotBefore { wait: None });

    #[test]
    fn each_window_holds_its_limit_and_no_more() {
        let config = LimiterConfig::new().window(3, HOUR).window(5, DAY);
        let mut limiter = RateLimiter::<5, _>::new(&config).unwrap();
        for (hours, cost, answer, left) in [
            (0, 2, Ok(()), 1),
            (0, 2, after(1), 1),
            (0, 1, Ok(()), 0),
            (0, 1, after(1), 0),
            (1, 2, Ok(()), 0),
            (1, 1, after(23), 0),
            (2, 3, after(22), 0),
            (2, 4, NEVER, 0),
            (24, 3, Ok(()), 0),
            (24, 1, after(1), 0),
            (25, 3, after(23), 2),
            (25, 2, Ok(()), 0),
            (1_000_000, 0, Ok(()), 3),
        ] {
            assert_eq!(limiter.acquire(cost, at(hours)), answer, "{hours} h, {cost}");
            assert_eq!(limiter.available(at(hours)), left, "{hours} h, {cost}");
        }
    }

    #[test]
    fn phases_follow_one_another_and_windows_what_they_are_named_after() {
        let ten = Duration::from_secs(36_000);
        let config = LimiterConfig::new().phase(36, HOUR).phase(36, ten).window(9, DAY);
        let mut limiter = RateLimiter::<9, _>::new(&config).unwrap();
        for (hours, cost, answer, left) in [
            (100, 30, Ok(()), 6),
            (100, 7, after(1), 6),
            (100, 37, NEVER, 6),
            // It fits into the first phase alone.
            (100, 6, Ok(()), 0),
            (101, 36, Ok(()), 0),
            (110, 9, after(1), 0),
            // What was spent in the phases is not counted any more.
            (111, 9, Ok(()), 0),
            (111, 1, after(24), 0),
            (112, 10, NEVER, 0),
            (135, 4, Ok(()), 5),
        ] {
            assert_eq!(limiter.acquire(cost, at(hours)), answer, "{hours} h, {cost}");
            assert_eq!(limiter.available(at(hours)), left, "{hours} h, {cost}");
        }
    }

    #[test]
    fn silence_is_kept_for_a_phase_that_begins_with_the_start() {
        let config = LimiterConfig::new().window(2, DAY).phase(0, HOUR);
        let fresh = RateLimiter::<2, _>::new(&config).unwrap();
        assert_eq!(fresh.clone().acquire(1, at(7)), after(1));
        let mut limiter = fresh.starting_at(at(0));
        assert_eq!(limiter.acquire(1, at(0)), after(1));
        assert_eq!(limiter.acquire(1, at(7)), Ok(()));
        assert_eq!(limiter.available(at(7)), 1);
    }

    #[test]
    fn a_full_log_refuses_more_and_never_grants_more() {
        let config = LimiterConfig::new().window(4, DAY);
        let mut limiter = RateLimiter::<2, _>::new(&config).unwrap();
        for hours in [0, 10, 11] {
            assert_eq!(limiter.acquire(1, at(hours)), Ok(()));
        }
        // The one of 10 hours counts as one of 11.
        for (hours, left) in [(11, 1), (23, 1), (24, 2), (34, 2), (35, 4)] {
            assert_eq!(limiter.available(at(hours)), left, "{hours}");
        }
        // Now it delays the least to make the oldest one younger.
        assert_eq!(limiter.acquire(1, at(23)), Ok(()));
        for (hours, left) in [(24, 0), (34, 0), (35, 3), (46, 3), (47, 4)] {
            assert_eq!(limiter.available(at(hours)), left, "{hours}");
        }
    }

    #[test]
    fn a_stale_instant_spends_at_the_latest_one_and_waits_until_then() {
        let config = LimiterConfig::new().window(1, HOUR);
        let mut limiter = RateLimiter::<1, _>::new(&config).unwrap();
        let (early, late) = (Instant::from_micros(HOUR.as_micros() * 3 - 5), at(3));
        assert_eq!(limiter.acquire(2, late), NEVER);
        assert_eq!(limiter.acquire(1, early), Ok(()));
        let wait = HOUR.saturating_add(Duration::from_micros(5));
        assert_eq!(limiter.acquire(1, early), Err(NotBefore { wait: Some(wait) }));
        assert_eq!(limiter.acquire(1, late), after(1));
    }

    #[test]
    fn a_clock_that_is_set_back_refuses_nothing_for_longer_than_two_windows() {
        let config = LimiterConfig::new().window(1, HOUR).window(3, DAY);
        let mut limiter = RateLimiter::<3, _>::new(&config).unwrap();
        assert_eq!(limiter.acquire(1, at(1_000)), Ok(()));
        assert_eq!(limiter.acquire(1, at(0)), after(2));
        assert_eq!(limiter.acquire(1, at(2)), Ok(()));
        assert_eq!(limiter.acquire(2, at(3)), NEVER);
        assert_eq!(limiter.acquire(1, at(3)), Ok(()));
        assert_eq!(limiter.acquire(1, at(4)), after(21));
    }

    #[test]
    fn what_is_wrong_with_the_settings_is_named() {
        let hour = |limit| LimiterConfig::new().window(limit, HOUR);
        let five = hour(1).window(1, HOUR).window(1, HOUR).window(1, HOUR).window(1, HOUR);
        let phases = hour(1).phase(1, HOUR).phase(1, HOUR).phase(1, HOUR).phase(1, HOUR);
        for (config, message) in [
            (
                LimiterConfig::new(),
                "limiter.windows is 0: it must be 1 to 4, or there must be a phase",
            ),
            (five, "limiter.windows is 5: it must be at most 4"),
            (phases.phase(1, HOUR), "limiter.phases is 5: it must be at most 4"),
            (hour(0), "limiter.limit is 0: it must be 1 or more"),
            (
                hour(1).window(1, Duration::ZERO),
                "limiter.window is 0 us: it must be 1 us or more, as must every phase",
            ),
        ] {
            let error = RateLimiter::<1, _>::new(&config).unwrap_err();
            assert_eq!(std::string::ToString::to_string(&error), message);
        }
        assert_eq!(RateLimiter::<0, _>::new(&hour(1)).unwrap_err().field(), "limiter.capacity");
        // Phases alone need no log.
        let config = LimiterConfig::new().phase(1, HOUR);
        assert_eq!(RateLimiter::<0, _>::new(&config).unwrap().acquire(1, at(0)), Ok(()));
    }

    #[test]
    fn an_instant_that_is_wrong_by_ages_does_not_end_its_time() {
        let config = LimiterConfig::new().phase(2, HOUR).window(1, HOUR);
        let mut limiter = RateLimiter::<1, _>::new(&config).unwrap();
        assert!(limiter.acquire(2, Instant::ZERO).is_ok());
        assert!(limiter.acquire(1, Instant::from_micros(u64::MAX - 7)).is_ok());
        // The clock is right again: the attempt leaves its window as any other does.
        let mut later = |hours| limiter.acquire(1, at(hours)).is_ok();
        assert!(!later(1) && later(3) && !later(3) && later(4));
    }
}
