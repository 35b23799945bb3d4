//! Takes over what the EEPROM holds, says what it found, and saves one state after the other
//! until the power is cut.

#![no_std]
#![no_main]

#[path = "../../../../examples/sensor-node/src/i2c.rs"]
mod i2c;
#[cfg(feature = "one-slot")]
mod one_slot;
#[path = "../../../../examples/sensor-node/src/register.rs"]
mod register;

use cortex_m::delay::Delay;
use eeprom24x::{Eeprom24x, SlaveAddr};
// Its interrupt vectors are linked.
use lm3s6965 as _;
use power_cut_state::{BYTES, restore, state};
use redress_embassy::durable::{Durable, Eeprom, LoadError, OVERHEAD, Record};
use semihosting::println;

type Slot = Record<{ OVERHEAD + BYTES }>;

/// So many states that cannot be saved end the image.
const PATIENCE: u32 = 3;

/// Cycles of the core in a second, after a reset.
const HZ: u32 = 12_500_000;

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    println!("panicked: {info}");
    semihosting::process::exit(101)
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let Some(peripherals) = cortex_m::Peripherals::take() else { panic!("started twice") };
    let delay = Delay::new(peripherals.SYST, HZ);
    let eeprom = Eeprom24x::new_24x32(i2c::I2c0::new(), SlaveAddr::default());
    let storage = eeprom24x::Storage::new(eeprom, delay);
    let slots = Eeprom::new(storage, 0);
    #[cfg(feature = "one-slot")]
    let slots = one_slot::OneSlot(slots);
    let mut durable = Durable::new(slots, 1);

    let mut record = Slot::new();
    let mut number = 0;
    match durable.load(&mut record) {
        Ok(mut fields) => match fields.take_bytes().and_then(|bytes| restore(&bytes)) {
            Ok(found) => {
                number = found.number();
                println!("found {found}");
            }
            Err(why) => println!("found a state that is none: {why}"),
        },
        Err(LoadError::Empty) => println!("found nothing"),
        Err(why) => println!("found no storage: {why:?}"),
    }
    let mut unsaved = 0;
    while unsaved < PATIENCE {
        number += 1;
        let mut record = Slot::new();
        if let Err(why) = state(number).and_then(|bytes| record.put_bytes(&bytes)) {
            panic!("{why}");
        }
        println!("saving {number}");
        match durable.save(&record) {
            Ok(()) => println!("saved {number}"),
            Err(why) => {
                unsaved += 1;
                println!("not saved {number}: {why:?}");
            }
        }
    }
    semihosting::process::exit(0)
}
