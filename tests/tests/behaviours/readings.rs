//! What classifiers make of names, numbers, texts and dates that are nearly those they know.

use redress::classify::{self, AwsError, Describe, Facts, Library, Limits, RetryAfter};
use redress::{Duration, ErrorClass};

/// Thu, 15 Jan 2026 12:00:00 GMT.
const NOON: i64 = 1_768_478_400;

#[test]
fn a_name_or_a_code_that_is_not_in_a_table_says_nothing() {
    for name in ["", "AbortErrors", "TimeoutError", "abortError"] {
        assert_eq!(classify::abort_name(name), None, "{name}");
    }
    for code in ["", "CERT_NOT_YET_VALID", "cert_has_expired"] {
        assert_eq!(classify::tls_code(code), None, "{code}");
    }
    for (code, state, class) in [
        ("P1234", "", Some(ErrorClass::Permanent)),
        ("P12x4", "", None),
        ("P123", "", None),
        ("P2010", "08006", Some(ErrorClass::Transient)),
        // Neither an SQLSTATE nor a number of MySQL.
        ("P2010", "080061", None),
    ] {
        assert_eq!(classify::prisma_code(code, state), class, "{code} {state}");
    }
}

#[test]
fn a_type_of_a_broken_connection_is_one_of_the_aws_library_alone() {
    let of = |library, name, ancestors, code, status| {
        let aws = Some(AwsError { code, status });
        classify::aws(&Facts { library, name, ancestors, aws, ..Facts::NONE }).class
    };
    let parent: &[&str] = &["SomeError", "ConnectTimeoutError"];
    for (library, name, ancestors, class) in [
        (Library::Aws, "ReadTimeoutError", &[][..], ErrorClass::Transient),
        (Library::Aws, "MyError", parent, ErrorClass::Transient),
        (Library::Aws, "MyError", &[], ErrorClass::Permanent),
        (Library::Other, "ReadTimeoutError", &[], ErrorClass::Permanent),
    ] {
        assert_eq!(of(library, name, ancestors, "", Some(400)), class, "{name} {ancestors:?}");
    }
    for (code, status, class) in [
        ("Custom", 401, ErrorClass::Auth),
        ("Custom", 403, ErrorClass::Permission),
        ("Custom", 408, ErrorClass::Permanent),
        ("Custom", 409, ErrorClass::Permanent),
        ("", 408, ErrorClass::Transient),
        ("", 409, ErrorClass::Concurrency),
    ] {
        assert_eq!(of(Library::Aws, "", &[], code, Some(status)), class, "{code} {status}");
    }
}

struct Busy;

impl Describe for Busy {
    fn facts(&self) -> Facts<'_> {
        Facts { status: Some(503), ..Facts::NONE }
    }
}

fn class_of(error: impl Describe) -> ErrorClass {
    classify::default(&error.facts()).class
}

#[test]
fn a_reference_to_an_error_says_what_the_error_says() {
    assert_eq!(
        (class_of(Busy), class_of(&Busy)),
        (ErrorClass::ServerError, ErrorClass::ServerError)
    );
}

/// Of a resource that is exhausted it is the message that says whether it is the call's own size.
#[test]
fn only_a_message_that_is_too_large_is_too_large() {
    for (message, class) in [
        ("Received message larger than max (5 vs. 4)", ErrorClass::Permanent),
        ("grpc: message too large", ErrorClass::Permanent),
        ("message exceeds the maximum of 4 MB", ErrorClass::Permanent),
        ("queue larger than 100", ErrorClass::RateLimit),
        ("message exceeds the quota", ErrorClass::RateLimit),
        ("the maximum of messages per minute", ErrorClass::RateLimit),
        ("", ErrorClass::RateLimit),
    ] {
        assert_eq!(classify::grpc_code(8, message), Some(class), "{message}");
    }
}

/// The first argument that can be a status is taken for it.
#[test]
fn an_argument_from_100_to_599_is_a_status() {
    for (args, class) in [
        (&[99, 404][..], ErrorClass::Permanent),
        (&[100, 404], ErrorClass::Unknown),
        (&[599, 404], ErrorClass::ServerError),
        (&[600, 404], ErrorClass::Permanent),
        (&[-503, 404], ErrorClass::Permanent),
    ] {
        assert_eq!(classify::http(&Facts { args, ..Facts::NONE }).class, class, "{args:?}");
    }
}

#[test]
fn a_state_of_odbc_is_five_capitals_or_digits_between_brackets() {
    let odbc = |message| classify::odbc(&Facts { message, ..Facts::NONE }).class;
    assert_eq!(odbc("[08001] no route"), ErrorClass::Transient);
    for message in ["[08]", "[080061]", "[08abc]", "[08-01]", "{08001]", "[08001}", "(08001)"] {
        assert_eq!(odbc(message), ErrorClass::Unknown, "{message}");
    }
}

#[test]
fn a_word_of_another_length_is_no_sqlstate() {
    let of = |message| {
        let facts = Facts { message, status: Some(503), ..Facts::NONE };
        classify::sqlstate(&facts).class
    };
    for (message, class) in [
        ("deadlock 40P01", ErrorClass::Concurrency),
        ("deadlock 40P01~", ErrorClass::Concurrency),
        ("deadlock `40P01`", ErrorClass::Concurrency),
        ("deadlock 40P01_X", ErrorClass::ServerError),
        ("(08) X1 PG16 down", ErrorClass::ServerError),
        ("08ABCD", ErrorClass::ServerError),
    ] {
        assert_eq!(of(message), class, "{message}");
    }
}

fn limits(headers: &[(&str, &str)], now: i64) -> Limits {
    Limits::of(headers.iter().copied(), now)
}

#[test]
fn a_quota_is_read_by_its_older_name_and_of_two_headers_by_the_first() {
    let used_up =
        Limits { retry_after: None, exhausted: true, reset: Some(Duration::from_secs(30)) };
    for headers in [
        &[("X-RateLimit", "limit=100, remaining=0, reset=30")][..],
        &[
            ("X-RateLimit-Remaining", "0"),
            ("X-RateLimit-Remaining", "5"),
            ("X-RateLimit-Reset", "30"),
        ],
    ] {
        assert_eq!(limits(headers, NOON), used_up, "{headers:?}");
    }
}

/// However long it takes, a sum does not begin anew.
#[test]
fn a_reset_beyond_any_range_is_the_longest_and_one_that_is_over_is_none() {
    let longest = Some(Duration::MAX);
    let nothing = Some(Duration::ZERO);
    for (value, now, want) in [
        ("99999999999999999999.5s", NOON, longest),
        ("9223372036854775808d", NOON, longest),
        ("99999999999999999999s1s", NOON, longest),
        ("1000000000000", NOON, nothing),
        ("2026-01-15T12:01:00.5Z", i64::MIN, longest),
        ("2026-01-15T12:00:00.5Z", NOON, Some(Duration::from_millis(500))),
        ("2026-01-15T11:59:59.5Z", NOON, nothing),
        ("2026-01-15T12:00:00Z", NOON, nothing),
    ] {
        assert_eq!(limits(&[("RateLimit-Reset", value)], now).reset, want, "{value}");
    }
}

/// RFC 9110: a year of two digits that is more than fifty years ahead is one that is over.
#[test]
fn a_date_is_read_for_each_year_of_four_digits() {
    // 50 years of 365.25 days before the first second of 2076.
    const BEFORE_2076: i64 = 3_345_062_400 - 50 * 31_557_600;
    let fifty_years = Duration::from_secs(50 * 31_557_600);
    for (text, now, want) in [
        ("Wed, 00 Jan 2026 12:00:00 GMT", NOON, None),
        ("Sat, 01 Jan 0000 00:00:00 GMT", NOON, Some(Duration::ZERO)),
        ("Fri, 31 Dec 9999 00:00:00 GMT", NOON, Some(Duration::from_secs(251_633_736_000))),
        // The weekday says which century it is.
        ("Wednesday, 01-Jan-76 00:00:00 GMT", BEFORE_2076, Some(fifty_years)),
        ("Wednesday, 01-Jan-76 00:00:00 GMT", BEFORE_2076 - 1, None),
        ("Thursday, 01-Jan-76 00:00:00 GMT", BEFORE_2076 - 1, Some(Duration::ZERO)),
        ("Friday, 15-Jan-26 12:00:05 GMT", i64::MIN, Some(Duration::MAX)),
        ("Monday, 01-Jan-00 00:00:00 GMT", i64::MAX, Some(Duration::ZERO)),
        ("Saturday, 01-Jan-00 00:00:00 GMT", i64::MAX, None),
        ("Friday, 31-Dec-99 00:00:00 GMT", i64::MAX, Some(Duration::ZERO)),
    ] {
        assert_eq!(classify::retry_after::parse(text, now), want, "{text} at {now}");
    }
    let own = Some(RetryAfter::Text("Wed, 00 Jan 2026 12:00:00 GMT"));
    let facts = Facts { status: Some(429), retry_after: own, now_unix_secs: NOON, ..Facts::NONE };
    assert_eq!(classify::http_retry_after(&facts).retry_after, None);
}

/// An error may have itself for its source, so to say: the search ends.
#[test]
fn the_sources_of_an_io_error_are_looked_at_sixteen_deep() {
    use std::io::{Error, ErrorKind};
    for (depth, class) in
        [(0, ErrorClass::Transient), (16, ErrorClass::Transient), (17, ErrorClass::Unknown)]
    {
        let reset = Error::from(ErrorKind::ConnectionReset);
        let error = (0..depth).fold(reset, |inner, _| Error::other(inner));
        assert_eq!(classify::io_error(&error), class, "{depth}");
    }
}
