//! What most firmware without an executor has of time: a counter that an interrupt goes on with,
//! and a delay that watches it.

use core::cell::Cell;

use board::interrupts;
use critical_section::Mutex;
use embedded_hal::delay::DelayNs;
use redress::Duration;

/// Whole on every board, as cycles in a microsecond are not.
const CYCLES_IN_2_US: u64 = interrupts::HZ as u64 / 500_000;
/// A millisecond.
const PERIOD: u32 = interrupts::HZ / 1_000;

static CYCLES: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));

/// The counter begins.
pub fn start() {
    interrupts::start(|_| go_on(), || {});
    interrupts::fire_in(PERIOD);
}

fn go_on() {
    critical_section::with(|cs| {
        let cycles = CYCLES.borrow(cs);
        cycles.set(cycles.get() + interrupts::fire_in(PERIOD));
    });
}

/// Microseconds since the start.
pub fn micros() -> u64 {
    let cycles = critical_section::with(|cs| CYCLES.borrow(cs).get() + interrupts::elapsed());
    cycles * 2 / CYCLES_IN_2_US
}

/// Waits for that long and a little longer.
pub fn wait(span: Duration) {
    let until = micros() + span.as_micros() + 1;
    while micros() < until {}
}

/// A delay of embedded-hal.
pub struct Waiting;

impl DelayNs for Waiting {
    fn delay_ns(&mut self, ns: u32) {
        wait(Duration::from_micros(u64::from(ns.div_ceil(1_000))));
    }
}
