//! The chip's first I2C controller as an `embedded_hal::i2c::I2c`.

use embedded_hal::i2c::{
    ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation, SevenBitAddress,
};

use crate::register::Register;

const fn register(offset: usize) -> Register {
    // SAFETY: the controller lies here and reaches no memory by itself.
    unsafe { Register::at(0x4002_0000 + offset) }
}

const fn port_b(offset: usize) -> Register {
    // SAFETY: the pins of port B, likewise.
    unsafe { Register::at(0x4000_5000 + offset) }
}

const fn system(offset: usize) -> Register {
    // SAFETY: the system control; only its clock gates are used here.
    unsafe { Register::at(0x400F_E000 + offset) }
}

const ADDRESS: Register = register(0x00);
/// Read: the status bits. Written: the commands.
const CONTROL: Register = register(0x04);
const DATA: Register = register(0x08);
const PERIOD: Register = register(0x0C);
const RAW_INTERRUPT: Register = register(0x14);
const CLEAR_INTERRUPT: Register = register(0x1C);
const MODE: Register = register(0x20);

mod command {
    pub const RUN: u32 = 1 << 0;
    pub const START: u32 = 1 << 1;
    pub const STOP: u32 = 1 << 2;
    pub const ACK: u32 = 1 << 3;
}

mod status {
    pub const BUSY: u32 = 1 << 0;
    pub const ERROR: u32 = 1 << 1;
    pub const NO_ADDRESS: u32 = 1 << 2;
    pub const NO_DATA: u32 = 1 << 3;
    pub const LOST: u32 = 1 << 4;
    pub const BUS_BUSY: u32 = 1 << 6;
}

/// How often the status is read until a byte must be through: at 100 kbit/s one takes
/// 90 us, and this some milliseconds.
const PATIENCE: u32 = 10_000;

/// Why a transfer failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, defmt::Format)]
pub enum Error {
    /// No device answers to the address.
    NoAcknowledge(NoSource),
    /// Another master took the bus.
    ArbitrationLoss,
    /// The controller did not finish a byte: the bus is stuck, or it is switched off.
    Stuck,
}

/// What was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, defmt::Format)]
pub enum NoSource {
    Address,
    Data,
}

impl embedded_hal::i2c::Error for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoAcknowledge(NoSource::Address) => {
                ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address)
            }
            Self::NoAcknowledge(NoSource::Data) => {
                ErrorKind::NoAcknowledge(NoAcknowledgeSource::Data)
            }
            Self::ArbitrationLoss => ErrorKind::ArbitrationLoss,
            Self::Stuck => ErrorKind::Bus,
        }
    }
}

/// The controller, as bus master at 100 kbit/s. Only one may be made.
pub struct I2c0 {
    /// The last transfer left the controller in an unknown state.
    unsure: bool,
}

impl I2c0 {
    /// Clocks the controller and connects it to its pins, PB2 and PB3.
    pub fn new() -> Self {
        const PINS: u32 = 1 << 2 | 1 << 3;
        let (controller_clock, port_clock) = (system(0x104), system(0x108));
        controller_clock.set(1 << 12);
        port_clock.set(1 << 1);
        let (alternate, open_drain, digital) = (port_b(0x420), port_b(0x50C), port_b(0x51C));
        alternate.set(PINS);
        open_drain.set(PINS);
        digital.set(PINS);
        let mut bus = Self { unsure: true };
        bus.recover();
        bus
    }

    /// Switches the controller on anew if the last transfer failed half-way.
    fn recover(&mut self) {
        if core::mem::take(&mut self.unsure) {
            MODE.write(0);
            MODE.write(1 << 4);
            // 12.5 MHz / (2 * (6 + 4) * (5 + 1)): about 100 kHz.
            PERIOD.write(5);
        }
    }

    fn run(&mut self, commands: u32) -> Result<(), Error> {
        CLEAR_INTERRUPT.write(1);
        CONTROL.write(commands);
        for _ in 0..PATIENCE {
            let status = CONTROL.read();
            if status & status::BUSY != 0 {
                continue;
            }
            if status & status::ERROR != 0 {
                return Err(self.fail(status));
            }
            if RAW_INTERRUPT.read() & 1 != 0 {
                return Ok(());
            }
        }
        self.unsure = true;
        Err(Error::Stuck)
    }

    fn fail(&mut self, status: u32) -> Error {
        let lost = status & status::LOST != 0;
        if status & status::BUS_BUSY == 0 {
            // Arbitration lost on an idle bus: how the emulated controller shows that no
            // device took part.
            if lost || status & status::NO_ADDRESS != 0 {
                return Error::NoAcknowledge(NoSource::Address);
            }
        } else if !lost {
            CONTROL.write(command::STOP);
        }
        self.unsure = true;
        if lost {
            Error::ArbitrationLoss
        } else if status & status::NO_ADDRESS != 0 {
            Error::NoAcknowledge(NoSource::Address)
        } else if status & status::NO_DATA != 0 {
            Error::NoAcknowledge(NoSource::Data)
        } else {
            Error::Stuck
        }
    }

    fn write_bytes(&mut self, bytes: &[u8], first: bool, last: bool) -> Result<(), Error> {
        for (i, byte) in bytes.iter().enumerate() {
            DATA.write(u32::from(*byte));
            let start = if first && i == 0 { command::START } else { 0 };
            let stop = if last && i + 1 == bytes.len() { command::STOP } else { 0 };
            self.run(command::RUN | start | stop)?;
        }
        Ok(())
    }

    fn read_bytes(&mut self, bytes: &mut [u8], first: bool, last: bool) -> Result<(), Error> {
        let count = bytes.len();
        for (i, byte) in bytes.iter_mut().enumerate() {
            let start = if first && i == 0 { command::START } else { 0 };
            let end = if last && i + 1 == count { command::STOP } else { command::ACK };
            self.run(command::RUN | start | end)?;
            *byte = DATA.read() as u8;
        }
        Ok(())
    }
}

impl ErrorType for I2c0 {
    type Error = Error;
}

impl I2c for I2c0 {
    /// The emulated controller does not turn the bus round at a repeated start, so that
    /// a change of direction stops and starts. The devices of this board keep their
    /// register pointer over a stop, and there is no other master on the bus.
    fn transaction(
        &mut self,
        address: SevenBitAddress,
        operations: &mut [Operation<'_>],
    ) -> Result<(), Error> {
        self.recover();
        let mut previous = None;
        for i in 0..operations.len() {
            let next = operations.get(i + 1).map(is_read);
            let Some(operation) = operations.get_mut(i) else { break };
            let reads = is_read(operation);
            let (first, last) = (previous != Some(reads), next != Some(reads));
            previous = Some(reads);
            ADDRESS.write(u32::from(address) << 1 | u32::from(reads));
            match operation {
                Operation::Write(bytes) => self.write_bytes(bytes, first, last)?,
                Operation::Read(bytes) => self.read_bytes(bytes, first, last)?,
            }
        }
        Ok(())
    }
}

fn is_read(operation: &Operation<'_>) -> bool {
    matches!(operation, Operation::Read(_))
}
