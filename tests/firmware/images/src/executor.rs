//! An executor of embassy that sleeps with WFI: deterministic, and cheap to emulate.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, Ordering};

use embassy_executor::{Spawner, raw::Executor};
use static_cell::StaticCell;

static READY: AtomicBool = AtomicBool::new(false);

/// What embassy calls when a task becomes ready, from interrupts too: an image exports it as
/// `__pender`.
pub fn pend() {
    READY.store(true, Ordering::Release);
}

/// Runs the tasks that `spawn` spawns, for ever.
pub fn run(spawn: impl FnOnce(Spawner)) -> ! {
    static EXECUTOR: StaticCell<Executor> = StaticCell::new();
    let executor = EXECUTOR.init(Executor::new(null_mut()));
    spawn(executor.spawner());
    loop {
        // SAFETY: this is the only place that polls, and `pend` does not.
        unsafe { executor.poll() };
        // With interrupts masked none can come between the question and the sleep;
        // WFI returns on a pending one all the same.
        critical_section::with(|_| {
            if READY.load(Ordering::Acquire) {
                READY.store(false, Ordering::Release);
            } else {
                #[cfg(target_arch = "arm")]
                cortex_m::asm::wfi();
                #[cfg(target_arch = "riscv32")]
                riscv::asm::wfi();
            }
        });
    }
}

/// The entry of an image whose task `$task` ends the emulation.
#[macro_export]
macro_rules! tasks {
    ($task:path) => {
        #[unsafe(export_name = "__pender")]
        fn pend(_: *mut ()) {
            $crate::executor::pend();
        }

        #[cfg_attr(target_arch = "arm", $crate::entry)]
        #[cfg_attr(target_arch = "riscv32", $crate::entry)]
        fn start() -> ! {
            $crate::clock::start(|| {});
            $crate::executor::run(|spawner| match $task(spawner) {
                Ok(token) => spawner.spawn(token),
                Err(_) => semihosting::process::exit(1),
            })
        }
    };
}
