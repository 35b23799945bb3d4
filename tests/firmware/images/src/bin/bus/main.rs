//! A bus that hangs and a bus that is lost, behind an asynchronous driver: what never ends is cut
//! to the tick, and the bus is recovered between two attempts. On the board with an I2C
//! controller it is that one with QEMU's sensor, on the others a model.

#![no_std]
#![no_main]

#[cfg(i2c)]
mod controller;
#[cfg(not(i2c))]
mod model;
#[cfg(i2c)]
#[path = "../../../../../../examples/sensor-node/src/register.rs"]
mod register;

use core::cell::Cell;
use core::future::pending;
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicU32, Ordering};

use embassy_executor::Spawner;
use embassy_futures::yield_now;
use embassy_sync::blocking_mutex::raw::{CriticalSectionRawMutex, NoopRawMutex};
use embassy_sync::mutex::Mutex;
use embassy_time::Timer as Alarm;
use embedded_hal::i2c::ErrorKind;
use embedded_hal_async::i2c::I2c as _;
use firmware::check::Checks;
use redress::breaker::{FailureRule, FailureTimes};
use redress::classify::ClassSet;
use redress::event::{AttemptContext, CircuitState};
use redress::random::NoRandom;
use redress::time::Timer;
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, Error, ErrorClass, Instant, Last, Outcome,
    Policy, Shared, StopReason, checked, policy,
};
use redress_embassy::{EmbassyTime, Locked};

#[cfg(i2c)]
use controller as i2c;
#[cfg(not(i2c))]
use model as i2c;

const SENSOR: u8 = 0x49;
const NOWHERE: u8 = 0x4A;

type Bus = Mutex<NoopRawMutex, i2c::Bus>;
type Result<T> = core::result::Result<T, ErrorKind>;

/// The sensor's upper limit in degrees, 80 as it comes up.
async fn read(bus: &Bus, address: u8) -> Result<u8> {
    let mut limit = [0; 2];
    bus.lock().await.write_read(address, &[3], &mut limit).await?;
    Ok(limit[0])
}

fn class(_: &ErrorKind) -> ErrorClass {
    ErrorClass::Transient
}

const PATIENCE: Duration = Duration::from_micros(5_001);
const DEADLINE: Duration = Duration::from_micros(12_003);
const PAUSE: Duration = Duration::from_micros(777);

const ONCE: Policy = policy! {
    Policy::builder()
        .no_deadline()
        .max_attempts(1)
        .attempt_timeout(PATIENCE)
        .backoff(Backoff::constant(PAUSE))
};
const LIMITED: Policy =
    policy! { Policy::builder().deadline(DEADLINE).backoff(Backoff::constant(PAUSE)) };
const TWICE: Policy = policy! {
    Policy::builder()
        .no_deadline()
        .max_attempts(2)
        .attempt_timeout(PATIENCE)
        .backoff(Backoff::constant(PAUSE))
};

type Upstream = Locked<CriticalSectionRawMutex, Breaker<FailureTimes<1>>>;

/// Opens at one failure of the class.
const fn rule(class: ErrorClass) -> BreakerConfig<FailureRule> {
    BreakerConfig::failures(1, Duration::from_secs(60)).trip_on(ClassSet::of(&[class]))
}
static TRANSIENT: BreakerConfig<FailureRule> = rule(ErrorClass::Transient);
static OTHER: BreakerConfig<FailureRule> = rule(ErrorClass::ServerError);
static CUT_BY_TIMEOUT: Upstream =
    Locked::new(checked!(Breaker::<FailureTimes<1>>::new(&TRANSIENT)));
static CUT_BY_DEADLINE: Upstream =
    Locked::new(checked!(Breaker::<FailureTimes<1>>::new(&TRANSIENT)));
static OTHERWISE: Upstream = Locked::new(checked!(Breaker::<FailureTimes<1>>::new(&OTHER)));

fn is_open(breaker: &Upstream) -> bool {
    breaker.with(|breaker| breaker.state()) == Some(CircuitState::Open)
}

static TURNS: AtomicU32 = AtomicU32::new(0);

fn turns() -> u32 {
    TURNS.load(Ordering::Relaxed)
}

/// The other task: a turn each millisecond.
#[embassy_executor::task]
async fn other() {
    loop {
        Alarm::after_millis(1).await;
        TURNS.store(turns() + 1, Ordering::Relaxed);
    }
}

/// Counts the timers that are made.
struct Counting<'c> {
    time: EmbassyTime,
    made: &'c Cell<u32>,
}

impl Clock for Counting<'_> {
    fn now(&self) -> Instant {
        self.time.now()
    }
}

impl Timer for Counting<'_> {
    fn sleep(&mut self, span: Duration) -> impl Future<Output = ()> {
        self.made.set(self.made.get() + 1);
        self.time.sleep(span)
    }
}

/// After each wait a processor may run for a tick until the clock is read.
fn to_the_tick(elapsed: Duration, due: Duration, waits: u64) -> bool {
    (0..=waits).contains(&elapsed.saturating_sub(due).as_micros()) && elapsed >= due
}

/// The other task has a turn each millisecond, and its first and last one may be outside.
fn turns_within(span: Duration) -> core::ops::RangeInclusive<u32> {
    let turns = span.as_millis() as u32;
    turns - 1..=turns + 1
}

/// Ended by its time: nothing is left of the attempt, and it is TRANSIENT.
fn is_timeout(outcome: &Outcome<u8, ErrorKind>) -> bool {
    let Err(Error::Exhausted(stopped)) = &outcome.result else { return false };
    stopped.last == Some(Last::Timeout) && stopped.last_class == Some(ErrorClass::Transient)
}

async fn timers(bus: &Bus, checks: &mut Checks) {
    let made = Cell::new(0);
    let mut retry =
        LIMITED.on(Counting { time: EmbassyTime, made: &made }, NoRandom).classify(class);
    let limit = retry.call_async(async |_| read(bus, SENSOR).await).await;
    checks.check("the sensor answers, its limit in degrees", limit == Ok(80), limit.unwrap_or(0));
    let none = made.get() == 0;
    checks.check("timers made for what is ready at once", none, made.get());
    let _ = retry
        .call_async(async |_| {
            yield_now().await;
            read(bus, SENSOR).await
        })
        .await;
    checks.check("timers made for what is not", made.get() == 1, made.get());
}

async fn cut(bus: &Bus, checks: &mut Checks) {
    let completed = i2c::completed();
    i2c::switch_off();
    let before = turns();
    let mut retry = ONCE.on(EmbassyTime, NoRandom).classify(class).breaker(&CUT_BY_TIMEOUT);
    let outcome = retry.execute_async(async |_| read(bus, SENSOR).await).await;
    let timeout = is_timeout(&outcome)
        && outcome.stop_reason() == Some(StopReason::MaxAttemptsGlobal)
        && to_the_tick(outcome.elapsed, PATIENCE, 1);
    checks.check("a read that hangs ends at its timeout of 5.001 ms", timeout, outcome.elapsed);
    let ran = turns() - before;
    checks.check("turns of another task meanwhile", turns_within(PATIENCE).contains(&ran), ran);
    let open = is_open(&CUT_BY_TIMEOUT);
    checks.check("the breaker counts it as TRANSIENT", open, open);
    let free = bus.try_lock().is_ok();
    checks.check("the bus is free for the next", free, free);

    let before = turns();
    let mut retry = LIMITED.on(EmbassyTime, NoRandom).classify(class).breaker(&CUT_BY_DEADLINE);
    let outcome = retry.execute_async(async |_| read(bus, SENSOR).await).await;
    let deadline = is_timeout(&outcome)
        && outcome.attempts == 1
        && outcome.stop_reason() == Some(StopReason::DeadlineExceeded)
        && to_the_tick(outcome.elapsed, DEADLINE, 1);
    let name = "without a timeout it ends at the deadline of 12.003 ms";
    checks.check(name, deadline, outcome.elapsed);
    let ran = turns() - before;
    checks.check("turns of another task until then", turns_within(DEADLINE).contains(&ran), ran);
    let open = is_open(&CUT_BY_DEADLINE);
    checks.check("the breaker counts that as TRANSIENT, too", open, open);

    let mut retry = LIMITED.on(EmbassyTime, NoRandom).classify(class).breaker(&OTHERWISE);
    let outcome = retry.execute_async(async |_| read(bus, SENSOR).await).await;
    let closed = is_timeout(&outcome) && !is_open(&OTHERWISE);
    checks.check("and no breaker of another class does", closed, closed);
    let none = i2c::completed() - completed;
    checks.check("transfers that ended meanwhile", none == 0, none);
}

/// What the bus is when an attempt has failed, and how a hook then goes on.
async fn recovery(bus: &Bus, checks: &mut Checks) {
    let resets = Cell::new(0);
    let reset = async || {
        resets.set(resets.get() + 1);
        bus.lock().await.reset();
    };
    let outcome = TWICE
        .on(EmbassyTime, NoRandom)
        .classify(class)
        .before_retry_async(async |attempt: &AttemptContext<'_>, last: &Last<_>| {
            if attempt.attempt == 1 && *last == Last::Timeout {
                reset().await;
            }
            ControlFlow::Continue(())
        })
        .execute_async(async |_| read(bus, SENSOR).await)
        .await;
    let recovered = outcome.result == Ok(80) && outcome.attempts == 2 && resets.get() == 1;
    checks.check("a hook that sees the timeout resets the bus once", recovered, resets.get());
    // Two waits, and the reset between them, which takes less than a tick.
    let exact = to_the_tick(outcome.elapsed, PATIENCE.saturating_add(PAUSE), 3);
    checks.check("the second read works after timeout and delay", exact, outcome.elapsed);

    i2c::lose();
    let outcome = TWICE
        .on(EmbassyTime, NoRandom)
        .classify(class)
        .execute_async(async |_| read(bus, SENSOR).await)
        .await;
    let attempts = outcome.attempts;
    let error = outcome.result.err().and_then(Error::into_error);
    let lost = attempts == 2 && error == Some(ErrorKind::ArbitrationLoss);
    checks.check("a bus that was lost stays so", lost, attempts);
    reset().await;

    i2c::lose();
    resets.set(0);
    let outcome = TWICE
        .on(EmbassyTime, NoRandom)
        .classify(class)
        .before_retry_async(async |_, last: &Last<_>| {
            if *last == Last::Error(ErrorKind::ArbitrationLoss) {
                reset().await;
            }
            ControlFlow::Continue(())
        })
        .execute_async(async |_| read(bus, SENSOR).await)
        .await;
    let recovered = outcome.result == Ok(80) && outcome.attempts == 2 && resets.get() == 1;
    checks.check("unless a hook resets it before the second", recovered, resets.get());
}

async fn hooks(bus: &Bus, checks: &mut Checks) {
    let outcome = TWICE
        .on(EmbassyTime, NoRandom)
        .classify(class)
        .before_retry_async(async |_, _: &Last<_>| ControlFlow::Break(()))
        .execute_async(async |_| read(bus, NOWHERE).await)
        .await;
    let stopped = outcome.attempts == 1 && outcome.stop_reason() == Some(StopReason::Aborted);
    checks.check("a hook that says so ends the call", stopped, outcome.attempts);
    let error = outcome.result.err().and_then(Error::into_error);
    let own = matches!(error, Some(ErrorKind::NoAcknowledge(_)));
    checks.check("with its last error", own, own);

    let outcome = LIMITED
        .on(EmbassyTime, NoRandom)
        .classify(class)
        .before_retry_async(async |_, _: &Last<_>| pending().await)
        .execute_async(async |_| read(bus, NOWHERE).await)
        .await;
    let ended = outcome.attempts == 1
        && outcome.stop_reason() == Some(StopReason::DeadlineExceeded)
        && to_the_tick(outcome.elapsed, DEADLINE, 2);
    checks.check("a hook that hangs ends at the deadline of 12.003 ms", ended, outcome.elapsed);
}

#[embassy_executor::task]
async fn tests(spawner: Spawner) {
    let mut checks = Checks::default();
    if let Ok(token) = other() {
        spawner.spawn(token);
    }
    let bus = Bus::new(i2c::Bus::new());
    timers(&bus, &mut checks).await;
    cut(&bus, &mut checks).await;
    recovery(&bus, &mut checks).await;
    hooks(&bus, &mut checks).await;
    semihosting::process::exit(if checks.close() { 0 } else { 1 });
}

firmware::tasks!(tests);
