//! All that a driver asks of an attempt, in one value: [`Classifier`], which the setters of a
//! [`Retry`](crate::Retry) put together.

use core::future::Future;
use core::ops::ControlFlow;

use crate::classify::classifier::ClassifyValue;
use crate::classify::{ByDescription, Classify, Verdict};
use crate::event::AttemptContext;
use crate::outcome::Last;

/// The classifier `K` of errors, `V` of values, and the hook `H` before each retry. Each is
/// set alone, so that the order of the setters does not matter.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Classifier<K = ByDescription, V = (), H = ()> {
    pub(crate) errors: K,
    pub(crate) values: V,
    pub(crate) hook: H,
}

impl Classifier {
    /// Errors describe themselves, every value is a success, and there is no hook.
    pub(crate) const DEFAULT: Self = Self { errors: ByDescription, values: (), hook: () };
}

/// Runs before each retry, or not at all.
pub trait Hook<E, V> {
    /// Whether it does anything; if not, no driver calls it.
    const RUNS: bool = true;

    /// Runs after the delay and before the next attempt; the attempt that failed is in
    /// `attempt`, what it left in `last`. [`ControlFlow::Break`] ends the call with
    /// [`StopReason::Aborted`](crate::StopReason::Aborted).
    fn before_retry(&mut self, attempt: &AttemptContext<'_>, last: &Last<E, V>) -> ControlFlow<()>;

    /// The same for asynchronous drivers, which end it at the deadline of the call.
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
    /// Does not compile: a blocking driver cannot await the hook.
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

/// What a driver asks of an attempt. [`Classifier`] alone implements it.
#[diagnostic::on_unimplemented(
    message = "nothing says what class of failure a `{E}` is",
    label = "this call does not know what to make of `{E}`",
    note = "classify it: `.classify(|error: &{E}| ErrorClass::Transient)`, with a table of \
            `redress::classify`, or implement `redress::classify::Describe` for `{E}`"
)]
pub trait ClassifyAttempt<T, E> {
    /// As [`Classify::Rejected`].
    type Rejected;

    /// Runs before each retry.
    type Hook: Hook<E, Self::Rejected>;

    /// As [`Classify::error`].
    fn error(&mut self, error: &E) -> Verdict;

    /// As [`Classify::value`].
    ///
    /// # Errors
    ///
    /// As there.
    fn value(&mut self, value: T) -> Result<T, (Self::Rejected, Verdict)>;

    /// The hook before a retry.
    fn hook(&mut self) -> &mut Self::Hook;
}

impl<T, E, K, V, H> ClassifyAttempt<T, E> for Classifier<K, V, H>
where
    K: Classify<T, E>,
    V: ClassifyValue<T, E, K>,
    H: Hook<E, V::Rejected>,
{
    type Rejected = V::Rejected;

    type Hook = H;

    #[inline]
    fn error(&mut self, error: &E) -> Verdict {
        self.errors.error(error)
    }

    #[inline]
    fn value(&mut self, value: T) -> Result<T, (V::Rejected, Verdict)> {
        self.values.value(&mut self.errors, value)
    }

    #[inline]
    fn hook(&mut self) -> &mut H {
        &mut self.hook
    }
}
