//! gRPC: the status code of a call.

use crate::classify::facts::Facts;
use crate::classify::rules;
use crate::{Classification, ErrorClass};

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

/// The class of a status code by its number: 8 `RATE_LIMIT`; 4 and 14 TRANSIENT; 16
/// AUTH; 7 PERMISSION; 1, 3, 5, 9 and 11 PERMANENT; 13 and 15 `SERVER_ERROR`; any
/// other UNKNOWN, numbers that gRPC does not know too.
pub const fn grpc_code(code: i32) -> ErrorClass {
    match code {
        8 => ErrorClass::RateLimit,
        4 | 14 => ErrorClass::Transient,
        16 => ErrorClass::Auth,
        7 => ErrorClass::Permission,
        1 | 3 | 5 | 9 | 11 => ErrorClass::Permanent,
        13 | 15 => ErrorClass::ServerError,
        _ => ErrorClass::Unknown,
    }
}

/// The class of a status code by its name, `"UNAVAILABLE"` for instance; UNKNOWN for
/// any other text.
pub fn grpc_name(name: &str) -> ErrorClass {
    let code = NAMES.iter().zip(0..).find(|(known, _)| **known == name);
    code.map_or(ErrorClass::Unknown, |(_, code)| grpc_code(code))
}

/// An error by its gRPC status; one that is no gRPC error as
/// [`default`](super::default).
pub fn grpc(facts: &Facts<'_>) -> Classification {
    match facts.grpc {
        Some(name) => grpc_name(name).into(),
        None => rules::default(facts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree() {
        assert_eq!(grpc_name("RESOURCE_EXHAUSTED"), grpc_code(8));
        assert_eq!(grpc_name("UNAUTHENTICATED"), grpc_code(16));
        assert_eq!(grpc_name("DATA_LOSS"), ErrorClass::ServerError);
        assert_eq!(grpc_name(""), ErrorClass::Unknown);
        assert_eq!(grpc_code(-1), ErrorClass::Unknown);
    }
}
