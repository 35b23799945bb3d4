//! The first I2C controller of an LM3S6965 behind its interrupt: a transfer waits for it, and
//! one whose interrupt never comes never ends.

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use embedded_hal::i2c::{ErrorKind, ErrorType, NoAcknowledgeSource, Operation};
use embedded_hal_async::i2c::I2c;

use crate::register::Register;

const fn register(offset: usize) -> Register {
    // SAFETY: the controller lies here and reaches no memory by itself.
    unsafe { Register::at(0x4002_0000 + offset) }
}

const ADDRESS: Register = register(0x00);
/// Read: the status bits. Written: the commands.
const CONTROL: Register = register(0x04);
const DATA: Register = register(0x08);
const PERIOD: Register = register(0x0C);
const INTERRUPT_MASK: Register = register(0x10);
const CLEAR_INTERRUPT: Register = register(0x1C);
const MODE: Register = register(0x20);

const RUN: u32 = 1 << 0;
const START: u32 = 1 << 1;
const STOP: u32 = 1 << 2;
const ACK: u32 = 1 << 3;
const ERROR: u32 = 1 << 1;

/// A byte is through.
static DONE: Signal<CriticalSectionRawMutex, ()> = Signal::new();
static LOSE: Signal<CriticalSectionRawMutex, ()> = Signal::new();
static COMPLETED: AtomicU32 = AtomicU32::new(0);

#[derive(Clone, Copy)]
struct Completion;

// SAFETY: this is the number of the controller's interrupt.
unsafe impl InterruptNumber for Completion {
    fn number(self) -> u16 {
        8
    }
}

/// The only interrupt that is unmasked.
#[cortex_m_rt::exception]
unsafe fn DefaultHandler(_: i16) {
    CLEAR_INTERRUPT.write(1);
    DONE.signal(());
}

/// The controller is off: it takes no command, and no interrupt comes any more.
pub fn switch_off() {
    MODE.write(0);
}

/// Another master takes the bus in the middle of the next transfer.
pub fn lose() {
    LOSE.signal(());
}

/// How many transfers have ended well.
pub fn completed() -> u32 {
    COMPLETED.load(Ordering::Relaxed)
}

/// The controller, as bus master. Only one may be made.
pub struct Bus {
    /// The bus was lost in a transfer, and not reset since.
    lost: bool,
}

impl Bus {
    pub fn new() -> Self {
        let mut bus = Self { lost: false };
        bus.reset();
        // SAFETY: nothing relies on this interrupt being masked.
        unsafe { NVIC::unmask(Completion) };
        bus
    }

    /// The controller begins anew.
    pub fn reset(&mut self) {
        MODE.write(0);
        MODE.set(1 << 4);
        PERIOD.write(5);
        INTERRUPT_MASK.write(1);
        self.lost = false;
    }

    /// A byte; an error is there at once, for all else the interrupt is waited for.
    async fn run(&mut self, commands: u32) -> Result<(), ErrorKind> {
        DONE.reset();
        CONTROL.write(commands);
        if CONTROL.read() & ERROR == 0 {
            DONE.wait().await;
            return Ok(());
        }
        if commands & START != 0 {
            return Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address));
        }
        self.lost = true;
        Err(ErrorKind::ArbitrationLoss)
    }

    async fn transfer(&mut self, operation: &mut Operation<'_>) -> Result<(), ErrorKind> {
        let (reads, count) = match operation {
            Operation::Read(bytes) => (true, bytes.len()),
            Operation::Write(bytes) => (false, bytes.len()),
        };
        for nth in 0..count {
            if let Operation::Write(bytes) = operation {
                DATA.write(u32::from(bytes[nth]));
            }
            let last = nth + 1 == count;
            let start = if nth == 0 { START } else { 0 };
            let end = if last { STOP } else { ACK };
            self.run(RUN | start | if reads || last { end } else { 0 }).await?;
            if let Operation::Read(bytes) = operation {
                bytes[nth] = DATA.read() as u8;
            }
            if !last && LOSE.try_take().is_some() {
                CONTROL.write(STOP);
            }
        }
        Ok(())
    }
}

impl ErrorType for Bus {
    type Error = ErrorKind;
}

impl I2c for Bus {
    /// A change of direction stops and starts: the emulated controller does not turn the bus
    /// round at a repeated start.
    async fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), ErrorKind> {
        if self.lost {
            return Err(ErrorKind::ArbitrationLoss);
        }
        for operation in operations {
            let reads = matches!(operation, Operation::Read(_));
            ADDRESS.write(u32::from(address) << 1 | u32::from(reads));
            self.transfer(operation).await?;
        }
        COMPLETED.store(completed() + 1, Ordering::Relaxed);
        Ok(())
    }
}
