//! Errors with any texts, codes and headers, as lines `key: value`: each table and each rule
//! answers, twice the same, with a hint only for what is retried; and a time that is written in
//! any of the forms that a hint has is read back exactly.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redress::classify::{self, AwsError, Facts, Library, Limits, Marker, RetryAfter};
use redress::{Classification, Duration};
use redress_fuzz::dates;

/// An error as its lines describe it: what is no field is a header.
#[derive(Default)]
struct Error<'t> {
    facts: Facts<'t>,
    headers: Vec<(&'t str, &'t str)>,
    args: Vec<i64>,
    ancestors: Vec<&'t str>,
}

impl<'t> Error<'t> {
    fn read(text: &'t str) -> Self {
        let mut error = Self::default();
        let facts = &mut error.facts;
        for line in text.lines().take(32) {
            let (key, value) = line.split_once(": ").unwrap_or(("message", line));
            let number = value.parse::<i64>().ok();
            match key {
                "name" => facts.name = value,
                "message" => facts.message = value,
                "sqlstate" => facts.sqlstate = value,
                "grpc" => facts.grpc = Some(value),
                "status" => facts.status = number,
                "status_code" => facts.status_code = number,
                "code" => facts.code = number,
                "now_unix_s" => facts.now_unix_secs = number.unwrap_or(0),
                "aws_error" => {
                    facts.aws = Some(AwsError { code: value, status: facts.status });
                }
                "args" => error.args.extend(number),
                "ancestors" => error.ancestors.push(value),
                "retry_after" => {
                    facts.retry_after = Some(match value.parse() {
                        Ok(micros) => RetryAfter::Span(Duration::from_micros(micros)),
                        Err(_) => RetryAfter::Text(value),
                    });
                }
                "library" if value == "redis" => facts.library = Library::Redis,
                "library" => facts.library = Library::Aws,
                "marker" => {
                    let markers = [
                        Marker::Timeout,
                        Marker::Permanent,
                        Marker::RateLimit,
                        Marker::Concurrency,
                        Marker::ServerError,
                    ];
                    facts.marker = markers.into_iter().find(|marker| marker.name() == value);
                }
                _ => error.headers.push((key, value)),
            }
        }
        error
    }

    fn facts(&self) -> Facts<'_> {
        let facts = Facts { args: &self.args, ancestors: &self.ancestors, ..self.facts };
        facts.with_headers(self.headers.iter().copied())
    }
}

/// What the rules say.
fn by_rules(facts: &Facts<'_>) -> [Classification; 9] {
    [
        classify::default(facts),
        classify::strict(facts),
        classify::http(facts),
        classify::http_retry_after(facts),
        classify::sqlstate(facts),
        classify::odbc(facts),
        classify::grpc(facts),
        classify::aws(facts),
        classify::redis(facts),
    ]
}

/// What the tables say of a text.
fn by_text(text: &str, other: &str) -> impl PartialEq + std::fmt::Debug {
    let classes = [
        classify::aws_code(text),
        classify::dns_code(text),
        classify::grpc_name(text, other),
        classify::kafka_name(text, None),
        classify::kafka_name(text, Some(true)),
        classify::llm_code(text),
        classify::mongodb_label(text),
        classify::mongodb_name(text),
        classify::mongodb_error(None, [text, other], other),
        classify::mysql_name(text),
        classify::mysql_code(1290, other, text),
        classify::nats_code(text),
        classify::prisma_code(text, other),
        classify::redis_message(text),
        classify::redis_exec(text, other),
        classify::sqlstate_code(text),
        classify::system_code(text),
        classify::tls_code(text),
        classify::dom_exception(text),
    ];
    let verdicts =
        [classify::abort_name(text), classify::mssql_name(text), classify::sqlite_name(text)];
    let facts = [
        classify::dns_message(text),
        classify::connection_code(text),
        classify::connection_message(text),
    ];
    (classes, verdicts, facts)
}

/// What the tables say of a number.
fn by_number(number: i64, text: &str) -> impl PartialEq + std::fmt::Debug {
    let (byte, short, int) = (number as u8, number as u16, number as i32);
    let classes = [
        classify::amqp_code(short),
        classify::coap_code(byte),
        classify::grpc_code(int, text),
        classify::http2_reset(number as u32),
        classify::http2_goaway(number as u32),
        classify::kafka_code(number as i16, Some(false)),
        classify::mongodb_code(int),
        classify::mqtt3_code(byte),
        classify::mqtt5_code(byte),
        classify::mssql_code(int),
        classify::mysql_code(short, text, text),
        classify::smtp_code(short),
    ];
    let error = std::io::Error::from_raw_os_error(int);
    (classes, classify::http_status(short), classify::sqlite_code(int), classify::io_error(&error))
}

fn check(classification: Classification) {
    let Classification { class, retry_after, .. } = classification;
    assert!(retry_after.is_none() || !class.is_final(), "{classification:?}");
}

/// A time from `now` on, or over, in each of its forms.
fn read_back(at: i64, now: i64) {
    let Some(date) = dates::Date::of(at) else { return };
    let span = Duration::from_secs(u64::try_from(at.saturating_sub(now)).unwrap_or(0));
    let parse = |text: &str| classify::retry_after::parse(text, now);
    for text in [date.imf_fixdate(), date.asctime()] {
        assert_eq!(parse(&text), Some(span), "{text}");
    }
    // A year of two digits is one of the last half century, or the next.
    if at.abs_diff(now) < 40 * 365 * 86_400
        && dates::Date::of(now).is_some_and(|now| now.year > 1950)
    {
        let text = date.rfc_850();
        assert_eq!(parse(&text), Some(span), "{text}");
    }
    let reset = |text: &str| Limits::of([("RateLimit-Reset", text)], now).reset;
    let text = date.rfc_3339();
    assert_eq!(reset(&text), Some(span), "{text}");
    let secs = at.unsigned_abs() % 1_000_000_000;
    let (hours, minutes) = (secs / 3600, secs / 60 % 60);
    let spelled = format!("{hours}h{minutes}m{}s", secs % 60);
    for text in [secs.to_string(), format!("{secs}.0"), spelled, format!("{secs}000ms")] {
        assert_eq!(reset(&text), Some(Duration::from_secs(secs)), "{text}");
    }
    assert_eq!(parse(&secs.to_string()), Some(Duration::from_secs(secs)));
}

fuzz_target!(|text: &str| {
    let error = Error::read(text);
    let facts = error.facts();
    let answers = by_rules(&facts);
    assert_eq!(answers, by_rules(&error.facts()));
    answers.into_iter().for_each(check);
    let (name, message) = (facts.name, facts.message);
    for (text, other) in [(name, message), (message, name), (facts.sqlstate, message)] {
        assert_eq!(by_text(text, other), by_text(text, other));
    }
    for number in [facts.status, facts.code, facts.status_code].into_iter().flatten() {
        assert_eq!(by_number(number, message), by_number(number, message));
        let headers = || error.headers.iter().copied();
        let now = facts.now_unix_secs;
        let answer = classify::http_response_headers(number as u16, headers(), now);
        assert_eq!(answer, classify::http_response_headers(number as u16, headers(), now));
        assert_eq!(answer.is_some(), number as u16 >= 400);
        answer.into_iter().for_each(check);
        let plain = classify::http_response(number as u16, facts.retry_after_header, now);
        plain.into_iter().for_each(check);
    }
    if let Some(at) = facts.code {
        read_back(at, facts.now_unix_secs);
    }
});
