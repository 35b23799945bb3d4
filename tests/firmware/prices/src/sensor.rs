//! The operation of every image: a sensor that fails now and then.

use core::future::poll_fn;
use core::ptr::{read_volatile, write_volatile};
use core::task::Poll;

use embassy_time::Timer;
use redress::ErrorClass;

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SensorError {
    /// No device acknowledges.
    Silent,
    /// It asks to be left alone for a while.
    Busy,
    /// It does not know the register.
    Unsupported,
}

impl SensorError {
    /// What a failure is, as every image sees it.
    #[inline]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Silent => ErrorClass::Transient,
            Self::Busy => ErrorClass::RateLimit,
            Self::Unsupported => ErrorClass::Permanent,
        }
    }
}

/// What the next readings are, two bits each: 0 a value, else an error. The compiler
/// does not know them.
static mut SCRIPT: u32 = 0;

/// Sets what the next readings are.
pub fn script(answers: u32) {
    // SAFETY: one thread, and no reference to it is ever made.
    unsafe { write_volatile(&raw mut SCRIPT, answers) }
}

/// The next reading.
#[inline(never)]
fn answer() -> Result<u16, SensorError> {
    // SAFETY: as above.
    let script = unsafe { read_volatile(&raw const SCRIPT) };
    self::script(script >> 2);
    match script & 3 {
        0 => Ok(21),
        1 => Err(SensorError::Silent),
        2 => Err(SensorError::Busy),
        _ => Err(SensorError::Unsupported),
    }
}

/// A driver that is used by `&mut`, as drivers are.
#[derive(Debug)]
pub struct Sensor {
    settled: bool,
}

impl Sensor {
    /// One that takes 300 us to read.
    pub const fn slow() -> Self {
        Self { settled: false }
    }

    /// One that has its answer at once.
    pub const fn quick() -> Self {
        Self { settled: true }
    }

    /// Reads it.
    ///
    /// # Errors
    ///
    /// As the script says.
    pub async fn read(&mut self) -> Result<u16, SensorError> {
        if !self.settled {
            Timer::after_micros(300).await;
        }
        answer()
    }

    /// Reads it without any time, after a turn of other tasks.
    ///
    /// # Errors
    ///
    /// As the script says.
    pub async fn read_in_turn(&mut self) -> Result<u16, SensorError> {
        let mut has_yielded = false;
        poll_fn(|context| {
            if has_yielded {
                return Poll::Ready(());
            }
            has_yielded = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        answer()
    }
}

/// Numbers for jitter, from a seed: every run is the same. What a register of a chip
/// would give.
#[inline(never)]
pub fn random() -> u32 {
    static mut STATE: u32 = 0x9E37_79B9;
    // SAFETY: as above.
    unsafe {
        let mut x = read_volatile(&raw const STATE);
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        write_volatile(&raw mut STATE, x);
        x
    }
}
