//! UARTs through embedded-hal-nb, and calls that do not block.

use redress::{Classification, ErrorClass};

use super::of;

/// An error of a UART through embedded-hal-nb, by its kind.
///
/// | class | kinds |
/// | --- | --- |
/// | TRANSIENT | `Overrun`, `FrameFormat`, `Parity`, `Noise`, `Other`: a break, for one |
/// | UNKNOWN | what comes later |
pub fn serial<E: embedded_hal_nb::serial::Error + ?Sized>(error: &E) -> Classification {
    use embedded_hal_nb::serial::ErrorKind;
    match error.kind() {
        ErrorKind::Overrun => of(ErrorClass::Transient, "receive buffer overrun"),
        ErrorKind::FrameFormat => of(ErrorClass::Transient, "wrong frame format"),
        ErrorKind::Parity => of(ErrorClass::Transient, "wrong parity"),
        ErrorKind::Noise => of(ErrorClass::Transient, "noise on the line"),
        ErrorKind::Other => of(ErrorClass::Transient, "another error of the line"),
        _ => of(ErrorClass::Unknown, "unknown error of the line"),
    }
}

/// A call that does not block: TRANSIENT if it is not ready, else what `class` says of its error.
///
/// ```
/// use embedded_hal_nb::{nb, serial::ErrorKind};
/// use redress_embassy::classify;
///
/// let classify = |error: &nb::Error<ErrorKind>| classify::nb(error, classify::serial);
/// assert_eq!(classify(&nb::Error::WouldBlock).detail, Some("not ready"));
/// assert_eq!(classify(&nb::Error::Other(ErrorKind::Noise)).detail, Some("noise on the line"));
/// ```
pub fn nb<E>(
    error: &embedded_hal_nb::nb::Error<E>,
    class: impl FnOnce(&E) -> Classification,
) -> Classification {
    match error {
        embedded_hal_nb::nb::Error::WouldBlock => of(ErrorClass::Transient, "not ready"),
        embedded_hal_nb::nb::Error::Other(error) => class(error),
    }
}
