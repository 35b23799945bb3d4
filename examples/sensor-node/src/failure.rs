//! What the errors of the drivers are.

use embedded_hal::i2c::ErrorKind;
use redress::{Classification, ErrorClass};

/// The class of a failed reading.
pub fn of_sensor<E: embedded_hal::i2c::Error>(error: &lm75::Error<E>) -> Classification {
    let (class, detail) = match error {
        lm75::Error::InvalidInputData => (ErrorClass::Permanent, "wrong setting"),
        lm75::Error::I2C(error) => match error.kind() {
            ErrorKind::NoAcknowledge(_) => (ErrorClass::Transient, "nobody acknowledges"),
            ErrorKind::Bus => (ErrorClass::Transient, "bus stuck"),
            ErrorKind::ArbitrationLoss => (ErrorClass::Concurrency, "bus taken"),
            _ => (ErrorClass::Unknown, "another bus error"),
        },
    };
    Classification::new(class).detail(detail)
}

/// The class of a post without an answer.
pub fn of_web(error: &reqwless::Error) -> Classification {
    use reqwless::Error;
    let (class, detail) = match error {
        Error::Dns => (ErrorClass::Transient, "no such name"),
        Error::Network(_) => (ErrorClass::Transient, "connection refused or reset"),
        Error::ConnectionAborted => (ErrorClass::Transient, "connection closed"),
        Error::InvalidUrl(_) => (ErrorClass::Permanent, "wrong address of the service"),
        Error::Codec | Error::BufferTooSmall => (ErrorClass::Permanent, "not an answer of ours"),
        Error::AlreadySent | Error::IncorrectBodyWritten => (ErrorClass::Permanent, "wrong use"),
    };
    Classification::new(class).detail(detail)
}
