//! The engine's traits on embassy: [`EmbassyTime`], [`HeldClock`] and [`Locked`].

use core::cell::{Cell, RefCell};

use embassy_sync::blocking_mutex::{Mutex, raw::CriticalSectionRawMutex};
use embassy_time::Timer as Alarm;
use redress::{Clock, Duration, Instant, Shared, Timer};

/// The clock and the alarms of embassy-time, here in microseconds.
#[derive(Clone, Copy)]
pub struct EmbassyTime;

impl Clock for EmbassyTime {
    fn now(&self) -> Instant {
        Instant::from_micros(embassy_time::Instant::now().as_micros())
    }
}

impl Timer for EmbassyTime {
    fn sleep(&mut self, span: Duration) -> impl Future<Output = ()> {
        Alarm::after_micros(span.as_micros())
    }
}

/// The same clock, which can be held: a call and its breaker are saved, and restored,
/// at one instant.
pub struct HeldClock(Cell<Option<Instant>>);

impl HeldClock {
    pub const fn new() -> Self {
        Self(Cell::new(None))
    }

    /// Runs `f` while the clock stands at this instant.
    pub fn hold<R>(&self, at: Instant, f: impl FnOnce() -> R) -> R {
        self.0.set(Some(at));
        let result = f();
        self.0.set(None);
        result
    }
}

impl Clock for HeldClock {
    fn now(&self) -> Instant {
        self.0.get().unwrap_or_else(|| EmbassyTime.now())
    }
}

/// A breaker or a budget in a `static`, locked by a critical section for as long as the
/// engine looks at it.
pub struct Locked<T>(Mutex<CriticalSectionRawMutex, RefCell<T>>);

impl<T> Locked<T> {
    pub const fn new(value: T) -> Self {
        Self(Mutex::new(RefCell::new(value)))
    }
}

impl<T> Shared for Locked<T> {
    type Item = T;

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.0.lock(|cell| cell.with(f))
    }
}
