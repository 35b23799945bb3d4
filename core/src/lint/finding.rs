//! One thing that the linter found ([`Finding`]), as data and as a line.

use core::fmt;

use crate::class::{ClassSet, ErrorClass};
use crate::config::ConfigError;
use crate::time::Duration;

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Severity {
    /// The setting may be intended; the finding explains its effect. [`assert_clean!`] accepts
    /// it.
    ///
    /// [`assert_clean!`]: crate::assert_clean
    Note,
    /// The setting is valid, but surely a mistake.
    Warning,
    /// The setting is out of range: `build` or `new` fails.
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
    /// The name of a strategy.
    Strategy(&'static str),
    /// A set of classes, which may be empty.
    Classes(ClassSet),
    /// Whether an option is on.
    Flag(bool),
    /// The field is not set.
    Unset,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Span(span) => span.fmt(f),
            Self::Strategy(name) => f.write_str(name),
            Self::Classes(classes) if classes.is_empty() => f.write_str("none"),
            Self::Classes(classes) => classes.fmt(f),
            Self::Flag(on) => on.fmt(f),
            Self::Unset => f.write_str("not set"),
        }
    }
}

/// What to do about a [`Finding`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Help {
    /// The allowed values, for a value that is out of its range: `1 or more`.
    MustBe(&'static str),
    /// What to change, where "it" is the field: `lower it below max_attempts, or leave it out`.
    Change(&'static str),
}

/// `it must be 1 or more`, or `lower it below max_attempts, or leave it out`.
impl fmt::Display for Help {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MustBe(range) => write!(f, "it must be {range}"),
            Self::Change(change) => f.write_str(change),
        }
    }
}

/// One thing that the linter found.
///
/// Printed as one line: the severity, the field with its value, the problem, the other setting
/// that causes the problem (if there is one), and what to change:
///
/// ```text
/// warning: max_unknown_attempts (9) is never reached: max_attempts is 4; lower it to max_attempts or less, or leave it out
/// error: max_attempts (0) is out of range: it must be 1 or more
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The field.
    pub field: &'static str,
    /// The class, if the field is set for each class separately.
    pub class: Option<ErrorClass>,
    /// The setting of the strategy, if the field is a strategy: `"base"`, `"fallback.base"`.
    pub part: Option<&'static str>,
    /// The value of the field, or of the `part`.
    pub value: Value,
    /// The problem, with the field as the subject: `is never reached`.
    pub problem: &'static str,
    /// The other field that causes the problem, and its value.
    pub beside: Option<(&'static str, Value)>,
    /// What to change.
    pub help: Help,
}

impl Finding {
    pub(super) const fn note(
        field: &'static str,
        value: Value,
        problem: &'static str,
        change: &'static str,
    ) -> Self {
        let (severity, help) = (Severity::Note, Help::Change(change));
        Self { severity, field, class: None, part: None, value, problem, beside: None, help }
    }

    pub(super) const fn warning(
        field: &'static str,
        value: Value,
        problem: &'static str,
        change: &'static str,
    ) -> Self {
        Self { severity: Severity::Warning, ..Self::note(field, value, problem, change) }
    }

    pub(super) const fn error(
        field: &'static str,
        value: Value,
        problem: &'static str,
        change: &'static str,
    ) -> Self {
        Self { severity: Severity::Error, ..Self::note(field, value, problem, change) }
    }

    pub(super) const fn of(self, class: ErrorClass) -> Self {
        Self { class: Some(class), ..self }
    }

    pub(super) const fn beside(self, field: &'static str, value: Value) -> Self {
        Self { beside: Some((field, value)), ..self }
    }

    /// The field with its class, its part and its value: `max_attempts_for(RATE_LIMIT, 6)`,
    /// `backoff_for(RATE_LIMIT).base (20s)`, `max_attempts (0)`. A value that is not set is
    /// left to the problem.
    fn subject(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field)?;
        match (self.class, self.part, self.value) {
            (Some(class), None, Value::Unset) => write!(f, "({class})"),
            (Some(class), None, value) => write!(f, "({class}, {value})"),
            (class, part, value) => {
                if let Some(class) = class {
                    write!(f, "({class})")?;
                }
                if let Some(part) = part {
                    write!(f, ".{part}")?;
                }
                if value == Value::Unset { Ok(()) } else { write!(f, " ({value})") }
            }
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.severity.as_str())?;
        self.subject(f)?;
        write!(f, " {}", self.problem)?;
        if let Some((field, value)) = self.beside {
            write!(f, ": {field} is {value}")?;
        }
        let end = if let Help::MustBe(_) = self.help { ":" } else { ";" };
        write!(f, "{end} {}", self.help)
    }
}

impl From<ConfigError> for Finding {
    fn from(error: ConfigError) -> Self {
        let (field, right) = (error.field(), error.right());
        if !error.is_set() {
            return Self::error(field, Value::Unset, "is not set", right);
        }
        let value = match error.value() {
            micros if error.is_span() => Value::Span(Duration::from_micros(micros)),
            count => Value::Count(count),
        };
        let finding = Self::error(field, value, "is out of range", right);
        Self { help: Help::MustBe(right), ..finding }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    const BASE: Finding = Finding::warning("field", Value::Count(3), "is odd", "make it even");

    #[test]
    fn a_finding_is_one_line_with_what_it_has() {
        const CLASS: ErrorClass = ErrorClass::Auth;
        let unset = Finding { value: Value::Unset, problem: "is not set", ..BASE };
        let part = Some("base");
        for (finding, line) in [
            (BASE, "warning: field (3) is odd; make it even"),
            (BASE.of(CLASS), "warning: field(AUTH, 3) is odd; make it even"),
            (Finding { part, ..BASE }, "warning: field.base (3) is odd; make it even"),
            (
                Finding { part, ..BASE.of(CLASS) },
                "warning: field(AUTH).base (3) is odd; make it even",
            ),
            (unset, "warning: field is not set; make it even"),
            (unset.of(CLASS), "warning: field(AUTH) is not set; make it even"),
            (
                Finding { part, ..unset.of(CLASS) },
                "warning: field(AUTH).base is not set; make it even",
            ),
            (
                BASE.beside("other", Value::Unset),
                "warning: field (3) is odd: other is not set; make it even",
            ),
            (
                Finding { severity: Severity::Note, help: Help::MustBe("2"), ..BASE },
                "note: field (3) is odd: it must be 2",
            ),
        ] {
            assert_eq!(finding.to_string(), line);
        }
    }

    #[test]
    fn what_is_out_of_range_has_its_range_as_help() {
        let error = ConfigError::of_span("breaker.lease", Duration::ZERO, "1 us or more");
        let finding = Finding::from(error);
        assert_eq!(finding.value, Value::Span(Duration::ZERO));
        assert_eq!(finding.help, Help::MustBe("1 us or more"));
        assert_eq!(
            finding.to_string(),
            "error: breaker.lease (0s) is out of range: it must be 1 us or more"
        );
        let unset = Finding::from(ConfigError::unset("backoff", "give one strategy or more"));
        assert_eq!(unset.to_string(), "error: backoff is not set; give one strategy or more");
    }

    #[test]
    fn a_value_is_shown_with_its_unit() {
        for (value, shown) in [
            (Value::Classes(ClassSet::EMPTY), "none"),
            (Value::Classes(ClassSet::FINAL), "AUTH, PERMISSION, PERMANENT"),
            (Value::Flag(true), "true"),
            (Value::Span(Duration::from_millis(1500)), "1.5s"),
            (Value::Unset, "not set"),
        ] {
            assert_eq!(value.to_string(), shown);
        }
    }
}
