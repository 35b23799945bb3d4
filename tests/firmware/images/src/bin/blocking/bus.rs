//! A bus with an LM75 on it, for boards whose emulation has none: its registers, no
//! acknowledgement from other addresses, and a switch.

use core::sync::atomic::{AtomicBool, Ordering};

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};

const ADDRESS: u8 = 0x49;

static OFF: AtomicBool = AtomicBool::new(false);

/// The next transfer fails, as on a controller that its driver then starts anew.
pub fn switch_off() {
    OFF.store(true, Ordering::Relaxed);
}

/// The bus, with the sensor's registers.
pub struct Bus {
    pointer: usize,
    /// Temperature, configuration, hysteresis, limit.
    registers: [[u8; 2]; 4],
}

impl Bus {
    /// The sensor as it comes up, at 0 degrees.
    pub const fn new() -> Self {
        Self { pointer: 0, registers: [[0, 0], [0, 0], [75, 0], [80, 0]] }
    }
}

impl ErrorType for Bus {
    type Error = ErrorKind;
}

impl I2c for Bus {
    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), ErrorKind> {
        // No swap: a Cortex-M0 has none.
        if OFF.load(Ordering::Relaxed) {
            OFF.store(false, Ordering::Relaxed);
            return Err(ErrorKind::Bus);
        }
        if address != ADDRESS {
            return Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address));
        }
        for operation in operations {
            match operation {
                Operation::Write([pointer, values @ ..]) => {
                    self.pointer = usize::from(pointer & 3);
                    for (place, value) in self.registers[self.pointer].iter_mut().zip(values) {
                        *place = *value;
                    }
                }
                Operation::Write([]) => {}
                Operation::Read(bytes) => {
                    for (byte, value) in bytes.iter_mut().zip(self.registers[self.pointer]) {
                        *byte = value;
                    }
                }
            }
        }
        Ok(())
    }
}
