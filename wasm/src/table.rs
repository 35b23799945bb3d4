//! The table of numbers through which settings come in and longer answers go out,
//! and the conversions of time.

#![allow(dead_code, reason = "each module uses a part of it")]

use redress::{Duration, Instant};
use wasm_bindgen::prelude::wasm_bindgen;

pub(crate) const LENGTH: usize = 32;

#[cfg(not(feature = "shares"))]
static mut TABLE: [f64; LENGTH] = [0.0; LENGTH];

/// Where the table is.
#[cfg(not(feature = "shares"))]
#[wasm_bindgen]
pub fn table() -> u32 {
    &raw mut TABLE as u32
}

#[cfg(feature = "shares")]
#[wasm_bindgen(raw_module = "./core.js")]
extern "C" {
    fn table() -> u32;
}

pub(crate) fn numbers() -> *mut [f64; LENGTH] {
    table() as *mut [f64; LENGTH]
}

/// Writes the entry at `index`.
#[cfg(not(feature = "extras"))]
pub(crate) fn set(index: usize, value: f64) {
    // SAFETY: one thread, and the reference ends here.
    let table = unsafe { &mut *numbers() };
    if let Some(entry) = table.get_mut(index) {
        *entry = value;
    }
}

/// Milliseconds to the nearest microsecond: 0 for NaN and below, saturating.
fn micros(ms: f64) -> u64 {
    (ms * 1000.0 + 0.5) as u64
}

pub(crate) fn duration(ms: f64) -> Duration {
    Duration::from_micros(micros(ms))
}

pub(crate) fn optional(ms: f64) -> Option<Duration> {
    (!ms.is_nan()).then(|| duration(ms))
}

pub(crate) fn instant(ms: f64) -> Instant {
    Instant::from_micros(micros(ms))
}

/// Milliseconds; infinity for "no limit".
#[cfg(not(feature = "extras"))]
pub(crate) fn millis(duration: Duration) -> f64 {
    if duration == Duration::MAX { f64::INFINITY } else { duration.as_micros() as f64 / 1000.0 }
}

#[cfg(not(feature = "extras"))]
pub(crate) fn class(number: u32) -> redress::ErrorClass {
    redress::ErrorClass::ALL.get(number as usize).copied().unwrap_or(redress::ErrorClass::Unknown)
}
