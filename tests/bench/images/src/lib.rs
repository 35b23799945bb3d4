//! The board of every image: what the compiler cannot see through.
//!
//! An image does one thing in a loop. It reads its input from, and writes what
//! comes of it to, volatile statics, so nothing of the library under test can be
//! worked out in advance or left out.

#![no_std]

mod full;

use core::panic::PanicInfo;
use core::ptr::{read_volatile, write_volatile};

static mut CLOCK: u64 = 0;
static mut INPUT: u32 = 0;
static mut OUTPUT: u32 = 0;
static mut RANDOM: u32 = 1;

// SAFETY, of all that follows: one thread, no interrupts, and no references to
// these statics, only volatile reads and writes.

/// Microseconds.
#[inline]
pub fn now() -> u64 {
    unsafe { read_volatile(&raw const CLOCK) }
}

/// Waits for so many microseconds.
#[inline]
pub fn sleep(micros: u64) {
    unsafe { write_volatile(&raw mut CLOCK, micros) }
}

/// The operation: an even input is its value, an odd one its error.
#[inline(never)]
pub fn operation() -> Result<u32, u32> {
    let input = unsafe { read_volatile(&raw const INPUT) };
    if input & 1 == 0 { Ok(input) } else { Err(input) }
}

/// Another operation, with another error type.
#[inline(never)]
pub fn other_operation() -> Result<u64, u16> {
    let input = unsafe { read_volatile(&raw const INPUT) };
    if input & 2 == 0 { Ok(u64::from(input)) } else { Err(input as u16) }
}

/// A third one, with a third error type.
#[inline(never)]
pub fn third_operation() -> Result<i64, i16> {
    let input = unsafe { read_volatile(&raw const INPUT) };
    if input & 4 == 0 { Ok(i64::from(input)) } else { Err(input as i16) }
}

#[inline]
pub fn random() -> u32 {
    unsafe { read_volatile(&raw const RANDOM) }
}

#[inline]
pub fn output(value: u32) {
    unsafe { write_volatile(&raw mut OUTPUT, value) }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// The entry of an image, which does `$job` for ever.
#[macro_export]
macro_rules! image {
    ($job:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn _start() -> ! {
            loop {
                $job();
            }
        }
    };
}

/// The clock of the board, for redress.
#[derive(Clone, Copy)]
pub struct Board;

impl redress::Clock for Board {
    #[inline]
    fn now(&self) -> redress::Instant {
        redress::Instant::from_micros(now())
    }
}

impl redress::time::Sleep for Board {
    #[inline]
    fn sleep(&mut self, span: redress::Duration) {
        sleep(span.as_micros());
    }
}

/// A static of a firmware with one thread.
pub struct OneThread<T>(pub T);

// SAFETY: an image has one thread.
unsafe impl<T> Sync for OneThread<T> {}

impl<S: redress::Shared> redress::Shared for OneThread<S> {
    type Item = S::Item;

    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut S::Item) -> R) -> Option<R> {
        self.0.with(f)
    }
}
