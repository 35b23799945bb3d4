//! What the headers of an answer say of when to come back, besides Retry-After.

use redress::classify::{self, Facts, Limits, RetryAfter};
use redress::{Classification, Duration, ErrorClass};

/// Thu, 15 Jan 2026 12:00:00 GMT.
const NOON: i64 = 1_768_478_400;

fn answer(status: u16, headers: &[(&str, &str)]) -> Classification {
    let by_response = classify::http_response_headers(status, headers.iter().copied(), NOON);
    let facts = Facts { status: Some(status.into()), now_unix_secs: NOON, ..Facts::NONE };
    let by_error = classify::http_retry_after(&facts.with_headers(headers.iter().copied()));
    assert_eq!(by_response, Some(by_error), "{status} {headers:?}");
    by_error
}

fn limited(secs: u64) -> Classification {
    Classification::new(ErrorClass::RateLimit).retry_after(Duration::from_secs(secs))
}

/// Line 143: GitHub sends its quota with every answer.
#[test]
fn a_403_with_much_of_its_quota_left_is_a_permission_without_a_hint() {
    let in_50_minutes = (NOON + 3_000).to_string();
    let headers = |remaining| {
        [
            ("X-RateLimit-Limit", "5000"),
            ("X-RateLimit-Remaining", remaining),
            ("X-RateLimit-Reset", in_50_minutes.as_str()),
            ("X-RateLimit-Used", "1"),
        ]
    };
    assert_eq!(answer(403, &headers("4999")), ErrorClass::Permission.into());
    assert_eq!(answer(403, &headers("0")), limited(3_000));
    assert_eq!(answer(403, &headers("0")[..2]), ErrorClass::RateLimit.into());
    assert_eq!(answer(403, &headers("0")[2..]), ErrorClass::Permission.into());
    // A secondary limit says how long to wait, and leaves the quota.
    let secondary = [&headers("4999")[..], &[("Retry-After", "60")]].concat();
    assert_eq!(answer(403, &secondary), limited(60));
}

/// Line 143.
#[test]
fn a_reset_is_no_hint_for_a_failure_that_is_no_limit() {
    let in_50_minutes = (NOON + 3_000).to_string();
    let reset = ("X-RateLimit-Reset", in_50_minutes.as_str());
    for remaining in ["0", "4999"] {
        let headers = [("X-RateLimit-Remaining", remaining), reset];
        for (status, class) in [
            (401, ErrorClass::Auth),
            (404, ErrorClass::Permanent),
            (408, ErrorClass::Transient),
            (409, ErrorClass::Concurrency),
            (413, ErrorClass::Permanent),
            (500, ErrorClass::ServerError),
            (503, ErrorClass::ServerError),
        ] {
            assert_eq!(answer(status, &headers), class.into(), "{status}");
        }
        let success = classify::http_response_headers(200, headers, NOON);
        assert_eq!(success, None);
    }
    assert_eq!(answer(500, &[reset]), ErrorClass::ServerError.into());
    assert_eq!(answer(429, &[reset]), limited(3_000));
}

/// Line 143: in the forms that services have for it.
#[test]
fn at_a_429_the_quota_that_is_used_up_says_when_to_come_back() {
    for (headers, hint) in [
        // The internet draft, in its three forms.
        (&[("RateLimit-Remaining", "0"), ("RateLimit-Reset", "30")][..], Some(30)),
        (&[("RateLimit", "limit=100, remaining=0, reset=30")], Some(30)),
        (&[("RateLimit", r#""default";r=0;t=30"#)], Some(30)),
        (&[("RateLimit", r#""default";r=50;t=30"#)], None),
        // OpenAI.
        (
            &[
                ("x-ratelimit-remaining-requests", "59"),
                ("x-ratelimit-reset-requests", "1s"),
                ("x-ratelimit-remaining-tokens", "0"),
                ("x-ratelimit-reset-tokens", "6m0s"),
            ],
            Some(360),
        ),
        // Anthropic: the latest of those that are used up.
        (
            &[
                ("anthropic-ratelimit-requests-remaining", "0"),
                ("anthropic-ratelimit-requests-reset", "2026-01-15T12:00:10Z"),
                ("anthropic-ratelimit-tokens-remaining", "0"),
                ("anthropic-ratelimit-tokens-reset", "2026-01-15T12:01:30Z"),
                ("anthropic-ratelimit-input-tokens-remaining", "900"),
                ("anthropic-ratelimit-input-tokens-reset", "2026-01-15T13:00:00Z"),
            ],
            Some(90),
        ),
        // Of none it is said what remains: the shortest.
        (&[("x-ratelimit-reset-hour", "1800"), ("x-ratelimit-reset-second", "1")], Some(1)),
        // An epoch in seconds, in milliseconds, and one that is over.
        (&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1768478460")], Some(60)),
        (&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1768478460000")], Some(60)),
        (&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1768478399")], Some(0)),
        (&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "soon")], None),
    ] {
        let want = hint.map_or(ErrorClass::RateLimit.into(), limited);
        assert_eq!(answer(429, headers), want, "{headers:?}");
    }
}

/// Line 144.
#[test]
fn an_explicit_hint_wins_over_a_reset_and_milliseconds_over_seconds() {
    let quota = [("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1800")];
    let with = |more: &[(&'static str, &'static str)]| [&quota[..], more].concat();
    assert_eq!(answer(429, &with(&[("Retry-After", "7")])), limited(7));
    assert_eq!(answer(429, &with(&[("Retry-After", "soon")])), limited(1_800));
    assert_eq!(answer(429, &with(&[("retry-after-ms", "3000")])), limited(3));
    assert_eq!(answer(429, &with(&[("Retry-After", "7"), ("retry-after-ms", "3000")])), limited(3));
    let busy = Classification::new(ErrorClass::ServerError);
    let half = Duration::from_millis(500);
    assert_eq!(answer(503, &with(&[("retry-after-ms", "500")])), busy.retry_after(half));
    assert_eq!(answer(404, &with(&[("retry-after-ms", "500")])), ErrorClass::Permanent.into());
    // The error's own hint goes before all of them.
    let own = Some(RetryAfter::Span(half));
    let facts = Facts { status: Some(429), retry_after: own, ..Facts::NONE };
    let facts = facts.with_headers([("retry-after-ms", "3000"), ("Retry-After", "7")]);
    assert_eq!(classify::http_retry_after(&facts).retry_after, Some(half));
}

/// Line 144.
#[test]
fn a_hint_beyond_any_range_is_the_longest_and_does_not_vanish() {
    let digits = "99999999999999999999";
    let nines = "9".repeat(400);
    for value in [digits, "99999999999999999999.5", nines.as_str()] {
        for (status, name) in [
            (429, "Retry-After"),
            (503, "Retry-After"),
            (500, "retry-after-ms"),
            (429, "RateLimit-Reset"),
        ] {
            let hint = answer(status, &[(name, value)]).retry_after;
            assert_eq!(hint, Some(Duration::MAX), "{status} {name}: {value}");
        }
    }
}

/// Line 144.
#[test]
fn seconds_may_have_decimals() {
    let of = |value| answer(429, &[("Retry-After", value)]).retry_after.map(Duration::as_micros);
    assert_eq!(of("1.5"), Some(1_500_000));
    assert_eq!(of(" 0.25 "), Some(250_000));
    assert_eq!([of("1e3"), of("nan"), of("1,000"), of("120s"), of("120, 60")], [None; 5]);
}

/// Line 143: headers of other things, and of nothing.
#[test]
fn headers_that_say_nothing_of_limits_are_passed_over() {
    let headers = [
        ("Content-Length", "0"),
        ("Password-Reset", "30"),
        ("RateLimit-Policy", r#""default";q=100;w=60"#),
        ("X-RateLimit-Limit", "100"),
        ("", ""),
    ];
    assert_eq!(Limits::of(headers, NOON), Limits::NONE);
    assert_eq!(answer(429, &headers), ErrorClass::RateLimit.into());
    assert_eq!(answer(403, &headers), ErrorClass::Permission.into());
}

#[test]
fn a_date_that_no_calendar_has_is_no_hint() {
    for (text, secs) in [
        ("2026-01-15T12:00:59Z", Some(59)),
        ("2026-01-15T12:59:00Z", Some(59 * 60)),
        ("2026-01-15T23:00:00Z", Some(11 * 3600)),
        ("2026-01-16T11:59:00+23:59", Some(0)),
        ("2026-01-15T12:00:00-23:59", Some(23 * 3600 + 59 * 60)),
        ("2026-12-31T12:00:00Z", Some(350 * 86_400)),
        ("2028-02-29T12:00:00Z", Some(775 * 86_400)),
        ("2026-00-15T12:00:00Z", None),
        ("2026-13-15T12:00:00Z", None),
        ("2026-01-00T12:00:00Z", None),
        ("2026-01-32T12:00:00Z", None),
        ("2026-02-29T12:00:00Z", None),
        ("2100-02-29T12:00:00Z", None),
        ("2026-04-31T12:00:00Z", None),
        ("2026-01-15T24:00:00Z", None),
        ("2026-01-15T12:60:00Z", None),
        ("2026-01-15T12:00:61Z", None),
        ("2026-01-15T12:00:00+24:00", None),
        ("2026-01-15T12:00:00+00:60", None),
        ("2026-01-15T25:00:00Z", None),
        ("2026-01-15T12:61:00Z", None),
        ("2026-01-15T12:00:62Z", None),
        ("2026-01-15T12:00:00+25:00", None),
        ("2026-01-15T12:00:00+00:61", None),
        ("2026-14-15T12:00:00Z", None),
        ("2026-01-33T12:00:00Z", None),
        ("2026-01-15T12:00:00Z ", Some(0)),
        ("2026-01-15T12:00:00Zz", None),
    ] {
        let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", text)];
        let answer = classify::http_response_headers(429, headers, NOON).unwrap();
        assert_eq!(answer.class, ErrorClass::RateLimit);
        assert_eq!(answer.retry_after, secs.map(Duration::from_secs), "{text}");
    }
    for (text, secs) in [
        ("Thu, 15 Jan 2026 12:00:59 GMT", Some(59)),
        ("Thu, 00 Jan 2026 12:00:00 GMT", None),
        ("Thu, 15 Jan 2026 12:60:00 GMT", None),
        ("Thu, 15 Jan 2026 24:00:00 GMT", None),
    ] {
        assert_eq!(
            classify::retry_after::parse(text, NOON),
            secs.map(Duration::from_secs),
            "{text}"
        );
    }
}
