//! Clocks that can also wait: [`Sleep`] for blocking drivers, [`Timer`] for asynchronous ones.

use core::future::Future;

use crate::time::{Clock, Duration};

/// A clock that can also wait, blocking.
pub trait Sleep: Clock {
    /// Waits for `span`; a little longer does no harm. Never called with zero.
    fn sleep(&mut self, span: Duration);
}

impl<S: Sleep + ?Sized> Sleep for &mut S {
    fn sleep(&mut self, span: Duration) {
        (**self).sleep(span);
    }
}

/// A clock that can also wait, asynchronously.
pub trait Timer: Clock {
    /// Completes after `span` or a little later. Dropping the future cancels the
    /// timer. Never called with zero for a delay; a timeout may be zero.
    fn sleep(&mut self, span: Duration) -> impl Future<Output = ()>;
}

impl<T: Timer + ?Sized> Timer for &mut T {
    fn sleep(&mut self, span: Duration) -> impl Future<Output = ()> {
        (**self).sleep(span)
    }
}
