//! MQTT 3.1.1: the return codes of CONNACK.

use crate::class::ErrorClass;

/// The class of the return code of a CONNACK, or `None` for 0 (accepted) and reserved codes: 1
/// unacceptable protocol version and 2 identifier rejected PERMANENT, 3 server unavailable
/// TRANSIENT, 4 bad user name or password AUTH, 5 not authorized PERMISSION.
///
/// Source: MQTT 3.1.1, section 3.2.2.3.
pub const fn mqtt3_code(connack: u8) -> Option<ErrorClass> {
    Some(match connack {
        1 | 2 => ErrorClass::Permanent,
        3 => ErrorClass::Transient,
        4 => ErrorClass::Auth,
        5 => ErrorClass::Permission,
        _ => return None,
    })
}
