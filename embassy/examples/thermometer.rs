#![no_std]
#![no_main]

use core::ops::ControlFlow;

use embassy_executor::Spawner;
use embassy_nrf::gpio::{Flex, OutputDrive, Pin, Pull};
use embassy_nrf::rng::Rng;
use embassy_nrf::twim::{self, Twim};
use embassy_nrf::{Peri, bind_interrupts, peripherals};
use embassy_sync::blocking_mutex::raw::{CriticalSectionRawMutex, NoopRawMutex};
use embassy_sync::mutex::Mutex;
use embassy_time::Timer;
use panic_halt as _;
use redress::breaker::{FailureRule, FailureTimes};
use redress::random::from_fn;
use redress::{Backoff, Breaker, BreakerConfig, Duration, Last, Policy, Retry, policy, settings};
use redress_embassy::{EmbassyTime, Locked, classify, recover_bus};

bind_interrupts!(struct Interrupts {
    TWISPI0 => twim::InterruptHandler<peripherals::TWISPI0>;
});

// In types, so that what they do not use is not linked.
settings! {
    Sensor: Policy = policy! {
        Policy::builder()
            .max_attempts(4)
            .deadline(Duration::from_secs(2))
            .attempt_timeout(Duration::from_millis(50))
            .backoff(Backoff::decorrelated_jitter(
                Duration::from_millis(20),
                Duration::from_millis(500),
            ))
    };
    Rule: BreakerConfig<FailureRule> = BreakerConfig::failures(3, Duration::from_secs(60))
        .recovery_timeout(Duration::from_secs(30))
}

type Circuit = Breaker<FailureTimes<3>, 1, Rule>;

static BREAKER: Locked<CriticalSectionRawMutex, Circuit> = Locked::new(Circuit::fixed(Rule));

/// Address of the LM75.
const LM75: u8 = 0x48;

/// The controller and its pins.
struct Wires {
    twim: Peri<'static, peripherals::TWISPI0>,
    sda: Peri<'static, peripherals::P0_26>,
    scl: Peri<'static, peripherals::P0_27>,
}

impl Wires {
    /// Reads the temperature, in 1/256 degrees. The driver is made here: when an attempt is dropped it is,
    /// too, which stops the controller.
    async fn read(&mut self) -> Result<i16, twim::Error> {
        let (mut buffer, mut reading) = ([0; 1], [0; 2]);
        let mut bus = Twim::new(
            self.twim.reborrow(),
            Interrupts,
            self.sda.reborrow(),
            self.scl.reborrow(),
            twim::Config::default(),
            &mut buffer,
        );
        bus.write_read(LM75, &[0], &mut reading).await?;
        Ok(i16::from_be_bytes(reading))
    }

    /// Frees the bus: the sensor may wait for the rest of a byte, with SDA low.
    async fn recover(&mut self) -> ControlFlow<()> {
        let mut sda = open_drain(self.sda.reborrow());
        let mut scl = open_drain(self.scl.reborrow());
        match recover_bus(&mut sda, &mut scl).await {
            Ok(_clocks) => ControlFlow::Continue(()),
            // No attempt succeeds on this bus: the call ends with its last error.
            Err(_stuck) => ControlFlow::Break(()),
        }
    }
}

/// A pin that is low or let go, and can be read.
fn open_drain<'p>(pin: Peri<'p, impl Pin>) -> Flex<'p> {
    let mut pin = Flex::new(pin);
    pin.set_high();
    pin.set_as_input_output(Pull::Up, OutputDrive::Standard0Disconnect1);
    pin
}

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let board = embassy_nrf::init(embassy_nrf::config::Config::default());
    // One at a time: an attempt, or the hook between two.
    let wires = Mutex::<NoopRawMutex, _>::new(Wires {
        twim: board.TWISPI0,
        sda: board.P0_26,
        scl: board.P0_27,
    });
    let mut rng = Rng::new_blocking(board.RNG);
    let random = from_fn(move || {
        let mut bytes = [0; 4];
        rng.blocking_fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    });
    let mut sensor = Retry::new(Sensor, EmbassyTime, random)
        .classify(classify::i2c)
        .breaker(&BREAKER)
        .operation("LM75")
        .before_retry_async(async |_, _: &Last<_>| wires.lock().await.recover().await);
    loop {
        let read = sensor.call_async(async |_| wires.lock().await.read().await);
        match read.await {
            Ok(reading) => show(reading),
            // Which attempt, which class, why it stopped: or the breaker is open.
            Err(_why) => {}
        }
        Timer::after_secs(10).await;
    }
}

fn show(temperature: i16) {
    let _ = core::hint::black_box(temperature);
}
