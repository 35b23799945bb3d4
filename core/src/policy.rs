//! What each class of failure deserves: [`Policy`], plain data that a `const` can
//! hold, and [`RetryConfig`], the settings it is built from.

use crate::backoff::{Backoff, BackoffContext};
use crate::class::{ClassSet, ErrorClass};
use crate::config::ConfigError;
use crate::random::Draw;
use crate::time::Duration;

/// A limit of this value is no limit: counters saturate here.
pub(crate) const NO_LIMIT: u16 = u16::MAX;

/// The settings of a policy, not yet checked.
///
/// [`Policy::builder`] makes them. The setters never fail; [`build`](Self::build) reports a value
/// that is out of range, and the linter ([`lint`](crate::lint)) also values that are only
/// suspicious. A *final* class is one that is not retried: AUTH, PERMISSION or PERMANENT.
///
/// | setting | default | range |
/// | --- | --- | --- |
/// | `max_attempts` | 6 | 1 to `u32::MAX` |
/// | `deadline` | 60 s | any; zero allows one attempt; see `no_deadline` |
/// | `attempt_timeout` | none | 1 us and up |
/// | `max_unknown_attempts` | 2 | 0 to 65,534; see `no_unknown_limit` |
/// | `max_attempts_for` | none | 0 to 65,534 |
/// | `retriable` | no final class | AUTH, PERMISSION, PERMANENT; 0 to 65,534 |
/// | `long_delay` | [`LongDelay::Stop`] | |
/// | `backoff`, `backoff_for` | none | at least one of them |
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub struct RetryConfig {
    pub(crate) deadline: Duration,
    pub(crate) attempt_timeout: Duration,
    pub(crate) max_attempts: u32,
    pub(crate) max_unknown: u16,
    /// Classes with a limit of their own, so that a policy without any never
    /// looks at the table.
    pub(crate) limited: ClassSet,
    pub(crate) limits: [u16; ErrorClass::COUNT],
    /// Classes with a strategy of their own, likewise.
    pub(crate) special: ClassSet,
    /// Those of them whose strategy gives a delay without a hint, too.
    pub(crate) unhinted: ClassSet,
    pub(crate) specials: [Backoff; ErrorClass::COUNT],
    pub(crate) default: Option<Backoff>,
    pub(crate) listens: bool,
    /// Whether a strategy has a longest hint, so that a policy without any never looks.
    pub(crate) limits_hints: bool,
    pub(crate) long_delay: LongDelay,
    /// Final classes that are retried all the same.
    pub(crate) retriable: ClassSet,
}

/// What happens if a delay does not fit before the deadline, because it is as long as the rest of
/// the deadline, or longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LongDelay {
    /// The default. The call stops at once with
    /// [`StopReason::DeadlineExceeded`](crate::StopReason::DeadlineExceeded), without a `retry`
    /// event and without a token of the budget. The error carries the whole delay
    /// ([`next_sleep`](crate::RetryExhausted::next_sleep)). A sleep handler is asked first and
    /// may defer the call, and [`call_or_suspend`](crate::Retry::call_or_suspend) suspends it.
    #[default]
    Stop,
    /// The delay is cut to the rest of the deadline, and one more attempt is made at the
    /// deadline. This is the rule of redress for Python.
    Cut,
}

impl RetryConfig {
    /// At most this many attempts in a call, the first one included.
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// The time for the whole call, delays included.
    ///
    /// An asynchronous driver ends an attempt that is in flight at the deadline. A blocking
    /// driver cannot: the operation must keep to [`Attempt::timeout`](crate::Attempt::timeout). A
    /// failure after the deadline is not retried; a success that comes late is a success. See
    /// [`long_delay`](Self::long_delay) for a delay that does not fit before the deadline.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// No deadline: attempts alone bound the call.
    pub const fn no_deadline(mut self) -> Self {
        self.deadline = Duration::MAX;
        self
    }

    /// The time for each attempt, never more than what is left of the deadline. An asynchronous
    /// driver ends the attempt when this time is over. A blocking driver cannot; it counts a
    /// failure that comes later than that as TRANSIENT.
    pub const fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// How many failures of class UNKNOWN are retried in a call.
    pub const fn max_unknown_attempts(mut self, failures: u16) -> Self {
        self.max_unknown = failures;
        self
    }

    /// Failures of class UNKNOWN are retried as often as those of any other class.
    pub const fn no_unknown_limit(mut self) -> Self {
        self.max_unknown = NO_LIMIT;
        self
    }

    /// How many failures of `class` are retried in a call. Despite its name, this counts retries
    /// and not attempts: with 2 the third failure stops the call, with 0 the first. This limit is
    /// checked first, then whether the class is final, the limit of UNKNOWN, the deadline, and
    /// `max_attempts`.
    pub const fn max_attempts_for(mut self, class: ErrorClass, failures: u16) -> Self {
        self.limited = self.limited.with(class);
        self.limits[class as usize] = failures;
        self
    }

    /// What happens if a delay does not fit before the deadline.
    pub const fn long_delay(mut self, rule: LongDelay) -> Self {
        self.long_delay = rule;
        self
    }

    /// Retries a final class (AUTH, PERMISSION or PERMANENT) after all, at most `retries` times
    /// in a call. This is for a peer that is known to reject falsely, such as an access point that
    /// reports a wrong password while a station joins. Do not use it against a service, which has refused
    /// the same request before and may lock the account.
    pub const fn retriable(mut self, class: ErrorClass, retries: u16) -> Self {
        self.retriable = self.retriable.with(class);
        self.max_attempts_for(class, retries)
    }

    /// The strategy for all classes without a strategy of their own.
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.listens |= backoff.listens();
        self.limits_hints |= backoff.limits_hints();
        self.default = Some(backoff);
        self
    }

    /// The strategy for `class`.
    pub const fn backoff_for(mut self, class: ErrorClass, backoff: Backoff) -> Self {
        self.listens |= backoff.listens();
        self.limits_hints |= backoff.limits_hints();
        self.special = self.special.with(class);
        self.unhinted = if backoff.needs_hint() {
            self.unhinted.without(class)
        } else {
            self.unhinted.with(class)
        };
        self.specials[class as usize] = backoff;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first setting that is out of its range, or for a missing strategy.
    pub const fn build(self) -> Result<Policy, ConfigError> {
        if self.max_attempts == 0 {
            return Err(ConfigError::new("max_attempts", 0, "1 or more"));
        }
        if self.attempt_timeout.is_zero() {
            return Err(ConfigError::of_span("attempt_timeout", Duration::ZERO, "1 us or more"));
        }
        if self.default.is_none() && self.special.is_empty() {
            return Err(ConfigError::unset("backoff", "give one strategy or more"));
        }
        if self.retriable.bits() & !ClassSet::FINAL.bits() != 0 {
            let classes = self.retriable.bits() as u64;
            return Err(ConfigError::new(
                "retriable",
                classes,
                "of AUTH, PERMISSION and PERMANENT alone",
            ));
        }
        Ok(Policy { config: self })
    }

    /// As [`build`](Self::build), for settings that were checked before, by a program in another
    /// language for instance. Settings that are out of range make a policy that stops too early
    /// or too late, and nothing worse.
    pub const fn assume_checked(self) -> Policy {
        Policy { config: self }
    }
}

/// A checked policy: how often, how long and with which backoff each class of
/// failure is retried.
///
/// Plain `Copy` data without state, so one `const` may serve many upstreams.
/// [`on`](Self::on) binds it to a clock and a source of randomness, and the
/// result runs operations. See [`RetryConfig`] for the settings.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Policy {
    config: RetryConfig,
}

impl Policy {
    /// The default settings, as in the table of [`RetryConfig`]: 6 attempts, a deadline of 60 s,
    /// no attempt timeout, 2 retries of UNKNOWN, no final class retried. There is no default
    /// strategy: set one with [`backoff`](RetryConfig::backoff) or
    /// [`backoff_for`](RetryConfig::backoff_for).
    pub const fn builder() -> RetryConfig {
        RetryConfig {
            deadline: Duration::from_secs(60),
            attempt_timeout: Duration::MAX,
            max_attempts: 6,
            max_unknown: 2,
            limited: ClassSet::EMPTY,
            limits: [NO_LIMIT; ErrorClass::COUNT],
            special: ClassSet::EMPTY,
            unhinted: ClassSet::EMPTY,
            specials: [Backoff::constant(Duration::ZERO); ErrorClass::COUNT],
            default: None,
            listens: false,
            limits_hints: false,
            long_delay: LongDelay::Stop,
            retriable: ClassSet::EMPTY,
        }
    }

    /// One attempt, no retry and no deadline, for an operation that needs only a breaker, classes
    /// and events.
    pub const fn once() -> Self {
        let config = Self::builder().max_attempts(1).no_deadline().no_unknown_limit();
        Self { config: config.backoff(Backoff::constant(Duration::ZERO)) }
    }

    /// The settings that the policy was built from, to change some and build again.
    pub const fn config(&self) -> RetryConfig {
        self.config
    }

    /// The same policy with another number of attempts, 1 or more.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) const fn with_attempts(mut self, attempts: u32) -> Self {
        self.config.max_attempts = attempts;
        self
    }

    /// The same policy with this strategy wherever it has one.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) const fn with_delays_of(mut self, backoff: Backoff) -> Self {
        if self.config.default.is_some() {
            self.config.default = Some(backoff);
        }
        self.config.specials = [backoff; ErrorClass::COUNT];
        self.config.unhinted = self.config.special;
        self.config.listens = false;
        self
    }

    /// The most attempts in a call.
    #[inline]
    pub const fn max_attempts(&self) -> u32 {
        self.config.max_attempts
    }

    /// The deadline of a call; [`Duration::MAX`] for none.
    #[inline]
    pub const fn deadline(&self) -> Duration {
        self.config.deadline
    }

    /// The attempt timeout; [`Duration::MAX`] for none.
    #[inline]
    pub const fn attempt_timeout(&self) -> Duration {
        self.config.attempt_timeout
    }

    /// How many failures of class UNKNOWN are retried; `None` for no limit.
    #[inline]
    pub const fn max_unknown_attempts(&self) -> Option<u16> {
        match self.config.max_unknown {
            NO_LIMIT => None,
            limit => Some(limit),
        }
    }

    /// How many failures of `class` are retried; `None` if the class has no limit of its own.
    #[inline]
    pub const fn max_attempts_for(&self, class: ErrorClass) -> Option<u16> {
        if self.config.limited.contains(class) {
            Some(self.config.limits[class as usize & 7])
        } else {
            None
        }
    }

    /// What happens if a delay does not fit before the deadline.
    #[inline]
    pub const fn long_delay(&self) -> LongDelay {
        self.config.long_delay
    }

    /// Whether a failure of `class` always ends the call: the class is final
    /// ([`ErrorClass::is_final`]) and not set as [`retriable`](RetryConfig::retriable).
    #[inline]
    pub const fn is_final(&self, class: ErrorClass) -> bool {
        class.is_final() && !self.config.retriable.contains(class)
    }

    /// The longest hint that the strategy for `class` follows.
    #[inline]
    pub(crate) const fn longest_hint(&self, class: ErrorClass) -> Duration {
        if !self.config.limits_hints {
            Duration::MAX
        } else if self.config.special.contains(class) {
            self.config.specials[class as usize & 7].longest_hint()
        } else if let Some(default) = &self.config.default {
            default.longest_hint()
        } else {
            Duration::MAX
        }
    }

    /// Whether so many failures of `class` exceed its limit.
    #[inline]
    pub(crate) const fn is_over_limit(&self, class: ErrorClass, failures: u16) -> bool {
        self.config.limited.contains(class) && failures > self.config.limits[class as usize & 7]
    }

    /// As [`max_unknown_attempts`](Self::max_unknown_attempts), likewise.
    #[inline]
    pub(crate) const fn unknown_limit(&self) -> u16 {
        self.config.max_unknown
    }

    /// Whether a retry may have a delay: not if there is none, nor if the only strategy is a
    /// constant of zero.
    pub(crate) const fn may_delay(&self) -> bool {
        let default = match &self.config.default {
            Some(backoff) => !backoff.is_immediate(),
            None => false,
        };
        self.config.max_attempts > 1 && (default || !self.config.special.is_empty())
    }

    /// The strategy for failures of `class`.
    #[inline]
    pub const fn backoff_of(&self, class: ErrorClass) -> Option<&Backoff> {
        if self.config.special.contains(class) {
            Some(&self.config.specials[class as usize & 7])
        } else {
            self.config.default.as_ref()
        }
    }

    /// Whether failures of `class` have a strategy.
    #[inline]
    pub(crate) const fn has_backoff(&self, class: ErrorClass) -> bool {
        self.config.default.is_some() || self.config.special.contains(class)
    }

    /// The delay of the strategy for the class of a failure; `None` without a strategy, or if that has no delay to give.
    // Two calls, where one of `backoff_of` would do: each is then that of a strategy which
    // the compiler knows if it knows the policy, and no table stays in the image.
    #[inline(always)]
    pub(crate) fn delay(
        &self,
        context: &BackoffContext,
        random: &mut dyn Draw,
    ) -> Option<Duration> {
        let class = context.classification.class;
        let has_hint = context.classification.retry_after.is_some();
        let special = if has_hint { self.config.special } else { self.config.unhinted };
        if special.contains(class) {
            self.config.specials[class as usize & 7].delay(context, random)
        } else {
            self.config.default.as_ref()?.delay(context, random)
        }
    }

    /// The strategy that records how attempts after failures of `class` went.
    #[inline]
    pub(crate) fn memory_of(&self, class: ErrorClass) -> Option<&Backoff> {
        if self.config.unhinted.contains(class) {
            Some(&self.config.specials[class as usize & 7])
        } else {
            self.config.default.as_ref()
        }
    }

    /// Whether a call needs to know the time before anything has failed.
    #[inline]
    pub(crate) const fn is_timed(&self) -> bool {
        self.config.deadline.as_micros() != Duration::MAX.as_micros()
            || self.config.attempt_timeout.as_micros() != Duration::MAX.as_micros()
    }

    /// Whether a strategy has a memory that records outcomes.
    #[inline]
    pub const fn listens(&self) -> bool {
        self.config.listens
    }

    /// Records a success at the first attempt in every strategy with a memory.
    pub(crate) fn record_success(&self, now: crate::time::Instant) {
        if let Some(default) = &self.config.default {
            default.record(now, true);
        }
        for class in self.config.special.iter() {
            self.config.specials[class as usize & 7].record(now, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_may_have_a_delay_unless_there_is_none_or_each_is_zero() {
        let second = Backoff::constant(Duration::from_secs(1));
        let at_once = Backoff::constant(Duration::ZERO);
        let class = ErrorClass::Transient;
        for (config, may_delay) in [
            (Policy::builder().backoff(second), true),
            (Policy::builder().backoff(second).max_attempts(2), true),
            (Policy::builder().backoff(second).max_attempts(1), false),
            (Policy::builder().backoff(at_once), false),
            (Policy::builder().backoff(Backoff::exponential(Duration::ZERO, Duration::ZERO)), true),
            (Policy::builder().backoff_for(class, second), true),
            (Policy::builder().backoff_for(class, second).max_attempts(1), false),
            (Policy::builder().backoff(at_once).backoff_for(class, second), true),
        ] {
            assert_eq!(config.build().unwrap().may_delay(), may_delay, "{config:?}");
        }
    }
}
