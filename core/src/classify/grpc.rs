//! gRPC: the status code of a call.

use crate::class::{Classification, ErrorClass};
use crate::classify::facts::Facts;
use crate::classify::{contains, rules};
use crate::time::Duration;

/// The names of the codes, by number.
///
/// Source: <https://grpc.github.io/grpc/core/md_doc_statuscodes.html>.
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The class of a status by the number of its code and its message (empty if there is none), or
/// `None` for OK, UNKNOWN and numbers that gRPC does not define.
///
/// | class | codes |
/// | --- | --- |
/// | `RATE_LIMIT` | 8 `RESOURCE_EXHAUSTED` |
/// | TRANSIENT | 4 `DEADLINE_EXCEEDED`, 14 UNAVAILABLE |
/// | AUTH | 16 UNAUTHENTICATED |
/// | PERMISSION | 7 `PERMISSION_DENIED` |
/// | CONCURRENCY | 10 ABORTED: to be retried from where the transaction begins |
/// | PERMANENT | 1 CANCELLED, 3 `INVALID_ARGUMENT`, 5 `NOT_FOUND`, 6 `ALREADY_EXISTS`, 9 `FAILED_PRECONDITION`, 11 `OUT_OF_RANGE`, 12 UNIMPLEMENTED |
/// | `SERVER_ERROR` | 13 INTERNAL, 15 `DATA_LOSS` |
///
/// The message decides in two cases. A `RESOURCE_EXHAUSTED` is PERMANENT if its message says that
/// a message of the call is larger than the maximum: this limit is the client's own, not the
/// server's. A CANCELLED is TRANSIENT if its message is `Timeout expired`, which tonic uses for
/// its own time-out, or says that a stream was closed with an error code, as Connect for Node.js
/// does if the connection is lost. A call that the program itself cancelled is not a failure: return
/// [`Verdict::Abort`](crate::classify::Verdict::Abort) for it.
///
/// Source: <https://grpc.github.io/grpc/core/md_doc_statuscodes.html>; the messages of
/// grpc-go, grpc-core, grpc-java, grpc-dotnet, grpc-js and tonic about large messages.
pub fn grpc_code(code: i32, message: &str) -> Option<ErrorClass> {
    Some(match code {
        8 if is_too_large(message) => ErrorClass::Permanent,
        8 => ErrorClass::RateLimit,
        1 if contains(message, "timeout expired") || contains(message, "stream closed with") => {
            ErrorClass::Transient
        }
        4 | 14 => ErrorClass::Transient,
        16 => ErrorClass::Auth,
        7 => ErrorClass::Permission,
        10 => ErrorClass::Concurrency,
        1 | 3 | 5 | 6 | 9 | 11 | 12 => ErrorClass::Permanent,
        13 | 15 => ErrorClass::ServerError,
        _ => return None,
    })
}

/// Whether a message of a status says that a message of the call is too large.
fn is_too_large(message: &str) -> bool {
    let says = |words| contains(message, words);
    says("message")
        && (says("larger than") || says("too large") || (says("exceeds") && says("maximum")))
}

/// As [`grpc_code`], by the name of the code, `"UNAVAILABLE"` for instance; `None` for any
/// other text.
pub fn grpc_name(name: &str, message: &str) -> Option<ErrorClass> {
    let code = NAMES.iter().zip(0..).find(|(known, _)| **known == name);
    code.and_then(|(_, code)| grpc_code(code, message))
}

/// The hint of the trailer `grpc-retry-pushback-ms`: after how long the server wants the next
/// attempt. `None` for any other text than a whole number of milliseconds, such as `-1`: then the
/// server asks not to retry at all.
///
/// Source: gRFC A6, *Pushback*.
///
/// ```
/// use redress::{Duration, classify::grpc_pushback};
/// assert_eq!(grpc_pushback("250"), Some(Duration::from_millis(250)));
/// assert_eq!(grpc_pushback("-1"), None);
/// ```
pub fn grpc_pushback(value: &str) -> Option<Duration> {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    let millis = if is_number { value.parse::<u32>().ok() } else { None };
    millis.map(|millis| Duration::from_millis(millis.into()))
}

/// Classifies an error by its gRPC status and its message; UNKNOWN if the table does not have the
/// status. An error that is not a gRPC error is classified by [`default`](super::default).
pub fn grpc(facts: &Facts<'_>) -> Classification {
    match facts.grpc {
        Some(name) => grpc_name(name, facts.message).unwrap_or(ErrorClass::Unknown).into(),
        None => rules::default(facts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree() {
        for (name, code) in NAMES.iter().zip(0..) {
            assert_eq!(grpc_name(name, ""), grpc_code(code, ""), "{name}");
        }
        assert_eq!(grpc_name("DATA_LOSS", ""), Some(ErrorClass::ServerError));
        assert_eq!(grpc_name("", ""), None);
        assert_eq!(grpc_code(-1, ""), None);
    }

    #[test]
    fn a_message_larger_than_the_maximum_is_no_limit_of_the_server() {
        for message in [
            "grpc: received message larger than max (5000000 vs. 4194304)",
            "trying to send message larger than max (5000000 vs. 4194304)",
            "Attempted to send message with a size larger than max",
            "gRPC message exceeds maximum size 4194304: 5000000",
            "Received message exceeds the maximum configured message size.",
            "Error, decoded message length too large: found 5000000 bytes, the limit is: 4194304 bytes",
        ] {
            assert_eq!(grpc_code(8, message), Some(ErrorClass::Permanent), "{message}");
        }
        for message in ["", "quota exceeded", "too many messages", "larger quota needed"] {
            assert_eq!(grpc_code(8, message), Some(ErrorClass::RateLimit), "{message}");
        }
    }

    #[test]
    fn a_pushback_that_is_no_number_of_milliseconds_forbids_the_retry() {
        for (value, hint) in [
            ("0", Some(0)),
            ("1500", Some(1_500)),
            ("4294967295", Some(4_294_967_295)),
            ("4294967296", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("", None),
        ] {
            assert_eq!(grpc_pushback(value), hint.map(Duration::from_millis), "{value}");
        }
    }

    #[test]
    fn a_time_out_or_a_lost_connection_told_as_cancelled_is_transient() {
        assert_eq!(grpc_code(1, "Timeout expired"), Some(ErrorClass::Transient));
        let lost = "http/2 stream closed with error code CANCEL (0x8)";
        assert_eq!(grpc_code(1, lost), Some(ErrorClass::Transient));
        assert_eq!(grpc_code(1, "operation was canceled"), Some(ErrorClass::Permanent));
        let facts = Facts { grpc: Some("CANCELLED"), message: "Timeout expired", ..Facts::NONE };
        assert_eq!(grpc(&facts).class, ErrorClass::Transient);
    }
}
