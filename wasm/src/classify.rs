//! The default and the strict rules: what every policy classifies by that names no
//! other. The rules by tables are in a module of their own.

use redress::classify::{self, Facts, Marker};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::table::class;

/// The package leaves out what does not fit.
const LENGTH: usize = 256;
/// Numbers of markers from here on are classes.
const CLASSES: u32 = 16;

static mut NAME: [u8; LENGTH] = [0; LENGTH];

/// Where the name of an error is written, in ASCII.
#[wasm_bindgen]
pub fn classify_name() -> u32 {
    &raw mut NAME as u32
}

#[expect(clippy::float_cmp, reason = "a whole number is exactly one")]
fn integer(number: f64) -> Option<i64> {
    let whole = number as i64;
    (whole as f64 == number).then_some(whole)
}

/// The class of an error whose name has `length` letters. `marker`: 0 none, 1 a time-out,
/// 16 and on a class. Numbers are NaN where the error has none.
#[wasm_bindgen]
pub fn classify(strict: u32, marker: u32, status: f64, code: f64, length: u32) -> u32 {
    // SAFETY: one thread, and nothing else refers to the name while a classifier runs.
    let name = unsafe { &mut *(&raw mut NAME) }.get_mut(..length as usize).unwrap_or_default();
    for letter in &mut *name {
        *letter &= 0x7F;
    }
    let facts = Facts {
        class: marker.checked_sub(CLASSES).map(class),
        marker: (marker == 1).then_some(Marker::Timeout),
        // SAFETY: it was made ASCII.
        name: unsafe { core::str::from_utf8_unchecked(name) },
        status: integer(status),
        code: integer(code),
        ..Facts::NONE
    };
    let found = if strict == 0 { classify::default(&facts) } else { classify::strict(&facts) };
    found.class as u32
}
