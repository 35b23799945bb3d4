//! Clocks that can also wait: [`Sleep`] for blocking drivers, [`Timer`] for asynchronous ones.

use core::future::Future;

use crate::time::{Clock, Duration};

/// A clock that can also wait, blocking.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot sleep between attempts",
    label = "this call needs a clock that can `Sleep`",
    note = "a blocking call: `MonotonicClock` (feature `std`), `WithDelay` over a delay of embedded-hal, or \
            implement `Sleep`; an asynchronous clock, a `Timer`, is for `call_async`"
)]
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot wait between attempts asynchronously",
    label = "this call needs a clock that is a `Timer`",
    note = "an asynchronous call: `WithSleep::new(MonotonicClock, tokio::time::sleep)` or the sleep of another \
            executor, `EmbassyTime` of redress-embassy, `WithDelay` over an asynchronous delay of embedded-hal; \
            a blocking clock is for `call`"
)]
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
