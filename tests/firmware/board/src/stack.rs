//! How deep the stack goes: it is painted, and later one looks how far the paint has
//! gone.

use core::ptr::{read_volatile, write_volatile};

const PAINT: u32 = 0xC0DE_D00D;
/// How many bytes below the caller are painted: less than any board has free.
const PAINTED: usize = 4096;

/// A painted stretch of the stack.
#[derive(Clone, Copy, Debug)]
pub struct Painted {
    /// The end of the caller's own part.
    top: usize,
}

/// The stack pointer.
#[inline(always)]
fn pointer() -> usize {
    let pointer;
    // SAFETY: it is read only.
    unsafe {
        #[cfg(target_arch = "arm")]
        core::arch::asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack));
        #[cfg(target_arch = "riscv32")]
        core::arch::asm!("mv {}, sp", out(reg) pointer, options(nomem, nostack));
    }
    pointer
}

/// Paints the stack below its caller.
#[inline(always)]
pub fn paint() -> Painted {
    let top = pointer();
    fill(top - PAINTED);
    Painted { top }
}

#[inline(never)]
fn fill(from: usize) {
    // The distance is for what this function itself has there.
    for address in (from..pointer() - 64).step_by(4) {
        // SAFETY: nothing lives below the stack pointer but what calls leave behind; an
        // image here has more than 4 KB of stack and no interrupt meanwhile.
        unsafe { write_volatile(address as *mut u32, PAINT) };
    }
}

impl Painted {
    /// The bytes that were used since, below the stack of the painter.
    #[inline(never)]
    pub fn used(self) -> usize {
        let mut address = self.top - PAINTED;
        // SAFETY: as above; it is read only.
        while address < self.top && unsafe { read_volatile(address as *const u32) } == PAINT {
            address += 4;
        }
        self.top - address
    }
}
