//! Breakers and budgets in a `static`: [`Locked`].

use core::cell::RefCell;

use embassy_sync::blocking_mutex::{Mutex, raw::RawMutex};
use redress::Shared;

/// A breaker or a budget behind a blocking mutex of embassy-sync, for a `static` that
/// tasks, executors and interrupts share.
///
/// The engine locks it for the length of one admission, settlement or withdrawal, never
/// across an await and never while a caller's code runs.
///
/// | `M` | who may share it | what a lock does |
/// | --- | --- | --- |
/// | `CriticalSectionRawMutex` | everything: interrupts, executors of any priority, both cores | interrupts wait until the engine has looked: less than 300 instructions for a breaker of 5 and a budget of 16, see the figures in the project's README |
/// | `ThreadModeRawMutex` | tasks of the thread-mode executor | nothing; used from an interrupt it panics, in embassy-sync |
/// | `NoopRawMutex` | tasks of one executor | nothing; it is not `Sync`, so a `static` of it does not compile |
///
/// Take `CriticalSectionRawMutex` unless you know that nothing else uses it.
///
/// ```
/// # use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
/// # use redress::breaker::{FailureRule, FailureTimes};
/// # use redress::{checked, Breaker, BreakerConfig, Duration};
/// # use redress_embassy::Locked;
/// type Circuit = Breaker<FailureTimes<3>>;
/// const RULE: BreakerConfig<FailureRule> =
///     BreakerConfig::failures(3, Duration::from_secs(60)).recovery_timeout(Duration::from_secs(2));
///
/// static SENSOR: Locked<CriticalSectionRawMutex, Circuit> =
///     Locked::new(checked!(Circuit::new(&RULE)));
/// ```
///
/// A `static` that is not safe to share is refused:
///
/// ```compile_fail,E0277
/// # use embassy_sync::blocking_mutex::raw::NoopRawMutex;
/// # use redress_embassy::Locked;
/// static COUNT: Locked<NoopRawMutex, u32> = Locked::new(0);
/// ```
#[derive(Debug)]
pub struct Locked<M: RawMutex, T>(Mutex<M, RefCell<T>>);

impl<M: RawMutex, T> Locked<M, T> {
    /// Puts `value` behind a lock.
    pub const fn new(value: T) -> Self {
        Self(Mutex::new(RefCell::new(value)))
    }
}

impl<M: RawMutex, T> Shared for Locked<M, T> {
    type Item = T;

    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.0.lock(|value| value.with(f))
    }
}
