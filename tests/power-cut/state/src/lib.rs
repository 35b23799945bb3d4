//! The state that the power cuts fall on. It is a function of its number, so that the host
//! knows, byte for byte, what the board saves and what it must find again.

#![no_std]
#![forbid(unsafe_code)]

use core::cell::{Cell, RefCell};
use core::fmt;

use redress::breaker::{CallResult, FailureRule, FailureTimes};
use redress::budget::{Budget as _, RollingConfig};
use redress::driver::Decision;
use redress::event::CircuitState;
use redress::random::NoRandom;
use redress::snapshot::{Snapshot as _, SnapshotError, Suspended};
use redress::{
    Backoff, Breaker, BreakerConfig, Duration, ErrorClass, Instant, Policy, RollingBudget, checked,
    policy,
};

const POLICY: Policy = policy! {
    Policy::builder()
        .max_attempts(6)
        .deadline(Duration::from_secs(60))
        .backoff(Backoff::exponential(Duration::from_millis(200), Duration::from_secs(10)))
};
const RULE: BreakerConfig<FailureRule> =
    BreakerConfig::failures(3, Duration::from_secs(60)).recovery_timeout(Duration::from_secs(30));
const RETRIES: RollingConfig = RollingConfig::new(8, Duration::from_secs(60));

type Circuit = Breaker<FailureTimes<3>>;
type Retries = RollingBudget<8>;

/// How many bytes a state takes: its number, a breaker, a budget and a call.
pub const BYTES: usize = 4 + Circuit::BYTES + Retries::BYTES + Suspended::BYTES;

fn circuit() -> RefCell<Circuit> {
    RefCell::new(checked!(Circuit::new(&RULE)))
}

fn retries() -> RefCell<Retries> {
    RefCell::new(checked!(Retries::new(&RETRIES)))
}

/// The state of this number: a call after one to four failures, a breaker after none to three,
/// of which three open it, and a budget that paid for the retries.
///
/// # Errors
///
/// None, unless a state does not fit into its own size.
pub fn state(number: u32) -> Result<[u8; BYTES], SnapshotError> {
    let clock = Cell::new(1_000_000 + u64::from(number) * 1_000);
    let (breaker, budget) = (circuit(), retries());
    let mut retry = POLICY.on(&clock, NoRandom).breaker(&breaker).budget(&budget);
    let mut steps = retry.begin().map_err(|_| SnapshotError::Value)?;
    for attempt in 0..=number % 4 {
        steps.start().map_err(|_| SnapshotError::Value)?;
        let Decision::Retry { after } = steps.fail(ErrorClass::Transient) else {
            return Err(SnapshotError::Value);
        };
        // It is suspended while it waits for the next attempt.
        if attempt < number % 4 {
            clock.set(clock.get() + after.as_micros());
            steps.on_wake().map_err(|_| SnapshotError::Value)?;
        }
    }
    let call = steps.suspend().map_err(|_| SnapshotError::Value)?;
    let now = call.at;
    for _ in 0..(number / 4) % 4 {
        let permit = breaker.borrow_mut().admit(now).map_err(|_| SnapshotError::Value)?.permit;
        breaker.borrow_mut().settle(permit, CallResult::Failure(ErrorClass::Transient), now);
    }
    let mut bytes = [0; BYTES];
    let (count, rest) = bytes.split_at_mut(4);
    count.copy_from_slice(&number.to_le_bytes());
    let (first, rest) = rest.split_at_mut(Circuit::BYTES);
    breaker.borrow().snapshot(now, first)?;
    let (second, third) = rest.split_at_mut(Retries::BYTES);
    budget.borrow().snapshot(now, second)?;
    third.copy_from_slice(&call.bytes);
    Ok(bytes)
}

/// What a state says once it is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    number: u32,
    circuit: CircuitState,
    probe_in: Duration,
    retries: u32,
    attempts: u32,
    next_in: Duration,
}

impl Found {
    /// Its number.
    pub const fn number(&self) -> u32 {
        self.number
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, circuit, probe_in, retries, attempts, next_in } = self;
        let (circuit, probe_in, next_in) =
            (circuit.as_str(), probe_in.as_micros(), next_in.as_micros());
        write!(
            f,
            "{number}: breaker {circuit}, probe in {probe_in} us, {retries} retries, \
             call after attempt {attempts}, next in {next_in} us"
        )
    }
}

/// Takes a state over, as a node does after a reset whose length is not known.
///
/// # Errors
///
/// If it is no state that [`state`] has made.
pub fn restore(bytes: &[u8; BYTES]) -> Result<Found, SnapshotError> {
    let clock = Cell::new(77);
    let now = Instant::from_micros(clock.get());
    let (breaker, budget) = (circuit(), retries());
    let (number, rest) = bytes.split_first_chunk::<4>().ok_or(SnapshotError::Value)?;
    let (first, rest) = rest.split_at(Circuit::BYTES);
    breaker.borrow_mut().restore(first, now, None)?;
    let (second, call) = rest.split_at(Retries::BYTES);
    budget.borrow_mut().restore(second, now, None)?;
    let mut retry = POLICY.on(&clock, NoRandom).breaker(&breaker).budget(&budget);
    let call = retry.resume(call, now, None)?;
    let (attempts, next_in) = (call.steps.call().attempts(), call.due.since(now));
    drop(call);
    let breaker = breaker.borrow();
    Ok(Found {
        number: u32::from_le_bytes(*number),
        circuit: breaker.state(),
        probe_in: breaker.check(now).err().and_then(|open| open.retry_after).unwrap_or_default(),
        retries: budget.borrow_mut().remaining(now),
        attempts,
        next_in,
    })
}
