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
//!
//! What settings do not say themselves is said beside them: [`Blocking`] that nothing can end
//! an attempt, [`EachKey`] that each key of a map has such a budget, [`Classes`] which classes
//! the classifier gives, [`AttemptCost`] what an attempt takes out of a rate limiter.

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
