//! The time driver of embassy-time on SysTick: an interrupt every millisecond counts
//! and wakes, the counter gives the microseconds in between.

use core::cell::{Cell, RefCell};
use core::task::Waker;

use cortex_m::Peripherals;
use cortex_m::peripheral::{SCB, SYST, syst::SystClkSource};
use cortex_m_rt::exception;
use critical_section::Mutex;
use embassy_time_driver::Driver;
use embassy_time_queue_utils::Queue;

/// Core clock cycles in a millisecond, at the 12.5 MHz after a reset.
const CYCLES: u32 = 12_500;

struct SysTick {
    millis: Mutex<Cell<u64>>,
    queue: Mutex<RefCell<Queue>>,
}

embassy_time_driver::time_driver_impl!(static DRIVER: SysTick = SysTick {
    millis: Mutex::new(Cell::new(0)),
    queue: Mutex::new(RefCell::new(Queue::new())),
});

/// Starts the clock; until then it stands at zero.
pub fn start(peripherals: &mut Peripherals) {
    let syst = &mut peripherals.SYST;
    syst.set_clock_source(SystClkSource::Core);
    syst.set_reload(CYCLES - 1);
    syst.clear_current();
    syst.enable_counter();
    syst.enable_interrupt();
}

impl Driver for SysTick {
    fn now(&self) -> u64 {
        critical_section::with(|cs| {
            let mut left = SYST::get_current();
            let mut millis = self.millis.borrow(cs).get();
            if SCB::is_pendst_pending() {
                // The counter has started anew and the interrupt has not run yet.
                left = SYST::get_current();
                millis += 1;
            }
            let cycles = CYCLES.saturating_sub(1).saturating_sub(left);
            // Two microseconds are 25 cycles.
            millis * 1_000 + u64::from(cycles * 2 / 25)
        })
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        // The next interrupt finds out when it is due.
        critical_section::with(|cs| {
            self.queue.borrow(cs).borrow_mut().schedule_wake(at, waker);
        });
    }
}

#[exception]
fn SysTick() {
    critical_section::with(|cs| {
        let millis = DRIVER.millis.borrow(cs).get() + 1;
        DRIVER.millis.borrow(cs).set(millis);
        DRIVER.queue.borrow(cs).borrow_mut().next_expiration(millis * 1_000);
    });
}
