//! A clock with the sleep function of an executor: [`WithSleep`].

use core::future::Future;

use crate::time::{Clock, Duration, Instant, Timer};

/// A clock and the sleep function of your executor, `tokio::time::sleep` for instance. Together
/// they are the [`Timer`] that asynchronous calls need.
///
/// ```
/// # #[cfg(feature = "std")] {
/// use redress::time::{MonotonicClock, WithSleep};
/// # mod tokio { pub mod time { pub async fn sleep(_: core::time::Duration) {} } }
/// let time = WithSleep::new(MonotonicClock, tokio::time::sleep);
/// # let _ = time;
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WithSleep<C, F> {
    clock: C,
    sleep: F,
}

impl<C, F> WithSleep<C, F> {
    /// A timer that reads `clock` and awaits the future that `sleep` returns.
    pub const fn new(clock: C, sleep: F) -> Self {
        Self { clock, sleep }
    }
}

impl<C: Clock, F> Clock for WithSleep<C, F> {
    #[inline]
    fn now(&self) -> Instant {
        self.clock.now()
    }
}

impl<C, F, S> Timer for WithSleep<C, F>
where
    C: Clock,
    F: FnMut(core::time::Duration) -> S,
    S: Future,
{
    async fn sleep(&mut self, span: Duration) {
        (self.sleep)(span.into()).await;
    }
}
