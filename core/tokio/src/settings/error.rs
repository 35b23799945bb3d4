//! What is wrong with a setting: [`SettingsError`].

use std::fmt;

use redress::config::ConfigError;

/// A setting that is not what it must be: its path, its value, and what would be right.
///
/// Printed in one line, as the npm package prints it:
/// `retry.maxAttempts: 0 is out of range: a whole number of at least 1`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingsError {
    /// Where the setting is: `retry.strategies.RATE_LIMIT.baseMs`.
    pub path: String,
    /// The value that it has, as text; empty if it is missing.
    pub value: String,
    /// How it is wrong.
    pub problem: Problem,
    /// What would be right; for a class that does not exist, the classes that do.
    pub expected: String,
}

/// How a setting is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// It is missing.
    Missing,
    /// It is of another kind.
    IsNot,
    /// It is a number out of its range.
    OutOfRange,
    /// It is the name of a class, and there is no such class.
    NoClass,
}

impl SettingsError {
    /// The same error with a path that begins where the settings are in a larger file:
    /// `under("upstreams.prices")` makes `retry.maxAttempts` to
    /// `upstreams.prices.retry.maxAttempts`.
    #[must_use]
    pub fn under(self, section: &str) -> Self {
        Self { path: format!("{section}.{}", self.path), ..self }
    }

    pub(crate) fn new(
        path: impl Into<String>,
        value: impl fmt::Display,
        problem: Problem,
        expected: impl Into<String>,
    ) -> Self {
        let (path, value, expected) = (path.into(), format!("{value}"), expected.into());
        Self { path, value, problem, expected }
    }

    pub(crate) fn missing(path: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(path, "", Problem::Missing, expected)
    }

    /// What the core refuses, under the path of the settings that it was made of.
    pub(crate) fn of_core(path: &str, error: &ConfigError) -> Self {
        let unit = if error.is_span() { " us" } else { "" };
        let value = format!("{} is {}{unit}", error.field(), error.value());
        Self::new(path, value, Problem::OutOfRange, error.right())
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, value, problem, expected } = self;
        let link = match problem {
            Problem::Missing => return write!(f, "{path} is missing: {expected}"),
            Problem::IsNot => "is not",
            Problem::OutOfRange => "is out of range:",
            Problem::NoClass => "is no class; there are",
        };
        write!(f, "{path}: {value} {link} {expected}")
    }
}

impl std::error::Error for SettingsError {}
