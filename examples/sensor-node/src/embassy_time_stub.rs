use core::cell::RefCell;
use embassy_sync::blocking_mutex::{Mutex, raw::CriticalSectionRawMutex};
use redress::{Clock, Duration, Instant, Shared, Timer};
#[derive(Clone, Copy)]
pub struct EmbassyTime;
impl Clock for EmbassyTime {
    fn now(&self) -> Instant {
        Instant::from_micros(embassy_time::Instant::now().as_micros())
    }
}
impl Timer for EmbassyTime {
    fn sleep(&mut self, span: Duration) -> impl Future<Output = ()> {
        embassy_time::Timer::after_micros(span.as_micros())
    }
}
pub struct Locked<T>(Mutex<CriticalSectionRawMutex, RefCell<T>>);
impl<T> Locked<T> {
    pub const fn new(v: T) -> Self {
        Self(Mutex::new(RefCell::new(v)))
    }
}
impl<T> Shared for Locked<T> {
    type Item = T;
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.0.lock(|c| c.try_borrow_mut().ok().map(|mut v| f(&mut v)))
    }
}
