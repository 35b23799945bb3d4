//! I2C and SPI, by the kinds of embedded-hal.

use redress::{Classification, ErrorClass};

use super::of;

/// An error of an I2C bus, by its kind.
///
/// | class | kinds |
/// | --- | --- |
/// | TRANSIENT | `Bus`, `NoAcknowledge`, `Overrun`, `Other` |
/// | CONCURRENCY | `ArbitrationLoss`: another controller was faster |
/// | UNKNOWN | what comes later |
///
/// `Other` is what HALs make of a timeout of their own, so that a sensor which holds the clock is retried and
/// opens a breaker. A mistake in the program, such as a buffer of no bytes, is `Other`, too, and is retried as often
/// as the policy allows; classify it by the HAL's own type where that matters.
///
/// | HAL | errors that are `Other` |
/// | --- | --- |
/// | embassy-stm32 0.6, `i2c::Error` | `Timeout`, `Crc`; `ZeroLengthTransfer` |
/// | embassy-nrf 0.11, `twim::Error` | `Timeout`, `Transmit`, `Receive`; buffers that are too long or not in RAM |
/// | embassy-rp 0.10, `i2c::Error` | `Abort` with `TxNotEmpty` or `Other`; lengths of zero, addresses out of range |
/// | esp-hal 1.1, `i2c::master::Error` | `Timeout`, `ExecutionIncomplete`; `CommandNumberExceeded`, `ZeroLengthInvalid`, `AddressInvalid` |
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
        ErrorKind::Other => of(ErrorClass::Transient, "timeout or another I2C error"),
        _ => of(ErrorClass::Unknown, "unknown I2C error"),
    }
}

/// An error of an SPI bus, by its kind.
///
/// | class | kinds |
/// | --- | --- |
/// | TRANSIENT | `Overrun`, `FrameFormat`, `ChipSelectFault`, `Other` |
/// | CONCURRENCY | `ModeFault`: another controller drives the bus |
/// | UNKNOWN | what comes later |
///
/// `Other` is all that esp-hal 1.1 makes of its `spi::Error`, and what embassy-stm32 0.6 makes of
/// `spi::Error::Crc`. Of embassy-nrf 0.11 it is `spim::Error::BufferNotInRAM`, a mistake in the program that is retried as
/// often as the policy allows.
pub fn spi<E: embedded_hal::spi::Error + ?Sized>(error: &E) -> Classification {
    use embedded_hal::spi::ErrorKind;
    match error.kind() {
        ErrorKind::Overrun => of(ErrorClass::Transient, "receive buffer overrun"),
        ErrorKind::ModeFault => of(ErrorClass::Concurrency, "another controller on the bus"),
        ErrorKind::FrameFormat => of(ErrorClass::Transient, "wrong frame format"),
        ErrorKind::ChipSelectFault => of(ErrorClass::Transient, "chip select failed"),
        ErrorKind::Other => of(ErrorClass::Transient, "another SPI error"),
        _ => of(ErrorClass::Unknown, "unknown SPI error"),
    }
}
