//! Under every image: an executor of embassy, time that jumps, a sensor that fails.
//!
//! An image is the same job done in one way: two readings, the first of which succeeds at
//! once, the second after two failures. What two images differ in size is what the two
//! ways differ in.

#![no_std]

pub mod sensor;
mod time;

use core::sync::atomic::{AtomicBool, Ordering};

pub use embassy_executor;
use embassy_executor::raw::Executor;
pub use semihosting;
use static_cell::StaticCell;

/// Nothing of it is in the size of an image.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    semihosting::process::exit(101)
}

/// Readings that succeed at once, then twice not, then do.
pub const SCRIPT: u32 = 0b00_01_01_00;

static READY: AtomicBool = AtomicBool::new(false);

/// Embassy calls it when a task becomes ready.
#[unsafe(export_name = "__pender")]
fn pend(_: *mut ()) {
    READY.store(true, Ordering::Release);
}

/// Runs the tasks that `spawn` spawns; in between, time jumps.
pub fn run(spawn: impl FnOnce(embassy_executor::Spawner)) -> ! {
    static EXECUTOR: StaticCell<Executor> = StaticCell::new();
    let executor = EXECUTOR.init(Executor::new(core::ptr::null_mut()));
    spawn(executor.spawner());
    loop {
        // SAFETY: this is the only place that polls, and `pend` does not.
        unsafe { executor.poll() };
        if READY.load(Ordering::Acquire) {
            READY.store(false, Ordering::Release);
        } else {
            time::jump();
        }
    }
}

/// The entry of an image: `$call` makes one call of its sensor; ends well if both calls
/// have their reading.
#[macro_export]
macro_rules! image {
    ($call:path) => {
        #[$crate::embassy_executor::task]
        async fn job() {
            let mut sensor = $crate::sensor::Sensor::slow();
            $crate::sensor::script($crate::SCRIPT);
            let first = $call(&mut sensor).await;
            let second = $call(&mut sensor).await;
            let fine = first == Some(21) && second == Some(21);
            $crate::semihosting::process::exit(if fine { 0 } else { 1 })
        }

        #[cfg_attr(target_arch = "arm", $crate::entry)]
        #[cfg_attr(target_arch = "riscv32", $crate::entry)]
        fn start() -> ! {
            $crate::run(|spawner| {
                if let Ok(token) = job() {
                    spawner.spawn(token);
                }
            })
        }
    };
}

/// A module `$name` with a call under settings of its own: jitter up to `$longest` ms, deadline, an
/// attempt timeout of `$timeout` ms, a breaker.
#[macro_export]
macro_rules! operation {
    ($name:ident, $timeout:literal, $longest:literal) => {
        mod $name {
            use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
            use redress::breaker::{FailureRule, FailureTimes};
            use redress::random::from_fn;
            use redress::{Backoff, Breaker, BreakerConfig, Duration, Policy, Retry, policy};
            use redress_embassy::{EmbassyTime, Locked};
            use $crate::sensor::{Sensor, SensorError, random};

            redress::settings! {
                Calls: Policy = policy! {
                    Policy::builder()
                        .deadline(Duration::from_secs(60))
                        .attempt_timeout(Duration::from_millis($timeout))
                        .backoff(Backoff::equal_jitter(
                            Duration::from_millis(10),
                            Duration::from_millis($longest),
                        ))
                }
            }
            redress::settings! {
                Rule: BreakerConfig<FailureRule> =
                    BreakerConfig::failures(5, Duration::from_millis($longest * 60))
            }
            type Circuit = Breaker<FailureTimes<5>, 1, Rule>;

            static BREAKER: Locked<CriticalSectionRawMutex, Circuit> =
                Locked::new(Circuit::fixed(Rule));

            pub async fn call(sensor: &mut Sensor) -> Option<u16> {
                let mut retry = Retry::new(Calls, EmbassyTime, from_fn(random))
                    .classify(SensorError::class)
                    .breaker(&BREAKER);
                retry.call_async(async |_| sensor.read().await).await.ok()
            }
        }
    };
}

/// An image whose calls, under `$policy`, have no delays and an operation without a timer.
#[macro_export]
macro_rules! timerless {
    ($policy:expr) => {
        redress::settings! { Calls: redress::Policy = redress::policy! { $policy } }

        async fn call(sensor: &mut $crate::sensor::Sensor) -> Option<u16> {
            let mut retry =
                redress::Retry::new(Calls, redress_embassy::EmbassyTime, redress::random::NoRandom)
                    .classify($crate::sensor::SensorError::class);
            retry.call_async(async |_| sensor.read_in_turn().await).await.ok()
        }

        $crate::image!(call);
    };
}

pub use board::entry;
