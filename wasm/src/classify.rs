//! From what is known of an error to its class.
//!
//! Texts come through a buffer: the package writes their lengths, two bytes each, and
//! after those the texts one after the other, in ASCII.

use redress::classify::{self, AwsError, Facts, Library, Marker, RetryAfter};

use crate::table::{class, duration, millis, set};

/// Name, hint, header, message, SQLSTATE, gRPC status, AWS code.
const TEXTS: usize = 7;
/// The package leaves out what does not fit.
const LENGTH: usize = 1024;
/// The length of a text that is not there.
const NONE: usize = 0xFFFF;
/// Numbers of markers from here on are classes.
const CLASSES: u32 = 16;

static mut SCRATCH: [u8; LENGTH] = [0; LENGTH];

/// Where texts are written.
#[unsafe(no_mangle)]
extern "C" fn classify_texts() -> *mut u8 {
    (&raw mut SCRATCH).cast()
}

fn texts() -> [Option<&'static str>; TEXTS] {
    // SAFETY: one thread, and nothing writes while a classifier runs.
    let scratch = unsafe { &*(&raw const SCRATCH) };
    let mut at = 2 * TEXTS;
    core::array::from_fn(|nth| {
        let &[low, high] = scratch.get(2 * nth..)?.first_chunk::<2>()?;
        let length = usize::from(low) | usize::from(high) << 8;
        if length == NONE {
            return None;
        }
        let text = scratch.get(at..at + length)?;
        at += length;
        core::str::from_utf8(text).ok()
    })
}

fn integer(number: f64) -> Option<i64> {
    let whole = number as i64;
    (whole as f64 == number).then_some(whole)
}

/// The class of an error; the entry 0 of the table is when to come back, NaN for unknown.
///
/// `rule`: 0 default, 1 strict, 2 HTTP with Retry-After, 3 SQLSTATE, 4 ODBC, 5 gRPC,
/// 6 AWS, 7 Redis. `marker`: 0 none, 1 a time-out, 16 and on a class. Numbers are NaN
/// where the error has none.
#[unsafe(no_mangle)]
extern "C" fn classify(
    rule: u32,
    marker: u32,
    status: f64,
    status_code: f64,
    code: f64,
    hint: f64,
    now_unix_secs: f64,
) -> u32 {
    let [name, hint_text, header, message, sqlstate, grpc, aws] = texts();
    let facts = Facts {
        class: marker.checked_sub(CLASSES).map(class),
        marker: (marker == 1).then_some(Marker::Timeout),
        name: name.unwrap_or_default(),
        status: integer(status),
        status_code: integer(status_code),
        code: integer(code),
        message: message.unwrap_or_default(),
        sqlstate: sqlstate.unwrap_or_default(),
        retry_after: match hint_text {
            Some(text) => Some(RetryAfter::Text(text)),
            None if !hint.is_nan() => Some(RetryAfter::Span(duration(hint))),
            None => None,
        },
        retry_after_header: header,
        now_unix_secs: now_unix_secs as i64,
        grpc,
        aws: aws.map(|code| AwsError { code, status: integer(status) }),
        library: match rule {
            6 => Library::Aws,
            7 => Library::Redis,
            _ => Library::Other,
        },
        ..Facts::NONE
    };
    let found = match rule {
        1 => classify::strict(&facts),
        2 => classify::http_retry_after(&facts),
        3 => classify::sqlstate(&facts),
        4 => classify::odbc(&facts),
        5 => classify::grpc(&facts),
        6 => classify::aws(&facts),
        7 => classify::redis(&facts),
        _ => classify::default(&facts),
    };
    set(0, found.retry_after.map_or(f64::NAN, millis));
    found.class as u32
}
