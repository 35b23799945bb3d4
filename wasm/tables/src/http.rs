//! The rules of HTTP, with Retry-After and the limits that headers tell.

use redress::classify::http_retry_after;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::facts::{facts, headers, noted};

/// The class of an error by its status. There is one rule.
#[wasm_bindgen]
pub fn classify(
    _rule: u32,
    marker: u32,
    status: f64,
    status_code: f64,
    code: f64,
    hint: f64,
    now_unix_secs: f64,
) -> u32 {
    let known = facts(marker, status, status_code, code, hint, now_unix_secs);
    noted(http_retry_after(&known.with_headers(headers())))
}
