//! What the errors of the sensor are.

use redress::{Classification, ErrorClass};
use redress_embassy::classify;

/// The class of a failed reading: that of the bus.
pub fn of_sensor<E: embedded_hal::i2c::Error>(error: &lm75::Error<E>) -> Classification {
    match error {
        lm75::Error::I2C(error) => classify::i2c(error),
        lm75::Error::InvalidInputData => {
            Classification::new(ErrorClass::Permanent).detail("wrong setting")
        }
    }
}
