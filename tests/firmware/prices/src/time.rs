//! Time that jumps to the next alarm: a job of hours is done at once, and always in the
//! same number of instructions.

use core::cell::{Cell, RefCell};
use core::task::Waker;

use critical_section::Mutex;
use embassy_time_driver::Driver;

struct Jumping {
    now: Mutex<Cell<u64>>,
    next: Mutex<Cell<u64>>,
    /// One task is all there is.
    waker: Mutex<RefCell<Option<Waker>>>,
}

embassy_time_driver::time_driver_impl!(static DRIVER: Jumping = Jumping {
    now: Mutex::new(Cell::new(1_000_000)),
    next: Mutex::new(Cell::new(u64::MAX)),
    waker: Mutex::new(RefCell::new(None)),
});

impl Driver for Jumping {
    #[inline(never)]
    fn now(&self) -> u64 {
        critical_section::with(|cs| self.now.borrow(cs).get())
    }

    #[inline(never)]
    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|cs| {
            let next = self.next.borrow(cs);
            next.set(next.get().min(at));
            if let Ok(mut known) = self.waker.borrow(cs).try_borrow_mut() {
                *known = Some(waker.clone());
            }
        });
    }
}

/// Jumps to the next alarm and wakes who waits for it; every task must be waiting.
pub fn jump() {
    let waker = critical_section::with(|cs| {
        let next = DRIVER.next.borrow(cs).replace(u64::MAX);
        let now = DRIVER.now.borrow(cs);
        now.set(now.get().max(next));
        DRIVER.waker.borrow(cs).try_borrow_mut().ok()?.take()
    });
    if let Some(waker) = waker {
        waker.wake();
    }
}
