//! What is wrong or suspicious in a policy.

use super::together::Call;
use super::{Finding, Lint, Parts, Report, Severity, Value, count};
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
            let problem = "is not set: nothing says how long to wait before a retry";
            let help = "give a strategy, for all classes or for some";
            report(Finding::error("backoff", Value::Unset, problem, help));
        }
        self.lint_times(report);
        self.lint_limits(report);
        if let Some(default) = &self.default {
            self.lint_backoff(Place { class: None, inside: false }, default, report);
        }
        for class in self.special.iter() {
            let place = Place { class: Some(class), inside: false };
            let backoff = &self.specials[class as usize & 7];
            if self.never_retries(class) {
                let problem = "is never used: the class is not retried";
                let help = "leave it out, or allow retries of the class with retriable";
                report(place.of(backoff, problem, help));
            }
            self.lint_backoff(place, backoff, report);
        }
    }

    fn part(&self, parts: &mut Parts) {
        let attempt = self.attempt_timeout.min(self.deadline);
        let retries = self.max_attempts.saturating_sub(1);
        let attempts = times(attempt, self.max_attempts);
        let delays = times(self.longest_delay(), retries);
        parts.call = Some(Call {
            timeout: bound(self.attempt_timeout),
            deadline: bound(self.deadline),
            attempt,
            whole: attempts.saturating_add(delays).min(self.deadline),
            attempts: self.max_attempts,
        });
    }
}

fn times(span: Duration, count: u32) -> Duration {
    Duration::from_micros(span.as_micros().saturating_mul(count.into()))
}

fn bound(span: Duration) -> Value {
    if span == Duration::MAX { Value::Unset } else { Value::Span(span) }
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
        let (timeout, deadline) = (self.attempt_timeout, self.deadline);
        let (attempts, end) = (self.max_attempts, bound(deadline));
        if deadline.is_zero() {
            let problem = "leaves no time for a retry";
            report(Finding::warning("deadline", end, problem, "raise it"));
        }
        if timeout != Duration::MAX && timeout >= deadline {
            let value = Value::Span(timeout);
            if attempts > 1 {
                let problem = "leaves no time for a retry";
                let help = "lower it below the deadline, or raise the deadline";
                let found = Finding::warning("attempt_timeout", value, problem, help);
                report(found.beside("deadline", end));
            } else if timeout > deadline {
                let help = "lower it to the deadline or less, or leave it out";
                let found = Finding::warning("attempt_timeout", value, "is never reached", help);
                report(found.beside("deadline", end));
            }
        }
        if deadline == Duration::MAX && attempts == u32::MAX {
            let problem = "lets a call retry without end";
            let help = "lower it, or set a deadline";
            let found = Finding::warning("max_attempts", count(attempts), problem, help);
            report(found.beside("deadline", Value::Unset));
        }
    }

    fn lint_limits(&self, report: Report<'_>) {
        let attempts = self.max_attempts;
        let unknown = self.max_unknown;
        // A single attempt needs no limit, so the default one is beyond it.
        let is_default = unknown == Policy::builder().max_unknown;
        let is_beyond = u32::from(unknown) > attempts && attempts > 0;
        if unknown != NO_LIMIT && is_beyond && !is_default {
            let help = "lower it to max_attempts or less, or leave it out";
            let value = count(unknown);
            let found = Finding::warning("max_unknown_attempts", value, "is never reached", help);
            report(found.beside("max_attempts", count(attempts)));
        }
        for class in self.limited.iter() {
            let limit = self.limits[class as usize & 7];
            let value = count(limit);
            let is_never_reached = u32::from(limit) >= attempts && attempts > 0;
            if self.retriable.contains(class) {
                report(retriable(class, limit));
                if is_never_reached && class.is_final() {
                    let help = "lower it below max_attempts";
                    let found = Finding::warning("retriable", value, "is never reached", help);
                    report(found.of(class).beside("max_attempts", count(attempts)));
                }
            } else if class.is_final() && limit > 0 {
                let problem = "has no effect: the class is not retried";
                let help = "leave it out, or allow retries of the class with retriable";
                report(Finding::warning("max_attempts_for", value, problem, help).of(class));
            } else if is_never_reached {
                let help = "lower it below max_attempts, or leave it out";
                let found = Finding::warning("max_attempts_for", value, "is never reached", help);
                report(found.of(class).beside("max_attempts", count(attempts)));
            }
        }
    }

    fn lint_backoff(&self, place: Place, backoff: &Backoff, report: Report<'_>) {
        if let Some(range) = backoff.range() {
            self.lint_range(place, backoff, range, report);
        }
        if let Some(delays) = backoff.delays() {
            self.lint_delays(place, delays, report);
        }
        if let (Some(hints), false) = (backoff.hints(), place.inside) {
            let (jitter, _) = backoff.spans();
            self.lint_hints(place, backoff, hints, jitter, report);
        }
        if let Some((fallback, _)) = backoff.fallback() {
            self.lint_backoff(Place { inside: true, ..place }, fallback, report);
        }
        let has_none = place.inside || place.class.is_none() || self.default.is_none();
        if backoff.needs_hint() && has_none {
            let problem = "has no delay for a failure without a hint, so the call stops";
            let help = "give a strategy for all classes that needs no hint";
            report(place.of(backoff, problem, help));
        }
    }

    fn lint_range(
        &self,
        place: Place,
        backoff: &Backoff,
        (first, max): (Duration, Duration),
        report: Report<'_>,
    ) {
        let (name, can_retry) = (backoff.name(), self.can_retry(place));
        let part = if name == "constant" { DELAY } else { BASE };
        if first > max {
            let problem = "is more than its max, so the delays do not grow";
            let help = "lower it, or raise the max";
            let found = place.part(BASE, Value::Span(first), problem, help);
            report(found.beside("max", Value::Span(max)));
        }
        if first >= self.deadline && !self.deadline.is_zero() && can_retry {
            let problem = "can use up all the time of a call in one delay";
            let help = "lower it below the deadline, or raise the deadline";
            let found = place.part(part, Value::Span(first), problem, help);
            report(found.beside("deadline", Value::Span(self.deadline)));
        }
        let is_in_step = matches!(name, "exponential" | "linear" | "fibonacci")
            && !max.is_zero()
            && !backoff.adds_jitter();
        if is_in_step && can_retry {
            let problem = "has no jitter: callers that fail together retry together";
            let help = "prefer equal_jitter, full_jitter or decorrelated_jitter where many \
                        callers share one upstream";
            report(Finding { severity: Severity::Note, ..place.of(backoff, problem, help) });
        }
    }

    /// Of hints between a shortest and a longest, with a jitter.
    fn lint_hints(
        &self,
        place: Place,
        backoff: &Backoff,
        (shortest, longest): (Duration, Duration),
        jitter: Duration,
        report: Report<'_>,
    ) {
        if jitter.is_zero() && shortest.is_zero() {
            let problem = "retries at once after a hint of zero, together with all other callers";
            let help = "set at_least, to the base of its fallback for instance, or a jitter";
            report(place.of(backoff, problem, help));
        }
        if longest < shortest {
            let problem = "is shorter than the shortest hint, so no hint is followed";
            let help = "raise it to at_least or more";
            let found = place.part(AT_MOST, Value::Span(longest), problem, help);
            report(found.beside("at_least", Value::Span(shortest)));
        }
        let is_unbounded = longest == Duration::MAX && self.deadline == Duration::MAX;
        if is_unbounded && self.can_retry(place) {
            let problem = "is not set, so a call waits for as long as a server asks";
            let help = "set it, or a deadline";
            let found = place.part(AT_MOST, Value::Unset, problem, help);
            report(found.beside("deadline", Value::Unset));
        }
    }

    fn lint_delays(&self, place: Place, delays: &[Duration], report: Report<'_>) {
        if delays.is_empty() {
            let problem = "is empty, so nothing is retried";
            let help = "give it one delay or more";
            report(place.part(DELAYS, Value::Count(0), problem, help));
        }
        // A deadline of zero is a finding of its own; after the first that uses it up no
        // further one is asked for.
        let asked = delays.iter().zip(1..self.max_attempts);
        let long = asked.map(|(&delay, _)| delay).find(|&delay| delay >= self.deadline);
        if let Some(long) = long.filter(|_| !self.deadline.is_zero()) {
            let problem = "has a delay that leaves no time for a retry";
            let help = "shorten that delay, or raise the deadline";
            let found = place.part(DELAYS, Value::Span(long), problem, help);
            report(found.beside("deadline", Value::Span(self.deadline)));
        }
    }

    fn can_retry(&self, place: Place) -> bool {
        self.max_attempts > 1 && !place.class.is_some_and(|class| self.never_retries(class))
    }
}

/// Of a class that is set to be retried, so many times.
fn retriable(class: ErrorClass, retries: u16) -> Finding {
    let (field, value) = ("retriable", count(retries));
    let found = if !class.is_final() {
        let problem = "names a class that is retried anyway";
        let help = "limit the class with max_attempts_for instead";
        Finding::error(field, value, problem, help)
    } else if retries == 0 {
        Finding::warning(field, value, "allows no retry", "raise it, or leave it out")
    } else {
        let problem = "repeats what the other side has refused: a service may lock the account, \
                       or take the retries for an attack";
        let help = "keep it only where a retry can differ, by new credentials for instance";
        Finding::note(field, value, problem, help)
    };
    found.of(class)
}

/// Where a strategy is: that of all classes or of one, and whether it is the fallback of
/// that one.
#[derive(Clone, Copy)]
struct Place {
    class: Option<ErrorClass>,
    inside: bool,
}

/// A setting of a strategy: its name, and that of a fallback's.
type Part = (&'static str, &'static str);

const DELAY: Part = ("delay", "fallback.delay");
const BASE: Part = ("base", "fallback.base");
const DELAYS: Part = ("delays", "fallback.delays");
const AT_MOST: Part = ("at_most", "fallback.at_most");

impl Place {
    /// A warning of the strategy as a whole.
    fn of(self, backoff: &Backoff, problem: &'static str, help: &'static str) -> Finding {
        let field = if self.class.is_some() { "backoff_for" } else { "backoff" };
        let part = self.inside.then_some("fallback");
        let found = Finding::warning(field, Value::Strategy(backoff.name()), problem, help);
        Finding { class: self.class, part, ..found }
    }

    /// A warning of one of its settings.
    fn part(self, part: Part, value: Value, problem: &'static str, help: &'static str) -> Finding {
        let field = if self.class.is_some() { "backoff_for" } else { "backoff" };
        let part = if self.inside { part.1 } else { part.0 };
        let found = Finding::warning(field, value, problem, help);
        Finding { class: self.class, part: Some(part), ..found }
    }
}

fn longest(backoff: &Backoff) -> Duration {
    match (backoff.range(), backoff.delays()) {
        (Some((_, max)), _) => max,
        (_, Some(delays)) => delays.iter().copied().fold(Duration::ZERO, Duration::max),
        _ => match backoff.hints() {
            // A hint may ask for any time, unless it is bounded.
            Some((shortest, hinted)) => {
                let (jitter, _) = backoff.spans();
                let fallback = backoff.fallback().map(|(fallback, _)| longest(fallback));
                let hinted = hinted.max(shortest).saturating_add(jitter);
                hinted.max(fallback.unwrap_or(Duration::ZERO))
            }
            // So may a function.
            None => Duration::MAX,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_clean;
    use crate::lint::lines;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_strategy_that_gives_no_delay_without_a_hint_is_found() {
        let hints = Backoff::retry_after(SECOND).at_most(SECOND);
        let special = Policy::builder().backoff_for(ErrorClass::RateLimit, hints);
        assert_clean!(special.backoff(Backoff::full_jitter(SECOND, SECOND)));
        let line = "has no delay for a failure without a hint, so the call stops; give a strategy for all classes that needs no hint";
        assert_eq!(
            lines(&special),
            [std::format!("warning: backoff_for(RATE_LIMIT, retry_after) {line}")]
        );
        assert_eq!(
            lines(&Policy::builder().backoff(hints)),
            [std::format!("warning: backoff (retry_after) {line}")]
        );
    }
    const PLAIN: RetryConfig = Policy::builder().backoff(Backoff::constant(SECOND));

    #[test]
    fn a_plain_policy_is_clean() {
        assert_clean!(PLAIN);
        assert_clean!(Policy::once());
    }

    #[test]
    fn each_finding_names_field_value_problem_and_help() {
        const CLASS: ErrorClass = ErrorClass::RateLimit;
        for (config, line) in [
            (
                PLAIN.max_attempts(0),
                "error: max_attempts (0) is out of range: it must be 1 or more",
            ),
            (
                PLAIN.attempt_timeout(Duration::ZERO),
                "error: attempt_timeout (0s) is out of range: it must be 1 us or more",
            ),
            (
                Policy::builder(),
                "error: backoff is not set: nothing says how long to wait before a retry; give a strategy, for all classes or for some",
            ),
            (
                PLAIN.deadline(Duration::ZERO),
                "warning: deadline (0s) leaves no time for a retry; raise it",
            ),
            (
                PLAIN.attempt_timeout(Duration::from_secs(60)),
                "warning: attempt_timeout (60s) leaves no time for a retry: deadline is 60s; lower it below the deadline, or raise the deadline",
            ),
            (
                PLAIN.max_unknown_attempts(7),
                "warning: max_unknown_attempts (7) is never reached: max_attempts is 6; lower it to max_attempts or less, or leave it out",
            ),
            (
                PLAIN.max_attempts_for(CLASS, 6),
                "warning: max_attempts_for(RATE_LIMIT, 6) is never reached: max_attempts is 6; lower it below max_attempts, or leave it out",
            ),
            (
                PLAIN.max_attempts_for(ErrorClass::Auth, 1),
                "warning: max_attempts_for(AUTH, 1) has no effect: the class is not retried; leave it out, or allow retries of the class with retriable",
            ),
            (
                PLAIN.backoff_for(ErrorClass::Auth, Backoff::constant(SECOND)),
                "warning: backoff_for(AUTH, constant) is never used: the class is not retried; leave it out, or allow retries of the class with retriable",
            ),
            (
                PLAIN.backoff_for(CLASS, Backoff::equal_jitter(SECOND, Duration::ZERO)),
                "warning: backoff_for(RATE_LIMIT).base (1s) is more than its max, so the delays do not grow: max is 0s; lower it, or raise the max",
            ),
            (
                PLAIN.deadline(SECOND),
                "warning: backoff.delay (1s) can use up all the time of a call in one delay: deadline is 1s; lower it below the deadline, or raise the deadline",
            ),
            (
                PLAIN.backoff(Backoff::sequence(&[])),
                "warning: backoff.delays (0) is empty, so nothing is retried; give it one delay or more",
            ),
            (
                PLAIN.deadline(Duration::from_secs(9)).backoff(Backoff::sequence(&STEPS)),
                "warning: backoff.delays (9s) has a delay that leaves no time for a retry: deadline is 9s; shorten that delay, or raise the deadline",
            ),
            (
                PLAIN.no_deadline().max_attempts(u32::MAX),
                "warning: max_attempts (4294967295) lets a call retry without end: deadline is not set; lower it, or set a deadline",
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
                "warning: backoff_for(RATE_LIMIT, retry_after_or) retries at once after a hint of zero, together with all other callers; set at_least, to the base of its fallback for instance, or a jitter"
            ]
        );
        assert_clean!(PLAIN.backoff(HINTED.at_least(SECOND)));
        assert_clean!(PLAIN.backoff(Backoff::retry_after_or(&FALLBACK, SECOND)));
        assert_eq!(
            lines(&PLAIN.backoff(HINTED.at_least(SECOND).at_most(Duration::ZERO))),
            [
                "warning: backoff.at_most (0s) is shorter than the shortest hint, so no hint is followed: at_least is 1s; raise it to at_least or more"
            ]
        );
    }

    #[test]
    fn hints_that_nothing_bounds_are_found() {
        const FALLBACK: Backoff = Backoff::constant(SECOND);
        const HINTED: Backoff = Backoff::retry_after_or(&FALLBACK, SECOND);
        const NESTED: Backoff = Backoff::retry_after_or(&HINTED, SECOND).at_most(SECOND);
        let plain = PLAIN.no_deadline();
        assert_eq!(
            lines(&plain.backoff_for(ErrorClass::RateLimit, HINTED)),
            [
                "warning: backoff_for(RATE_LIMIT).at_most is not set, so a call waits for as long as a server asks: deadline is not set; set it, or a deadline"
            ]
        );
        assert_eq!(lines(&plain.backoff(HINTED)).len(), 1);
        assert_clean!(PLAIN.backoff(HINTED));
        assert_clean!(plain.backoff(HINTED.at_most(SECOND)));
        assert_clean!(plain.backoff(NESTED));
        assert_clean!(plain.backoff(HINTED).max_attempts(1));
        // That it is never used is all there is to say.
        assert_eq!(lines(&plain.backoff_for(ErrorClass::Auth, HINTED)).len(), 1);
    }

    #[test]
    fn a_strategy_that_grows_without_jitter_is_noted() {
        const EXPONENTIAL: Backoff = Backoff::exponential(SECOND, LONG);
        const LONG: Duration = Duration::from_secs(9);
        let note = |subject| {
            std::format!(
                "note: {subject} has no jitter: callers that fail together retry together; prefer equal_jitter, full_jitter or decorrelated_jitter where many callers share one upstream"
            )
        };
        let hinted = Backoff::retry_after_or(&EXPONENTIAL, SECOND);
        for (config, subject) in [
            (PLAIN.backoff(EXPONENTIAL), "backoff (exponential)"),
            (PLAIN.backoff(Backoff::exponential_by(SECOND, LONG, 1500)), "backoff (exponential)"),
            (PLAIN.backoff(Backoff::fibonacci(SECOND, LONG)), "backoff (fibonacci)"),
            (PLAIN.backoff(Backoff::linear(SECOND, LONG)), "backoff (linear)"),
            (
                PLAIN.backoff_for(ErrorClass::Unknown, EXPONENTIAL),
                "backoff_for(UNKNOWN, exponential)",
            ),
            (PLAIN.backoff(hinted), "backoff.fallback (exponential)"),
        ] {
            assert_eq!(lines(&config), [note(subject)]);
            assert_clean!(config);
        }
        for clean in [
            PLAIN.backoff(EXPONENTIAL).max_attempts(1),
            PLAIN.backoff(Backoff::exponential(Duration::ZERO, Duration::ZERO)),
            PLAIN.backoff(Backoff::full_jitter(SECOND, LONG)),
            PLAIN.backoff(Backoff::equal_jitter(SECOND, LONG)),
            PLAIN.backoff(Backoff::decorrelated_jitter(SECOND, LONG)),
            PLAIN.backoff(Backoff::token_backoff(SECOND, LONG)),
        ] {
            assert_eq!(lines(&clean).len(), 0, "{clean:?}");
        }
        // That it is never used is all there is to say.
        assert_eq!(lines(&PLAIN.backoff_for(ErrorClass::Auth, EXPONENTIAL)).len(), 1);
    }

    #[test]
    fn a_finding_of_a_fallback_says_so() {
        const WIDE: Backoff = Backoff::equal_jitter(Duration::from_secs(61), Duration::MAX);
        const EMPTY: Backoff = Backoff::sequence(&[]);
        for (fallback, subject) in [
            (Backoff::retry_after_or(&WIDE, SECOND), "backoff.fallback.base (61s) "),
            (Backoff::retry_after_or(&EMPTY, SECOND), "backoff.fallback.delays (0) "),
        ] {
            let found = lines(&PLAIN.backoff(fallback));
            assert!(found[0].starts_with(&std::format!("warning: {subject}")), "{found:?}");
            assert_eq!(found.len(), 1);
        }
    }

    #[test]
    fn a_single_attempt_is_not_said_to_lack_time_for_a_retry() {
        let once = PLAIN.max_attempts(1);
        assert_clean!(once.attempt_timeout(Duration::from_secs(60)));
        assert_eq!(
            lines(&once.attempt_timeout(Duration::from_secs(61))),
            [
                "warning: attempt_timeout (61s) is never reached: deadline is 60s; lower it to the deadline or less, or leave it out"
            ]
        );
        assert_clean!(once.deadline(SECOND));
        assert_eq!(lines(&once.max_unknown_attempts(3)).len(), 1);
    }

    #[test]
    fn retries_of_a_final_class_that_are_never_made_are_found() {
        assert_eq!(
            lines(&PLAIN.retriable(ErrorClass::Auth, 0)),
            ["warning: retriable(AUTH, 0) allows no retry; raise it, or leave it out"]
        );
        assert_eq!(
            lines(&PLAIN.retriable(ErrorClass::Auth, 6))[1..],
            [
                "warning: retriable(AUTH, 6) is never reached: max_attempts is 6; lower it below max_attempts"
            ]
        );
        assert_eq!(lines(&PLAIN.retriable(ErrorClass::Transient, 6)).len(), 1);
    }

    #[test]
    fn what_is_meant_on_purpose_is_a_note() {
        let backoff = Backoff::constant(SECOND);
        let joins = PLAIN.retriable(ErrorClass::Auth, 2).backoff_for(ErrorClass::Auth, backoff);
        assert_eq!(
            lines(&joins),
            [
                "note: retriable(AUTH, 2) repeats what the other side has refused: a service may lock the account, or take the retries for an attack; keep it only where a retry can differ, by new credentials for instance"
            ]
        );
        assert_clean!(joins);
        assert_eq!(
            lines(&PLAIN.retriable(ErrorClass::Transient, 2)),
            [
                "error: retriable(TRANSIENT, 2) names a class that is retried anyway; limit the class with max_attempts_for instead"
            ]
        );
    }

    #[test]
    fn every_error_of_a_policy_is_found() {
        let wrong = Policy::builder().max_attempts(0).attempt_timeout(Duration::ZERO);
        assert_eq!(
            lines(&wrong),
            [
                "error: max_attempts (0) is out of range: it must be 1 or more",
                "error: attempt_timeout (0s) is out of range: it must be 1 us or more",
                "error: backoff is not set: nothing says how long to wait before a retry; give a strategy, for all classes or for some",
            ]
        );
    }
}
