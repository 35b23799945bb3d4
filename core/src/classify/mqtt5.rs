//! MQTT 5: reason codes.

use crate::class::ErrorClass;

/// The class of a reason code, or `None` for a code that is not a failure or does not determine a
/// class (0x80, unspecified error).
///
/// | class | codes |
/// | --- | --- |
/// | AUTH | 0x86 bad user name or password, 0x8C bad authentication method |
/// | PERMISSION | 0x87 not authorized, 0x8A banned |
/// | `RATE_LIMIT` | 0x96 message rate too high, 0x97 quota exceeded, 0x9F connection rate exceeded |
/// | TRANSIENT | 0x83 implementation specific, 0x88 server unavailable, 0x89 server busy, 0x8B server shutting down, 0x8D keep alive time-out, 0x98 administrative action |
/// | CONCURRENCY | 0x8E session taken over, 0x91 packet identifier in use, 0x93 receive maximum exceeded |
/// | PERMANENT | 0x81, 0x82, 0x84, 0x85, 0x90, 0x94, 0x95, 0x99 to 0x9B, 0x9E: malformed, not supported, too large |
///
/// Source: MQTT 5.0, section 2.4.
pub const fn mqtt5_code(reason: u8) -> Option<ErrorClass> {
    Some(match reason {
        0x86 | 0x8C => ErrorClass::Auth,
        0x87 | 0x8A => ErrorClass::Permission,
        0x96 | 0x97 | 0x9F => ErrorClass::RateLimit,
        0x83 | 0x88 | 0x89 | 0x8B | 0x8D | 0x98 => ErrorClass::Transient,
        0x8E | 0x91 | 0x93 => ErrorClass::Concurrency,
        0x81 | 0x82 | 0x84 | 0x85 | 0x90 | 0x94 | 0x95 | 0x99..=0x9B | 0x9E => {
            ErrorClass::Permanent
        }
        _ => return None,
    })
}
