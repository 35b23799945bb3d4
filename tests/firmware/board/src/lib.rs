//! The boards under the firmware images: memory, two interrupts, a reset, and how deep the
//! stack goes.

#![no_std]

// They bring the critical section of a processor with one core.
#[cfg(target_arch = "arm")]
use cortex_m as _;
#[cfg(target_arch = "riscv32")]
use riscv as _;

pub mod interrupts;
pub mod reset;
pub mod stack;

#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;
