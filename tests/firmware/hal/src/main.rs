//! What the errors of embassy-nrf are: its own values, not copies of their kinds.

#![no_std]
#![no_main]

use embassy_nrf::{buffered_uarte, spim, twim, uarte};
use redress::ErrorClass::{self, Permanent, Transient};
use redress::classify::Classification;
use redress_embassy::classify;
use semihosting::eprintln;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    semihosting::process::exit(101)
}

const I2C: [(twim::Error, ErrorClass); 9] = [
    (twim::Error::Timeout, Transient),
    (twim::Error::Transmit, Transient),
    (twim::Error::Receive, Transient),
    (twim::Error::AddressNack, Transient),
    (twim::Error::DataNack, Transient),
    (twim::Error::Overrun, Transient),
    // Mistakes in a program, which embedded-hal has no kind for.
    (twim::Error::TxBufferTooLong, Transient),
    (twim::Error::RxBufferTooLong, Transient),
    (twim::Error::RAMBufferTooSmall, Transient),
];

const UART: [(uarte::Error, ErrorClass); 6] = [
    (uarte::Error::Framing, Transient),
    (uarte::Error::Parity, Transient),
    (uarte::Error::Overrun, Transient),
    (uarte::Error::Break, Transient),
    (uarte::Error::BufferTooLong, Permanent),
    (uarte::Error::BufferNotInRAM, Permanent),
];

/// Lines of those that passed, and of those that did not.
#[derive(Default)]
struct Checks(usize, usize);

impl Checks {
    fn check(
        &mut self,
        of: &str,
        error: impl core::fmt::Debug,
        is: Classification,
        class: ErrorClass,
    ) {
        let word = if is.class == class { "ok" } else { "FAILED" };
        *(if is.class == class { &mut self.0 } else { &mut self.1 }) += 1;
        let (class, detail) = (is.class.as_str(), is.detail.unwrap_or("no detail"));
        eprintln!(
            "{} the class of the HAL's own error, {}: {:?}: {} ({})",
            word, of, error, class, detail
        );
    }
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut checks = Checks::default();
    for (error, class) in I2C {
        checks.check("twim", error, classify::i2c(&error), class);
    }
    for (error, class) in UART {
        checks.check("uarte", error, classify::io(&error), class);
    }
    let overrun = buffered_uarte::Error::Overrun;
    checks.check("buffered_uarte", overrun, classify::io(&overrun), Transient);
    let spi = spim::Error::BufferNotInRAM;
    checks.check("spim", spi, classify::spi(&spi), Transient);
    eprintln!("{} passed, {} failed", checks.0, checks.1);
    semihosting::process::exit(i32::from(checks.1 != 0))
}
