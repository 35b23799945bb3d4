//! CAN, by the kinds of embedded-can.

use redress::{Classification, ErrorClass};

use super::of;

/// An error of a CAN bus, by its kind.
///
/// | class | kinds |
/// | --- | --- |
/// | TRANSIENT | `Overrun`, `Bit`, `Stuff`, `Crc`, `Form`, `Acknowledge`, `Other` |
/// | UNKNOWN | what comes later |
///
/// A controller repeats a frame by itself until it is acknowledged. What a driver reports is a controller that has
/// stopped to do so: passive, or off the bus. Give it time, and take it back on the bus in a hook
/// [before the retry](redress::Retry::before_retry_async) if the driver does not.
pub fn can<E: embedded_can::Error + ?Sized>(error: &E) -> Classification {
    use embedded_can::ErrorKind;
    match error.kind() {
        ErrorKind::Overrun => of(ErrorClass::Transient, "receive buffer overrun"),
        ErrorKind::Bit => of(ErrorClass::Transient, "bit error"),
        ErrorKind::Stuff => of(ErrorClass::Transient, "stuff error"),
        ErrorKind::Crc => of(ErrorClass::Transient, "wrong checksum"),
        ErrorKind::Form => of(ErrorClass::Transient, "form error"),
        ErrorKind::Acknowledge => of(ErrorClass::Transient, "no node acknowledges"),
        ErrorKind::Other => of(ErrorClass::Transient, "another CAN error"),
        _ => of(ErrorClass::Unknown, "unknown CAN error"),
    }
}
