//! What both programs have in common: two thermometers on one bus, of which one is not there.

#![no_std]

#[expect(clippy::new_without_default, reason = "the controller of a chip is no default")]
#[path = "../../sensor-node/src/i2c.rs"]
pub mod i2c;
#[path = "../../sensor-node/src/register.rs"]
mod register;

use embedded_hal::i2c::I2c;
// Its table of interrupt vectors.
use lm3s6965 as _;
use redress::breaker::{FailureRule, FailureTimes};
use redress::{Backoff, Breaker, BreakerConfig, Duration, Event, Policy, policy, settings};
use semihosting::eprintln;

use crate::i2c::{Error, I2c0};

settings! {
    /// Two delays of this are longer than the counter of the bare loop needs to wrap.
    pub Thermometer: Policy = policy! {
        Policy::builder()
            .max_attempts(3)
            .deadline(Duration::from_secs(10))
            .backoff(Backoff::exponential(Duration::from_millis(500), Duration::from_secs(2)))
    };
    /// Two readings failed within a minute: leave the thermometer alone for five seconds.
    pub Rule: BreakerConfig<FailureRule> = BreakerConfig::failures(2, Duration::from_secs(60))
        .recovery_timeout(Duration::from_secs(5))
}

pub type Circuit = Breaker<FailureTimes<2>, 1, Rule>;

/// The one that is there.
pub const INDOOR: u8 = 0x49;
/// The one that is not.
pub const OUTDOOR: u8 = 0x4A;

/// The temperature in 1/256 degrees, of a register of two bytes.
///
/// # Errors
///
/// Those of the controller: that no device acknowledges the address, for instance.
pub fn read(bus: &mut I2c0, address: u8) -> Result<i16, Error> {
    let mut reading = [0; 2];
    bus.write_read(address, &[0], &mut reading)?;
    Ok(i16::from_be_bytes(reading))
}

/// A decision in one line.
pub fn log(event: &Event<'_>) {
    let (operation, attempt, kind) = (event.operation, event.attempt, event.kind.as_str());
    let class = event.class.map_or("", |class| class.as_str());
    eprintln!("{} #{} {} {} {} ms", operation, attempt, kind, class, event.delay.as_millis());
}

/// How often each is read before the program ends.
pub const ROUNDS: u32 = 8;

/// A reading, or that there is none.
pub fn show(name: &str, reading: Option<i16>) {
    match reading {
        Some(reading) => eprintln!("{}: {} C", name, reading >> 8),
        None => eprintln!("{}: no reading", name),
    }
}

/// The end of a program in an emulator.
pub fn end() -> ! {
    semihosting::process::exit(0)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    semihosting::process::exit(101)
}
