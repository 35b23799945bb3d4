//! How a driver asks what went wrong: [`Classify`], for errors and for returned
//! values that count as failures.

use core::future::Future;
use core::ops::ControlFlow;

use crate::class::{Classification, ErrorClass};
use crate::classify::{self, Describe};
use crate::event::AttemptContext;
use crate::outcome::Last;

/// What a classifier says of an attempt that did not go well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Verdict {
    /// A failure of this class.
    Failure(Classification),
    /// The operation asks to stop: nothing failed, the call ends with
    /// [`StopReason::Aborted`](crate::StopReason::Aborted).
    Abort,
}

impl From<Classification> for Verdict {
    #[inline]
    fn from(classification: Classification) -> Self {
        Self::Failure(classification)
    }
}

impl From<ErrorClass> for Verdict {
    #[inline]
    fn from(class: ErrorClass) -> Self {
        Self::Failure(class.into())
    }
}

/// Classifies what an operation returned.
pub trait Classify<T, E> {
    /// Whether [`before_retry`](Self::before_retry) does anything; if not, no driver calls it.
    const HAS_HOOK: bool = false;

    /// What this error is.
    fn error(&mut self, error: &E) -> Verdict;

    /// Whether this value is a failure after all; `None` if it is a success.
    fn value(&mut self, value: &T) -> Option<Verdict> {
        let _ = value;
        None
    }

    /// Runs after the delay and before the next attempt; the attempt that failed is in
    /// `attempt`, what it left in `last`. [`ControlFlow::Break`] ends the call with
    /// [`StopReason::Aborted`](crate::StopReason::Aborted).
    fn before_retry(&mut self, attempt: &AttemptContext<'_>, last: &Last<T, E>) -> ControlFlow<()> {
        let _ = (attempt, last);
        ControlFlow::Continue(())
    }

    /// The same for asynchronous drivers, which end it at the deadline of the call.
    fn before_retry_async(
        &mut self,
        attempt: &AttemptContext<'_>,
        last: &Last<T, E>,
    ) -> impl Future<Output = ControlFlow<()>> {
        core::future::ready(self.before_retry(attempt, last))
    }
}

/// The default: errors describe themselves ([`Describe`]), and every value is a
/// success.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByDescription;

impl<T, E: Describe> Classify<T, E> for ByDescription {
    #[inline]
    fn error(&mut self, error: &E) -> Verdict {
        classify::default(&error.facts()).into()
    }
}

/// A function of the error; see [`Retry::classify`](crate::Retry::classify).
#[derive(Clone, Copy, Debug)]
pub struct ByError<F>(pub(crate) F);

impl<T, E, V: Into<Verdict>, F: FnMut(&E) -> V> Classify<T, E> for ByError<F> {
    #[inline]
    fn error(&mut self, error: &E) -> Verdict {
        (self.0)(error).into()
    }
}

/// A function of the value before another classifier of the error; see
/// [`Retry::classify_value`](crate::Retry::classify_value).
#[derive(Clone, Copy, Debug)]
pub struct ByValue<K, F> {
    pub(crate) errors: K,
    pub(crate) values: F,
}

impl<T, E, K, V, F> Classify<T, E> for ByValue<K, F>
where
    K: Classify<T, E>,
    V: Into<Verdict>,
    F: FnMut(&T) -> Option<V>,
{
    const HAS_HOOK: bool = K::HAS_HOOK;

    #[inline]
    fn error(&mut self, error: &E) -> Verdict {
        self.errors.error(error)
    }

    #[inline]
    fn value(&mut self, value: &T) -> Option<Verdict> {
        (self.values)(value).map(Into::into)
    }

    #[inline]
    fn before_retry(&mut self, attempt: &AttemptContext<'_>, last: &Last<T, E>) -> ControlFlow<()> {
        self.errors.before_retry(attempt, last)
    }

    #[inline]
    fn before_retry_async(
        &mut self,
        attempt: &AttemptContext<'_>,
        last: &Last<T, E>,
    ) -> impl Future<Output = ControlFlow<()>> {
        self.errors.before_retry_async(attempt, last)
    }
}

/// A classifier with a hook before each retry; see
/// [`Retry::before_retry`](crate::Retry::before_retry).
#[derive(Clone, Copy, Debug)]
pub struct BeforeRetry<K, F> {
    pub(crate) classifier: K,
    pub(crate) hook: F,
}

impl<T, E, K, F> Classify<T, E> for BeforeRetry<K, F>
where
    K: Classify<T, E>,
    F: FnMut(&AttemptContext<'_>, &Last<T, E>) -> ControlFlow<()>,
{
    const HAS_HOOK: bool = true;

    #[inline]
    fn error(&mut self, error: &E) -> Verdict {
        self.classifier.error(error)
    }

    #[inline]
    fn value(&mut self, value: &T) -> Option<Verdict> {
        self.classifier.value(value)
    }

    fn before_retry(&mut self, attempt: &AttemptContext<'_>, last: &Last<T, E>) -> ControlFlow<()> {
        (self.hook)(attempt, last)
    }
}

/// A classifier with an asynchronous hook before each retry; see
/// [`Retry::before_retry_async`](crate::Retry::before_retry_async).
#[derive(Clone, Copy, Debug)]
pub struct BeforeRetryAsync<K, F> {
    pub(crate) classifier: K,
    pub(crate) hook: F,
}

impl<K, F> BeforeRetryAsync<K, F> {
    /// Evaluated where a blocking driver calls the hook.
    const BLOCKING: () = assert!(
        size_of::<(K, F)>() > isize::MAX as usize,
        "before_retry_async needs an asynchronous driver: use before_retry with a blocking one"
    );
}

impl<T, E, K, F> Classify<T, E> for BeforeRetryAsync<K, F>
where
    K: Classify<T, E>,
    F: AsyncFnMut(&AttemptContext<'_>, &Last<T, E>) -> ControlFlow<()>,
{
    const HAS_HOOK: bool = true;

    #[inline]
    fn error(&mut self, error: &E) -> Verdict {
        self.classifier.error(error)
    }

    #[inline]
    fn value(&mut self, value: &T) -> Option<Verdict> {
        self.classifier.value(value)
    }

    /// Does not compile: a blocking driver cannot await the hook.
    fn before_retry(&mut self, _: &AttemptContext<'_>, _: &Last<T, E>) -> ControlFlow<()> {
        let () = Self::BLOCKING;
        ControlFlow::Break(())
    }

    async fn before_retry_async(
        &mut self,
        attempt: &AttemptContext<'_>,
        last: &Last<T, E>,
    ) -> ControlFlow<()> {
        (self.hook)(attempt, last).await
    }
}
