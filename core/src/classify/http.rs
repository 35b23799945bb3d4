//! HTTP: the status of an error or of a response, and the hints (when to come back) in its
//! headers.

use crate::class::{Classification, ErrorClass};
use crate::classify::facts::{Facts, RetryAfter};
use crate::classify::limits::Limits;
use crate::classify::{header, retry_after, rules};
use crate::time::Duration;

/// The class of an HTTP status; UNKNOWN for one below 400 or above 599, which is no failure
/// of HTTP.
///
/// | class | status |
/// | --- | --- |
/// | AUTH | 401, 407 |
/// | PERMISSION | 403 |
/// | CONCURRENCY | 409, 423 (locked), 449 (retry with) |
/// | `RATE_LIMIT` | 429 |
/// | TRANSIENT | 408, 421 (another connection), 425 (outside early data) |
/// | PERMANENT | any other from 400 to 499, as a status that is not recognised is treated as the x00 of its class |
/// | `SERVER_ERROR` | 500 to 599 |
///
/// Source: RFC 9110, section 15; RFC 4918, section 11.3, for 423; RFC 6585, section 4, for
/// 429; RFC 8470, section 5.2, for 425; *HTTP status codes for Azure Cosmos DB* for 449.
pub const fn http_status(status: u16) -> ErrorClass {
    match status {
        401 | 407 => ErrorClass::Auth,
        403 => ErrorClass::Permission,
        408 | 421 | 425 => ErrorClass::Transient,
        409 | 423 | 449 => ErrorClass::Concurrency,
        429 => ErrorClass::RateLimit,
        400..=499 => ErrorClass::Permanent,
        500..=599 => ErrorClass::ServerError,
        _ => ErrorClass::Unknown,
    }
}

/// Classifies a response: `None` for a status below 400, otherwise its class. The hint of the
/// header Retry-After is added unless the class is final; `now_unix_secs` is the wall time with
/// which a date is compared. A Retry-After that can be parsed makes a 403 and a 413 `RATE_LIMIT`.
///
/// For servers that send their limits in other headers, use [`http_response_headers`].
///
/// Source: RFC 9110, sections 10.2.3 and 15.5.14.
pub fn http_response(
    status: u16,
    retry_after_header: Option<&str>,
    now_unix_secs: i64,
) -> Option<Classification> {
    let explicit = retry_after_header.and_then(|value| retry_after::parse(value, now_unix_secs));
    response(status, explicit, Limits::NONE)
}

/// Classifies a response as [`http_response`] does, with the hints of all its headers:
/// `retry-after-ms`, Retry-After and the quotas ([`Limits`]).
///
/// ```
/// use redress::ErrorClass;
/// use redress::classify::http_response_headers;
/// let headers = [("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1768478460")];
/// let limited = http_response_headers(403, headers, 1_768_478_400).unwrap();
/// assert_eq!(limited.class, ErrorClass::RateLimit);
/// assert_eq!(limited.retry_after.unwrap().as_secs(), 60);
/// ```
pub fn http_response_headers<'h, H>(
    status: u16,
    headers: H,
    now_unix_secs: i64,
) -> Option<Classification>
where
    H: IntoIterator<Item = (&'h str, &'h str), IntoIter: Clone>,
{
    let headers = headers.into_iter();
    let limits = Limits::of(headers.clone(), now_unix_secs);
    let value = header(headers, "Retry-After");
    let explicit = value.and_then(|value| retry_after::parse(value, now_unix_secs));
    response(status, limits.retry_after.or(explicit), limits)
}

fn response(status: u16, explicit: Option<Duration>, limits: Limits) -> Option<Classification> {
    let class = http_status(status);
    (status >= 400).then(|| hinted(class, Some(status.into()), explicit, limits))
}

/// Classifies an error by its HTTP status: the first of `status`, `status_code` and `code` that
/// is present (0 counts as present), otherwise the first number of `args` from 100 to 599. An
/// error without a status is classified by [`default`](super::default).
pub fn http(facts: &Facts<'_>) -> Classification {
    match number(facts) {
        Some(number) => by_number(number).into(),
        None => rules::default(facts),
    }
}

/// As [`http`], with the hint when to come back, unless the class is final. The hint is the first
/// that can be parsed: the error's own, `retry-after-ms`, Retry-After, or, only for `RATE_LIMIT`,
/// the reset of a quota ([`Limits`]). An explicit hint makes a 403 and a 413 `RATE_LIMIT`; an
/// exhausted quota makes a 403 `RATE_LIMIT`.
pub fn http_retry_after(facts: &Facts<'_>) -> Classification {
    hinted(http(facts).class, number(facts), explicit(facts), facts.limits)
}

/// The class that the headers make of a class by the status, with their hint.
fn hinted(
    class: ErrorClass,
    number: Option<i64>,
    explicit: Option<Duration>,
    limits: Limits,
) -> Classification {
    let limited = match number {
        Some(403) => explicit.is_some() || limits.exhausted,
        Some(413) => explicit.is_some(),
        _ => class == ErrorClass::RateLimit,
    };
    let class = if limited { ErrorClass::RateLimit } else { class };
    // What is no failure of HTTP is none that its headers speak of.
    let fails = number.is_none_or(|number| (400..=599).contains(&number));
    let mut classification = Classification::new(class);
    if fails && !class.is_final() {
        // A quota's reset comes with every answer; it is a reason to wait once it is used up.
        let of_quota = if limited { limits.reset } else { None };
        classification.retry_after = explicit.or(of_quota);
    }
    classification
}

fn number(facts: &Facts<'_>) -> Option<i64> {
    let argument = || facts.args.iter().copied().find(|arg| (100..=599).contains(arg));
    facts.status.or(facts.status_code).or(facts.code).or_else(argument)
}

fn by_number(number: i64) -> ErrorClass {
    u16::try_from(number).map_or(ErrorClass::Unknown, http_status)
}

/// The first of the error's own hint and those of its headers that can be read.
fn explicit(facts: &Facts<'_>) -> Option<Duration> {
    let read = |text| retry_after::parse(text, facts.now_unix_secs);
    let own = match facts.retry_after {
        Some(RetryAfter::Span(span)) => Some(span),
        Some(RetryAfter::Text(text)) => read(text),
        None => None,
    };
    own.or(facts.limits.retry_after).or_else(|| facts.retry_after_header.and_then(read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_counts_with_every_class_that_is_retried_and_makes_403_and_413_a_limit() {
        let nine = Some(Duration::from_secs(9));
        for (status, class, hint) in [
            (401, ErrorClass::Auth, None),
            (403, ErrorClass::RateLimit, nine),
            (404, ErrorClass::Permanent, None),
            (408, ErrorClass::Transient, nine),
            (409, ErrorClass::Concurrency, nine),
            (413, ErrorClass::RateLimit, nine),
            (429, ErrorClass::RateLimit, nine),
            (500, ErrorClass::ServerError, nine),
            (503, ErrorClass::ServerError, nine),
        ] {
            let want = Classification { retry_after: hint, ..class.into() };
            assert_eq!(http_response(status, Some("9"), 0), Some(want), "{status}");
            let facts = Facts { status: Some(status.into()), ..Facts::NONE };
            let facts = Facts { retry_after_header: Some("9"), ..facts };
            assert_eq!(http_retry_after(&facts), want, "{status}");
        }
        // What cannot be read is no hint.
        assert_eq!(http_response(403, Some("soon"), 0), Some(ErrorClass::Permission.into()));
        assert_eq!(http_response(413, Some("soon"), 0), Some(ErrorClass::Permanent.into()));
    }

    #[test]
    fn a_status_that_is_no_failure_has_no_hint_and_an_error_without_status_has() {
        let facts = Facts { retry_after_header: Some("9"), ..Facts::NONE };
        for status in [0, 200, 302, 399, 600] {
            let facts = Facts { status: Some(status), ..facts };
            assert_eq!(http_retry_after(&facts), ErrorClass::Unknown.into(), "{status}");
        }
        assert_eq!(http_retry_after(&facts).retry_after, Some(Duration::from_secs(9)));
    }

    #[test]
    fn an_unreadable_own_hint_leaves_the_word_to_the_header() {
        let own = Some(RetryAfter::Text("junk"));
        let facts = Facts {
            status: Some(429),
            retry_after: own,
            retry_after_header: Some("9"),
            ..Facts::NONE
        };
        assert_eq!(http_retry_after(&facts).retry_after, Some(Duration::from_secs(9)));
    }

    #[test]
    fn numbers_that_are_no_status_are_unknown() {
        for status in [i64::MIN, -1, 0, 99, 600, 65_536 + 503, i64::MAX] {
            let facts = Facts { status: Some(status), name: "TimeoutError", ..Facts::NONE };
            assert_eq!(http(&facts).class, ErrorClass::Unknown, "{status}");
        }
    }
}
