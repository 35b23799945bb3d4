//! NATS: the codes of its clients.

use crate::class::ErrorClass;

/// The class of an error by its code, or `None` for an unknown code: `TIMEOUT`, `503` (no
/// responders), `CONNECTION_REFUSED` and `DISCONNECT` TRANSIENT; `AUTHORIZATION_VIOLATION` and
/// `AUTHENTICATION_EXPIRED` AUTH; `PERMISSIONS_VIOLATION` PERMISSION.
///
/// Source: `ErrorCode` of nats.js.
pub fn nats_code(code: &str) -> Option<ErrorClass> {
    Some(match code {
        "TIMEOUT" | "503" | "CONNECTION_REFUSED" | "DISCONNECT" => ErrorClass::Transient,
        "AUTHORIZATION_VIOLATION" | "AUTHENTICATION_EXPIRED" => ErrorClass::Auth,
        "PERMISSIONS_VIOLATION" => ErrorClass::Permission,
        _ => return None,
    })
}
