//! A breaker or budget behind a lock of embassy-sync.

use core::cell::RefCell;

use embassy_sync::blocking_mutex::Mutex;
use embassy_sync::blocking_mutex::raw::RawMutex;
use redress::Shared;

/// A value in a `static`, locked for the length of each step.
pub struct Locked<R, T>(Mutex<R, RefCell<T>>);

impl<R: RawMutex, T> Locked<R, T> {
    /// Behind its lock.
    pub const fn new(value: T) -> Self {
        Self(Mutex::new(RefCell::new(value)))
    }
}

impl<R: RawMutex, T> Shared for Locked<R, T> {
    type Item = T;

    fn with<V>(&self, f: impl FnOnce(&mut T) -> V) -> Option<V> {
        self.0.lock(|value| value.with(f))
    }
}
