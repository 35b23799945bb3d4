//! A thermometer on a Nucleo-F411RE: the LM75 is at PB8 and PB9, the log leaves by the ST-Link.

#![no_std]
#![no_main]

use core::fmt;
use core::ops::ControlFlow;

use embassy_executor::Spawner;
use embassy_stm32::adc::{Adc, SampleTime};
use embassy_stm32::gpio::{Level, OutputOpenDrain, Pin, Speed};
use embassy_stm32::i2c::{self, I2c};
use embassy_stm32::mode::Blocking;
use embassy_stm32::usart::{self, UartTx};
use embassy_stm32::{Peri, bind_interrupts, dma, peripherals, uid};
use job::{Bus, LM75};
use panic_halt as _;
use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::SeedableRng as _;
use redress_embassy::random::Seed;
use redress_embassy::recover_bus;

bind_interrupts!(struct Interrupts {
    I2C1_EV => i2c::EventInterruptHandler<peripherals::I2C1>;
    I2C1_ER => i2c::ErrorInterruptHandler<peripherals::I2C1>;
    DMA1_STREAM6 => dma::InterruptHandler<peripherals::DMA1_CH6>;
    DMA1_STREAM0 => dma::InterruptHandler<peripherals::DMA1_CH0>;
});

/// The controller, its pins and its DMA.
struct Wires {
    i2c: Peri<'static, peripherals::I2C1>,
    scl: Peri<'static, peripherals::PB8>,
    sda: Peri<'static, peripherals::PB9>,
    send: Peri<'static, peripherals::DMA1_CH6>,
    receive: Peri<'static, peripherals::DMA1_CH0>,
}

impl Bus for Wires {
    type Error = i2c::Error;

    async fn read(&mut self) -> Result<[u8; 2], i2c::Error> {
        // This resets the controller, and a dropped attempt has stopped its DMA, but sent no STOP.
        let mut bus = I2c::new(
            self.i2c.reborrow(),
            self.scl.reborrow(),
            self.sda.reborrow(),
            self.send.reborrow(),
            self.receive.reborrow(),
            Interrupts,
            i2c::Config::default(),
        );
        let mut reading = [0; 2];
        bus.write_read(LM75, &[0], &mut reading).await?;
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
    OutputOpenDrain::new(pin, Level::High, Speed::Low)
}

/// The log.
struct Serial(UartTx<'static, Blocking>);

impl fmt::Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.blocking_write(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let mut board = embassy_stm32::init(Default::default());
    // This chip has no generator: its number tells it from other chips, a pin without a wire this
    // start from others.
    let mut seed = Seed::new(&uid::uid(), 0);
    let mut adc = Adc::new(board.ADC1);
    for _ in 0..16 {
        let sample = adc.blocking_read(&mut board.PA0, SampleTime::CYCLES3);
        seed = seed.noise(u32::from(sample));
    }
    let random = Xoshiro128PlusPlus::seed_from_u64(seed.finish());
    let serial = UartTx::new_blocking(board.USART2, board.PA2, usart::Config::default());
    // The default configuration is in range.
    let Ok(serial) = serial else { return };
    let wires = Wires {
        i2c: board.I2C1,
        scl: board.PB8,
        sda: board.PB9,
        send: board.DMA1_CH6,
        receive: board.DMA1_CH0,
    };
    job::run(wires, random, Serial(serial)).await
}
