//! A bare loop: no executor, no timer interrupt. Its clock is a counter of 24 bits that wraps every
//! 1.3 s, in the middle of a call.

#![no_std]
#![no_main]

use core::cell::RefCell;

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use loops::i2c::I2c0;
use loops::{Circuit, INDOOR, OUTDOOR, ROUNDS, Rule, Thermometer, end, log, read, show};
use redress::driver::Decision;
use redress::random::NoRandom;
use redress::time::Widened;
use redress::{Clock, Duration, Retry};
use redress_embassy::classify;
use semihosting::eprintln;

/// From one round of readings to the next.
const PERIOD: Duration = Duration::from_secs(1);

/// All of the counter: `SysTick` has no more bits.
const TOP: u32 = 0x00FF_FFFF;

#[cortex_m_rt::entry]
fn main() -> ! {
    let Some(core) = cortex_m::Peripherals::take() else { end() };
    let mut counter = core.SYST;
    counter.set_clock_source(SystClkSource::Core);
    counter.set_reload(TOP);
    counter.clear_current();
    counter.enable_counter();
    // It counts down, at 12.5 MHz: a tick of 0.08 us is 5,243/65,536 us, to 23 parts in a million.
    let clock = Widened::new(|| TOP - SYST::get_current(), 5_243).bits(24).shifted(16);

    let mut bus = I2c0::new();
    let breaker = RefCell::new(Circuit::fixed(Rule));
    let mut indoor = Retry::new(Thermometer, &clock, NoRandom).operation("indoor").on_event(log);
    let mut outdoor = Retry::new(Thermometer, &clock, NoRandom)
        .breaker(&breaker)
        .operation("outdoor")
        .on_event(log);
    // What else the loop has to do, while a call waits.
    let mut turns = 0_u32;
    let mut work = || turns = turns.wrapping_add(1);

    /// One call, by its steps.
    macro_rules! call {
        ($retry:expr, $address:expr) => {
            'call: {
                let Ok(mut steps) = $retry.begin() else { break 'call None };
                loop {
                    if steps.start().is_err() {
                        break 'call None;
                    }
                    let error = match read(&mut bus, $address) {
                        Ok(reading) => {
                            steps.succeed();
                            break 'call Some(reading);
                        }
                        Err(error) => error,
                    };
                    let Decision::Retry { after } = steps.fail(classify::i2c(&error)) else {
                        break 'call None;
                    };
                    let until = clock.now().saturating_add(after);
                    while clock.now() < until {
                        work();
                    }
                    if steps.on_wake().is_err() {
                        break 'call None;
                    }
                }
            }
        };
    }

    for _ in 0..ROUNDS {
        let next = clock.now().saturating_add(PERIOD);
        show("indoor", call!(indoor, INDOOR));
        show("outdoor", call!(outdoor, OUTDOOR));
        // The clock is read at least once within each period of its counter.
        while clock.now() < next {
            work();
        }
    }
    eprintln!("{} s, {} other turns", clock.now().as_micros() / 1_000_000, turns);
    end()
}
