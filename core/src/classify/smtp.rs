//! SMTP: the codes of replies.

use crate::class::ErrorClass;

/// The class of a reply by its code, or `None` for a code that is not a failure: 400 to 499
/// TRANSIENT; 530, 534 and 535 AUTH; other 500 to 599 PERMANENT.
///
/// Source: RFC 5321, section 4.2.1; RFC 4954, section 6, for 530, 534 and 535.
pub const fn smtp_code(code: u16) -> Option<ErrorClass> {
    match code {
        400..=499 => Some(ErrorClass::Transient),
        530 | 534 | 535 => Some(ErrorClass::Auth),
        500..=599 => Some(ErrorClass::Permanent),
        _ => None,
    }
}
