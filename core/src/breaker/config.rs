//! The settings of a breaker: [`BreakerConfig`].

use crate::breaker::{FailureRule, OutcomeRule, SliceRule};
use crate::class::{ClassSet, ErrorClass};
use crate::config::error::{ConfigError, demands};
use crate::time::Duration;

/// The settings of a breaker. `new`, `fixed` and `from_settings` of [`Breaker`](crate::Breaker)
/// check them. A *probe* is a call that a half-open breaker admits.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `trip_on` | TRANSIENT, SERVER_ERROR | any classes |
/// | `recovery_timeout` | 30 s | 1 us and up |
/// | `recovery_growth_to` | no growth | `recovery_timeout` and up |
/// | `half_open_permits` | 1 | 1 to the breaker's `PERMITS` |
/// | `successes_to_close` | 1 | 1 to 15 |
/// | `lease` | 60 s | 1 us and up |
/// | `half_open_on` | all classes | any classes |
/// | `recovery_jitter` | none | any |
/// | `check_before_retry` | off | on or off |
/// | `open_for_hint` | off | 1 us and up |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub struct BreakerConfig<Rule> {
    pub(crate) rule: Rule,
    pub(crate) trip_on: ClassSet,
    pub(crate) recovery: Duration,
    pub(crate) longest_recovery: Duration,
    pub(crate) lease: Duration,
    pub(crate) jitter: Duration,
    pub(crate) longest_hint: Duration,
    pub(crate) half_open_on: ClassSet,
    pub(crate) permits: u8,
    pub(crate) successes: u8,
    /// What calls must do for these settings, as bits of their permits.
    pub(crate) wants: u8,
}

impl BreakerConfig<FailureRule> {
    /// Opens at `threshold` failures (1 to 255) within `window` (1 us and up). Needs a
    /// [`FailureTimes<N>`](crate::breaker::FailureTimes) with an `N` of at least `threshold`:
    /// `failures(5, ..)` goes with `FailureTimes<5>` or larger.
    ///
    /// By default only calls whose last failure is TRANSIENT or `SERVER_ERROR` count: a stream of
    /// `RATE_LIMIT` or UNKNOWN never opens the breaker; see [`trip_on`](Self::trip_on). The breaker
    /// is open for a [recovery time](Self::recovery_timeout) of 30 s by default; the next call
    /// after that is a probe.
    pub const fn failures(threshold: u8, window: Duration) -> Self {
        Self::of(FailureRule::new(threshold, window))
    }

    /// Counts failures of `class` separately, whether or not [`trip_on`](Self::trip_on) names it,
    /// and opens at `threshold` of them. 0 removes the separate count. Needs `threshold - 1` more
    /// entries in [`FailureTimes`](crate::breaker::FailureTimes).
    pub const fn class_threshold(mut self, class: ErrorClass, threshold: u8) -> Self {
        self.rule = self.rule.apart(class, threshold);
        self
    }

    /// Within how long failures count.
    pub const fn window(&self) -> Duration {
        self.rule.window
    }

    /// How many failures of one class open the breaker: the least of its thresholds.
    pub const fn least_threshold(&self) -> u8 {
        let mut least = self.rule.threshold;
        let mut i = 0;
        while i < self.rule.own.len() {
            let own = self.rule.own[i];
            if own > 0 && own < least {
                least = own;
            }
            i += 1;
        }
        least
    }

    /// How many entries [`FailureTimes`](crate::breaker::FailureTimes) needs for these settings.
    pub const fn entries(&self) -> usize {
        self.rule.needs()
    }
}

impl BreakerConfig<OutcomeRule> {
    /// Opens when `rate_milli` thousandths (1 to 1000) of the last `size` results
    /// are failures, once there are `min_calls` of them (1 to `size`).
    pub const fn outcomes(size: u16, rate_milli: u16, min_calls: u16) -> Self {
        Self::of(OutcomeRule { size, rate_milli, min_calls })
    }
}

impl BreakerConfig<SliceRule> {
    /// Opens when `rate_milli` thousandths (1 to 1000) of the calls of the window
    /// failed, once there are `min_calls` (1 to 65,535). The window is as many
    /// slices of length `slice` as the [`TimeSlices`](crate::breaker::TimeSlices) has.
    pub const fn slices(slice: Duration, rate_milli: u16, min_calls: u16) -> Self {
        Self::of(SliceRule {
            slice,
            failure_rate_milli: rate_milli,
            slow_after: Duration::MAX,
            slow_rate_milli: 1000,
            min_calls,
        })
    }

    /// Opens also when `rate_milli` thousandths (1 to 1000) of the calls were slow. A call is
    /// slow if its longest attempt took `after` or longer. A slow probe opens the breaker again.
    pub const fn slow_calls(mut self, after: Duration, rate_milli: u16) -> Self {
        self.rule.slow_after = after;
        self.rule.slow_rate_milli = rate_milli;
        self
    }
}

impl<Rule: Copy> BreakerConfig<Rule> {
    const fn of(rule: Rule) -> Self {
        let recovery = Duration::from_secs(30);
        Self {
            rule,
            trip_on: ClassSet::of(&[ErrorClass::Transient, ErrorClass::ServerError]),
            recovery,
            longest_recovery: Duration::ZERO,
            lease: Duration::from_secs(60),
            jitter: Duration::ZERO,
            longest_hint: Duration::ZERO,
            half_open_on: ClassSet::ALL,
            permits: 1,
            successes: 1,
            wants: 0,
        }
    }

    /// The classes whose failures count while the breaker is closed: TRANSIENT and `SERVER_ERROR`
    /// by default. While half-open, [`half_open_on`](Self::half_open_on) decides instead.
    pub const fn trip_on(mut self, classes: ClassSet) -> Self {
        self.trip_on = classes;
        self
    }

    /// The classes of a failed probe that open the breaker again: all by default. A failure of
    /// any other class shows that the upstream is alive, as a 404 does, and counts as a success.
    pub const fn half_open_on(mut self, classes: ClassSet) -> Self {
        self.half_open_on = classes;
        self
    }

    /// The recovery time: how long the breaker stays open before it lets a probe through. 30 s by
    /// default.
    pub const fn recovery_timeout(mut self, timeout: Duration) -> Self {
        self.recovery = timeout;
        self
    }

    /// Doubles the recovery time each time that a probe fails, up to `longest`. Closing resets
    /// it. Off by default.
    pub const fn recovery_growth_to(mut self, longest: Duration) -> Self {
        self.longest_recovery = longest;
        self
    }

    /// Adds up to `jitter`, uniformly, to each recovery time that starts with the result of a
    /// call (not after [`trip`](crate::Breaker::trip)), so that many clients of one upstream do not probe it together. The driver draws one
    /// random number for each result that can open the breaker: the result of a probe, a failure,
    /// and with a window of rates also a success. Without a source of randomness there is no
    /// jitter.
    pub const fn recovery_jitter(mut self, jitter: Duration) -> Self {
        self.jitter = jitter;
        self.want(super::permit::WANTS_RANDOM, !jitter.is_zero())
    }

    /// Whether a call checks the breaker again before its second and each further attempt. If the
    /// breaker is no longer closed, the call ends with
    /// [`StopReason::CircuitOpen`](crate::StopReason::CircuitOpen) and its last error. A probe
    /// does not check. Off by default.
    pub const fn check_before_retry(self, on: bool) -> Self {
        self.want(super::permit::WANTS_CHECK, on)
    }

    /// Opens the breaker when a failure of class `RATE_LIMIT` or `SERVER_ERROR` carries a hint
    /// when to come back (Retry-After), so that other callers wait, too. The breaker is open for
    /// the length of the hint, at most for `longest`. Zero, the default, switches this off.
    pub const fn open_for_hint(mut self, longest: Duration) -> Self {
        self.longest_hint = longest;
        self.want(super::permit::WANTS_HINTS, !longest.is_zero())
    }

    const fn want(mut self, bit: u8, on: bool) -> Self {
        self.wants = if on { self.wants | bit } else { self.wants & !bit };
        self
    }

    /// How many probes may be in flight at once while half-open. 1 by default.
    pub const fn half_open_permits(mut self, permits: u8) -> Self {
        self.permits = permits;
        self
    }

    /// How many probes must succeed before the breaker closes. 1 by default.
    pub const fn successes_to_close(mut self, successes: u8) -> Self {
        self.successes = successes;
        self
    }

    /// How long a probe may take, 60 s by default. After that, its slot is free for the next
    /// probe and its result is ignored, so a probe that never ends cannot block the breaker.
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    demands! {
        self, permits;
        !self.recovery.is_zero() =>
            ConfigError::of_span("breaker.recovery_timeout", self.recovery, "1 us or more"),
        self.longest_recovery.is_zero() || self.longest_recovery.as_micros() >= self.recovery.as_micros() =>
            ConfigError::of_span("breaker.recovery_growth_to", self.longest_recovery, "the recovery_timeout or more"),
        !self.lease.is_zero() => ConfigError::of_span("breaker.lease", self.lease, "1 us or more"),
        self.permits > 0 && self.permits as usize <= permits =>
            ConfigError::new("breaker.half_open_permits", self.permits as u64, "1 to the PERMITS of the breaker"),
        self.successes > 0 && self.successes <= 15 =>
            ConfigError::new("breaker.successes_to_close", self.successes as u64, "1 to 15"),
    }

    /// Whether the recovery time grows.
    pub(crate) const fn grows(&self) -> bool {
        self.longest_recovery.as_micros() > self.recovery.as_micros()
    }

    /// The recovery time after so many failed probes in a row.
    pub(super) fn recovery_after(&self, reopened: u8) -> Duration {
        let mut recovery = self.recovery;
        for _ in 0..reopened {
            if recovery >= self.longest_recovery {
                break;
            }
            recovery = recovery.saturating_add(recovery).min(self.longest_recovery);
        }
        recovery
    }

    /// The longest that the breaker is open after so many failed probes in a row.
    pub(crate) fn longest_open_after(&self, reopened: u8) -> Duration {
        self.recovery_after(reopened).saturating_add(self.jitter).max(self.longest_hint)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{WANTS_CHECK, WANTS_HINTS, WANTS_RANDOM};
    use super::*;

    const MICROSECOND: Duration = Duration::from_micros(1);

    fn config() -> BreakerConfig<FailureRule> {
        BreakerConfig::failures(5, Duration::from_secs(60))
    }

    #[test]
    fn settings_have_the_defaults_of_their_table() {
        let config = config();
        assert_eq!([config.recovery, config.lease], [30, 60].map(Duration::from_secs));
        assert_eq!(
            [config.longest_recovery, config.jitter, config.longest_hint],
            [Duration::ZERO; 3]
        );
        assert_eq!([config.permits, config.successes, config.wants], [1, 1, 0]);
        let rates = BreakerConfig::slices(MICROSECOND, 500, 4).rule;
        assert_eq!((rates.slow_after, rates.slow_rate_milli), (Duration::MAX, 1_000));
    }

    #[test]
    fn the_least_threshold_is_that_of_the_first_class_to_open_the_breaker() {
        let of = |class, threshold| config().class_threshold(class, threshold).least_threshold();
        assert_eq!(config().least_threshold(), 5);
        assert_eq!(
            [of(ErrorClass::Auth, 9), of(ErrorClass::Auth, 3), of(ErrorClass::Auth, 0)],
            [5, 3, 5]
        );
        assert_eq!(config().window(), Duration::from_secs(60));
    }

    #[test]
    fn what_calls_must_do_is_switched_on_and_off_one_by_one() {
        let on = config().recovery_jitter(MICROSECOND).check_before_retry(true);
        let on = on.open_for_hint(MICROSECOND);
        assert_eq!(on.wants, WANTS_RANDOM | WANTS_CHECK | WANTS_HINTS);
        assert_eq!(on.recovery_jitter(Duration::ZERO).wants, WANTS_CHECK | WANTS_HINTS);
        assert_eq!(on.check_before_retry(false).wants, WANTS_RANDOM | WANTS_HINTS);
        assert_eq!(on.open_for_hint(Duration::ZERO).wants, WANTS_RANDOM | WANTS_CHECK);
    }

    #[test]
    fn a_recovery_time_doubles_up_to_the_longest_and_never_wraps() {
        let growing = config().recovery_growth_to(Duration::from_secs(100));
        let secs = [0, 1, 2, 3, 15].map(|failed| growing.recovery_after(failed).as_secs());
        assert_eq!(secs, [30, 60, 100, 100, 100]);
        assert_eq!(config().recovery_after(15), Duration::from_secs(30));
        let half = Duration::from_micros(1 << 63);
        let huge = config().recovery_timeout(half).recovery_growth_to(Duration::MAX);
        assert_eq!(huge.recovery_after(1), Duration::MAX);
        assert_eq!(huge.recovery_jitter(half).longest_open_after(0), Duration::MAX);
    }

    #[test]
    fn a_recovery_time_grows_if_the_longest_is_longer() {
        let to = |secs| config().recovery_growth_to(Duration::from_secs(secs)).grows();
        assert_eq!([to(0), to(30), to(31)], [false, false, true]);
    }
}
