//! From an error to its class.

use std::io::ErrorKind;

use redress::classify::{self, AwsError, ClassSet, Describe, Facts, Library, Marker, RetryAfter};
use redress::random::NoRandom;
use redress::testing::MockClock;
use redress::{Backoff, Classification, Duration, ErrorClass, Policy, StopReason};

use crate::{each_second, on};

const NONE: Facts<'static> = Facts::NONE;

/// Thu, 15 Jan 2026 12:00:00 GMT.
const NOON: i64 = 1_768_478_400;

/// Line 60.
#[test]
fn the_order_is_class_type_number_name_unknown() {
    let mut facts = NONE;
    let mut of = |change: fn(&mut Facts<'_>)| {
        change(&mut facts);
        classify::default(&facts).class
    };
    assert_eq!(of(|_| {}), ErrorClass::Unknown);
    assert_eq!(of(|facts| facts.name = "AuthError"), ErrorClass::Auth);
    assert_eq!(of(|facts| facts.code = Some(503)), ErrorClass::ServerError);
    assert_eq!(of(|facts| facts.status = Some(409)), ErrorClass::Concurrency);
    assert_eq!(of(|facts| facts.marker = Some(Marker::Timeout)), ErrorClass::Transient);
    assert_eq!(of(|facts| facts.class = Some(ErrorClass::RateLimit)), ErrorClass::RateLimit);
}

/// Line 60.
#[test]
fn an_explicit_type_says_its_class() {
    for (marker, class) in [
        (Marker::Timeout, ErrorClass::Transient),
        (Marker::Permanent, ErrorClass::Permanent),
        (Marker::RateLimit, ErrorClass::RateLimit),
        (Marker::Concurrency, ErrorClass::Concurrency),
        (Marker::ServerError, ErrorClass::ServerError),
    ] {
        let facts = Facts { marker: Some(marker), ..NONE };
        assert_eq!(classify::default(&facts).class, class, "{}", marker.name());
        assert_eq!(classify::strict(&facts).class, class, "{}", marker.name());
    }
}

/// Lines 61, 63: as a status or as a code, in the default rules and the strict ones. Of a bare
/// code only what the reference knows is known.
#[test]
fn a_status_has_its_class() {
    for (status, class) in [
        (402, ErrorClass::Permanent),
        (407, ErrorClass::Auth),
        (418, ErrorClass::Permanent),
        (421, ErrorClass::Transient),
        (423, ErrorClass::Concurrency),
        (425, ErrorClass::Transient),
    ] {
        let by_status = Facts { status: Some(status), ..NONE };
        assert_eq!(classify::default(&by_status).class, class, "{status}");
        assert_eq!(classify::strict(&by_status).class, class, "{status}");
        assert_eq!(classify::http(&by_status).class, class, "{status}");
        let by_code = Facts { code: Some(status), ..NONE };
        assert_eq!(classify::default(&by_code).class, ErrorClass::Unknown, "{status}");
        assert_eq!(classify::strict(&by_code).class, ErrorClass::Unknown, "{status}");
        assert_eq!(classify::http(&by_code).class, class, "{status}");
    }
    for (number, class) in [
        (400, ErrorClass::Permanent),
        (401, ErrorClass::Auth),
        (403, ErrorClass::Permission),
        (404, ErrorClass::Permanent),
        (408, ErrorClass::Transient),
        (409, ErrorClass::Concurrency),
        (422, ErrorClass::Permanent),
        (429, ErrorClass::RateLimit),
        (500, ErrorClass::ServerError),
        (503, ErrorClass::ServerError),
        (599, ErrorClass::ServerError),
        (200, ErrorClass::Unknown),
        (600, ErrorClass::Unknown),
        (-1, ErrorClass::Unknown),
        (i64::MAX, ErrorClass::Unknown),
    ] {
        let by_status = Facts { status: Some(number), ..NONE };
        let by_code = Facts { code: Some(number), ..NONE };
        for facts in [by_status, by_code] {
            assert_eq!(classify::default(&facts).class, class, "{number}");
            assert_eq!(classify::strict(&facts).class, class, "{number}");
        }
    }
}

/// Lines 62, 63.
#[test]
fn a_name_speaks_in_the_default_rules_and_never_in_the_strict_ones() {
    for (name, class) in [
        ("InvalidAuthToken", ErrorClass::Auth),
        ("UNAUTHORIZED", ErrorClass::Auth),
        ("NoCredentialsError", ErrorClass::Auth),
        ("ForbiddenError", ErrorClass::Permission),
        ("PermissionDenied", ErrorClass::Permission),
        ("ReadTimeout", ErrorClass::Transient),
        ("ConnectionResetError", ErrorClass::Transient),
        // The order of the rules decides where several apply.
        ("AuthConnectionTimeout", ErrorClass::Auth),
        ("PermissionTimeout", ErrorClass::Permission),
        ("ValueError", ErrorClass::Unknown),
        ("", ErrorClass::Unknown),
    ] {
        let facts = Facts { name, ..NONE };
        assert_eq!(classify::default(&facts).class, class, "{name}");
        assert_eq!(classify::strict(&facts).class, ErrorClass::Unknown, "{name}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct HttpError {
    status: u16,
    hint: Option<&'static str>,
}

impl Describe for HttpError {
    fn facts(&self) -> Facts<'_> {
        Facts { status: Some(self.status.into()), retry_after_header: self.hint, ..NONE }
    }
}

/// Lines 60, 61: a policy needs no classifier for an error that describes itself.
#[test]
fn an_error_that_describes_itself_is_classified_by_the_default_rules() {
    let policy = each_second().max_attempts(2).build().unwrap();
    for (status, attempts, class) in
        [(404, 1, ErrorClass::Permanent), (503, 2, ErrorClass::ServerError)]
    {
        let clock = MockClock::new();
        let mut retry = policy.on(&clock, NoRandom);
        let outcome = retry.execute(|_| Err::<(), _>(HttpError { status, hint: None }));
        assert_eq!((outcome.attempts, outcome.last_class()), (attempts, Some(class)));
    }
}

/// Line 64: for errors and for values.
#[test]
fn a_classification_is_taken_wherever_a_class_is() {
    let hint = Duration::from_secs(7);
    let busy = Classification::new(ErrorClass::RateLimit).retry_after(hint).detail("quota");
    assert_eq!(Classification::from(ErrorClass::Auth), Classification::new(ErrorClass::Auth));

    const NEVER: Backoff = Backoff::constant(Duration::ZERO);
    let heeding = Backoff::retry_after_or(&NEVER, Duration::ZERO);
    let policy = Policy::builder().max_attempts(2).backoff(heeding).build().unwrap();
    let clock = MockClock::new();
    let mut details = Vec::new();
    let mut of_error = policy
        .on(&clock, NoRandom)
        .classify(|_: &()| busy)
        .on_event(|event| details.push(event.detail));
    assert!(of_error.call(|_| Err::<(), _>(())).is_err());
    assert_eq!(clock.slept(), hint);
    drop(of_error);
    assert_eq!(details, [Some("quota"); 2]);

    let mut of_value = on(&policy, &clock).classify_value(|(): &()| Some(busy));
    assert!(of_value.call(|_| Ok(())).is_err());
    assert_eq!(clock.slept(), Duration::from_secs(14));

    let mut retry = on(&policy, &clock);
    let mut steps = retry.begin().unwrap();
    steps.start().unwrap();
    assert_eq!(steps.fail(busy), redress::driver::Decision::Retry { after: hint });
}

/// Line 65.
#[test]
fn the_http_rules_find_the_status_wherever_it_is() {
    let busy = ErrorClass::RateLimit;
    for (facts, class) in [
        (Facts { status: Some(429), ..NONE }, busy),
        (Facts { status_code: Some(429), ..NONE }, busy),
        (Facts { code: Some(429), ..NONE }, busy),
        (Facts { args: &[429], ..NONE }, busy),
        // The first argument that can be a status; others are some number.
        (Facts { args: &[7, 99, 600, -429, 429, 404], ..NONE }, busy),
        (Facts { args: &[99, 600, i64::MAX], ..NONE }, ErrorClass::Unknown),
        // An attribute goes before an argument, and `status` before `status_code` before `code`.
        (
            Facts {
                status: Some(409),
                status_code: Some(404),
                code: Some(401),
                args: &[503],
                ..NONE
            },
            ErrorClass::Concurrency,
        ),
        (Facts { status_code: Some(404), code: Some(401), ..NONE }, ErrorClass::Permanent),
        (Facts { code: Some(501), ..NONE }, ErrorClass::ServerError),
        (Facts { code: Some(302), ..NONE }, ErrorClass::Unknown),
        // Without any number the default rules decide.
        (Facts { name: "ReadTimeout", ..NONE }, ErrorClass::Transient),
        (Facts { marker: Some(Marker::Permanent), ..NONE }, ErrorClass::Permanent),
    ] {
        assert_eq!(classify::http(&facts).class, class, "{facts:?}");
    }
}

/// Line 66.
#[test]
fn a_hint_counts_with_every_class_that_is_retried_and_with_no_other() {
    let header = Some("7");
    let seven = Some(Duration::from_secs(7));
    for (status, class, hint) in [
        (400, ErrorClass::Permanent, None),
        (401, ErrorClass::Auth, None),
        (403, ErrorClass::RateLimit, seven),
        (404, ErrorClass::Permanent, None),
        (408, ErrorClass::Transient, seven),
        (409, ErrorClass::Concurrency, seven),
        (413, ErrorClass::RateLimit, seven),
        (422, ErrorClass::Permanent, None),
        (425, ErrorClass::Transient, seven),
        (429, ErrorClass::RateLimit, seven),
        (500, ErrorClass::ServerError, seven),
        (503, ErrorClass::ServerError, seven),
    ] {
        let want = Classification { retry_after: hint, ..class.into() };
        let facts = Facts { status: Some(status), retry_after_header: header, ..NONE };
        assert_eq!(classify::http_retry_after(&facts), want, "{status}");
        let response = classify::http_response(status as u16, header, NOON);
        assert_eq!(response, Some(want), "{status}");
    }
    let marked = Facts { marker: Some(Marker::RateLimit), retry_after_header: header, ..NONE };
    assert_eq!(classify::http_retry_after(&marked).retry_after, seven);
    for status in [100, 200, 204, 302, 399] {
        assert_eq!(classify::http_response(status, header, NOON), None, "{status}");
        let facts = Facts { status: Some(status.into()), retry_after_header: header, ..NONE };
        assert_eq!(classify::http_retry_after(&facts).retry_after, None, "{status}");
    }
}

/// Line 66.
#[test]
fn a_hint_has_many_shapes_and_a_wrong_one_is_none() {
    for (text, secs) in [
        ("120", Some(120)),
        (" 120\t", Some(120)),
        ("0", Some(0)),
        ("-5", Some(0)),
        ("Thu, 15 Jan 2026 12:00:05 GMT", Some(5)),
        ("Thursday, 15-Jan-26 12:00:05 GMT", Some(5)),
        ("Thu Jan 15 12:00:05 2026", Some(5)),
        ("Thu, 15 Jan 2026 11:59:59 GMT", Some(0)),
        // A date without a zone is none of the three forms, except asctime's.
        ("Thu, 15 Jan 2026 12:00:05", None),
        ("2026-01-15T12:00:05Z", None),
        ("soon", None),
        ("", None),
        ("NaN", None),
        ("1e3", None),
        ("1.", None),
        ("1,000", None),
        ("120s", None),
        ("120, 60", None),
        ("+5", None),
    ] {
        let facts = Facts {
            status: Some(429),
            retry_after_header: Some(text),
            now_unix_secs: NOON,
            ..NONE
        };
        let hint = secs.map(Duration::from_secs);
        assert_eq!(classify::http_retry_after(&facts).retry_after, hint, "{text:?}");
    }
}

/// Line 66: the error's own hint goes before the header's, if it can be read.
#[test]
fn an_own_hint_wins_over_the_header() {
    let span = |secs| RetryAfter::Span(Duration::from_secs(secs));
    for (own, header, secs) in [
        (Some(span(3)), Some("9"), Some(3)),
        (Some(span(0)), Some("9"), Some(0)),
        (Some(RetryAfter::Text("4")), Some("9"), Some(4)),
        (Some(RetryAfter::Text("junk")), Some("9"), Some(9)),
        (Some(RetryAfter::Text("junk")), None, None),
        (None, Some("9"), Some(9)),
        (None, None, None),
    ] {
        let facts =
            Facts { status: Some(429), retry_after: own, retry_after_header: header, ..NONE };
        let hint = secs.map(Duration::from_secs);
        assert_eq!(classify::http_retry_after(&facts).retry_after, hint, "{own:?} {header:?}");
    }
}

/// Line 66: any iterator of pairs will do, a map's or a list's.
#[test]
fn a_header_is_found_in_any_collection_and_any_case() {
    let list = [("Date", "x"), ("RETRY-after", "9"), ("retry-after", "10")];
    assert_eq!(classify::header(list, "Retry-After"), Some("9"));
    let map = std::collections::HashMap::from([("retry-after".to_owned(), "5".to_owned())]);
    let pairs = map.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    assert_eq!(classify::header(pairs, "Retry-After"), Some("5"));
    assert_eq!(classify::header([], "Retry-After"), None);
}

/// Line 67.
#[test]
fn an_sqlstate_has_its_class_as_attribute_and_in_a_message() {
    for (state, class) in [
        ("40001", ErrorClass::Concurrency),
        ("40P01", ErrorClass::Concurrency),
        ("08006", ErrorClass::Transient),
        ("08S01", ErrorClass::Transient),
        ("HYT00", ErrorClass::Transient),
        ("HYT01", ErrorClass::Transient),
        ("28P01", ErrorClass::Auth),
        ("28000", ErrorClass::Auth),
        ("42000", ErrorClass::Permanent),
        ("42P01", ErrorClass::Permanent),
        ("42501", ErrorClass::Permission),
        ("25006", ErrorClass::Concurrency),
        ("57P03", ErrorClass::Transient),
        ("53300", ErrorClass::ServerError),
        ("23505", ErrorClass::Permanent),
        ("40003", ErrorClass::Unknown),
        ("HY000", ErrorClass::Unknown),
    ] {
        let (bracketed, told) = (format!("[{state}] no"), format!("no (SQLSTATE {state})"));
        let by_attribute = Facts { sqlstate: state, message: "[40001]", ..NONE };
        assert_eq!(classify::sqlstate(&by_attribute).class, class, "{state}");
        assert_eq!(classify::odbc(&by_attribute).class, class, "{state}");
        let by_bracket = Facts { message: &bracketed, ..NONE };
        assert_eq!(classify::sqlstate(&by_bracket).class, class, "{state}");
        assert_eq!(classify::odbc(&by_bracket).class, class, "{state}");
        let by_word = Facts { message: &told, ..NONE };
        assert_eq!(classify::sqlstate(&by_word).class, class, "{state}");
        assert_eq!(classify::odbc(&by_word).class, ErrorClass::Unknown, "{state}");
    }
}

/// Line 67.
#[test]
fn a_word_or_a_number_in_a_message_is_no_sqlstate() {
    for message in ["ERROR while reading", "28000 rows", "line 40001: no", "[400011]", ""] {
        let facts = Facts { message, ..NONE };
        assert_eq!(classify::sqlstate(&facts).class, ErrorClass::Unknown, "{message}");
    }
    let timeout = Facts { message: "ERROR", name: "QueryTimeout", ..NONE };
    assert_eq!(classify::sqlstate(&timeout).class, ErrorClass::Transient);
}

/// Line 68.
#[test]
fn a_grpc_status_has_its_class_by_name_and_by_number() {
    for (number, name, class) in [
        (0, "OK", ErrorClass::Unknown),
        (1, "CANCELLED", ErrorClass::Permanent),
        (2, "UNKNOWN", ErrorClass::Unknown),
        (3, "INVALID_ARGUMENT", ErrorClass::Permanent),
        (4, "DEADLINE_EXCEEDED", ErrorClass::Transient),
        (5, "NOT_FOUND", ErrorClass::Permanent),
        (6, "ALREADY_EXISTS", ErrorClass::Permanent),
        (7, "PERMISSION_DENIED", ErrorClass::Permission),
        (8, "RESOURCE_EXHAUSTED", ErrorClass::RateLimit),
        (9, "FAILED_PRECONDITION", ErrorClass::Permanent),
        (10, "ABORTED", ErrorClass::Concurrency),
        (11, "OUT_OF_RANGE", ErrorClass::Permanent),
        (12, "UNIMPLEMENTED", ErrorClass::Permanent),
        (13, "INTERNAL", ErrorClass::ServerError),
        (14, "UNAVAILABLE", ErrorClass::Transient),
        (15, "DATA_LOSS", ErrorClass::ServerError),
        (16, "UNAUTHENTICATED", ErrorClass::Auth),
        (17, "", ErrorClass::Unknown),
        (-1, "unavailable", ErrorClass::Unknown),
    ] {
        let known = (class != ErrorClass::Unknown).then_some(class);
        assert_eq!(classify::grpc_code(number, ""), known, "{number}");
        assert_eq!(classify::grpc_name(name, ""), known, "{name}");
        let facts = Facts { grpc: Some(name), status: Some(429), ..NONE };
        assert_eq!(classify::grpc(&facts).class, class, "{name}");
    }
    let other = Facts { status: Some(429), ..NONE };
    assert_eq!(classify::grpc(&other).class, ErrorClass::RateLimit);
}

/// Line 69.
#[test]
fn an_aws_error_goes_by_its_code_then_by_its_status() {
    for (code, status, class) in [
        ("ThrottlingException", Some(400), ErrorClass::RateLimit),
        ("SlowDown", Some(503), ErrorClass::RateLimit),
        ("AccessDenied", Some(403), ErrorClass::Permission),
        ("ExpiredToken", Some(400), ErrorClass::Auth),
        ("ConditionalCheckFailedException", Some(400), ErrorClass::Concurrency),
        ("RequestTimeout", Some(400), ErrorClass::Transient),
        ("InternalError", None, ErrorClass::ServerError),
        ("NoSuchKey", Some(404), ErrorClass::Permanent),
        ("", Some(408), ErrorClass::Transient),
        ("", Some(409), ErrorClass::Concurrency),
        ("", Some(429), ErrorClass::RateLimit),
        ("", Some(502), ErrorClass::ServerError),
        ("", None, ErrorClass::Unknown),
    ] {
        let facts = Facts { aws: Some(AwsError { code, status }), ..NONE };
        assert_eq!(classify::aws(&facts).class, class, "{code} {status:?}");
    }
    let broken = Facts { name: "ReadTimeoutError", library: Library::Aws, ..NONE };
    assert_eq!(classify::aws(&broken).class, ErrorClass::Transient);
    assert_eq!(classify::aws(&Facts { status: Some(401), ..NONE }).class, ErrorClass::Auth);
}

/// Line 69.
#[test]
fn a_redis_error_goes_by_its_type_and_a_reply_by_its_first_word() {
    for (name, ancestors, class) in [
        ("ReadOnlyError", &["ResponseError", "RedisError"][..], ErrorClass::Concurrency),
        ("AuthenticationError", &["ConnectionError"], ErrorClass::Auth),
        ("AuthorizationError", &["ConnectionError"], ErrorClass::Permission),
        ("BusyLoadingError", &[], ErrorClass::Transient),
        ("MaxConnectionsError", &["ConnectionError"], ErrorClass::Transient),
        ("MasterDownError", &["ClusterDownError"], ErrorClass::Transient),
        ("TryAgainError", &["ResponseError"], ErrorClass::Concurrency),
        ("MovedError", &["AskError"], ErrorClass::Permanent),
        ("OutOfMemoryError", &["ResponseError"], ErrorClass::ServerError),
        ("DataError", &["RedisError"], ErrorClass::Unknown),
    ] {
        let facts = Facts { name, ancestors, library: Library::Redis, ..NONE };
        assert_eq!(classify::redis(&facts).class, class, "{name}");
    }
    for (reply, class) in [
        ("NOAUTH Authentication required.", ErrorClass::Auth),
        ("-WRONGPASS invalid", ErrorClass::Auth),
        ("NOPERM no", ErrorClass::Permission),
        ("TRYAGAIN Multiple keys request", ErrorClass::Concurrency),
        ("LOADING Redis is loading", ErrorClass::Transient),
        ("CLUSTERDOWN", ErrorClass::Transient),
        ("OOM command not allowed", ErrorClass::ServerError),
        ("WRONGTYPE Operation", ErrorClass::Permanent),
        ("MOVED 3999 127.0.0.1:6381", ErrorClass::Permanent),
        ("ERR unknown command 'LOADING'", ErrorClass::Permanent),
        ("ERR max number of clients reached", ErrorClass::ServerError),
    ] {
        assert_eq!(classify::redis_message(reply), Some(class), "{reply}");
        let facts = Facts { message: reply, library: Library::Redis, ..NONE };
        assert_eq!(classify::redis(&facts).class, class, "{reply}");
    }
    assert_eq!(classify::redis_message("ERR no such key"), None);
    assert_eq!(classify::redis_message(""), None);
}

/// Line 69: the same for `std`.
#[test]
fn an_io_error_goes_by_its_kind() {
    for (kind, class) in [
        (ErrorKind::ConnectionReset, ErrorClass::Transient),
        (ErrorKind::TimedOut, ErrorClass::Transient),
        (ErrorKind::PermissionDenied, ErrorClass::Permission),
        (ErrorKind::WouldBlock, ErrorClass::Transient),
        (ErrorKind::Deadlock, ErrorClass::Concurrency),
        (ErrorKind::StorageFull, ErrorClass::ServerError),
        (ErrorKind::NotFound, ErrorClass::Permanent),
        (ErrorKind::Other, ErrorClass::Unknown),
    ] {
        assert_eq!(classify::io_kind(kind), class, "{kind:?}");
        assert_eq!(classify::default(&std::io::Error::from(kind).facts()).class, class);
    }
}

/// Lines 60, 65: whatever an error carries, a classifier has an answer.
#[test]
fn no_classifier_stumbles_over_what_it_cannot_use() {
    let numbers = [i64::MIN, -1, 0, 1, 99, 600, 1 << 32, i64::MAX];
    let texts = ["", " ", "\u{0}", "ä", "9999999999", "[", "[[40001", "-", "1m30", "9.", "r=0;t="];
    let rules = [
        classify::default,
        classify::strict,
        classify::http,
        classify::http_retry_after,
        classify::sqlstate,
        classify::odbc,
        classify::grpc,
        classify::aws,
        classify::redis,
    ];
    for rule in rules {
        for number in numbers {
            for text in texts {
                let names = ["RateLimit", "RateLimit-Reset", "x-ratelimit-reset-a", "-remaining-"];
                let headers = names.iter().map(|name| (*name, text)).chain([(text, text)]);
                let (status, args) = (Some(number), &[number][..]);
                let retry_after = Some(RetryAfter::Text(text));
                let aws = Some(AwsError { code: text, status });
                let full = Facts { status, args, retry_after, aws, ..NONE };
                let full = Facts { name: text, message: text, sqlstate: text, ..full };
                let full = Facts { now_unix_secs: number, grpc: Some(text), ..full };
                rule(&full);
                rule(&full.with_headers(headers));
                rule(&Facts { status: None, sqlstate: "", ..full });
            }
        }
    }
}

/// Lines 60, 64: a class that cannot be retried stops, an unknown one has its own cap.
#[test]
fn the_class_decides_what_a_failure_deserves() {
    let policy = each_second().max_attempts(5).build().unwrap();
    for (class, attempts, reason) in [
        (ErrorClass::Auth, 1, StopReason::NonRetryableClass),
        (ErrorClass::Unknown, 3, StopReason::MaxUnknownAttempts),
        (ErrorClass::Transient, 5, StopReason::MaxAttemptsGlobal),
    ] {
        let clock = MockClock::new();
        let outcome = on(&policy, &clock).execute(|_| Err::<(), _>(class));
        assert_eq!((outcome.attempts, outcome.stop_reason()), (attempts, Some(reason)));
    }
}

#[test]
fn a_status_is_one_of_100_to_599() {
    for (status, class) in [
        (399, None),
        (400, Some(ErrorClass::Permanent)),
        (499, Some(ErrorClass::Permanent)),
        (500, Some(ErrorClass::ServerError)),
        (599, Some(ErrorClass::ServerError)),
    ] {
        let answer = classify::http_response_headers(status, [("retry-after", "7")], NOON);
        assert_eq!(answer.map(|answer| answer.class), class, "{status}");
        let hint = answer.and_then(|answer| answer.retry_after);
        let follows = class == Some(ErrorClass::ServerError);
        assert_eq!(hint.is_some(), follows, "{status}");
    }
}

/// A state counts in an ODBC message only between brackets, whatever else looks like one.
#[test]
fn an_odbc_state_stands_between_brackets() {
    for (message, class) in [
        ("[HYT00] timeout", ErrorClass::Transient),
        ("[40001] deadlock", ErrorClass::Concurrency),
        ("HYT00 timeout", ErrorClass::Unknown),
        ("[HYT00 timeout", ErrorClass::Unknown),
        ("HYT00] timeout", ErrorClass::Unknown),
        ("[hyt00] timeout", ErrorClass::Unknown),
        ("[Microsoft] no state", ErrorClass::Unknown),
    ] {
        let facts = Facts { message, ..Facts::NONE };
        assert_eq!(classify::odbc(&facts).class, class, "{message}");
    }
}

#[test]
fn a_set_of_classes_loses_one_at_a_time() {
    for class in ErrorClass::ALL {
        let without = ClassSet::ALL.without(class);
        for other in ErrorClass::ALL {
            assert_eq!(without.contains(other), other != class);
        }
        assert_eq!(without.with(class), ClassSet::ALL);
        assert!(ClassSet::EMPTY.with(class).without(class).is_empty());
    }
}
