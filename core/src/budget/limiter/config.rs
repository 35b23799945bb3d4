//! The settings of a rate limiter: [`LimiterConfig`].

use crate::config::error::{ConfigError, demands};
use crate::time::Duration;

/// The most windows, and the most phases, of a limiter.
const MOST: usize = 4;

/// The settings of a [`RateLimiter`](crate::RateLimiter): up to four rolling windows, and up to four phases
/// since its start.
///
/// Three attempts an hour, and twenty a day:
///
/// ```
/// use redress::Duration;
/// use redress::budget::LimiterConfig;
/// const HOUR: Duration = Duration::from_secs(3600);
/// const DAY: Duration = Duration::from_secs(86_400);
/// const JOIN: LimiterConfig = LimiterConfig::new().window(3, HOUR).window(20, DAY);
/// # let _ = JOIN;
/// ```
///
/// The join requests of a `LoRaWAN` device, in milliseconds on air: 36 s in the first hour, 36 s
/// in the next ten hours, then 8.7 s in any day. Source: the `LoRaWAN` link layer
/// specification, "Retransmissions back-off".
///
/// ```
/// # use redress::Duration;
/// # use redress::budget::LimiterConfig;
/// # const HOUR: Duration = Duration::from_secs(3600);
/// # const DAY: Duration = Duration::from_secs(86_400);
/// const AIRTIME: LimiterConfig = LimiterConfig::new()
///     .phase(36_000, HOUR)
///     .phase(36_000, Duration::from_secs(36_000))
///     .window(8_700, DAY);
/// # let _ = AIRTIME;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LimiterConfig {
    pub(crate) windows: [LimitWindow; MOST],
    pub(crate) phases: [LimitPhase; MOST],
    window_count: u8,
    pub(super) phase_count: u8,
    /// The shortest window or phase: an instant that is earlier by less is stale.
    pub(super) shortest: Duration,
    /// How long all phases take.
    phased: Duration,
}

/// At most `limit` within any span of `per`, of what is spent `from` so long after the start
/// on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct LimitWindow {
    pub(crate) limit: u32,
    pub(crate) per: Duration,
    pub(crate) from: Duration,
}

/// At most `limit` until the phase ends, so long after the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct LimitPhase {
    pub(crate) limit: u32,
    pub(crate) ends: Duration,
}

impl Default for LimiterConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl LimiterConfig {
    /// No window and no phase yet; add at least one.
    pub const fn new() -> Self {
        let (limit, none) = (0, Duration::ZERO);
        Self {
            windows: [LimitWindow { limit, per: none, from: none }; MOST],
            phases: [LimitPhase { limit, ends: none }; MOST],
            window_count: 0,
            phase_count: 0,
            shortest: Duration::MAX,
            phased: none,
        }
    }

    /// At most `limit`, 1 or more, within any span of `per`, 1 us or more. The window begins at
    /// the end of the phases that are added before it, and counts only what is spent from then
    /// on. A window that is added before any phase applies at all times.
    pub const fn window(mut self, limit: u32, per: Duration) -> Self {
        let at = self.window_count as usize;
        if at < MOST {
            self.windows[at] = LimitWindow { limit, per, from: self.phased };
        }
        self.window_count = self.window_count.saturating_add(1);
        self.shortest = self.shortest.min(per);
        self
    }

    /// At most `limit` within a span of `length`, 1 us or more, which begins at the end of the
    /// phases that are added before it. The first phase begins with the
    /// [start](crate::RateLimiter::starting_at) of the limiter. A limit of 0 allows no attempt in
    /// the phase.
    pub const fn phase(mut self, limit: u32, length: Duration) -> Self {
        let at = self.phase_count as usize;
        self.phased = self.phased.saturating_add(length);
        if at < MOST {
            self.phases[at] = LimitPhase { limit, ends: self.phased };
        }
        self.phase_count = self.phase_count.saturating_add(1);
        self.shortest = self.shortest.min(length);
        self
    }

    pub(crate) fn windows(&self) -> impl Iterator<Item = &LimitWindow> {
        self.windows.iter().take(self.window_count.into())
    }

    /// The limit of the strictest window, which is the most that an attempt may cost.
    pub(crate) fn least(&self) -> Option<u32> {
        self.windows().map(|window| window.limit).min()
    }

    pub(crate) fn phases(&self) -> impl Iterator<Item = &LimitPhase> {
        self.phases.iter().take(self.phase_count.into())
    }

    /// The phase at so long after the start, and its number.
    pub(crate) fn phase_at(&self, elapsed: Duration) -> Option<(u8, &LimitPhase)> {
        (0..).zip(self.phases()).find(|(_, phase)| elapsed < phase.ends)
    }

    /// After so long every window is empty and every phase is over. A longer time makes no
    /// difference, so one wrong instant of a clock does not end the limiter's own time.
    pub(crate) fn forgets_after(&self) -> Duration {
        let longest = self.windows().map(|window| window.per).max();
        longest.unwrap_or_default().saturating_add(self.phased)
    }

    /// Whether any window counts at `now` what was spent at `spent`.
    pub(crate) fn counts(&self, spent: Duration, now: Duration) -> bool {
        self.windows().any(|window| window.counts(spent, now))
    }

    /// Whether each window has a limit.
    const fn all_limits(&self) -> bool {
        let mut at = 0;
        while at < MOST && at < self.window_count as usize {
            if self.windows[at].limit == 0 {
                return false;
            }
            at += 1;
        }
        true
    }

    demands! {
        self, capacity;
        self.window_count as usize <= MOST =>
            ConfigError::new("limiter.windows", self.window_count as u64, "at most 4"),
        self.phase_count as usize <= MOST =>
            ConfigError::new("limiter.phases", self.phase_count as u64, "at most 4"),
        self.window_count > 0 || self.phase_count > 0 =>
            ConfigError::new("limiter.windows", 0, "1 to 4, or there must be a phase"),
        !self.shortest.is_zero() => ConfigError::of_span(
            "limiter.window", self.shortest, "1 us or more, as must every phase"
        ),
        self.all_limits() => ConfigError::new("limiter.limit", 0, "1 or more"),
        self.window_count == 0 || capacity > 0 =>
            ConfigError::new("limiter.capacity", capacity as u64, "1 or more for a window"),
    }
}

impl LimitWindow {
    /// Whether it counts at `now` what was spent at `spent`.
    pub(super) fn counts(&self, spent: Duration, now: Duration) -> bool {
        self.from <= spent && now.saturating_sub(spent) < self.per
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_windows_are_named_once_and_not_looked_at() {
        let windows =
            (0..6).fold(LimiterConfig::new(), |config, _| config.window(0, Duration::MAX));
        let mut found = std::vec::Vec::new();
        windows.errors(1, &mut |error| found.push(error.field()));
        assert_eq!(found, ["limiter.windows", "limiter.limit"]);
        let fine = (0..6).fold(LimiterConfig::new(), |config, _| config.window(1, Duration::MAX));
        found.clear();
        fine.errors(1, &mut |error| found.push(error.field()));
        assert_eq!(found, ["limiter.windows"]);
    }
}
