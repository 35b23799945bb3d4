//! What is wrong or suspicious in a policy.

use super::together::Call;
use super::{Finding, Lint, Parts, Report, Severity, Value, count, warn};
use crate::backoff::Backoff;
use crate::class::ErrorClass;
use crate::config::ConfigError;
use crate::policy::{NO_LIMIT, Policy, RetryConfig};
use crate::time::Duration;

impl Lint for Policy {
    fn lint(&self, report: Report<'_>) {
        self.config().lint(report);
    }

    fn part(&self, parts: &mut Parts) {
        self.config().part(parts);
    }
}

impl Lint for RetryConfig {
    fn lint(&self, report: Report<'_>) {
        if self.max_attempts == 0 {
            report(ConfigError::new("max_attempts", 0, "1 or more").into());
        }
        if self.attempt_timeout.is_zero() {
            let right = "1 us or more";
            report(ConfigError::of_span("attempt_timeout", Duration::ZERO, right).into());
        }
        if self.default.is_none() && self.special.is_empty() {
            let (severity, right) = (Severity::Error, "one strategy or more");
            report(Finding { severity, field: "backoff", class: None, value: Value::Unset, right });
        }
        self.lint_times(report);
        self.lint_limits(report);
        if let Some(default) = &self.default {
            self.lint_backoff("backoff", None, default, report);
        }
        for class in self.special.iter() {
            let backoff = &self.specials[class as usize & 7];
            if self.never_retries(class) {
                let right = "left out: the class is never retried";
                let value = Value::Strategy(backoff.name());
                warn(report, "backoff_for", Some(class), value, right);
            }
            self.lint_backoff("backoff_for", Some(class), backoff, report);
        }
    }

    fn part(&self, parts: &mut Parts) {
        let attempt = self.attempt_timeout.min(self.deadline);
        let retries = self.max_attempts.saturating_sub(1);
        let attempts = times(attempt, self.max_attempts);
        let delays = times(self.longest_delay(), retries);
        let timeout = match self.attempt_timeout {
            Duration::MAX => Value::Unset,
            timeout => Value::Span(timeout),
        };
        parts.call = Some(Call {
            timeout,
            attempt,
            whole: attempts.saturating_add(delays).min(self.deadline),
            retries: (self.max_attempts < u32::MAX).then_some(retries),
        });
    }
}

fn times(span: Duration, count: u32) -> Duration {
    Duration::from_micros(span.as_micros().saturating_mul(count.into()))
}

impl RetryConfig {
    /// No strategy has a longer one; [`Duration::MAX`] where that is not known.
    fn longest_delay(&self) -> Duration {
        let default = self.default.iter().map(longest);
        let special = self.special.iter().filter(|&class| !self.never_retries(class));
        let special = special.map(|class| longest(&self.specials[class as usize & 7]));
        default.chain(special).fold(Duration::ZERO, Duration::max)
    }

    fn never_retries(&self, class: ErrorClass) -> bool {
        class.is_final() && !self.retriable.contains(class)
    }

    fn lint_times(&self, report: Report<'_>) {
        if self.deadline.is_zero() {
            let right = "more than zero: only one attempt is made";
            warn(report, "deadline", None, Value::Span(self.deadline), right);
        }
        let (timeout, deadline) = (self.attempt_timeout, self.deadline);
        if timeout != Duration::MAX && timeout >= deadline {
            let right = "shorter than the deadline, or retries have no time to run";
            warn(report, "attempt_timeout", None, Value::Span(timeout), right);
        }
        if deadline == Duration::MAX && self.max_attempts == u32::MAX {
            let right = "bounded, or there must be a deadline";
            warn(report, "max_attempts", None, count(self.max_attempts), right);
        }
    }

    fn lint_limits(&self, report: Report<'_>) {
        let attempts = self.max_attempts;
        let unknown = self.max_unknown;
        if attempts > 0 && unknown != NO_LIMIT && u32::from(unknown) > attempts {
            let right = "at most max_attempts: it is never reached";
            warn(report, "max_unknown_attempts", None, count(unknown), right);
        }
        for class in self.retriable.iter() {
            let (field, value) = ("retriable", count(self.limits[class as usize & 7]));
            let (severity, right) = if class.is_final() {
                let right = "retries repeat what the other side has refused; a service may lock \
                             the account or count them as an attack";
                (Severity::Note, right)
            } else {
                (
                    Severity::Error,
                    "set for AUTH, PERMISSION and PERMANENT alone: others are retried anyway",
                )
            };
            report(Finding { severity, field, class: Some(class), value, right });
        }
        for class in self.limited.iter() {
            let limit = self.limits[class as usize & 7];
            if self.never_retries(class) && limit > 0 {
                let right = "0 or left out: the class is never retried";
                warn(report, "max_attempts_for", Some(class), count(limit), right);
            } else if u32::from(limit) >= attempts && attempts > 0 {
                let right = "less than max_attempts: it is never reached";
                warn(report, "max_attempts_for", Some(class), count(limit), right);
            }
        }
    }

    fn lint_backoff(
        &self,
        field: &'static str,
        class: Option<ErrorClass>,
        backoff: &Backoff,
        report: Report<'_>,
    ) {
        if let Some((first, max)) = backoff.range() {
            if first > max {
                let right = "a base of at most the max: every delay is the max";
                warn(report, field, class, Value::Span(first), right);
            }
            if first >= self.deadline && !self.deadline.is_zero() && self.max_attempts > 1 {
                let right = "shorter than the deadline: the first delay does not fit before it";
                warn(report, field, class, Value::Span(first), right);
            }
        }
        if let Some(delays) = backoff.delays() {
            self.lint_delays(field, class, delays, report);
        }
        if let (Some((_, jitter)), Some((shortest, longest))) =
            (backoff.fallback(), backoff.hints())
        {
            if jitter.is_zero() && shortest.is_zero() {
                let right = "given a minimum (at_least, the base of its fallback) or a jitter: \
                             a hint of zero is retried at once, by all callers together";
                warn(report, field, class, Value::Strategy(backoff.name()), right);
            }
            if longest < shortest {
                let right = "at_most of at least at_least: no hint is followed";
                warn(report, field, class, Value::Span(longest), right);
            }
        }
        if let Some((fallback, _)) = backoff.fallback() {
            self.lint_backoff(field, class, fallback, report);
        }
    }

    fn lint_delays(
        &self,
        field: &'static str,
        class: Option<ErrorClass>,
        delays: &[Duration],
        report: Report<'_>,
    ) {
        if delays.is_empty() {
            let right = "one delay or more: nothing is retried";
            warn(report, field, class, Value::Count(0), right);
        }
        // A deadline of zero is a finding of its own; after the first that uses it up no
        // further one is asked for.
        let asked = delays.iter().zip(1..self.max_attempts);
        let long = asked.map(|(&delay, _)| delay).find(|&delay| delay >= self.deadline);
        if let Some(long) = long.filter(|_| !self.deadline.is_zero()) {
            let right = "of delays shorter than the deadline: this one does not fit before it";
            warn(report, field, class, Value::Span(long), right);
        }
    }
}

fn longest(backoff: &Backoff) -> Duration {
    match (backoff.range(), backoff.delays()) {
        (Some((_, max)), _) => max,
        (_, Some(delays)) => delays.iter().copied().fold(Duration::ZERO, Duration::max),
        _ => match (backoff.fallback(), backoff.hints()) {
            // A hint may ask for any time, unless it is bounded.
            (Some((fallback, jitter)), Some((shortest, hinted))) => {
                hinted.max(shortest).saturating_add(jitter).max(longest(fallback))
            }
            // So may a function.
            _ => Duration::MAX,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_clean;
    use crate::lint::lines;

    const SECOND: Duration = Duration::from_secs(1);
    const PLAIN: RetryConfig = Policy::builder().backoff(Backoff::constant(SECOND));

    #[test]
    fn a_plain_policy_is_clean() {
        assert_clean!(PLAIN);
        assert_clean!(Policy::once());
    }

    #[test]
    fn each_finding_names_field_value_and_what_would_be_right() {
        const CLASS: ErrorClass = ErrorClass::RateLimit;
        for (config, line) in [
            (PLAIN.max_attempts(0), "error: max_attempts is 0: it must be 1 or more"),
            (
                PLAIN.attempt_timeout(Duration::ZERO),
                "error: attempt_timeout is 0s: it must be 1 us or more",
            ),
            (Policy::builder(), "error: backoff is not set: it must be one strategy or more"),
            (
                PLAIN.deadline(Duration::ZERO),
                "warning: deadline is 0s: it must be more than zero: only one attempt is made",
            ),
            (
                PLAIN.attempt_timeout(Duration::from_secs(60)),
                "warning: attempt_timeout is 60s: it must be shorter than the deadline, or retries have no time to run",
            ),
            (
                PLAIN.max_unknown_attempts(7),
                "warning: max_unknown_attempts is 7: it must be at most max_attempts: it is never reached",
            ),
            (
                PLAIN.max_attempts_for(CLASS, 6),
                "warning: max_attempts_for(RATE_LIMIT) is 6: it must be less than max_attempts: it is never reached",
            ),
            (
                PLAIN.max_attempts_for(ErrorClass::Auth, 1),
                "warning: max_attempts_for(AUTH) is 1: it must be 0 or left out: the class is never retried",
            ),
            (
                PLAIN.backoff_for(ErrorClass::Auth, Backoff::constant(SECOND)),
                "warning: backoff_for(AUTH) is constant: it must be left out: the class is never retried",
            ),
            (
                PLAIN.backoff_for(CLASS, Backoff::equal_jitter(SECOND, Duration::ZERO)),
                "warning: backoff_for(RATE_LIMIT) is 1s: it must be a base of at most the max: every delay is the max",
            ),
            (
                PLAIN.deadline(SECOND),
                "warning: backoff is 1s: it must be shorter than the deadline: the first delay does not fit before it",
            ),
            (
                PLAIN.backoff(Backoff::sequence(&[])),
                "warning: backoff is 0: it must be one delay or more: nothing is retried",
            ),
            (
                PLAIN.deadline(Duration::from_secs(9)).backoff(Backoff::sequence(&STEPS)),
                "warning: backoff is 9s: it must be of delays shorter than the deadline: this one does not fit before it",
            ),
            (
                PLAIN.no_deadline().max_attempts(u32::MAX),
                "warning: max_attempts is 4294967295: it must be bounded, or there must be a deadline",
            ),
        ] {
            assert_eq!(lines(&config), [line]);
        }
    }

    const STEPS: [Duration; 3] = [SECOND, Duration::from_secs(9), Duration::from_secs(10)];

    #[test]
    fn delays_of_a_sequence_that_are_never_asked_for_or_fit_are_clean() {
        let config = PLAIN.backoff(Backoff::sequence(&STEPS));
        assert_clean!(config.deadline(Duration::from_secs(11)));
        assert_clean!(config.deadline(Duration::from_secs(9)).max_attempts(2));
        // The deadline of zero alone.
        assert_eq!(lines(&config.deadline(Duration::ZERO)).len(), 1);
    }

    #[test]
    fn a_hint_without_any_bound_is_found() {
        const HINTED: Backoff = Backoff::retry_after_or(&FALLBACK, Duration::ZERO);
        const FALLBACK: Backoff = Backoff::constant(SECOND);
        assert_eq!(
            lines(&PLAIN.backoff_for(ErrorClass::RateLimit, HINTED)),
            [
                "warning: backoff_for(RATE_LIMIT) is retry_after_or: it must be given a minimum (at_least, the base of its fallback) or a jitter: a hint of zero is retried at once, by all callers together"
            ]
        );
        assert_clean!(PLAIN.backoff(HINTED.at_least(SECOND)));
        assert_clean!(PLAIN.backoff(Backoff::retry_after_or(&FALLBACK, SECOND)));
        assert_eq!(
            lines(&PLAIN.backoff(HINTED.at_least(SECOND).at_most(Duration::ZERO))),
            [
                "warning: backoff is 0s: it must be at_most of at least at_least: no hint is followed"
            ]
        );
    }

    #[test]
    fn what_is_meant_on_purpose_is_a_note() {
        let backoff = Backoff::constant(SECOND);
        let joins = PLAIN.retriable(ErrorClass::Auth, 2).backoff_for(ErrorClass::Auth, backoff);
        assert_eq!(
            lines(&joins),
            [
                "note: retriable(AUTH) is 2: retries repeat what the other side has refused; a service may lock the account or count them as an attack"
            ]
        );
        assert_clean!(joins);
        assert_eq!(
            lines(&PLAIN.retriable(ErrorClass::Transient, 2)),
            [
                "error: retriable(TRANSIENT) is 2: it must be set for AUTH, PERMISSION and PERMANENT alone: others are retried anyway"
            ]
        );
        let blocking = crate::lint::Blocking(PLAIN);
        assert_eq!(
            lines(&blocking),
            [
                "note: attempt_timeout is not set: a blocking driver ends no attempt, neither at it nor at the deadline: give the operation's own time-outs what Attempt::timeout says"
            ]
        );
        assert_clean!(blocking);
    }

    #[test]
    fn every_error_of_a_policy_is_found() {
        let wrong = Policy::builder().max_attempts(0).attempt_timeout(Duration::ZERO);
        assert_eq!(
            lines(&wrong),
            [
                "error: max_attempts is 0: it must be 1 or more",
                "error: attempt_timeout is 0s: it must be 1 us or more",
                "error: backoff is not set: it must be one strategy or more",
            ]
        );
    }
}
