//! An executor that sleeps with WFI while no task is ready.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, Ordering};

use embassy_executor::Spawner;
use embassy_executor::raw::Executor;
use static_cell::StaticCell;

static READY: AtomicBool = AtomicBool::new(false);

/// Embassy calls it when a task becomes ready, from interrupts too.
#[unsafe(export_name = "__pender")]
fn pend(_: *mut ()) {
    READY.store(true, Ordering::Release);
}

/// Spawns the first tasks and runs them for ever.
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
            if !READY.swap(false, Ordering::Acquire) {
                cortex_m::asm::wfi();
            }
        });
    }
}
