//! The hook before each retry: [`Hook`].

use core::future::Future;
use core::ops::ControlFlow;

use crate::event::AttemptContext;
use crate::outcome::Last;

/// A hook before each retry; `()` for none.
pub trait Hook<E, V> {
    /// Whether the hook does anything. If false, no driver calls it.
    const RUNS: bool = true;

    /// Runs after the delay and before the next attempt. `attempt` is the attempt that failed,
    /// `last` its result. [`ControlFlow::Break`] ends the call with
    /// [`StopReason::Aborted`](crate::StopReason::Aborted).
    fn before_retry(&mut self, attempt: &AttemptContext<'_>, last: &Last<E, V>) -> ControlFlow<()>;

    /// The same for asynchronous drivers, which end the hook at the deadline of the call.
    fn before_retry_async(
        &mut self,
        attempt: &AttemptContext<'_>,
        last: &Last<E, V>,
    ) -> impl Future<Output = ControlFlow<()>> {
        core::future::ready(self.before_retry(attempt, last))
    }
}

impl<E, V> Hook<E, V> for () {
    const RUNS: bool = false;

    #[inline]
    fn before_retry(&mut self, _: &AttemptContext<'_>, _: &Last<E, V>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// A hook before each retry; see [`Retry::before_retry`](crate::Retry::before_retry).
#[derive(Clone, Copy, Debug)]
pub struct BeforeRetry<F>(pub(crate) F);

impl<E, V, F> Hook<E, V> for BeforeRetry<F>
where
    F: FnMut(&AttemptContext<'_>, &Last<E, V>) -> ControlFlow<()>,
{
    fn before_retry(&mut self, attempt: &AttemptContext<'_>, last: &Last<E, V>) -> ControlFlow<()> {
        (self.0)(attempt, last)
    }
}

/// An asynchronous hook before each retry; see
/// [`Retry::before_retry_async`](crate::Retry::before_retry_async).
#[derive(Clone, Copy, Debug)]
pub struct BeforeRetryAsync<F>(pub(crate) F);

impl<F> BeforeRetryAsync<F> {
    /// Evaluated where a blocking driver calls the hook.
    const BLOCKING: () = assert!(
        size_of::<F>() > isize::MAX as usize,
        "before_retry_async needs an asynchronous driver: use before_retry with a blocking one"
    );
}

impl<E, V, F> Hook<E, V> for BeforeRetryAsync<F>
where
    F: AsyncFnMut(&AttemptContext<'_>, &Last<E, V>) -> ControlFlow<()>,
{
    /// Always a compile error: a blocking driver cannot await the hook.
    fn before_retry(&mut self, _: &AttemptContext<'_>, _: &Last<E, V>) -> ControlFlow<()> {
        let () = Self::BLOCKING;
        ControlFlow::Break(())
    }

    async fn before_retry_async(
        &mut self,
        attempt: &AttemptContext<'_>,
        last: &Last<E, V>,
    ) -> ControlFlow<()> {
        (self.0)(attempt, last).await
    }
}
