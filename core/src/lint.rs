//! What is wrong or suspicious in a configuration ([`Lint`]), and the printed form
//! of a policy ([`show`]).
//!
//! What is out of range does not build; the linter finds that, too, and beyond it
//! what builds and cannot be meant: a limit that is never reached, a strategy that
//! is never asked, a deadline that one attempt uses up.

use crate::budget::RETRY;
use crate::policy::NO_LIMIT;
use crate::window::FailureRule;
use crate::{
    AdaptiveConfig, Backoff, BreakerConfig, ConfigError, Duration, ErrorClass, Policy, RatioConfig,
    RetryConfig, RollingConfig,
};

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Severity {
    /// It works, but hardly as meant.
    Warning,
    /// It does not build.
    Error,
}

impl Severity {
    /// `"warning"` or `"error"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The value of a field, with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Value {
    /// A number of something.
    Count(u64),
    /// A span of time.
    Span(Duration),
    /// A strategy, by its name.
    Strategy(&'static str),
    /// It is not set.
    Unset,
}

impl core::fmt::Display for Value {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Span(span) => span.fmt(f),
            Self::Strategy(name) => f.write_str(name),
            Self::Unset => f.write_str("not set"),
        }
    }
}

/// One thing that the linter found.
///
/// Printed as one line: `warning: attempt_timeout is 60s: it must be shorter than
/// the deadline, or retries have no time to run`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Finding {
    /// Whether it builds at all.
    pub severity: Severity,
    /// The field.
    pub field: &'static str,
    /// The class that the field is set for, where it has one for each.
    pub class: Option<ErrorClass>,
    /// Its value.
    pub value: Value,
    /// What would be right, as in "it must be ...".
    pub right: &'static str,
}

impl core::fmt::Display for Finding {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}", self.severity.as_str(), self.field)?;
        if let Some(class) = self.class {
            write!(f, "({class})")?;
        }
        write!(f, " is {}: it must be {}", self.value, self.right)
    }
}

impl From<ConfigError> for Finding {
    fn from(error: ConfigError) -> Self {
        let value = Value::Count(error.value());
        Self {
            severity: Severity::Error,
            field: error.field(),
            class: None,
            value,
            right: error.right(),
        }
    }
}

type Report<'r> = &'r mut dyn FnMut(Finding);

/// A configuration that can be checked.
///
/// ```
/// use redress::lint::Lint;
/// use redress::{Backoff, Duration, Policy};
/// let config = Policy::new()
///     .deadline(Duration::from_secs(5))
///     .attempt_timeout(Duration::from_secs(5))
///     .backoff(Backoff::constant(Duration::from_secs(1)));
/// let mut findings = 0;
/// config.lint(&mut |finding| {
///     findings += 1;
///     assert_eq!(finding.field, "attempt_timeout");
/// });
/// assert_eq!(findings, 1);
/// ```
pub trait Lint {
    /// Reports everything that is wrong or suspicious.
    fn lint(&self, report: Report<'_>);
}

impl Lint for Policy {
    fn lint(&self, report: Report<'_>) {
        self.config().lint(report);
    }
}

fn warn(
    report: Report<'_>,
    field: &'static str,
    class: Option<ErrorClass>,
    value: Value,
    right: &'static str,
) {
    report(Finding { severity: Severity::Warning, field, class, value, right });
}

fn count(value: impl Into<u64>) -> Value {
    Value::Count(value.into())
}

impl Lint for RetryConfig {
    fn lint(&self, report: Report<'_>) {
        if self.max_attempts == 0 {
            report(ConfigError::new("max_attempts", 0, "1 or more").into());
        }
        if self.attempt_timeout.is_zero() {
            let zero = Value::Span(Duration::ZERO);
            let right = "1 us or more";
            let severity = Severity::Error;
            report(Finding { severity, field: "attempt_timeout", class: None, value: zero, right });
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
            if class.is_final() {
                let right = "left out: the class is never retried";
                let value = Value::Strategy(backoff.name());
                warn(report, "backoff_for", Some(class), value, right);
            }
            self.lint_backoff("backoff_for", Some(class), backoff, report);
        }
    }
}

impl RetryConfig {
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
        for class in self.limited.iter() {
            let limit = self.limits[class as usize & 7];
            if class.is_final() && limit > 0 {
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
                let right = "shorter than the deadline: the first delay uses it up";
                warn(report, field, class, Value::Span(first), right);
            }
        }
        if let Some([]) = backoff.delays() {
            let right = "one delay or more: nothing is retried";
            warn(report, field, class, Value::Count(0), right);
        }
        if let Some((fallback, _)) = backoff.fallback() {
            self.lint_backoff(field, class, fallback, report);
        }
    }
}

impl Lint for BreakerConfig<FailureRule> {
    fn lint(&self, report: Report<'_>) {
        let apart = !self.rule.apart.is_empty();
        if self.trip_on.is_empty() && !apart {
            let right = "one class or more: the breaker never opens";
            warn(report, "breaker.trip_on", None, Value::Count(0), right);
        }
        if let Err(error) = self.rule.check(usize::MAX) {
            report(error.into());
        }
        self.lint_common(report);
    }
}

impl<Rule: Copy> BreakerConfig<Rule> {
    fn lint_common(&self, report: Report<'_>) {
        if let Err(error) = self.check(usize::MAX) {
            report(error.into());
        }
        if self.longest_recovery == self.recovery {
            let right = "longer than recovery_timeout, or left out: it never grows";
            let value = Value::Span(self.longest_recovery);
            warn(report, "breaker.recovery_growth_to", None, value, right);
        }
    }
}

impl Lint for BreakerConfig<crate::OutcomeRule> {
    fn lint(&self, report: Report<'_>) {
        if let Err(error) = self.rule.check(usize::MAX) {
            report(error.into());
        }
        self.lint_trip(report);
        self.lint_common(report);
    }
}

impl Lint for BreakerConfig<crate::SliceRule> {
    fn lint(&self, report: Report<'_>) {
        if let Err(error) = self.rule.check() {
            report(error.into());
        }
        self.lint_trip(report);
        self.lint_common(report);
    }
}

impl<Rule: Copy> BreakerConfig<Rule> {
    fn lint_trip(&self, report: Report<'_>) {
        if self.trip_on.is_empty() {
            let right = "one class or more: no failure opens the breaker";
            warn(report, "breaker.trip_on", None, Value::Count(0), right);
        }
    }
}

impl Lint for AdaptiveConfig {
    fn lint(&self, report: Report<'_>) {
        if let Err(error) = self.build() {
            report(error.into());
        }
    }
}

impl Lint for RollingConfig {
    fn lint(&self, report: Report<'_>) {
        if let Err(error) = self.check(usize::MAX) {
            report(error.into());
        }
        if self.max_retries == 0 {
            let right = "1 or more: nothing is ever retried";
            warn(report, "budget.max_retries", None, Value::Count(0), right);
        }
    }
}

impl Lint for RatioConfig {
    fn lint(&self, report: Report<'_>) {
        if let Err(error) = self.check() {
            report(error.into());
        }
        let ratio_milli = self.deposit / 1000;
        if ratio_milli > 1000 {
            let right = "at most 1000: every call earns more than one retry";
            warn(report, "budget.ratio_milli", None, count(ratio_milli), right);
        }
        let floor = u64::from(self.floor_per_sec);
        if self.limit >= RETRY && floor * RETRY > self.limit {
            let right = "at most the limit: a second's retries do not fit into it";
            warn(report, "budget.floor_per_sec", None, count(floor), right);
        }
    }
}

/// The printed form of a policy, as `--show` of a command line prints it: times in
/// seconds, classes in alphabetical order.
pub fn show<'s>(config: &'s RetryConfig, source: &'s str) -> impl core::fmt::Display + 's {
    core::fmt::from_fn(move |f| {
        writeln!(f, "Config snapshot:")?;
        writeln!(f, "  source: {source}")?;
        writeln!(f, "  deadline_s: {}", Seconds(config.deadline))?;
        writeln!(f, "  attempt_timeout_s: {}", Seconds(config.attempt_timeout))?;
        writeln!(f, "  max_attempts: {}", config.max_attempts)?;
        match config.max_unknown {
            NO_LIMIT => writeln!(f, "  max_unknown_attempts: None")?,
            limit => writeln!(f, "  max_unknown_attempts: {limit}")?,
        }
        match &config.default {
            Some(backoff) => writeln!(f, "  default_strategy: {backoff}")?,
            None => writeln!(f, "  default_strategy: None")?,
        }
        writeln!(f, "  class_strategies:")?;
        for class in BY_NAME.into_iter().filter(|&class| config.special.contains(class)) {
            writeln!(f, "    {class}: {}", config.specials[class as usize & 7])?;
        }
        if config.special.is_empty() {
            writeln!(f, "    (none)")?;
        }
        writeln!(f, "  per_class_max_attempts:")?;
        for class in BY_NAME.into_iter().filter(|&class| config.limited.contains(class)) {
            writeln!(f, "    {class}: {}", config.limits[class as usize & 7])?;
        }
        if config.limited.is_empty() {
            writeln!(f, "    (none)")?;
        }
        Ok(())
    })
}

const BY_NAME: [ErrorClass; ErrorClass::COUNT] = [
    ErrorClass::Auth,
    ErrorClass::Concurrency,
    ErrorClass::Permanent,
    ErrorClass::Permission,
    ErrorClass::RateLimit,
    ErrorClass::ServerError,
    ErrorClass::Transient,
    ErrorClass::Unknown,
];

/// Seconds without a unit, or `None` for no limit.
struct Seconds(Duration);

impl core::fmt::Display for Seconds {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.0 == Duration::MAX { f.write_str("None") } else { self.0.seconds(f) }
    }
}

/// Panics in a test if the linter finds anything in a configuration, with every
/// finding on a line of its own.
///
/// ```
/// use redress::{Backoff, Duration, Policy, assert_clean, policy};
/// const UPSTREAM: Policy =
///     policy! { Policy::new().backoff(Backoff::constant(Duration::from_millis(20))) };
/// assert_clean!(UPSTREAM);
/// ```
///
/// ```should_panic
/// use redress::{Backoff, Duration, Policy, assert_clean};
/// assert_clean!(Policy::new().deadline(Duration::ZERO).backoff(Backoff::constant(Duration::ZERO)));
/// ```
#[macro_export]
macro_rules! assert_clean {
    ($config:expr $(,)?) => {{
        let config = &$config;
        let mut count = 0_u32;
        $crate::lint::Lint::lint(config, &mut |_| count += 1);
        assert!(count == 0, "{}{}", stringify!($config), $crate::lint::findings(config));
    }};
}

/// All findings, each on a line of its own after the one before.
#[doc(hidden)]
pub fn findings(config: &dyn Lint) -> impl core::fmt::Display + '_ {
    core::fmt::from_fn(move |f| {
        let mut result = Ok(());
        config.lint(&mut |finding| result = result.and_then(|()| write!(f, "\n  {finding}")));
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::{String, ToString};
    use std::vec::Vec;

    fn lines(config: &dyn Lint) -> Vec<String> {
        let mut lines = Vec::new();
        config.lint(&mut |finding| lines.push(finding.to_string()));
        lines
    }

    const SECOND: Duration = Duration::from_secs(1);
    const PLAIN: RetryConfig = Policy::new().backoff(Backoff::constant(SECOND));

    #[test]
    fn a_plain_policy_is_clean() {
        assert_clean!(PLAIN);
        assert_clean!(Policy::once());
        assert_clean!(BreakerConfig::failures(5, SECOND));
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
            (Policy::new(), "error: backoff is not set: it must be one strategy or more"),
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
                "warning: backoff is 1s: it must be shorter than the deadline: the first delay uses it up",
            ),
            (
                PLAIN.backoff(Backoff::sequence(&[])),
                "warning: backoff is 0: it must be one delay or more: nothing is retried",
            ),
            (
                PLAIN.no_deadline().max_attempts(u32::MAX),
                "warning: max_attempts is 4294967295: it must be bounded, or there must be a deadline",
            ),
        ] {
            assert_eq!(lines(&config), [line]);
        }
    }

    #[test]
    fn a_breaker_that_never_opens_is_found() {
        let config = BreakerConfig::failures(5, SECOND).trip_on(crate::ClassSet::EMPTY);
        assert_eq!(lines(&config).len(), 1);
        assert_eq!(lines(&config.class_threshold(ErrorClass::Unknown, 1)), [] as [&str; 0]);
        let config = BreakerConfig::failures(0, SECOND).lease(Duration::ZERO);
        assert_eq!(lines(&config).len(), 2);
    }

    #[test]
    fn a_budget_that_never_grants_or_never_binds_is_found() {
        assert_clean!(RollingConfig::new(1, SECOND));
        assert_clean!(RatioConfig::new(1000).floor_per_sec(10).limit(10));
        assert_clean!(RatioConfig::new(0).floor_per_sec(1));
        for (config, line) in [
            (
                &RollingConfig::new(1, Duration::ZERO) as &dyn Lint,
                "error: budget.window is 0: it must be 1 us or more",
            ),
            (
                &RollingConfig::new(0, SECOND),
                "warning: budget.max_retries is 0: it must be 1 or more: nothing is ever retried",
            ),
            (
                &RatioConfig::new(0),
                "error: budget.ratio_milli is 0: it must be 1 or more, or floor_per_sec must be",
            ),
            (&RatioConfig::new(1).limit(0), "error: budget.limit is 0: it must be 1 to 100000"),
            (
                &RatioConfig::new(1001),
                "warning: budget.ratio_milli is 1001: it must be at most 1000: every call earns more than one retry",
            ),
            (
                &RatioConfig::new(100).floor_per_sec(11).limit(10),
                "warning: budget.floor_per_sec is 11: it must be at most the limit: a second's retries do not fit into it",
            ),
        ] {
            assert_eq!(lines(config), [line]);
        }
    }

    #[test]
    fn the_printed_form_has_every_field() {
        const SLOW: Backoff = Backoff::equal_jitter(Duration::from_millis(250), SECOND);
        let config = PLAIN
            .no_unknown_limit()
            .backoff_for(ErrorClass::RateLimit, Backoff::retry_after_or(&SLOW, SECOND))
            .max_attempts_for(ErrorClass::Concurrency, 3);
        assert_eq!(
            show(&config, "UPSTREAM").to_string(),
            "Config snapshot:\n  source: UPSTREAM\n  deadline_s: 60\n  attempt_timeout_s: None\n  \
             max_attempts: 6\n  max_unknown_attempts: None\n  default_strategy: constant(1s)\n  \
             class_strategies:\n    RATE_LIMIT: retry_after_or(equal_jitter(0.25s, 1s), 1s)\n  \
             per_class_max_attempts:\n    CONCURRENCY: 3\n"
        );
    }
}
