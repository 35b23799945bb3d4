//! What runs operations, without its type: [`Execute`] and [`ExecuteAsync`].

use core::convert::Infallible;
use core::future::Future;

use crate::call::Attempt;
use crate::classify::ClassifyAttempt;
use crate::driver::{Parts, Retry};
use crate::outcome::{Error, Outcome};
use crate::time::{Sleep, Timer};

/// Runs operations that return a `V` or an `E`: a [`Retry`], or in a test what stands in its
/// place.
///
/// Code that takes `impl Execute<V, E>` does not depend on the types of a `Retry`, and a test gives it a
/// [`FakePolicy`](crate::testing::FakePolicy) or a
/// [`RecordingPolicy`](crate::testing::RecordingPolicy).
///
/// ```
/// use redress::driver::Execute;
/// use redress::random::NoRandom;
/// use redress::{Backoff, Duration, Error, ErrorClass, Policy, policy};
///
/// /// A tank and whatever retries its readings.
/// struct Tank<P> {
///     policy: P,
/// }
///
/// impl<P: Execute<u32, &'static str>> Tank<P> {
///     fn litres(&mut self) -> Result<u32, Error<&'static str>> {
///         let millivolts = self.policy.call(|attempt| match attempt.number {
///             1 => Err("noise"),
///             _ => Ok(330),
///         })?;
///         Ok(millivolts / 10)
///     }
/// }
///
/// const SENSORS: Policy =
///     policy! { Policy::builder().backoff(Backoff::constant(Duration::ZERO)) };
/// # use core::cell::Cell;
/// # use redress::{Clock, Instant};
/// # struct Time(Cell<u64>);
/// # impl Clock for Time { fn now(&self) -> Instant { Instant::from_micros(self.0.get()) } }
/// # impl redress::time::Sleep for Time { fn sleep(&mut self, _: Duration) {} }
/// # let time = Time(Cell::new(0));
/// let policy = SENSORS.on(time, NoRandom).classify(|_: &&str| ErrorClass::Transient);
/// assert_eq!(Tank { policy }.litres(), Ok(33));
/// ```
///
/// `R` is what an error keeps of a value that counted as a failure: [`Infallible`], unless
/// values are classified.
pub trait Execute<V, E, R = Infallible> {
    /// Runs `operation` until it succeeds or the policy stops it; see [`Retry::execute`].
    fn execute<F>(&mut self, operation: F) -> Outcome<V, E, R>
    where
        F: FnMut(Attempt) -> Result<V, E>;

    /// The same, with the result alone.
    ///
    /// # Errors
    ///
    /// As [`Retry::call`].
    fn call<F>(&mut self, operation: F) -> Result<V, Error<E, R>>
    where
        F: FnMut(Attempt) -> Result<V, E>,
    {
        self.execute(operation).result
    }
}

/// As [`Execute`], for asynchronous operations.
pub trait ExecuteAsync<V, E, R = Infallible> {
    /// Runs `operation` until it succeeds or the policy stops it; see [`Retry::execute_async`].
    fn execute_async<F>(&mut self, operation: F) -> impl Future<Output = Outcome<V, E, R>>
    where
        F: AsyncFnMut(Attempt) -> Result<V, E>;

    /// The same, with the result alone.
    ///
    /// # Errors
    ///
    /// As [`Retry::call`].
    fn call_async<F>(&mut self, operation: F) -> impl Future<Output = Result<V, Error<E, R>>>
    where
        F: AsyncFnMut(Attempt) -> Result<V, E>,
    {
        async { self.execute_async(operation).await.result }
    }
}

impl<V, E, X: Parts<Time: Sleep>, K: ClassifyAttempt<V, E>> Execute<V, E, K::Rejected>
    for Retry<'_, X, K>
{
    fn execute<F>(&mut self, operation: F) -> Outcome<V, E, K::Rejected>
    where
        F: FnMut(Attempt) -> Result<V, E>,
    {
        Retry::execute(self, operation)
    }
}

impl<V, E, X: Parts<Time: Timer>, K: ClassifyAttempt<V, E>> ExecuteAsync<V, E, K::Rejected>
    for Retry<'_, X, K>
{
    fn execute_async<F>(&mut self, operation: F) -> impl Future<Output = Outcome<V, E, K::Rejected>>
    where
        F: AsyncFnMut(Attempt) -> Result<V, E>,
    {
        Retry::execute_async(self, operation)
    }
}
