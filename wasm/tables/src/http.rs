//! The rules of HTTP, with Retry-After.

use redress::classify::http_retry_after;

use crate::facts::{facts, told};

/// The class of an error by its status. There is one rule.
#[unsafe(no_mangle)]
extern "C" fn classify(
    _rule: u32,
    marker: u32,
    status: f64,
    status_code: f64,
    code: f64,
    hint: f64,
    now_unix_secs: f64,
) -> u32 {
    told(http_retry_after(&facts(marker, status, status_code, code, hint, now_unix_secs)))
}
