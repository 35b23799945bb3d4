//! Calls that are cancelled or aborted: by a predicate, by the operation, by a signal of another task, in an
//! attempt and in a delay; to the tick, with all that they held free again.

#![no_std]
#![no_main]

use core::cell::Cell;
use core::future::pending;

use embassy_executor::Spawner;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use embassy_time::Timer;
use firmware::check::Checks;
use redress::breaker::{FailureRule, FailureTimes};
use redress::classify::Verdict;
use redress::event::CircuitState;
use redress::random::NoRandom;
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, Policy, Shared, StopReason,
    checked, policy,
};
use redress_embassy::{Cancelled, EmbassyTime, Locked, cancel_on, signaled};

const POLICY: Policy = policy! {
    Policy::builder().max_attempts(3).backoff(Backoff::constant(Duration::from_millis(20)))
};

const RULE: BreakerConfig<FailureRule> =
    BreakerConfig::failures(1, Duration::from_secs(60)).recovery_timeout(Duration::from_millis(5));
static BREAKER: Locked<CriticalSectionRawMutex, Breaker<FailureTimes<1>>> =
    Locked::new(checked!(Breaker::<FailureTimes<1>>::new(&RULE)));

static STOP: Signal<CriticalSectionRawMutex, u8> = Signal::new();
/// After how many milliseconds [`STOP`] is to be set.
static ASKED: Signal<CriticalSectionRawMutex, u8> = Signal::new();

/// Another task, which gives up the calls of the first.
#[embassy_executor::task]
async fn stopper() {
    loop {
        let millis = ASKED.wait().await;
        Timer::after_millis(u64::from(millis)).await;
        STOP.signal(millis);
    }
}

/// A peripheral that is lent to an attempt.
#[derive(Default)]
struct Peripheral {
    starts: u32,
    stops: u32,
}

/// Stops its transfer when it is dropped, as drivers of embassy do.
struct Transfer<'p>(&'p mut Peripheral);

impl Peripheral {
    fn begin(&mut self) -> Transfer<'_> {
        self.starts += 1;
        Transfer(self)
    }
}

impl Drop for Transfer<'_> {
    fn drop(&mut self) {
        self.0.stops += 1;
    }
}

async fn by_predicate(checks: &mut Checks) {
    let made = Cell::new(0);
    let mut retry = POLICY
        .on(EmbassyTime, NoRandom)
        .classify(|(): &()| ErrorClass::Transient)
        .abort_if(signaled(&STOP));
    let started = EmbassyTime.now();
    STOP.signal(0);
    let outcome = retry
        .execute_async(async |_| {
            made.set(made.get() + 1);
            Ok::<(), ()>(())
        })
        .await;
    let none = made.get() == 0 && outcome.stop_reason() == Some(StopReason::Aborted);
    checks.check("asked from the start, no attempt is made", none, made.get());
    STOP.reset();
    let outcome = retry
        .execute_async(async |_| {
            made.set(made.get() + 1);
            STOP.signal(0);
            Err::<(), ()>(())
        })
        .await;
    let took = EmbassyTime.now().since(started).as_micros();
    let one = made.get() == 1 && outcome.stop_reason() == Some(StopReason::Aborted);
    checks.check("asked in an attempt, no delay follows it, in us", one && took < 100, took);
    let own = outcome.result.err().and_then(redress::Error::into_error) == Some(());
    checks.check("and its error comes back", own, own);
    STOP.reset();
}

async fn by_the_operation(checks: &mut Checks) {
    let outcome = POLICY
        .on(EmbassyTime, NoRandom)
        .classify(|(): &()| Verdict::Abort)
        .execute_async(async |_| Err::<(), ()>(()))
        .await;
    let stopped = outcome.attempts == 1 && outcome.stop_reason() == Some(StopReason::Aborted);
    checks.check("an operation that asks to stop is not run again", stopped, outcome.attempts);
}

async fn by_a_signal(checks: &mut Checks) {
    let mut peripheral = Peripheral::default();
    let mut retry = POLICY.on(EmbassyTime, NoRandom).classify(|(): &()| ErrorClass::Transient);
    let started = EmbassyTime.now();
    ASKED.signal(7);
    let call = retry.call_async(async |_| {
        let _transfer = peripheral.begin();
        pending::<Result<(), ()>>().await
    });
    let cancelled = cancel_on(&STOP, call).await;
    let took = EmbassyTime.now().since(started).as_micros();
    let at_once = matches!(cancelled, Err(Cancelled(7))) && (7_000..7_010).contains(&took);
    checks.check("a signal ends an attempt that hangs, in us", at_once, took);
    let free = (peripheral.starts, peripheral.stops) == (1, 1);
    checks.check("its transfer is stopped, and the peripheral free", free, peripheral.stops);

    let started = EmbassyTime.now();
    ASKED.signal(9);
    let call = retry.call_async(async |_| {
        let _transfer = peripheral.begin();
        Err::<(), ()>(())
    });
    let cancelled = cancel_on(&STOP, call).await;
    let took = EmbassyTime.now().since(started).as_micros();
    let at_once = matches!(cancelled, Err(Cancelled(9))) && (9_000..9_010).contains(&took);
    checks.check("a signal ends a delay of 20 ms, in us", at_once, took);
    Timer::after_millis(50).await;
    let starts = peripheral.starts;
    checks.check("no further attempt is made", starts == 2, starts);
}

async fn a_probe(checks: &mut Checks) {
    let state = || BREAKER.with(|breaker| breaker.state());
    let asks = Cell::new(false);
    let mut retry = POLICY
        .on(EmbassyTime, NoRandom)
        .classify(|class: &ErrorClass| *class)
        .breaker(&BREAKER)
        .abort_if(|| asks.get());
    let _ = retry.call_async(async |_| Err::<(), _>(ErrorClass::Transient)).await;
    Timer::after_millis(5).await;
    ASKED.signal(3);
    let hangs = retry.call_async(async |_| pending::<Result<(), ErrorClass>>().await);
    let cancelled = cancel_on(&STOP, hangs).await.is_err();
    let half_open = state() == Some(CircuitState::HalfOpen);
    checks.check("a probe that a signal ends decides nothing", cancelled && half_open, half_open);
    let aborted = retry
        .execute_async(async |_| {
            asks.set(true);
            Err::<(), _>(ErrorClass::Transient)
        })
        .await;
    let aborted = aborted.attempts == 1 && aborted.stop_reason() == Some(StopReason::Aborted);
    let half_open = state() == Some(CircuitState::HalfOpen);
    checks.check("nor does one that is aborted", aborted && half_open, half_open);
    asks.set(false);
    let next = retry.call_async(async |_| Ok::<(), ErrorClass>(())).await.is_ok();
    let closed = next && state() == Some(CircuitState::Closed);
    checks.check("each leaves its place to the next", closed, closed);
}

#[embassy_executor::task]
async fn tests(spawner: Spawner) {
    let mut checks = Checks::default();
    if let Ok(token) = stopper() {
        spawner.spawn(token);
    }
    by_predicate(&mut checks).await;
    by_the_operation(&mut checks).await;
    by_a_signal(&mut checks).await;
    a_probe(&mut checks).await;
    semihosting::process::exit(if checks.close() { 0 } else { 1 });
}

firmware::tasks!(tests);
