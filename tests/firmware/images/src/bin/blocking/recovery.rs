//! A bus that is recovered between two attempts, and an attempt that nothing can end.

use core::cell::{Cell, RefCell};
use core::ops::ControlFlow;

use embedded_hal::i2c::{Error as _, ErrorKind, ErrorType, I2c, Operation};
use firmware::check::Checks;
use lm75::{Address, Lm75};
use redress::driver::WithDelay;
use redress::event::AttemptContext;
use redress::random::NoRandom;
use redress::time::FnClock;
use redress::{Backoff, Duration, Error, ErrorClass, Last, Policy, StopReason, policy};

use crate::{Bus, NOWHERE, THERE, time};

const TWICE: Policy = policy! {
    Policy::builder().max_attempts(2).backoff(Backoff::constant(Duration::from_millis(5)))
};
const PATIENCE: Duration = Duration::from_millis(5);
const DEADLINE: Duration = Duration::from_millis(20);
const HURRIED: Policy = policy! {
    Policy::builder()
        .deadline(DEADLINE)
        .attempt_timeout(PATIENCE)
        .backoff(Backoff::constant(Duration::from_millis(1)))
};

/// A bus of which a fault stays until it is reset, as of drivers that leave that to their caller.
struct Latched {
    bus: Bus,
    fault: Option<ErrorKind>,
    resets: u32,
}

impl Latched {
    fn reset(&mut self) {
        self.bus = Bus::new();
        self.fault = None;
        self.resets += 1;
    }
}

/// The bus, which the sensor's driver shares with the hook.
struct Lent<'b>(&'b RefCell<Latched>);

impl ErrorType for Lent<'_> {
    type Error = ErrorKind;
}

impl I2c for Lent<'_> {
    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), ErrorKind> {
        let mut latched = self.0.borrow_mut();
        if let Some(fault) = latched.fault {
            return Err(fault);
        }
        let result = latched.bus.transaction(address, operations).map_err(|error| error.kind());
        latched.fault = result.err().filter(|kind| *kind == ErrorKind::Bus);
        result
    }
}

type Failure = lm75::Error<ErrorKind>;

fn kind(last: &Last<Failure>) -> Option<ErrorKind> {
    match last {
        Last::Error(lm75::Error::I2C(kind)) => Some(*kind),
        _ => None,
    }
}

fn own(error: Option<Failure>) -> Option<ErrorKind> {
    error.and_then(|error| kind(&Last::Error(error)))
}

/// Shows it all on a bus whose sensor answers.
pub fn show(bus: Bus, clock: FnClock<fn() -> u64>, checks: &mut Checks) {
    let bus = RefCell::new(Latched { bus, fault: None, resets: 0 });
    let mut sensor = Lm75::new(Lent(&bus), Address::from(THERE));
    let retry = |policy: &'static Policy| {
        let time = WithDelay { clock, delay: time::Waiting };
        policy.on(time, NoRandom).classify(|_: &Failure| ErrorClass::Transient)
    };

    crate::switch_off();
    let outcome = retry(&TWICE).execute(|_| sensor.read_temperature());
    let stuck = outcome.attempts == 2
        && own(outcome.result.err().and_then(Error::into_error)) == Some(ErrorKind::Bus);
    checks.check("a bus that is not reset stays stuck", stuck, outcome.attempts);
    bus.borrow_mut().reset();

    crate::switch_off();
    bus.borrow_mut().resets = 0;
    let recover = |attempt: &AttemptContext<'_>, last: &Last<Failure>| {
        if attempt.attempt == 1 && kind(last) == Some(ErrorKind::Bus) {
            bus.borrow_mut().reset();
        }
        ControlFlow::Continue(())
    };
    let outcome = retry(&TWICE).before_retry(recover).execute(|_| sensor.read_temperature());
    let resets = bus.borrow().resets;
    let recovered = outcome.is_ok() && outcome.attempts == 2 && resets == 1;
    checks.check(
        "a hook that sees the fault resets it once for the second read",
        recovered,
        resets,
    );

    let mut sensor = Lm75::new(sensor.destroy(), Address::from(NOWHERE));
    let asked = Cell::new(0);
    let outcome = retry(&TWICE)
        .before_retry(|_, _: &Last<Failure>| {
            asked.set(asked.get() + 1);
            ControlFlow::Break(())
        })
        .execute(|_| sensor.read_temperature());
    let stopped = outcome.attempts == 1
        && asked.get() == 1
        && outcome.stop_reason() == Some(StopReason::Aborted);
    checks.check("a hook that says so ends the call", stopped, outcome.attempts);
    let error = own(outcome.result.err().and_then(Error::into_error));
    let nack = matches!(error, Some(ErrorKind::NoAcknowledge(_)));
    checks.check("with the driver's last error", nack, nack);

    let mut sensor = Lm75::new(sensor.destroy(), Address::from(THERE));
    for (address, reason) in [(THERE, None), (NOWHERE, Some(StopReason::DeadlineExceeded))] {
        sensor = Lm75::new(sensor.destroy(), Address::from(address));
        let mut given = Duration::ZERO;
        let outcome = retry(&HURRIED).execute(|attempt| {
            given = attempt.timeout;
            time::wait(Duration::from_millis(30));
            sensor.read_temperature()
        });
        let uncut = outcome.attempts == 1
            && given == PATIENCE
            && outcome.elapsed >= Duration::from_millis(30)
            && outcome.stop_reason() == reason;
        let name = match reason {
            None => "no timeout and no deadline ends a blocking read, which succeeds late, after",
            Some(_) => "and one that fails after the deadline ends the call, after",
        };
        checks.check(name, uncut, outcome.elapsed);
    }
}
