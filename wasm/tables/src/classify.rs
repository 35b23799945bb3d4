//! From what is known of an error to its class.
//!
//! Texts come through a buffer: the package writes their lengths, two bytes each, and
//! after those the texts one after the other, in ASCII.

use redress::classify::{self, AwsError, Facts, Library, Marker, RetryAfter};
use redress::{Duration, ErrorClass};

/// Name, hint, header, message, SQLSTATE, gRPC status, AWS code.
const TEXTS: usize = 7;
/// The package leaves out what does not fit.
const LENGTH: usize = 1024;
/// The length of a text that is not there.
const NONE: usize = 0xFFFF;
/// Numbers of markers from here on are classes.
const CLASSES: u32 = 16;

static mut SCRATCH: [u8; LENGTH] = [0; LENGTH];
static mut HINT: f64 = f64::NAN;

/// Where texts are written.
#[unsafe(no_mangle)]
extern "C" fn texts() -> *mut u8 {
    (&raw mut SCRATCH).cast()
}

fn written() -> [Option<&'static str>; TEXTS] {
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

/// The class of an error, by a rule: 0 HTTP with Retry-After, 1 SQLSTATE, 2 ODBC, 3 gRPC,
/// 4 AWS, 5 Redis. `marker`: 0 none, 1 a time-out, 16 and on a class. Numbers are NaN
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
    let [name, hint_text, header, message, sqlstate, grpc, aws] = written();
    let facts = Facts {
        class: marker.checked_sub(CLASSES).and_then(|class| ErrorClass::ALL.get(class as usize)).copied(),
        marker: (marker == 1).then_some(Marker::Timeout),
        name: name.unwrap_or_default(),
        status: integer(status),
        status_code: integer(status_code),
        code: integer(code),
        message: message.unwrap_or_default(),
        sqlstate: sqlstate.unwrap_or_default(),
        retry_after: match hint_text {
            Some(text) => Some(RetryAfter::Text(text)),
            None if !hint.is_nan() => {
                // Milliseconds to the nearest microsecond.
                Some(RetryAfter::Span(Duration::from_micros((hint * 1000.0 + 0.5) as u64)))
            }
            None => None,
        },
        retry_after_header: header,
        now_unix_secs: now_unix_secs as i64,
        grpc,
        aws: aws.map(|code| AwsError { code, status: integer(status) }),
        library: match rule {
            4 => Library::Aws,
            5 => Library::Redis,
            _ => Library::Other,
        },
        ..Facts::NONE
    };
    let found = match rule {
        0 => classify::http_retry_after(&facts),
        1 => classify::sqlstate(&facts),
        2 => classify::odbc(&facts),
        3 => classify::grpc(&facts),
        4 => classify::aws(&facts),
        _ => classify::redis(&facts),
    };
    let hint = found.retry_after.map_or(f64::NAN, |span| match span {
        Duration::MAX => f64::INFINITY,
        span => span.as_micros() as f64 / 1000.0,
    });
    // SAFETY: one thread, and the place is read by `hint` alone.
    unsafe { HINT = hint };
    found.class as u32
}

/// When to come back, in milliseconds, by what was classified last; NaN for unknown.
#[unsafe(no_mangle)]
extern "C" fn hint() -> f64 {
    // SAFETY: as above.
    unsafe { HINT }
}
