//! What is wrong with settings: [`SettingsError`], and each [`Issue`] of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use redress::config::ConfigError;

/// Settings that are not what they must be: everything that is wrong with them.
///
/// Printed as the npm package prints it, in a line for each issue:
/// `retry.maxAttempts: 0 is out of range: a whole number of at least 1, at most 4294967295`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    issues: Vec<Issue>,
}

/// One setting that is wrong: its path, its value, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Issue {
    /// Where the setting is: `retry.strategies.RATE_LIMIT.baseMs`.
    pub path: String,
    /// The value that it has, as text; empty if it is missing.
    pub value: String,
    /// How it is wrong.
    pub problem: Problem,
    /// What would be right; of an option that does not exist the nearest that does, or all of them if none is near; of a
    /// class that does not exist those that do.
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
    /// It is an option that does not exist.
    NoOption,
    /// It is the name of a class, and there is no such class.
    NoClass,
}

impl SettingsError {
    /// Everything that is wrong; one issue at least.
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }

    /// The same error with paths that begin where the settings are in a larger file:
    /// `under("upstreams.prices")` makes `retry.maxAttempts` to
    /// `upstreams.prices.retry.maxAttempts`.
    #[must_use]
    pub fn under(self, section: &str) -> Self {
        let moved = |issue: Issue| Issue { path: format!("{section}.{}", issue.path), ..issue };
        Self { issues: self.issues.into_iter().map(moved).collect() }
    }

    /// One issue.
    pub(crate) fn new(
        path: impl Into<String>,
        value: impl fmt::Display,
        problem: Problem,
        expected: impl Into<String>,
    ) -> Self {
        Self { issues: vec![Issue::new(path, value, problem, expected)] }
    }

    /// What the core refuses, under the path of the settings that it was made of.
    pub(crate) fn of_core(path: &str, error: &ConfigError) -> Self {
        let unit = if error.is_span() { " us" } else { "" };
        let value = format!("{} is {}{unit}", error.field(), error.value());
        Self { issues: vec![Issue::new(path, value, Problem::OutOfRange, error.right())] }
    }
}

impl Issue {
    pub(super) fn new(
        path: impl Into<String>,
        value: impl fmt::Display,
        problem: Problem,
        expected: impl Into<String>,
    ) -> Self {
        let (path, value, expected) = (path.into(), format!("{value}"), expected.into());
        Self { path, value, problem, expected }
    }

    /// An option that does not exist beside those that do.
    pub(super) fn no_option(path: String, value: impl fmt::Display, known: &[&str]) -> Self {
        let name = path.rsplit('.').next().unwrap_or_default();
        let expected = nearest(name, known).map_or_else(
            || {
                let mut known = known.to_vec();
                known.sort_unstable();
                known.join(", ")
            },
            Into::into,
        );
        Self::new(path, value, Problem::NoOption, expected)
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, issue) in self.issues.iter().enumerate() {
            write!(f, "{}{issue}", if nth == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, value, problem, expected } = self;
        let link = match problem {
            Problem::Missing => return write!(f, "{path} is missing: {expected}"),
            Problem::NoOption if expected.contains(", ") => {
                return write!(f, "{path} is no option; there are {expected}");
            }
            Problem::NoOption => {
                return write!(f, "{path} is no option; the nearest is {expected}");
            }
            Problem::IsNot => "is not",
            Problem::OutOfRange => "is out of range:",
            Problem::NoClass => "is no class; there are",
        };
        write!(f, "{path}: {value} {link} {expected}")
    }
}

impl std::error::Error for SettingsError {}

/// What was found while settings were read: values that are no numbers where numbers belong, by their paths, for whoever
/// knows the range; and issues.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// The path of the budget of all calls.
    pub(super) budget_at: String,
    /// As text; empty where the number is missing.
    pub(super) no_numbers: BTreeMap<String, String>,
    pub(super) issues: Vec<Issue>,
}

impl Default for Found {
    fn default() -> Self {
        let (budget_at, no_numbers) = ("retry.budget".into(), BTreeMap::new());
        Self { budget_at, no_numbers, issues: Vec::new() }
    }
}

/// The issues of a check that is under way, which goes on with a value that fits.
pub(super) struct Check<'f> {
    found: &'f Found,
    issues: RefCell<Vec<Issue>>,
}

impl<'f> Check<'f> {
    /// A check of settings of which this was found while they were read.
    pub(super) fn new(found: &'f Found) -> Self {
        Self { found, issues: RefCell::new(found.issues.clone()) }
    }

    pub(super) fn add(&self, issue: Issue) {
        self.issues.borrow_mut().push(issue);
    }

    pub(super) fn has_issues(&self) -> bool {
        !self.issues.borrow().is_empty()
    }

    /// A number that is not what it must be.
    pub(super) fn refuse_number(&self, path: &str, value: f64, expected: String) {
        let no_number = if value.is_nan() { self.found.no_numbers.get(path) } else { None };
        let problem = match no_number {
            Some(text) if text.is_empty() => Problem::Missing,
            _ if value.is_nan() => Problem::IsNot,
            _ => Problem::OutOfRange,
        };
        self.add(Issue::new(path, self.shown(path, value), problem, expected));
    }

    /// A number as text, or what is there in its place.
    pub(super) fn shown(&self, path: &str, value: f64) -> String {
        let no_number = if value.is_nan() { self.found.no_numbers.get(path) } else { None };
        no_number.cloned().unwrap_or_else(|| value.to_string())
    }

    /// All issues, if there are any.
    pub(super) fn end(&self) -> Result<(), SettingsError> {
        let issues = self.issues.take();
        if issues.is_empty() { Ok(()) } else { Err(SettingsError { issues }) }
    }
}

/// The name that differs the least, if no more than a third of the letters do.
fn nearest<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    let mut found = None;
    let mut least = name.chars().count().div_ceil(3) + 1;
    for one in names {
        let far = distance(name, one);
        if far < least {
            (found, least) = (Some(*one), far);
        }
    }
    found
}

/// How many letters must be added, left out or changed to make one name of the other
/// (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (nth, letter) in from.chars().enumerate() {
        let mut left = nth + 1;
        let mut diagonal = std::mem::replace(&mut row[0], left);
        for (place, other) in row[1..].iter_mut().zip(&to) {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = *place;
            left = changed.min(diagonal + 1).min(left + 1);
            *place = left;
        }
    }
    row.last().copied().unwrap_or(0)
}
