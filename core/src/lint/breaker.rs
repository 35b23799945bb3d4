//! What is wrong or suspicious in the settings of a breaker.

use super::together::Door;
use super::{Lint, Parts, Report, Value, warn};
use crate::breaker::{BreakerConfig, FailureRule, OutcomeRule, SliceRule, WANTS_CHECK};
use crate::class::{ClassSet, ErrorClass};
use crate::time::Duration;

impl Lint for BreakerConfig<FailureRule> {
    fn lint(&self, report: Report<'_>) {
        let own = self.rule.apart.iter().fold(self.trip_on, ClassSet::with);
        let right = "one class or more: the breaker never opens";
        lint_classes(own, right, report);
        self.rule.errors(usize::MAX, &mut |error| report(error.into()));
        self.lint_common(report);
    }

    fn part(&self, parts: &mut Parts) {
        parts.door = Some(Door { lease: self.lease, slow_after: None });
    }
}

impl Lint for BreakerConfig<OutcomeRule> {
    fn lint(&self, report: Report<'_>) {
        self.rule.errors(usize::MAX, &mut |error| report(error.into()));
        lint_classes(self.trip_on, "one class or more: no failure opens the breaker", report);
        self.lint_common(report);
    }

    fn part(&self, parts: &mut Parts) {
        parts.door = Some(Door { lease: self.lease, slow_after: None });
    }
}

impl Lint for BreakerConfig<SliceRule> {
    fn lint(&self, report: Report<'_>) {
        self.rule.errors(&mut |error| report(error.into()));
        lint_classes(self.trip_on, "one class or more: no failure opens the breaker", report);
        self.lint_common(report);
    }

    fn part(&self, parts: &mut Parts) {
        let after = self.rule.slow_after;
        let slow_after = (after != Duration::MAX).then_some(after);
        parts.door = Some(Door { lease: self.lease, slow_after });
    }
}

/// `none` is what would be right if there are no classes at all.
fn lint_classes(trip_on: ClassSet, none: &'static str, report: Report<'_>) {
    if trip_on.is_empty() {
        warn(report, "breaker.trip_on", None, Value::Count(0), none);
    } else if trip_on.iter().all(ErrorClass::is_final) {
        let right = "one class or more that is not final: an outage never opens the breaker";
        warn(report, "breaker.trip_on", None, Value::Classes(trip_on), right);
    }
}

impl<Rule: Copy> BreakerConfig<Rule> {
    fn lint_common(&self, report: Report<'_>) {
        self.errors(usize::MAX, &mut |error| report(error.into()));
        if self.half_open_on.is_empty() {
            let right = "one class or more: no failed probe opens the breaker anew";
            warn(report, "breaker.half_open_on", None, Value::Count(0), right);
        }
        if !self.longest_hint.is_zero() && self.wants & WANTS_CHECK != 0 {
            let right = "left out, or check_before_retry: a call whose own hint opens the breaker \
                         waits for it and is then rejected";
            warn(report, "breaker.open_for_hint", None, Value::Span(self.longest_hint), right);
        }
        if self.longest_recovery == self.recovery && !self.recovery.is_zero() {
            let right = "longer than recovery_timeout, or left out: it never grows";
            let value = Value::Span(self.longest_recovery);
            warn(report, "breaker.recovery_growth_to", None, value, right);
        }
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
                "warning: breaker.trip_on is 0: it must be one class or more: the breaker never opens"
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
                "warning: breaker.half_open_on is 0: it must be one class or more: no failed probe opens the breaker anew"
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
                "warning: breaker.open_for_hint is 1s: it must be left out, or check_before_retry: a call whose own hint opens the breaker waits for it and is then rejected"
            ]
        );
    }

    #[test]
    fn a_breaker_that_no_outage_opens_is_found() {
        let classes = ClassSet::of(&[ErrorClass::Auth, ErrorClass::Permission]);
        let line = "warning: breaker.trip_on is AUTH, PERMISSION: it must be one class or more that is not final: an outage never opens the breaker";
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
                "error: breaker.failure_threshold is 0: it must be 1 to 255",
                "error: breaker.window is 0s: it must be 1 us or more",
                "error: breaker.recovery_timeout is 0s: it must be 1 us or more",
                "error: breaker.lease is 0s: it must be 1 us or more",
                "error: breaker.half_open_permits is 0: it must be 1 to the PERMITS of the breaker",
                "error: breaker.successes_to_close is 16: it must be 1 to 15",
            ]
        );
        assert_eq!(
            lines(&BreakerConfig::outcomes(0, 1001, 0)),
            [
                "error: breaker.size is 0: it must be 1 to the capacity of LastOutcomes (32 for each word)",
                "error: breaker.min_calls is 0: it must be 1 to the size",
                "error: breaker.failure_rate_milli is 1001: it must be 1 to 1000",
            ]
        );
        assert_eq!(
            lines(&BreakerConfig::slices(Duration::ZERO, 0, 0).slow_calls(SECOND, 0)).len(),
            4
        );
        let shrinks = BreakerConfig::failures(5, SECOND).recovery_growth_to(SECOND);
        assert_eq!(
            lines(&shrinks),
            ["error: breaker.recovery_growth_to is 1s: it must be the recovery_timeout or more"]
        );
    }
}
