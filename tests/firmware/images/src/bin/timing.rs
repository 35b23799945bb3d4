//! Delays and attempt timeouts to the tick, in an embassy executor that sleeps with WFI.
//!
//! An instruction is a nanosecond here, and a tick a microsecond. No wait may end early.
//! A processor may run for a tick around each wait: before the first, between two, and
//! after the last; so the whole may be late by one tick more than there are waits.

#![no_std]
#![no_main]

use core::cell::Cell;
use core::future::pending;

use embassy_executor::Spawner;
use embassy_futures::select::select;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_time::Timer;
use firmware::check::Checks;
use redress::breaker::{FailureRule, FailureTimes};
use redress::event::CircuitState;
use redress::random::NoRandom;
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, Policy, Shared, StopReason,
    checked, policy,
};
use redress_embassy::{EmbassyTime, Locked, Sliced};

const DELAYS: [Duration; 3] =
    [Duration::from_micros(1_234), Duration::from_millis(25), Duration::from_secs(3)];

const SLOWER: Policy =
    policy! { Policy::builder().max_attempts(4).backoff(Backoff::sequence(&DELAYS)) };

const IMPATIENT: Policy = policy! {
    Policy::builder()
        .max_attempts(3)
        .attempt_timeout(Duration::from_micros(5_001))
        .backoff(Backoff::constant(Duration::from_micros(777)))
};

const HURRIED: Policy = policy! {
    Policy::builder()
        .deadline(Duration::from_millis(12))
        .attempt_timeout(Duration::from_millis(5))
        .backoff(Backoff::constant(Duration::from_millis(3)))
};

const ONCE: Policy =
    policy! { Policy::builder().max_attempts(1).backoff(Backoff::constant(Duration::ZERO)) };

static BREAKER_CONFIG: BreakerConfig<FailureRule> =
    BreakerConfig::failures(1, Duration::from_secs(60)).recovery_timeout(Duration::from_millis(10));
static BREAKER: Locked<CriticalSectionRawMutex, Breaker<FailureTimes<1>>> =
    Locked::new(checked!(Breaker::<FailureTimes<1>>::new(&BREAKER_CONFIG)));

/// Counts its own end.
struct Dropped<'c>(&'c Cell<u32>);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[embassy_executor::task]
async fn tests(_spawner: Spawner) {
    let mut checks = Checks::default();

    let started = EmbassyTime.now();
    let outcome = SLOWER
        .on(EmbassyTime, NoRandom)
        .classify(|(): &()| ErrorClass::Transient)
        .execute_async(async |_| Err::<(), ()>(()))
        .await;
    let took = EmbassyTime.now().since(started).as_micros();
    let due = 3_026_234;
    let exact = (due..=due + 4).contains(&took);
    checks.check("delays of 1.234 ms, 25 ms and 3 s, in us", exact, took);
    checks.check("attempts made with them", outcome.attempts == 4, outcome.attempts);

    let started = EmbassyTime.now();
    let dropped = Cell::new(0);
    let outcome = IMPATIENT
        .on(EmbassyTime, NoRandom)
        .classify(|(): &()| ErrorClass::Unknown)
        .execute_async(async |_| {
            let _guard = Dropped(&dropped);
            pending::<Result<(), ()>>().await
        })
        .await;
    let took = EmbassyTime.now().since(started).as_micros();
    let due = 3 * 5_001 + 2 * 777;
    let exact = (due..=due + 6).contains(&took);
    checks.check("three timeouts of 5.001 ms with 0.777 ms between, in us", exact, took);
    checks.check("futures dropped by their timeout", dropped.get() == 3, dropped.get());
    let class = outcome.last_class();
    checks.check(
        "a timeout is TRANSIENT",
        class == Some(ErrorClass::Transient)
            && outcome.stop_reason() == Some(StopReason::MaxAttemptsGlobal),
        class.map_or("", ErrorClass::as_str),
    );

    let started = EmbassyTime.now();
    let (told, tried) = (Cell::new(Duration::ZERO), Cell::new(0));
    let outcome = HURRIED
        .on(EmbassyTime, NoRandom)
        .classify(|(): &()| ErrorClass::Transient)
        .execute_async(async |attempt| {
            told.set(attempt.timeout);
            tried.set(attempt.number);
            pending::<Result<(), ()>>().await
        })
        .await;
    let took = EmbassyTime.now().since(started).as_micros();
    // 5 ms, a delay of 3 ms, and what is left of 12 ms.
    let left = (3_990..=4_000).contains(&told.get().as_micros()) && tried.get() == 2;
    checks.check("an attempt is given no more than the deadline leaves", left, told.get());
    let exact = outcome.stop_reason() == Some(StopReason::DeadlineExceeded)
        && (12_000..=12_004).contains(&took);
    checks.check("a deadline of 12 ms ends an attempt that hangs, in us", exact, took);

    let outcome = HURRIED
        .on(EmbassyTime, NoRandom)
        .classify(|(): &()| ErrorClass::Transient)
        .execute_async(async |_| {
            Timer::after_micros(4_998).await;
            Ok::<(), ()>(())
        })
        .await;
    let in_time = outcome.is_ok() && outcome.attempts == 1;
    checks.check("a result just before its timeout stands", in_time, outcome.attempts);

    let started = EmbassyTime.now();
    let fed = Cell::new(0);
    let sliced = Sliced::new(EmbassyTime, Duration::from_millis(10), || fed.set(fed.get() + 1));
    let outcome = SLOWER
        .on(sliced, NoRandom)
        .classify(|(): &()| ErrorClass::Transient)
        .execute_async(async |attempt| if attempt.number < 3 { Err(()) } else { Ok(()) })
        .await;
    let took = EmbassyTime.now().since(started).as_micros();
    // Before and after 1.234 ms; before each slice of 25 ms, and after the last.
    let exact = outcome.is_ok() && (26_234..=26_238).contains(&took);
    checks.check("two delays in slices of 10 ms, in us", exact, took);
    checks.check("times that a watchdog was fed meanwhile", fed.get() == 6, fed.get());

    let mut guarded =
        ONCE.on(EmbassyTime, NoRandom).classify(|(): &()| ErrorClass::Transient).breaker(&BREAKER);
    let _ = guarded.call_async(async |_| Err::<(), ()>(())).await;
    let state = || BREAKER.with(|breaker| breaker.state());
    checks.check("one failure opens the breaker", state() == Some(CircuitState::Open), "open");
    Timer::after_millis(10).await;
    let probe = guarded.call_async(async |_| pending::<Result<(), ()>>().await);
    select(probe, Timer::after_millis(1)).await;
    let half_open = state() == Some(CircuitState::HalfOpen);
    checks.check("a dropped probe leaves the breaker half-open", half_open, half_open);
    let next = guarded.call_async(async |_| Ok::<(), ()>(())).await;
    let closed = next.is_ok() && state() == Some(CircuitState::Closed);
    checks.check("its place is free for the next, which closes it", closed, closed);

    semihosting::process::exit(if checks.close() { 0 } else { 1 });
}

firmware::tasks!(tests);
