//! Finds what is wrong or suspicious in settings ([`Lint`]), and prints a policy ([`show`]).
//!
//! `build` reports only the first value that is out of range. The linter reports all of them, and
//! also valid settings that are surely a mistake: a limit that is never reached, a strategy that
//! is never used, a deadline that one attempt uses up.
//!
//! Pass a tuple to lint the settings of one upstream together: a policy, its breaker and its
//! budget, in any order. Each of them is checked, then how they fit together:
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
//!
//! Four types tell the linter what the settings do not contain. [`Blocking`]: the policy is
//! called blockingly, so no attempt can be ended. [`EachKey`]: each key of a
//! [`Keyed`](crate::Keyed) map has such a budget. [`Classes`]: the classes that the classifier
//! returns. [`AttemptCost`]: the cost of an attempt in the rate limiter.

mod blocking;
mod breaker;
mod budget;
mod finding;
mod retry;
mod show;
mod together;

pub use blocking::Blocking;
pub use breaker::Classes;
pub use budget::{AttemptCost, EachKey};
pub use finding::{Finding, Help, Severity, Value};
pub use show::show;
pub use together::Parts;

type Report<'r> = &'r mut dyn FnMut(Finding);

/// Settings that the linter can check: the settings themselves, references to them, an [`Option`]
/// of them, and tuples of the settings of one upstream.
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
    /// Calls `report` with each finding.
    fn lint(&self, report: Report<'_>);

    /// Adds to `parts` what the other settings of the same upstream are compared with.
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

fn count(value: impl Into<u64>) -> Value {
    Value::Count(value.into())
}

/// Panics in a test if the linter finds an error or a warning. The message has every finding on
/// its own line. Notes alone do not panic.
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

/// All findings as text, one on each line.
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
