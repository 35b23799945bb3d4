//! What is wrong or suspicious in a configuration ([`Lint`]), and the printed form
//! of a policy ([`show`]).
//!
//! What is out of range does not build; the linter finds that, too, all of it and not
//! the first alone, and beyond it what builds and cannot be meant: a limit that is
//! never reached, a strategy that is never asked, a deadline that one attempt uses up.
//!
//! A tuple of settings is those of one upstream: a policy, its breaker, its budget, in
//! any order. Each is looked at, and then what they are to one another:
//!
//! ```
//! use redress::breaker::FailureRule;
//! use redress::budget::RollingConfig;
//! use redress::{Backoff, BreakerConfig, Duration, Policy};
//! use redress::{assert_clean, policy};
//! const UPSTREAM: Policy =
//!     policy! { Policy::builder().backoff(Backoff::constant(Duration::from_millis(20))) };
//! const BREAKER: BreakerConfig<FailureRule> =
//!     BreakerConfig::failures(5, Duration::from_secs(60));
//! const BUDGET: RollingConfig = RollingConfig::new(16, Duration::from_secs(60));
//! assert_clean!((UPSTREAM, BREAKER, BUDGET));
//! ```

mod breaker;
mod budget;
mod retry;
mod show;
mod together;

pub use budget::AttemptCost;
pub use show::show;
pub use together::Parts;

use crate::class::{ClassSet, ErrorClass};
use crate::config::ConfigError;
use crate::time::Duration;

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Severity {
    /// It may well be meant; what it means is good to know. [`assert_clean!`] lets it pass.
    ///
    /// [`assert_clean!`]: crate::assert_clean
    Note,
    /// It works, but hardly as meant.
    Warning,
    /// It does not build.
    Error,
}

impl Severity {
    /// `"note"`, `"warning"` or `"error"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The value of a field, with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Value {
    /// A number of something.
    Count(u64),
    /// A span of time.
    Span(Duration),
    /// A strategy, by its name.
    Strategy(&'static str),
    /// Some classes.
    Classes(ClassSet),
    /// It is not set.
    Unset,
}

impl core::fmt::Display for Value {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Span(span) => span.fmt(f),
            Self::Strategy(name) => f.write_str(name),
            Self::Classes(classes) => classes.fmt(f),
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
    /// What would be right, as in "it must be ..."; of a note, what it means.
    pub right: &'static str,
}

impl core::fmt::Display for Finding {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}", self.severity.as_str(), self.field)?;
        if let Some(class) = self.class {
            write!(f, "({class})")?;
        }
        let must_be = if self.severity == Severity::Note { "" } else { "it must be " };
        write!(f, " is {}: {must_be}{}", self.value, self.right)
    }
}

impl From<ConfigError> for Finding {
    fn from(error: ConfigError) -> Self {
        let value = match error.value() {
            micros if error.is_span() => Value::Span(Duration::from_micros(micros)),
            count => Value::Count(count),
        };
        let (severity, field, right) = (Severity::Error, error.field(), error.right());
        Self { severity, field, class: None, value, right }
    }
}

type Report<'r> = &'r mut dyn FnMut(Finding);

/// A configuration that can be checked: settings, references to some, those that may be
/// left out ([`Option`]), and tuples of the settings of one upstream.
///
/// ```
/// use redress::lint::Lint;
/// use redress::{Backoff, Duration, Policy};
/// let config = Policy::builder()
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

    /// What of this matters to others of the same upstream.
    #[doc(hidden)]
    fn part(&self, parts: &mut Parts) {
        let _ = parts;
    }
}

impl<L: Lint + ?Sized> Lint for &L {
    fn lint(&self, report: Report<'_>) {
        (**self).lint(report);
    }

    fn part(&self, parts: &mut Parts) {
        (**self).part(parts);
    }
}

impl<L: Lint> Lint for Option<L> {
    fn lint(&self, report: Report<'_>) {
        if let Some(config) = self {
            config.lint(report);
        }
    }

    fn part(&self, parts: &mut Parts) {
        if let Some(config) = self {
            config.part(parts);
        }
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

/// A policy whose calls are blocking ones, which no driver can end: notes what that means for
/// its limits.
///
/// ```
/// use redress::lint::{Blocking, Lint};
/// use redress::{Backoff, Duration, Policy};
/// let config = Policy::builder().backoff(Backoff::constant(Duration::from_millis(20)));
/// Blocking(config).lint(&mut |finding| assert_eq!(finding.field, "attempt_timeout"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Blocking<L>(pub L);

impl<L: Lint> Lint for Blocking<L> {
    fn lint(&self, report: Report<'_>) {
        self.0.lint(report);
        let mut parts = Parts::default();
        self.0.part(&mut parts);
        if let Some(call) = parts.call {
            let (field, value) = ("attempt_timeout", call.timeout);
            let right = "a blocking driver ends no attempt, neither at it nor at the deadline: \
                         give the operation's own time-outs what Attempt::timeout says";
            report(Finding { severity: Severity::Note, field, class: None, value, right });
        }
    }

    fn part(&self, parts: &mut Parts) {
        self.0.part(parts);
    }
}

fn count(value: impl Into<u64>) -> Value {
    Value::Count(value.into())
}

/// Panics in a test if the linter finds an error or anything suspicious in a configuration,
/// with every finding on a line of its own. Notes alone let it pass.
///
/// ```
/// use redress::{assert_clean, policy, Backoff, Duration, Policy};
/// const UPSTREAM: Policy =
///     policy! { Policy::builder().backoff(Backoff::constant(Duration::from_millis(20))) };
/// assert_clean!(UPSTREAM);
/// ```
///
/// ```should_panic
/// use redress::{assert_clean, Backoff, Duration, Policy};
/// assert_clean!(Policy::builder().deadline(Duration::ZERO).backoff(Backoff::constant(Duration::ZERO)));
/// ```
#[macro_export]
macro_rules! assert_clean {
    ($config:expr $(,)?) => {{
        let config = &$config;
        let mut count = 0_u32;
        $crate::lint::Lint::lint(config, &mut |finding| {
            count += u32::from(finding.severity > $crate::lint::Severity::Note);
        });
        assert!(count == 0, "{}{}", stringify!($config), $crate::lint::findings(config));
    }};
}

/// All findings, each on a line of its own after the one before.
#[doc(hidden)]
pub fn findings(config: &dyn Lint) -> impl core::fmt::Display + '_ {
    Findings(config)
}

struct Findings<'c>(&'c dyn Lint);

impl core::fmt::Display for Findings<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut result = Ok(());
        self.0.lint(&mut |finding| result = result.and_then(|()| write!(f, "\n  {finding}")));
        result
    }
}

#[cfg(test)]
fn lines(config: &dyn Lint) -> std::vec::Vec<std::string::String> {
    let mut lines = std::vec::Vec::new();
    config.lint(&mut |finding| lines.push(std::string::ToString::to_string(&finding)));
    lines
}
