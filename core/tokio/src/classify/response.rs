//! Responses of HTTP, by status and headers.

use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderMap, Response, StatusCode};
use redress::classify::{Classification, http_response_headers};

/// The class of a response; `None` for a success (a status below 400).
pub fn response<B>(response: &Response<B>) -> Option<Classification> {
    status_and_headers(response.status(), response.headers())
}

/// The class of a response with this status and these headers, with the hint when to come back
/// (Retry-After and the like); `None` for a success (a status below 400). A date is compared with
/// the system's wall clock.
pub fn status_and_headers(status: StatusCode, headers: &HeaderMap) -> Option<Classification> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let headers = headers.iter();
    let headers: Vec<(&str, &str)> =
        headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    http_response_headers(
        status.as_u16(),
        headers.iter().copied(),
        i64::try_from(now).unwrap_or(i64::MAX),
    )
}
