//! Firmware without an executor: the engine's blocking driver, with a clock that an interrupt
//! counts, a delay of embedded-hal, and a published driver of a sensor. On the board with an I2C
//! controller the sensor is QEMU's, on the others a model in `bus`.

#![no_std]
#![no_main]

#[cfg(not(i2c))]
mod bus;
#[cfg(i2c)]
#[path = "../../../../../../examples/sensor-node/src/i2c.rs"]
mod i2c;
mod recovery;
#[cfg(i2c)]
#[path = "../../../../../../examples/sensor-node/src/register.rs"]
mod register;
mod time;

use core::cell::RefCell;

use embedded_hal::i2c::{Error as _, ErrorKind};
use firmware::check::Checks;
use firmware::image;
use lm75::{Address, Lm75};
use redress::breaker::{FailureRule, FailureTimes};
use redress::driver::WithDelay;
use redress::event::CircuitState;
use redress::random::from_fn;
use redress::time::FnClock;
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, Policy, StopReason, checked,
    policy,
};

#[cfg(not(i2c))]
use bus::Bus;
#[cfg(i2c)]
use i2c::I2c0 as Bus;

type Sensor = Lm75<Bus, lm75::ic::Lm75>;
type Error = lm75::Error<<Bus as embedded_hal::i2c::ErrorType>::Error>;

const POLICY: Policy = policy! {
    Policy::builder()
        .max_attempts(3)
        .deadline(Duration::from_secs(2))
        .backoff(Backoff::equal_jitter(Duration::from_millis(20), Duration::from_millis(500)))
};

const RECOVERY: Duration = Duration::from_millis(300);
const RULE: BreakerConfig<FailureRule> =
    BreakerConfig::failures(2, Duration::from_secs(60)).recovery_timeout(RECOVERY);

fn class(error: &Error) -> ErrorClass {
    match error {
        lm75::Error::I2C(error) => match error.kind() {
            ErrorKind::Bus | ErrorKind::NoAcknowledge(_) => ErrorClass::Transient,
            _ => ErrorClass::Unknown,
        },
        lm75::Error::InvalidInputData => ErrorClass::Permanent,
    }
}

/// The sensor at another address, where no device is, or back.
fn at(sensor: Sensor, address: u8) -> Sensor {
    Lm75::new(sensor.destroy(), Address::from(address))
}

const THERE: u8 = 0x49;
const NOWHERE: u8 = 0x4A;

/// The bus is switched off under the driver, which notices in its next transfer.
fn switch_off() {
    #[cfg(i2c)]
    // SAFETY: the mode register of the I2C controller.
    unsafe { register::Register::at(0x4002_0020) }.write(0);
    #[cfg(not(i2c))]
    bus::switch_off();
}

fn main() -> bool {
    time::start();
    let clock = FnClock(time::micros as fn() -> u64);
    let mut seed = 0x9E37_79B9_u32;
    let random = from_fn(move || {
        seed = seed.rotate_left(7) ^ 0x5A5A_1234;
        seed
    });
    let breaker = RefCell::new(checked!(Breaker::<FailureTimes<2>>::new(&RULE)));
    let mut retry = POLICY
        .on(WithDelay { clock, delay: time::Waiting }, random)
        .classify(class)
        .breaker(&breaker);
    let mut sensor = at(Lm75::new(Bus::new(), Address::default()), THERE);
    let mut checks = Checks::default();

    let outcome = retry.execute(|_| sensor.set_os_temperature(80.0));
    let once = outcome.result.is_ok() && outcome.attempts == 1;
    checks.check("a sensor that answers needs one attempt", once, outcome.attempts);
    let mut bus = sensor.destroy();
    let mut limit = [0; 2];
    let read = embedded_hal::i2c::I2c::write_read(&mut bus, THERE, &[3], &mut limit);
    checks.check("and has what was written to it", read.is_ok() && limit == [80, 0], limit[0]);
    sensor = at(Lm75::new(bus, Address::default()), THERE);

    switch_off();
    let started = clock.now();
    let outcome = retry.execute(|_| sensor.read_temperature());
    let took = clock.now().since(started);
    let retried = outcome.result.is_ok() && outcome.attempts == 2;
    checks.check("a bus that was off needs two attempts", retried, outcome.attempts);
    // From 20 to 40 ms; the driver itself may wait some milliseconds for its bus.
    let waited = (20_000..60_000).contains(&took.as_micros());
    checks.check("and a delay between them, in all", waited, took);

    let outcome = retry.execute(|_| sensor.set_os_temperature(1_000.0));
    let final_at_once =
        outcome.stop_reason() == Some(StopReason::NonRetryableClass) && outcome.attempts == 1;
    checks.check("what the driver refuses is not retried", final_at_once, outcome.attempts);

    sensor = at(sensor, NOWHERE);
    let started = clock.now();
    let outcome = retry.execute(|_| sensor.read_temperature());
    let took = clock.now().since(started);
    let limited = outcome.stop_reason() == Some(StopReason::MaxAttemptsGlobal);
    checks.check("an absent sensor ends at the attempt limit", limited, outcome.attempts);
    // From 20 to 40 ms, then from 40 to 80.
    let waited = (60_000..125_000).contains(&took.as_micros());
    checks.check("after two delays that grow, in all", waited, took);
    let error = outcome.result.err().and_then(redress::Error::into_error);
    let own = matches!(error, Some(lm75::Error::I2C(error))
        if matches!(error.kind(), ErrorKind::NoAcknowledge(_)));
    checks.check("with the driver's own error", own, own);

    let opened = retry.call(|_| sensor.read_temperature()).is_err();
    let state = breaker.borrow().state();
    let opened = opened && state == CircuitState::Open;
    checks.check("the second failed call opens the breaker", opened, state.as_str());
    let mut calls = 0;
    let rejected = retry.execute(|_| {
        calls += 1;
        sensor.read_temperature()
    });
    let wait = rejected.rejection().and_then(|open| open.retry_after).unwrap_or_default();
    let rejected = calls == 0 && !wait.is_zero() && wait <= RECOVERY;
    checks.check("the next one is not made, and told when to come", rejected, wait);
    time::wait(wait);
    sensor = at(sensor, THERE);
    let probe = retry.call(|_| sensor.read_temperature()).is_ok();
    let state = breaker.borrow().state();
    let closed = probe && state == CircuitState::Closed;
    checks.check("a probe that succeeds then closes it", closed, state.as_str());
    recovery::show(sensor.destroy(), clock, &mut checks);
    checks.close()
}

image!(main);
