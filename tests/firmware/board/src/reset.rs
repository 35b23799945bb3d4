//! A reset by software, which leaves uninitialised memory as it is.

/// The chip starts anew.
pub fn reset() -> ! {
    #[cfg(target_arch = "arm")]
    cortex_m::peripheral::SCB::sys_reset();
    #[cfg(target_arch = "riscv32")]
    {
        // SAFETY: the test device of this board, which takes this word for a reset.
        unsafe { core::ptr::write_volatile(0x0010_0000 as *mut u32, 0x7777) };
        loop {
            riscv::asm::wfi();
        }
    }
}
