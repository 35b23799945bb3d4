//! HTTP: the status of an error or of a response, with its Retry-After.

use crate::classify::facts::{Facts, RetryAfter};
use crate::classify::{retry_after, rules};
use crate::{Classification, Duration, ErrorClass};

/// The class of an HTTP status: 401 AUTH, 403 PERMISSION, 409 CONCURRENCY, 429
/// `RATE_LIMIT`, 408 TRANSIENT, 500 to 599 `SERVER_ERROR`, 400 and 404 PERMANENT, any
/// other UNKNOWN, 422 too (which the [`default`](super::default) rules call
/// PERMANENT).
///
/// Source: RFC 9110, section 15, and RFC 6585, section 4, for 429.
pub const fn http_status(status: u16) -> ErrorClass {
    match status {
        401 => ErrorClass::Auth,
        403 => ErrorClass::Permission,
        400 | 404 => ErrorClass::Permanent,
        408 => ErrorClass::Transient,
        409 => ErrorClass::Concurrency,
        429 => ErrorClass::RateLimit,
        500..=599 => ErrorClass::ServerError,
        _ => ErrorClass::Unknown,
    }
}

/// A response as a result: `None` for a status below 400, else its class, for 429
/// and 503 with the hint of its header Retry-After (`now_unix_secs` is the wall
/// time that a date is compared with).
///
/// Source: RFC 9110, section 10.2.3.
pub fn http_response(
    status: u16,
    retry_after_header: Option<&str>,
    now_unix_secs: i64,
) -> Option<Classification> {
    if status < 400 {
        return None;
    }
    let mut classification = Classification::new(http_status(status));
    if matches!(status, 429 | 503) {
        classification.retry_after =
            retry_after_header.and_then(|value| retry_after::parse(value, now_unix_secs));
    }
    Some(classification)
}

/// An error by its HTTP status: the first of `status`, `status_code` and `code` that
/// is present (0 counts), else the first of `args` in 100 to 599; without any, as
/// [`default`](super::default).
pub fn http(facts: &Facts<'_>) -> Classification {
    match number(facts) {
        Some(number) => by_number(number).into(),
        None => rules::default(facts),
    }
}

/// As [`http`], for `RATE_LIMIT` and for a status of 503 with the hint when to come
/// back: the error's own, if there is one that can be read, else the header's.
pub fn http_retry_after(facts: &Facts<'_>) -> Classification {
    let mut classification = http(facts);
    if classification.class == ErrorClass::RateLimit || number(facts) == Some(503) {
        classification.retry_after = hint(facts);
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

fn hint(facts: &Facts<'_>) -> Option<Duration> {
    let read = |text| retry_after::parse(text, facts.now_unix_secs);
    let own = match facts.retry_after {
        Some(RetryAfter::Span(span)) => Some(span),
        Some(RetryAfter::Text(text)) => read(text),
        None => None,
    };
    own.or_else(|| facts.retry_after_header.and_then(read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_503_carries_its_hint_like_a_429_and_others_do_not() {
        for (status, hinted) in [(429, true), (503, true), (500, false), (404, false)] {
            let response = http_response(status, Some("9"), 0).unwrap();
            assert_eq!(response.retry_after.is_some(), hinted, "{status}");
            let status = Some(status.into());
            let facts = Facts { status, retry_after_header: Some("9"), ..Facts::NONE };
            assert_eq!(http_retry_after(&facts).retry_after.is_some(), hinted);
        }
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
