//! The entry points of redress-embassy, but for the futures: the compiler puts a panic of its
//! own into each. And but for `writes_a_day`, which divides: it is for who plans, not for an
//! image.

use core::convert::Infallible;
use core::hint::black_box;
use core::task::Waker;

use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use embassy_time_driver::{Driver, time_driver_impl};
use embedded_storage::{ReadStorage, Storage};
use redress::breaker::{FailureRule, FailureTimes};
use redress::budget::RollingConfig;
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, Policy, Retry, RollingBudget,
    policy, settings,
};
use redress_embassy::durable::{Durable, Eeprom, Record, Transitions};
use redress_embassy::random::Seed;
use redress_embassy::{EmbassyTime, Locked, classify, signaled};

use super::any;

struct NoInterrupts;

critical_section::set_impl!(NoInterrupts);

// SAFETY: the image has one thread and no interrupts, and is never run.
unsafe impl critical_section::Impl for NoInterrupts {
    unsafe fn acquire() {}
    unsafe fn release((): ()) {}
}

struct Ticks;

impl Driver for Ticks {
    fn now(&self) -> u64 {
        black_box(7)
    }

    fn schedule_wake(&self, _: u64, _: &Waker) {}
}

time_driver_impl!(static TICKS: Ticks = Ticks);

settings! { Calls: Policy = policy! { Policy::builder().backoff(Backoff::equal_jitter(Duration::from_millis(1), Duration::from_secs(1))) } }
settings! { Failures: BreakerConfig<FailureRule> = BreakerConfig::failures(5, Duration::from_secs(60)) }
settings! { Retries: RollingConfig = RollingConfig::new(16, Duration::from_secs(60)) }

type Circuit = Breaker<FailureTimes<5>, 1, Failures>;
type Tokens = RollingBudget<16, Retries>;

static BREAKER: Locked<CriticalSectionRawMutex, Circuit> = Locked::new(Circuit::fixed(Failures));
static BUDGET: Locked<CriticalSectionRawMutex, Tokens> = Locked::new(Tokens::fixed(Retries));

/// An EEPROM of which nothing is known.
struct Chip;

impl ReadStorage for Chip {
    type Error = Infallible;

    fn read(&mut self, _: u32, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = any();
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        512
    }
}

impl Storage for Chip {
    fn write(&mut self, _: u32, bytes: &[u8]) -> Result<(), Infallible> {
        black_box(bytes);
        Ok(())
    }
}

/// All of it.
pub fn adapter() -> Option<()> {
    let stop = Signal::<CriticalSectionRawMutex, ()>::new();
    let mut numbers = Seed::new(&[any(), any()], any()).noise(any()).finish();
    let random = redress::random::from_fn(|| {
        numbers = numbers.rotate_left(7) ^ 5;
        numbers as u32
    });
    let mut retry = Retry::new(Calls, EmbassyTime, random)
        .classify(|_: &u8| ErrorClass::Transient)
        .breaker(&BREAKER)
        .budget(&BUDGET)
        .abort_if(signaled(&stop));
    let mut steps = retry.begin().ok()?;
    black_box(steps.start().ok()?);
    black_box(steps.fail(ErrorClass::Transient));
    black_box(steps.on_wake().ok()?);
    steps.succeed();

    let now = EmbassyTime.now();
    let mut record = Record::<256>::new();
    record.put(&BREAKER, now).ok()?;
    record.put(&BUDGET, now).ok()?;
    let mut durable = Durable::new(Eeprom::new(Chip, any()), any());
    durable.save(&record).ok()?;
    let mut fields = durable.load(&mut record).ok()?;
    fields.take(&BREAKER, now, None).ok()?;
    black_box(Transitions::new().take());

    black_box(classify::i2c(&embedded_hal::i2c::ErrorKind::Bus));
    black_box(classify::spi(&embedded_hal::spi::ErrorKind::Overrun));
    black_box(classify::io(&black_box(embedded_io::ErrorKind::TimedOut)));
    Some(())
}
