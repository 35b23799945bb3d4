//! The job of the boards with a thermometer: a temperature every ten seconds, and what each failure
//! deserves. A board brings the bus, randomness and a place for the log.

#![no_std]

use core::cell::RefCell;
use core::fmt::Write;
use core::ops::ControlFlow;

use embassy_sync::blocking_mutex::raw::{CriticalSectionRawMutex, NoopRawMutex};
use embassy_sync::mutex::Mutex;
use embassy_time::Timer;
use redress::breaker::{FailureRule, FailureTimes};
use redress::random::Draw;
use redress::{
    Backoff, Breaker, BreakerConfig, Duration, Event, Last, Policy, Retry, policy, settings,
};
use redress_embassy::{EmbassyTime, Locked, classify};

settings! {
    /// An attempt takes a millisecond; one that takes 50 ms hangs.
    pub Sensor: Policy = policy! {
        Policy::builder()
            .max_attempts(4)
            .deadline(Duration::from_secs(2))
            .attempt_timeout(Duration::from_millis(50))
            .backoff(Backoff::decorrelated_jitter(
                Duration::from_millis(20),
                Duration::from_millis(500),
            ))
    };
    /// Three readings failed within a minute: leave the sensor alone for 30 s.
    pub Rule: BreakerConfig<FailureRule> = BreakerConfig::failures(3, Duration::from_secs(60))
        .recovery_timeout(Duration::from_secs(30))
}

type Circuit = Breaker<FailureTimes<3>, 1, Rule>;

/// A task or an interrupt that uses the sensor, too, would share it.
static BREAKER: Locked<CriticalSectionRawMutex, Circuit> = Locked::new(Circuit::fixed(Rule));

/// Address of the LM75 with A0, A1 and A2 at ground.
pub const LM75: u8 = 0x48;

/// From one reading to the next.
const PERIOD_SECS: u64 = 10;

/// A bus with the sensor.
#[expect(async_fn_in_trait, reason = "a board has one executor, on one core")]
pub trait Bus {
    /// Of the driver.
    type Error: embedded_hal::i2c::Error;

    /// The first two bytes of the sensor. The driver is made here: it is dropped with an attempt
    /// that hangs, and the next attempt makes a new one.
    async fn read(&mut self) -> Result<[u8; 2], Self::Error>;

    /// Frees the bus before a retry; no attempt succeeds if it breaks.
    async fn recover(&mut self) -> ControlFlow<()>;
}

/// Reads for ever, and writes what happens to `log`.
pub async fn run(bus: impl Bus, random: impl Draw, log: impl Write) -> ! {
    // One at a time: an attempt, or the hook between two.
    let bus = Mutex::<NoopRawMutex, _>::new(bus);
    let log = RefCell::new(log);
    let mut sensor = Retry::new(Sensor, EmbassyTime, random)
        .classify(classify::i2c)
        .breaker(&BREAKER)
        .operation("LM75")
        .on_event(|event| note(&mut *log.borrow_mut(), event))
        .before_retry_async(async |_, _: &Last<_>| bus.lock().await.recover().await);
    loop {
        let call = sensor.call_async(async |_| bus.lock().await.read().await);
        if let Ok(reading) = call.await {
            let centi = i32::from(i16::from_be_bytes(reading)) * 100 / 256;
            let sign = if centi < 0 { "-" } else { "" };
            let centi = centi.unsigned_abs();
            let _ = write!(log.borrow_mut(), "{sign}{}.{:02} C\r\n", centi / 100, centi % 100);
        }
        Timer::after_secs(PERIOD_SECS).await;
    }
}

/// A decision in one line. A success is said by its reading.
fn note(log: &mut impl Write, event: &Event<'_>) {
    let Event { operation, attempt, kind, delay, .. } = event;
    let class = event.class.map_or("", |class| class.as_str());
    let detail = event.detail.unwrap_or("no answer in time");
    let _ = match (kind, event.stop_reason) {
        (redress::EventKind::Success, _) => Ok(()),
        (redress::EventKind::Retry, _) => {
            write!(log, "{operation} #{attempt} {class} ({detail}) retry in {delay}\r\n")
        }
        // The call was stopped from outside.
        (_, Some(reason)) if class.is_empty() => {
            write!(log, "{operation} #{attempt} stop: {reason}\r\n")
        }
        (_, Some(reason)) => {
            write!(log, "{operation} #{attempt} {class} ({detail}) stop: {reason}\r\n")
        }
        (kind, None) => write!(log, "{operation} {kind}\r\n"),
    };
}
