//! What is wrong or suspicious in the settings of a breaker.

use super::together::Door;
use super::{Finding, Lint, Parts, Report, Value};
use crate::breaker::{BreakerConfig, FailureRule, OutcomeRule, SliceRule, WANTS_CHECK};
use crate::class::{ClassSet, ErrorClass};
use crate::time::Duration;

impl Lint for BreakerConfig<FailureRule> {
    fn lint(&self, report: Report<'_>) {
        lint_classes(self.counted(), report);
        self.rule.errors(usize::MAX, &mut |error| report(error.into()));
        self.lint_common(report);
    }

    fn part(&self, parts: &mut Parts) {
        parts.door = Some(Door { lease: self.lease, slow_after: None, counts: self.counted() });
    }
}

impl BreakerConfig<FailureRule> {
    /// The classes that trip, and those with a threshold of their own.
    fn counted(&self) -> ClassSet {
        self.rule.apart.iter().fold(self.trip_on, ClassSet::with)
    }
}

impl Lint for BreakerConfig<OutcomeRule> {
    fn lint(&self, report: Report<'_>) {
        self.rule.errors(usize::MAX, &mut |error| report(error.into()));
        lint_classes(self.trip_on, report);
        self.lint_common(report);
    }

    fn part(&self, parts: &mut Parts) {
        parts.door = Some(Door { lease: self.lease, slow_after: None, counts: self.trip_on });
    }
}

impl Lint for BreakerConfig<SliceRule> {
    fn lint(&self, report: Report<'_>) {
        self.rule.errors(&mut |error| report(error.into()));
        lint_classes(self.trip_on, report);
        self.lint_common(report);
    }

    fn part(&self, parts: &mut Parts) {
        let after = self.rule.slow_after;
        let slow_after = (after != Duration::MAX).then_some(after);
        parts.door = Some(Door { lease: self.lease, slow_after, counts: self.trip_on });
    }
}

/// Of the classes that a breaker counts.
fn lint_classes(counted: ClassSet, report: Report<'_>) {
    let value = Value::Classes(counted);
    if counted.is_empty() {
        let problem = "counts no failure, so none opens the breaker";
        report(Finding::warning("breaker.trip_on", value, problem, "name one class or more"));
    } else if counted.iter().all(ErrorClass::is_final) {
        let problem = "counts final classes alone, so no outage opens the breaker";
        let help = "add the classes of an outage, such as TRANSIENT and SERVER_ERROR";
        report(Finding::warning("breaker.trip_on", value, problem, help));
    }
}

impl<Rule: Copy> BreakerConfig<Rule> {
    fn lint_common(&self, report: Report<'_>) {
        self.errors(usize::MAX, &mut |error| report(error.into()));
        if self.half_open_on.is_empty() {
            let value = Value::Classes(self.half_open_on);
            let problem = "counts no failed probe, so none opens the breaker again";
            let help = "name one class or more";
            report(Finding::warning("breaker.half_open_on", value, problem, help));
        }
        if !self.longest_hint.is_zero() && self.wants & WANTS_CHECK != 0 {
            let value = Value::Span(self.longest_hint);
            let problem = "makes a call wait for its own hint and then rejects its retry";
            let help = "leave one of the two out";
            let found = Finding::warning("breaker.open_for_hint", value, problem, help);
            report(found.beside("breaker.check_before_retry", Value::Flag(true)));
        }
        if self.longest_recovery == self.recovery && !self.recovery.is_zero() {
            let value = Value::Span(self.longest_recovery);
            let problem = "never lets the recovery time grow";
            let help = "raise it above recovery_timeout, or leave it out";
            let found = Finding::warning("breaker.recovery_growth_to", value, problem, help);
            report(found.beside("breaker.recovery_timeout", Value::Span(self.recovery)));
        }
    }
}

/// The classes that the classifier of an upstream returns. In a tuple with the settings of the
/// breaker, the linter finds a breaker that counts none of them.
///
/// ```
/// use redress::breaker::FailureRule;
/// use redress::lint::{Classes, Lint};
/// use redress::{BreakerConfig, Duration};
/// // It counts TRANSIENT and SERVER_ERROR.
/// const BREAKER: BreakerConfig<FailureRule> =
///     BreakerConfig::failures(5, Duration::from_secs(60));
/// let mut fields = Vec::new();
/// (BREAKER, Classes::PLAIN_ERRORS).lint(&mut |finding| fields.push(finding.field));
/// assert_eq!(fields, ["breaker.trip_on"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Classes(pub ClassSet);

impl Classes {
    /// The classes of errors without a classifier: only UNKNOWN. An attempt that times out is
    /// TRANSIENT without any classifier; that is not included.
    pub const PLAIN_ERRORS: Self = Self(ClassSet::of(&[ErrorClass::Unknown]));
}

impl Lint for Classes {
    fn lint(&self, _: Report<'_>) {}

    fn part(&self, parts: &mut Parts) {
        parts.given = Some(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_clean;
    use crate::lint::lines;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_breaker_that_never_opens_is_found() {
        let config = BreakerConfig::failures(5, SECOND).trip_on(ClassSet::EMPTY);
        assert_eq!(
            lines(&config),
            [
                "warning: breaker.trip_on (none) counts no failure, so none opens the breaker; name one class or more"
            ]
        );
        assert_clean!(config.class_threshold(ErrorClass::Unknown, 1));
    }

    #[test]
    fn a_breaker_that_no_probe_opens_anew_is_found() {
        let config = BreakerConfig::failures(5, SECOND).half_open_on(ClassSet::EMPTY);
        assert_eq!(
            lines(&config),
            [
                "warning: breaker.half_open_on (none) counts no failed probe, so none opens the breaker again; name one class or more"
            ]
        );
        assert_clean!(config.half_open_on(ClassSet::of(&[ErrorClass::Transient])));
    }

    #[test]
    fn a_hint_that_rejects_the_retry_of_its_own_call_is_found() {
        let config = BreakerConfig::failures(5, SECOND).open_for_hint(SECOND);
        assert_clean!(config);
        assert_eq!(
            lines(&config.check_before_retry(true)),
            [
                "warning: breaker.open_for_hint (1s) makes a call wait for its own hint and then rejects its retry: breaker.check_before_retry is true; leave one of the two out"
            ]
        );
    }

    #[test]
    fn a_breaker_that_no_outage_opens_is_found() {
        let classes = ClassSet::of(&[ErrorClass::Auth, ErrorClass::Permission]);
        let line = "warning: breaker.trip_on (AUTH, PERMISSION) counts final classes alone, so no outage opens the breaker; add the classes of an outage, such as TRANSIENT and SERVER_ERROR";
        let config = BreakerConfig::failures(5, SECOND).trip_on(classes);
        assert_eq!(lines(&config), [line]);
        assert_eq!(lines(&BreakerConfig::outcomes(5, 500, 5).trip_on(classes)), [line]);
        assert_eq!(lines(&BreakerConfig::slices(SECOND, 500, 5).trip_on(classes)), [line]);
        assert_clean!(config.class_threshold(ErrorClass::Unknown, 1));
        assert_clean!(config.trip_on(classes.with(ErrorClass::Transient)));
    }

    #[test]
    fn every_error_of_a_breaker_is_found_not_the_first_alone() {
        let config = BreakerConfig::failures(0, Duration::ZERO)
            .recovery_timeout(Duration::ZERO)
            .lease(Duration::ZERO)
            .half_open_permits(0)
            .successes_to_close(16);
        assert_eq!(
            lines(&config),
            [
                "error: breaker.failure_threshold (0) is out of range: it must be 1 to 255",
                "error: breaker.window (0s) is out of range: it must be 1 us or more",
                "error: breaker.recovery_timeout (0s) is out of range: it must be 1 us or more",
                "error: breaker.lease (0s) is out of range: it must be 1 us or more",
                "error: breaker.half_open_permits (0) is out of range: it must be 1 to the PERMITS of the breaker",
                "error: breaker.successes_to_close (16) is out of range: it must be 1 to 15",
            ]
        );
        assert_eq!(
            lines(&BreakerConfig::outcomes(0, 1001, 0)),
            [
                "error: breaker.size (0) is out of range: it must be 1 to the capacity of LastOutcomes (32 for each word)",
                "error: breaker.min_calls (0) is out of range: it must be 1 to the size",
                "error: breaker.failure_rate_milli (1001) is out of range: it must be 1 to 1000",
            ]
        );
        assert_eq!(
            lines(&BreakerConfig::slices(Duration::ZERO, 0, 0).slow_calls(SECOND, 0)).len(),
            4
        );
        let shrinks = BreakerConfig::failures(5, SECOND).recovery_growth_to(SECOND);
        assert_eq!(
            lines(&shrinks),
            [
                "error: breaker.recovery_growth_to (1s) is out of range: it must be the recovery_timeout or more"
            ]
        );
    }
}
