//! What the package passes in about an error, and what it gets back.
//!
//! Texts come through a buffer: the package writes their lengths, two bytes each, and
//! after those the texts one after the other, in ASCII.

use redress::classify::{AwsError, Facts, Marker, RetryAfter};
use redress::{Classification, Duration, ErrorClass};
use wasm_bindgen::prelude::wasm_bindgen;

/// Name, hint, headers, message, SQLSTATE, gRPC status, AWS code.
const TEXTS: usize = 7;
/// The package shortens what does not fit.
const LENGTH: usize = 4096;
/// The length of a text that is not there.
const NONE: usize = 0xFFFF;
/// Numbers of markers from here on are classes.
const CLASSES: u32 = 16;

static mut SCRATCH: [u8; LENGTH] = [0; LENGTH];
static mut HINT: f64 = f64::NAN;

/// Where texts are written.
#[wasm_bindgen]
pub fn texts() -> u32 {
    &raw mut SCRATCH as u32
}

/// The headers that say when to come back, a line `name:value` for each.
#[cfg(feature = "http")]
pub(crate) fn headers() -> impl Iterator<Item = (&'static str, &'static str)> + Clone {
    let [_, _, headers, ..] = written();
    let text = |bytes| core::str::from_utf8(bytes).ok();
    headers.unwrap_or_default().as_bytes().split(|&byte| byte == b'\n').filter_map(move |line| {
        let colon = line.iter().position(|&byte| byte == b':')?;
        Some((text(line.get(..colon)?)?, text(line.get(colon + 1..)?)?))
    })
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

#[expect(clippy::float_cmp, reason = "a whole number is exactly one")]
fn integer(number: f64) -> Option<i64> {
    let whole = number as i64;
    (whole as f64 == number).then_some(whole)
}

/// What the package tells of an error. `marker`: 0 none, 1 a time-out, 16 and on a class.
/// Numbers are NaN where the error has none.
pub(crate) fn facts(
    marker: u32,
    status: f64,
    status_code: f64,
    code: f64,
    hint: f64,
    now_unix_secs: f64,
) -> Facts<'static> {
    let [name, hint_text, _, message, sqlstate, grpc, aws] = written();
    let class = marker.checked_sub(CLASSES).and_then(|class| ErrorClass::ALL.get(class as usize));
    Facts {
        class: class.copied(),
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
        now_unix_secs: now_unix_secs as i64,
        grpc,
        aws: aws.map(|code| AwsError { code, status: integer(status) }),
        ..Facts::NONE
    }
}

/// The number of the class; its hint is kept until it is asked for. The longest hint is a
/// number, too: one that is not finite would be none.
pub(crate) fn noted(found: Classification) -> u32 {
    let hint = found.retry_after.map_or(f64::NAN, |span| span.as_micros() as f64 / 1000.0);
    // SAFETY: one thread, and the place is read by `hint` alone.
    unsafe { HINT = hint };
    found.class as u32
}

/// When to come back, in milliseconds, by what was classified last; NaN for unknown.
#[wasm_bindgen]
pub fn hint() -> f64 {
    // SAFETY: as above.
    unsafe { HINT }
}
