//! From an error to its class: the tables for HTTP, gRPC, SQLSTATE, Redis, AWS,
//! `std::io`, codes of the operating system and the platforms of JavaScript, and the
//! default rules over any error that can be described.
//!
//! An adapter takes name, status and headers out of an error and puts them into
//! [`Facts`]; which class they mean is decided here, the same on every platform.
//! Those who have a status code or an SQLSTATE in hand ask its table directly:
//! [`http_status`], [`http_response`], [`grpc_code`], [`sqlstate_code`],
//! [`redis_message`], [`aws_code`], [`system_code`], [`connection_code`],
//! [`connection_message`], [`dom_exception`].
//!
//! The rules are those of redress for Python, except that on purpose
//!
//! * a 503 may carry a Retry-After, not only a 429 ([`http_retry_after`],
//!   [`http_response`]);
//! * the seconds of a Retry-After are plain ASCII digits: `+5` and `1_000` are no
//!   hint ([`retry_after::parse`]);
//! * its dates are in one of the three forms of RFC 9110, exactly
//!   ([`retry_after::parse`]);
//! * in a message, a word like `ERROR` or a bare number is no SQLSTATE
//!   ([`sqlstate`]);
//! * AWS's documented codes are known, and 408 and 409 without a code ([`aws`],
//!   [`aws_code`]).
//!
//! ```
//! use redress::{Duration, ErrorClass, classify};
//! let busy = classify::http_response(429, Some("120"), 0).unwrap();
//! assert_eq!((busy.class, busy.retry_after), (ErrorClass::RateLimit, Some(Duration::from_secs(120))));
//! assert_eq!(classify::http_response(200, None, 0), None);
//! ```

mod aws;
mod facts;
mod grpc;
mod http;
#[cfg(feature = "std")]
mod io;
mod redis;
pub mod retry_after;
mod rules;
mod sqlstate;
mod system;
mod web;

pub use aws::{aws, aws_code};
pub use facts::{AwsError, Describe, Facts, Library, Marker, RetryAfter, header};
pub use grpc::{grpc, grpc_code, grpc_name};
pub use http::{http, http_response, http_retry_after, http_status};
#[cfg(feature = "std")]
pub use io::io_kind;
pub use redis::{redis, redis_message};
pub use rules::{default, strict};
pub use sqlstate::{odbc, sqlstate, sqlstate_code};
pub use system::{CONNECTION_CODES, SYSTEM_CODES, connection_code, system_code};
pub use web::{CONNECTION_MESSAGES, DOM_EXCEPTIONS, connection_message, dom_exception};

/// Whether two texts are equal but for ASCII case.
const fn same_word(a: &[u8], b: &[u8]) -> bool {
    a.eq_ignore_ascii_case(b)
}
