//! The clock of embassy-time, on a counter whose alarm is set for the very tick that is
//! due.

use core::cell::{Cell, RefCell};
use core::task::Waker;

use board::interrupts;
use critical_section::{CriticalSection, Mutex};
use embassy_time_driver::Driver;
use embassy_time_queue_utils::Queue;

/// Whole on every board, as cycles in a microsecond are not.
const CYCLES_IN_2_US: u64 = interrupts::HZ as u64 / 500_000;

struct Ticks {
    /// Cycles of the counter until the alarm was last set.
    base: Mutex<Cell<u64>>,
    queue: Mutex<RefCell<Queue>>,
}

embassy_time_driver::time_driver_impl!(static DRIVER: Ticks = Ticks {
    base: Mutex::new(Cell::new(0)),
    queue: Mutex::new(RefCell::new(Queue::new())),
});

/// The counter runs, and an alarm wakes who is due.
pub fn start(on_soft: fn()) {
    interrupts::start(|_| critical_section::with(|cs| DRIVER.expired(cs)), on_soft);
    critical_section::with(|cs| DRIVER.alarm(cs, u64::MAX));
}

/// Time begins anew, as no driver of embassy's may: who waits goes on waiting for the tick that
/// was due.
pub fn restart() {
    critical_section::with(|cs| {
        let base = DRIVER.base.borrow(cs);
        base.set(0);
        interrupts::fire_in(1);
    });
}

impl Ticks {
    fn cycles(&self, cs: CriticalSection<'_>) -> u64 {
        self.base.borrow(cs).get() + interrupts::elapsed()
    }

    fn alarm(&self, cs: CriticalSection<'_>, at: u64) {
        // Whole cycles that reach the tick: rounded up.
        let due = at.saturating_mul(CYCLES_IN_2_US).div_ceil(2);
        let now = self.cycles(cs);
        let wait = due.saturating_sub(now).clamp(1, 0x00FF_FFFF);
        let base = self.base.borrow(cs);
        base.set(base.get() + interrupts::fire_in(wait as u32));
    }

    /// The alarm has gone off, be it due or only as late as the counter goes.
    fn expired(&self, cs: CriticalSection<'_>) {
        let next = self.queue.borrow_ref_mut(cs).next_expiration(self.micros(cs));
        self.alarm(cs, next);
    }

    fn micros(&self, cs: CriticalSection<'_>) -> u64 {
        self.cycles(cs) * 2 / CYCLES_IN_2_US
    }
}

impl Driver for Ticks {
    fn now(&self) -> u64 {
        critical_section::with(|cs| self.micros(cs))
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|cs| {
            if self.queue.borrow_ref_mut(cs).schedule_wake(at, waker) {
                self.expired(cs);
            }
        });
    }
}
