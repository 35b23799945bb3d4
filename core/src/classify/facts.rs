//! The input of the rules: [`Facts`], and the errors that provide them ([`Describe`]).

use crate::class::ErrorClass;
use crate::classify::limits::Limits;
use crate::time::Duration;

/// A type of error that determines its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Marker {
    /// A standard time-out error: TRANSIENT.
    Timeout,
    /// PERMANENT.
    Permanent,
    /// `RATE_LIMIT`.
    RateLimit,
    /// CONCURRENCY.
    Concurrency,
    /// `SERVER_ERROR`.
    ServerError,
}

impl Marker {
    /// The name for an error of this type that has none.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "TimeoutError",
            Self::Permanent => "PermanentError",
            Self::RateLimit => "RateLimitError",
            Self::Concurrency => "ConcurrencyError",
            Self::ServerError => "ServerError",
        }
    }
}

/// An error's own hint when to come back, which takes precedence over headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum RetryAfter<'a> {
    /// A span of time; use zero for a negative one.
    Span(Duration),
    /// A text, parsed as the header Retry-After.
    Text(&'a str),
}

/// The library that defines the type of an error, if the meaning of its name depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Library {
    /// Any other.
    #[default]
    Other,
    /// AWS's botocore, or an SDK with the same names.
    Aws,
    /// A Redis client.
    Redis,
}

/// The code and status of an AWS client error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct AwsError<'a> {
    /// The error code, `"ThrottlingException"` for instance; empty if unknown.
    pub code: &'a str,
    /// The HTTP status.
    pub status: Option<i64>,
}

/// What is known about an error. Every field is optional: set those that you know, and the others
/// with `..Facts::NONE`.
///
/// No value is out of range: a classifier ignores what it cannot use.
///
/// ```
/// use redress::ErrorClass;
/// use redress::classify::{self, Facts};
/// let facts = Facts { name: "ConnectionResetError", ..Facts::NONE };
/// assert_eq!(classify::default(&facts).class, ErrorClass::Transient);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Facts<'a> {
    /// Its class, if its own library states it. It takes precedence in the
    /// [`default`](super::default) and [`strict`](super::strict) rules, and in the other
    /// classifiers when they fall back to those rules.
    pub class: Option<ErrorClass>,
    /// A type that determines the class. It takes precedence over numbers and names.
    pub marker: Option<Marker>,
    /// The name of its type; empty if unknown.
    pub name: &'a str,
    /// A numeric attribute `status`, usually an HTTP status. The default rules use `code` instead
    /// of a 0; the rules of HTTP take 0 as a status.
    pub status: Option<i64>,
    /// A numeric attribute `status_code`. Only the rules of HTTP use it.
    pub status_code: Option<i64>,
    /// A numeric attribute `code`.
    pub code: Option<i64>,
    /// Numbers among its arguments. If there is no attribute, the rules of HTTP take the first
    /// number from 100 to 599.
    pub args: &'a [i64],
    /// Its text; empty if it has none. [`sqlstate`](super::sqlstate) and [`odbc`](super::odbc)
    /// look for a state in it, [`grpc`](super::grpc) and [`redis`](super::redis) for details that
    /// the code or the type does not contain.
    pub message: &'a str,
    /// Its SQLSTATE; empty if it has none.
    pub sqlstate: &'a str,
    /// Its own hint when to come back, which takes precedence over the header.
    pub retry_after: Option<RetryAfter<'a>>,
    /// The value of the response header Retry-After (RFC 9110, section 10.2.3); see
    /// [`header`].
    pub retry_after_header: Option<&'a str>,
    /// Hints from other headers; see [`Facts::with_headers`].
    pub limits: Limits,
    /// The wall time in seconds since 1970, with which a date in a Retry-After is compared.
    /// Without a wall clock, set only a Retry-After that is a number: seen from 0, a date is
    /// decades away.
    pub now_unix_secs: i64,
    /// The library that defines its type.
    pub library: Library,
    /// The names of its type's ancestors in that library, nearest first.
    pub ancestors: &'a [&'a str],
    /// For a gRPC error: the name of its status code, `"UNAVAILABLE"` for instance,
    /// empty if it has none.
    pub grpc: Option<&'a str>,
    /// For an AWS client error: its code and status.
    pub aws: Option<AwsError<'a>>,
}

impl<'a> Facts<'a> {
    /// Adds the hints from the headers of a response: Retry-After and [`Limits`]. Dates are
    /// compared with `now_unix_secs`; set that field first.
    #[must_use]
    pub fn with_headers<H>(self, headers: H) -> Self
    where
        H: IntoIterator<Item = (&'a str, &'a str), IntoIter: Clone>,
    {
        let headers = headers.into_iter();
        let limits = Limits::of(headers.clone(), self.now_unix_secs);
        Self { limits, retry_after_header: header(headers, "Retry-After"), ..self }
    }
}

impl Facts<'_> {
    /// Facts with nothing known.
    pub const NONE: Facts<'static> = Facts {
        class: None,
        marker: None,
        name: "",
        status: None,
        status_code: None,
        code: None,
        args: &[],
        message: "",
        sqlstate: "",
        retry_after: None,
        retry_after_header: None,
        limits: Limits::NONE,
        now_unix_secs: 0,
        library: Library::Other,
        ancestors: &[],
        grpc: None,
        aws: None,
    };

    /// Whether its type, or an ancestor of it, has this name.
    pub(super) fn is_a(&self, name: &str) -> bool {
        self.name == name || self.ancestors.contains(&name)
    }
}

impl Default for Facts<'_> {
    fn default() -> Self {
        Self::NONE
    }
}

/// An error that provides its [`Facts`].
///
/// A [`Retry`](crate::Retry) needs no classifier for such an error: the
/// [`default`](super::default) rules find its class.
///
/// ```
/// use redress::classify::{Describe, Facts};
/// struct HttpError { status: u16 }
/// impl Describe for HttpError {
///     fn facts(&self) -> Facts<'_> {
///         Facts { status: Some(self.status.into()), ..Facts::NONE }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "nothing says what class of failure a `{Self}` is",
    label = "this call does not know what to make of `{Self}`",
    note = "classify it: `.classify(|error: &{Self}| match error {{ .. => ErrorClass::Transient, .. }})`, \
            with a table of `redress::classify`, or implement `redress::classify::Describe` for \
            `{Self}`"
)]
pub trait Describe {
    /// What is known about this error.
    fn facts(&self) -> Facts<'_>;
}

impl<D: Describe + ?Sized> Describe for &D {
    fn facts(&self) -> Facts<'_> {
        (**self).facts()
    }
}

/// The value of the first header with this name, or `None`; names are compared
/// without ASCII case (RFC 9110, section 5.1).
pub fn header<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    name: &str,
) -> Option<&'a str> {
    let mut headers = headers.into_iter();
    headers.find(|(key, _)| super::same_word(key.as_bytes(), name.as_bytes())).map(|(_, v)| v)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_known_by_default() {
        assert_eq!(Facts::default(), Facts::NONE);
        assert_eq!(crate::classify::default(&Facts::NONE), ErrorClass::Unknown.into());
    }

    #[test]
    fn a_header_is_found_whatever_its_case() {
        let headers = [("X-Other", "1"), ("retry-AFTER", "9"), ("Retry-After", "10")];
        assert_eq!(header(headers, "Retry-After"), Some("9"));
        assert_eq!(header(headers, "Retry"), None);
    }
}
