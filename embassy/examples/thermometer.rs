#![no_std]
#![no_main]

use embassy_executor::Spawner;
use embassy_nrf::rng::Rng;
use embassy_nrf::twim::{self, Twim};
use embassy_nrf::{bind_interrupts, peripherals};
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_time::Timer;
use panic_halt as _;
use redress::breaker::{FailureRule, FailureTimes};
use redress::random::from_fn;
use redress::{Backoff, Breaker, BreakerConfig, Duration, Policy, checked, policy};
use redress_embassy::{EmbassyTime, Locked, classify};

bind_interrupts!(struct Interrupts {
    TWISPI0 => twim::InterruptHandler<peripherals::TWISPI0>;
});

const SENSOR: Policy = policy! {
    Policy::builder()
        .max_attempts(4)
        .deadline(Duration::from_secs(2))
        .attempt_timeout(Duration::from_millis(50))
        .backoff(Backoff::decorrelated_jitter(
            Duration::from_millis(20),
            Duration::from_millis(500),
        ))
};

const RULE: BreakerConfig<FailureRule> =
    BreakerConfig::failures(3, Duration::from_secs(60)).recovery_timeout(Duration::from_secs(30));

type Circuit = Breaker<FailureTimes<3>>;

static BREAKER: Locked<CriticalSectionRawMutex, Circuit> =
    Locked::new(checked!(Circuit::new(&RULE)));

/// Address of the LM75.
const LM75: u8 = 0x48;

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let board = embassy_nrf::init(embassy_nrf::config::Config::default());
    let mut buffer = [0; 8];
    let mut bus = Twim::new(
        board.TWISPI0,
        Interrupts,
        board.P0_26,
        board.P0_27,
        twim::Config::default(),
        &mut buffer,
    );
    let mut rng = Rng::new_blocking(board.RNG);
    let random = from_fn(move || {
        let mut bytes = [0; 4];
        rng.blocking_fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    });
    let mut sensor =
        SENSOR.on(EmbassyTime, random).classify(classify::i2c).breaker(&BREAKER).operation("LM75");
    loop {
        let mut reading = [0; 2];
        let read = sensor.call_async(async |_| bus.write_read(LM75, &[0], &mut reading).await);
        match read.await {
            // In 1/256 degrees.
            Ok(()) => show(i16::from_be_bytes(reading)),
            // Which attempt, which class, why it stopped: or the breaker is open.
            Err(_why) => {}
        }
        Timer::after_secs(10).await;
    }
}

fn show(temperature: i16) {
    let _ = core::hint::black_box(temperature);
}
