//! reqwest: its errors, and its responses.

use std::io::ErrorKind;

use http::HeaderMap;
use redress::ErrorClass;
use redress::classify::{Classification, Verdict, dns_code, io_kind};

use super::{sources, status_and_headers};

/// The class of an error of reqwest: by the status, if `error_for_status` made it of a response;
/// otherwise of the first of its sources with a class, such as the error of hyper; otherwise
/// that of the I/O error which it describes.
///
/// | reqwest's error | as |
/// | --- | --- |
/// | time-out of the client or of the request | `ErrorKind::TimedOut` |
/// | request that cannot be built | `ErrorKind::InvalidInput` |
/// | name that is not resolved | `ENOTFOUND` |
/// | no connection, for a reason without a class | `ErrorKind::NotConnected` |
/// | body that cannot be decoded, redirects without an end | `ErrorKind::InvalidData` |
///
/// UNKNOWN for any other. An error of `error_for_status` no longer has the headers, and so no
/// Retry-After: classify the response instead, with [`reqwest_response`].
pub fn reqwest(error: &::reqwest::Error) -> Verdict {
    if let Some(status) = error.status() {
        let class = status_and_headers(status, &HeaderMap::new());
        return class.unwrap_or(ErrorClass::Unknown.into()).into();
    }
    if error.is_timeout() {
        return io_kind(ErrorKind::TimedOut).into();
    }
    if error.is_builder() {
        return io_kind(ErrorKind::InvalidInput).into();
    }
    if let Some(verdict) = sources(error) {
        return verdict;
    }
    let class = if error.is_dns() {
        dns_code("ENOTFOUND").unwrap_or(ErrorClass::Unknown)
    } else if error.is_connect() {
        io_kind(ErrorKind::NotConnected)
    } else if error.is_decode() || error.is_redirect() {
        io_kind(ErrorKind::InvalidData)
    } else {
        ErrorClass::Unknown
    };
    class.into()
}

/// The class of a response with the hint of its headers, as [`response`](super::response) has it;
/// `None` for a success.
pub fn reqwest_response(response: &::reqwest::Response) -> Option<Classification> {
    status_and_headers(response.status(), response.headers())
}
