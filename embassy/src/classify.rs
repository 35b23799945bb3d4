//! What the errors of drivers and stacks are, for `Retry::classify`.
//!
//! Each takes the error by reference and gives a class with a detail for the log:
//!
//! ```
//! # #[cfg(feature = "embedded-hal")] {
//! use embedded_hal::i2c::{ErrorKind, NoAcknowledgeSource};
//! use redress::ErrorClass;
//!
//! let error = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);
//! let classification = redress_embassy::classify::i2c(&error);
//! assert_eq!(classification.class, ErrorClass::Transient);
//! assert_eq!(classification.detail, Some("no device acknowledges the address"));
//! # }
//! ```
//!
//! Classes are those of a device or peer that is meant to be there: a missing acknowledge
//! may come from a loose plug or from a sensor that still starts, and is retried. Where you
//! know better, say so in a closure of your own and leave the rest to these.

use redress::{Classification, ErrorClass};

const fn of(class: ErrorClass, detail: &'static str) -> Classification {
    Classification::new(class).detail(detail)
}

/// A timeout of embassy-time: TRANSIENT.
pub fn timeout(_: &embassy_time::TimeoutError) -> Classification {
    of(ErrorClass::Transient, "timed out")
}

/// An error of an I2C bus, by its kind.
///
/// | class | kinds |
/// | --- | --- |
/// | TRANSIENT | `Bus`, `NoAcknowledge`, `Overrun` |
/// | CONCURRENCY | `ArbitrationLoss`: another controller was faster |
/// | UNKNOWN | `Other` and what comes later |
#[cfg(feature = "embedded-hal")]
pub fn i2c<E: embedded_hal::i2c::Error + ?Sized>(error: &E) -> Classification {
    use embedded_hal::i2c::{ErrorKind, NoAcknowledgeSource};
    match error.kind() {
        ErrorKind::Bus => of(ErrorClass::Transient, "bus error"),
        ErrorKind::ArbitrationLoss => of(ErrorClass::Concurrency, "arbitration lost"),
        ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address) => {
            of(ErrorClass::Transient, "no device acknowledges the address")
        }
        ErrorKind::NoAcknowledge(NoAcknowledgeSource::Data) => {
            of(ErrorClass::Transient, "data not acknowledged")
        }
        ErrorKind::NoAcknowledge(_) => of(ErrorClass::Transient, "not acknowledged"),
        ErrorKind::Overrun => of(ErrorClass::Transient, "receive buffer overrun"),
        _ => of(ErrorClass::Unknown, "another I2C error"),
    }
}

/// An error of an SPI bus, by its kind.
///
/// | class | kinds |
/// | --- | --- |
/// | TRANSIENT | `Overrun`, `FrameFormat`, `ChipSelectFault` |
/// | CONCURRENCY | `ModeFault`: another controller drives the bus |
/// | UNKNOWN | `Other` and what comes later |
#[cfg(feature = "embedded-hal")]
pub fn spi<E: embedded_hal::spi::Error + ?Sized>(error: &E) -> Classification {
    use embedded_hal::spi::ErrorKind;
    match error.kind() {
        ErrorKind::Overrun => of(ErrorClass::Transient, "receive buffer overrun"),
        ErrorKind::ModeFault => of(ErrorClass::Concurrency, "another controller on the bus"),
        ErrorKind::FrameFormat => of(ErrorClass::Transient, "wrong frame format"),
        ErrorKind::ChipSelectFault => of(ErrorClass::Transient, "chip select failed"),
        _ => of(ErrorClass::Unknown, "another SPI error"),
    }
}

/// An error of embedded-io, by its kind: of a UART, a socket, a modem.
///
/// | class | kinds |
/// | --- | --- |
/// | TRANSIENT | refused, reset, aborted, missing or broken connections, timeouts, interruptions, an address that is not there yet, nothing written |
/// | PERMISSION | `PermissionDenied` |
/// | CONCURRENCY | `AddrInUse`, `AlreadyExists` |
/// | `SERVER_ERROR` | `OutOfMemory` |
/// | PERMANENT | `NotFound`, `InvalidInput`, `InvalidData`, `Unsupported` |
/// | UNKNOWN | `Other` and what comes later |
///
/// Most UART drivers report framing, parity and overrun as `Other`: classify those by the
/// driver's own error if you want them retried more than twice in a call.
#[cfg(feature = "embedded-io")]
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
        ErrorKind::OutOfMemory => of(ErrorClass::ServerError, "out of memory"),
        ErrorKind::NotFound => of(ErrorClass::Permanent, "not found"),
        ErrorKind::InvalidInput => of(ErrorClass::Permanent, "invalid input"),
        ErrorKind::InvalidData => of(ErrorClass::Permanent, "invalid data"),
        ErrorKind::Unsupported => of(ErrorClass::Permanent, "unsupported"),
        _ => of(ErrorClass::Unknown, "another I/O error"),
    }
}

/// An error of an open TCP connection of embassy-net: TRANSIENT.
#[cfg(feature = "embassy-net")]
pub fn tcp(error: &embassy_net::tcp::Error) -> Classification {
    match error {
        embassy_net::tcp::Error::ConnectionReset => {
            of(ErrorClass::Transient, "connection reset or timed out")
        }
    }
}

/// A TCP connection of embassy-net that was not made: TRANSIENT, but PERMANENT for a socket
/// that is open already, which only a fault in the program causes.
#[cfg(feature = "embassy-net")]
pub fn connect(error: &embassy_net::tcp::ConnectError) -> Classification {
    use embassy_net::tcp::ConnectError;
    match error {
        ConnectError::InvalidState => of(ErrorClass::Permanent, "socket is open already"),
        ConnectError::ConnectionReset => of(ErrorClass::Transient, "connection refused"),
        ConnectError::TimedOut => of(ErrorClass::Transient, "connecting timed out"),
        ConnectError::NoRoute => of(ErrorClass::Transient, "no route to the host"),
    }
}

/// A name that embassy-net did not resolve: TRANSIENT, as a failed answer, a missing one and a
/// name that does not exist look the same there; PERMANENT for a name that cannot be one.
#[cfg(feature = "embassy-net")]
pub fn dns(error: &embassy_net::dns::Error) -> Classification {
    use embassy_net::dns::Error;
    match error {
        Error::InvalidName => of(ErrorClass::Permanent, "not a name"),
        Error::NameTooLong => of(ErrorClass::Permanent, "name too long"),
        Error::Failed => of(ErrorClass::Transient, "name not resolved"),
    }
}

/// A request of reqwless without an answer. For an answer take
/// [`http_response`](redress::classify::http_response) of the engine.
///
/// | class | errors |
/// | --- | --- |
/// | as [`io`] | `Network`, by its kind; reqwless tells a refused connection as `Other`, which here is TRANSIENT |
/// | TRANSIENT | `Dns`, `ConnectionAborted` |
/// | PERMANENT | an address, a buffer or a use that is wrong, an answer that is none |
/// | UNKNOWN | TLS, and what comes later |
#[cfg(feature = "reqwless")]
pub fn web(error: &reqwless::Error) -> Classification {
    use reqwless::Error;
    match error {
        Error::Dns => of(ErrorClass::Transient, "name not resolved"),
        Error::Network(embedded_io::ErrorKind::Other) => of(ErrorClass::Transient, "network error"),
        Error::Network(kind) => io(kind),
        Error::ConnectionAborted => of(ErrorClass::Transient, "connection closed"),
        Error::Codec => of(ErrorClass::Permanent, "not an answer of HTTP"),
        Error::InvalidUrl(_) => of(ErrorClass::Permanent, "invalid address"),
        Error::BufferTooSmall => of(ErrorClass::Permanent, "buffer too small"),
        Error::AlreadySent => of(ErrorClass::Permanent, "sent already"),
        Error::IncorrectBodyWritten => of(ErrorClass::Permanent, "wrong length of the body"),
        // With TLS in reqwless there are more.
        #[allow(unreachable_patterns, reason = "its features add variants")]
        _ => of(ErrorClass::Unknown, "another web error"),
    }
}
