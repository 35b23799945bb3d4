//! Under every image: where it starts and how it ends.

#![no_std]

pub mod arena;
pub mod check;
pub mod clock;
pub mod engine;
pub mod errors;
pub mod executor;
pub mod full;

use semihosting::{eprintln, process};

/// Ends the emulation by an exit code other than 0, after saying where.
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    eprintln!("{info}");
    process::exit(101)
}

/// A fault ends the emulation, too: it must not hang.
#[cfg(target_arch = "arm")]
#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    eprintln!("hard fault at {:#x}", frame.pc());
    process::exit(102)
}

/// The entry of an image: `$main` returns whether everything passed.
#[macro_export]
macro_rules! image {
    ($main:path) => {
        #[cfg_attr(target_arch = "arm", $crate::entry)]
        #[cfg_attr(target_arch = "riscv32", $crate::entry)]
        fn start() -> ! {
            let passed: bool = $main();
            semihosting::process::exit(if passed { 0 } else { 1 })
        }
    };
}

pub use board::entry;
