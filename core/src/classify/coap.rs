//! `CoAP`: the codes of responses.

use crate::class::ErrorClass;

/// The class of a response by its code, the byte of the header (three bits of class and five of
/// detail: 4.29 is 0x9D), or `None` for a code that is not a failure: 4.29 `RATE_LIMIT`, 4.01
/// AUTH, 4.03 PERMISSION, other 4.xx PERMANENT, 5.xx `SERVER_ERROR`.
///
/// The option Max-Age of a 4.29 and a 5.03 is a hint when to come back.
///
/// Source: RFC 7252, sections 3 and 5.9; RFC 8516 for 4.29.
pub const fn coap_code(code: u8) -> Option<ErrorClass> {
    Some(match (code >> 5, code & 0x1F) {
        (4, 29) => ErrorClass::RateLimit,
        (4, 1) => ErrorClass::Auth,
        (4, 3) => ErrorClass::Permission,
        (4, _) => ErrorClass::Permanent,
        (5, _) => ErrorClass::ServerError,
        _ => return None,
    })
}
