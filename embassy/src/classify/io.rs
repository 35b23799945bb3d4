//! UARTs, sockets and modems, by the kinds of embedded-io.

use redress::{Classification, ErrorClass};

use super::of;

/// An error of embedded-io, by its kind: of a UART, a socket, a modem.
///
/// | class | kinds |
/// | --- | --- |
/// | TRANSIENT | refused, reset, aborted, missing or broken connections, timeouts, interruptions, an address that is not there yet, nothing written; `InvalidData`, `OutOfMemory`, `Other` |
/// | PERMISSION | `PermissionDenied` |
/// | CONCURRENCY | `AddrInUse`, `AlreadyExists` |
/// | PERMANENT | `NotFound`, `InvalidInput`, `Unsupported` |
/// | UNKNOWN | what comes later |
///
/// Three kinds are not what they are in `std::io`, because of what drivers make of a noisy line:
///
/// | HAL | error | kind |
/// | --- | --- | --- |
/// | embassy-nrf 0.11, `uarte::Error` | `Framing`, `Parity` | `InvalidData` |
/// | | `Overrun`, also of `buffered_uarte` | `OutOfMemory` |
/// | | `Break` | `ConnectionAborted` |
/// | embassy-stm32 0.6, `usart::Error`; embassy-rp 0.10, `uart::Error`; esp-hal 1.1, `uart::RxError` | all | `Other` |
///
/// A mistake in the program that a HAL reports as `Other` (`usart::Error::BufferTooLong`) is retried as often as the
/// policy allows.
pub fn io<E: embedded_io::Error + ?Sized>(error: &E) -> Classification {
    use embedded_io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => of(ErrorClass::Transient, "connection refused"),
        ErrorKind::ConnectionReset => of(ErrorClass::Transient, "connection reset"),
        ErrorKind::ConnectionAborted => of(ErrorClass::Transient, "connection aborted"),
        ErrorKind::NotConnected => of(ErrorClass::Transient, "not connected"),
        ErrorKind::BrokenPipe => of(ErrorClass::Transient, "broken pipe"),
        ErrorKind::TimedOut => of(ErrorClass::Transient, "timed out"),
        ErrorKind::Interrupted => of(ErrorClass::Transient, "interrupted"),
        ErrorKind::AddrNotAvailable => of(ErrorClass::Transient, "address not available"),
        ErrorKind::WriteZero => of(ErrorClass::Transient, "nothing written"),
        ErrorKind::PermissionDenied => of(ErrorClass::Permission, "permission denied"),
        ErrorKind::AddrInUse => of(ErrorClass::Concurrency, "address in use"),
        ErrorKind::AlreadyExists => of(ErrorClass::Concurrency, "exists already"),
        ErrorKind::InvalidData => of(ErrorClass::Transient, "invalid data, or noise on the line"),
        ErrorKind::OutOfMemory => of(ErrorClass::Transient, "overrun, or out of memory"),
        ErrorKind::Other => of(ErrorClass::Transient, "another I/O error"),
        ErrorKind::NotFound => of(ErrorClass::Permanent, "not found"),
        ErrorKind::InvalidInput => of(ErrorClass::Permanent, "invalid input"),
        ErrorKind::Unsupported => of(ErrorClass::Permanent, "unsupported"),
        _ => of(ErrorClass::Unknown, "unknown I/O error"),
    }
}
