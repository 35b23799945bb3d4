//! A thermometer on a Raspberry Pi Pico: the LM75 is at GP4 and GP5, the log leaves by GP0.

#![no_std]
#![no_main]

use core::fmt;
use core::ops::ControlFlow;

use embassy_executor::Spawner;
use embassy_rp::clocks::RoscRng;
use embassy_rp::gpio::{Level, OutputOpenDrain, Pin};
use embassy_rp::i2c::{self, I2c};
use embassy_rp::uart::{self, UartTx};
use embassy_rp::{Peri, bind_interrupts, peripherals};
use job::{Bus, LM75};
use panic_halt as _;
use redress::random::from_fn;
use redress_embassy::recover_bus;

bind_interrupts!(struct Interrupts {
    I2C0_IRQ => i2c::InterruptHandler<peripherals::I2C0>;
});

/// The controller and its pins.
struct Wires {
    i2c: Peri<'static, peripherals::I2C0>,
    sda: Peri<'static, peripherals::PIN_4>,
    scl: Peri<'static, peripherals::PIN_5>,
}

impl Bus for Wires {
    type Error = i2c::Error;

    async fn read(&mut self) -> Result<[u8; 2], i2c::Error> {
        let (i2c, scl, sda) = (self.i2c.reborrow(), self.scl.reborrow(), self.sda.reborrow());
        // This resets the controller, whatever a dropped attempt has left in it.
        let mut bus = I2c::new_async(i2c, scl, sda, Interrupts, i2c::Config::default());
        let mut reading = [0; 2];
        bus.write_read_async(u16::from(LM75), [0], &mut reading).await?;
        Ok(reading)
    }

    async fn recover(&mut self) -> ControlFlow<()> {
        let (mut sda, mut scl) = (open_drain(self.sda.reborrow()), open_drain(self.scl.reborrow()));
        match recover_bus(&mut sda, &mut scl).await {
            Ok(_clocks) => ControlFlow::Continue(()),
            Err(_stuck) => ControlFlow::Break(()),
        }
    }
}

/// A pin that is low or let go, and can be read.
fn open_drain<'p>(pin: Peri<'p, impl Pin>) -> OutputOpenDrain<'p> {
    let mut pin = OutputOpenDrain::new(pin, Level::High);
    pin.set_pullup(true);
    pin
}

/// The log.
struct Serial(UartTx<'static, uart::Blocking>);

impl fmt::Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.blocking_write(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let board = embassy_rp::init(Default::default());
    let log = Serial(UartTx::new_blocking(board.UART0, board.PIN_0, uart::Config::default()));
    let wires = Wires { i2c: board.I2C0, sda: board.PIN_4, scl: board.PIN_5 };
    let mut noise = RoscRng;
    job::run(wires, from_fn(move || noise.next_u32()), log).await
}
