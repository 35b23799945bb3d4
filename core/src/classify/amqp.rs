//! AMQP 0-9-1: the reply codes by which a broker closes a channel or a connection.

use crate::class::ErrorClass;

/// The class of a reply code, or `None` for an unknown code.
///
/// | class | codes |
/// | --- | --- |
/// | TRANSIENT | 320 connection-forced, 541 internal-error |
/// | PERMISSION | 403 access-refused |
/// | CONCURRENCY | 405 resource-locked |
/// | PERMANENT | 404 not-found, 406 precondition-failed, 501 to 505 errors of the protocol, 530 not-allowed, 540 not-implemented |
///
/// Source: *Constants* of the AMQP 0-9-1 reference guide.
pub const fn amqp_code(code: u16) -> Option<ErrorClass> {
    Some(match code {
        320 | 541 => ErrorClass::Transient,
        403 => ErrorClass::Permission,
        405 => ErrorClass::Concurrency,
        404 | 406 | 501..=505 | 530 | 540 => ErrorClass::Permanent,
        _ => return None,
    })
}
