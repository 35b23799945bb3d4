//! The asynchronous driver: awaits an operation under its timeout, awaits the
//! delay, tries again. Any executor will do.

use core::future::Future;
use core::pin::pin;
use core::task::Poll;

use crate::budget::Pool;
use crate::call::{Attempt, Decision};
use crate::classifier::Classify;
use crate::control::Control;
use crate::gate::Gate;
use crate::outcome::{Error, Outcome};
use crate::random::Draw;
use crate::retry::Retry;
use crate::steps::Failed;
use crate::{Clock, Duration, Observer, Policy, Settings};

/// A clock that can also wait, asynchronously.
pub trait Timer: Clock {
    /// Completes after `span` or a little later. Dropping the future gives the
    /// timer up. Never called with zero for a delay; a timeout may be zero.
    fn sleep(&mut self, span: Duration) -> impl Future<Output = ()>;
}

impl<T: Timer + ?Sized> Timer for &mut T {
    fn sleep(&mut self, span: Duration) -> impl Future<Output = ()> {
        (**self).sleep(span)
    }
}

/// The one loop of this driver, for both forms of an operation.
macro_rules! drive {
    ($retry:expr, $operation:expr, $timed:expr) => {{
        let mut steps = match $retry.enter($timed) {
            Ok(steps) => steps,
            Err(rejection) => return Outcome::rejected(rejection).into(),
        };
        let mut last = None;
        let (reason, failure) = loop {
            let attempt = match steps.next() {
                Ok(attempt) => attempt,
                Err(reason) => break (reason, None),
            };
            let result = if attempt.timeout == Duration::MAX {
                steps.judge($operation(attempt).await)
            } else {
                let result = {
                    let timeout = steps.retry.time.sleep(attempt.timeout);
                    // In place: as arguments of a function both would be stored twice.
                    let (mut future, mut timer) = (pin!($operation(attempt)), pin!(timeout));
                    core::future::poll_fn(|context| {
                        // The operation first: a result that is there wins over a
                        // timeout that is due.
                        if let Poll::Ready(output) = future.as_mut().poll(context) {
                            return Poll::Ready(Some(output));
                        }
                        timer.as_mut().poll(context).map(|()| None)
                    })
                    .await
                };
                match result {
                    Some(result) => steps.judge(result),
                    None => Err(Failed::Timeout),
                }
            };
            let failed = match result {
                Ok(value) => {
                    steps.settle_success($timed);
                    return Outcome::of(&steps, Ok(value)).into();
                }
                Err(failed) => failed,
            };
            let failure = steps.classify(&failed);
            last = Some(failed.into_last());
            match steps.decide(&failure) {
                Decision::Retry { after } if after.is_zero() => {}
                Decision::Retry { after } => steps.retry.time.sleep(after).await,
                Decision::Stop(reason) => break (reason, Some(failure)),
            }
            if let Err(reason) = steps.awake() {
                break (reason, None);
            }
        };
        steps.end(reason, failure.as_ref());
        Outcome::stopped(&steps, reason, last).into()
    }};
}

#[expect(
    clippy::manual_async_fn,
    reason = "an `async fn` stores its arguments twice, what is captured is stored once"
)]
impl<T, R, K, B, U, O, H, P> Retry<'_, T, R, K, B, U, O, H, P>
where
    T: Timer,
    R: Draw,
    B: Gate,
    U: Pool,
    O: Observer,
    H: Control,
    P: Settings<Policy>,
{
    /// Runs `operation` until it succeeds or the policy stops it.
    ///
    /// Takes an `async |attempt| ..` that may borrow mutably from its surroundings, a
    /// sensor behind `&mut` for instance. For a future that is spawned on a
    /// multi-threaded runtime take [`call_future`](Self::call_future).
    ///
    /// An attempt that exceeds its timeout is dropped and counts as TRANSIENT; no
    /// timer is made without an attempt timeout or for a delay of zero. Dropping the
    /// returned future at any await cancels the call: a probe's place in a half-open
    /// breaker is free again, nothing is counted.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    #[inline]
    pub fn call_async<V, E, F>(
        &mut self,
        mut operation: F,
    ) -> impl Future<Output = Result<V, Error<V, E>>>
    where
        K: Classify<V, E>,
        F: AsyncFnMut(Attempt) -> Result<V, E>,
    {
        async move { drive!(self, operation, false) }
    }

    /// The same as [`call_async`](Self::call_async), with everything there is to
    /// know of it.
    #[inline]
    pub fn execute_async<V, E, F>(
        &mut self,
        mut operation: F,
    ) -> impl Future<Output = Outcome<V, E>>
    where
        K: Classify<V, E>,
        F: AsyncFnMut(Attempt) -> Result<V, E>,
    {
        async move { drive!(self, operation, true) }
    }

    /// The same as [`call_async`](Self::call_async) for an operation that returns a
    /// future, `|attempt| async move { .. }`: the compiler can then see that the whole
    /// may be sent to another thread, so it can be spawned on a multi-threaded runtime.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    #[inline]
    pub fn call_future<V, E, F, A>(
        &mut self,
        mut operation: F,
    ) -> impl Future<Output = Result<V, Error<V, E>>>
    where
        K: Classify<V, E>,
        F: FnMut(Attempt) -> A,
        A: Future<Output = Result<V, E>>,
    {
        async move { drive!(self, operation, false) }
    }

    /// The same as [`call_future`](Self::call_future), with everything there is to
    /// know of it.
    #[inline]
    pub fn execute_future<V, E, F, A>(
        &mut self,
        mut operation: F,
    ) -> impl Future<Output = Outcome<V, E>>
    where
        K: Classify<V, E>,
        F: FnMut(Attempt) -> A,
        A: Future<Output = Result<V, E>>,
    {
        async move { drive!(self, operation, true) }
    }
}
