//! How a driver asks what went wrong: [`Classify`], for errors and for returned
//! values that count as failures.

use crate::classify::{self, Describe};
use crate::{Classification, ErrorClass};

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
    /// What this error is.
    fn error(&mut self, error: &E) -> Verdict;

    /// Whether this value is a failure after all; `None` if it is a success.
    fn value(&mut self, value: &T) -> Option<Verdict> {
        let _ = value;
        None
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
    #[inline]
    fn error(&mut self, error: &E) -> Verdict {
        self.errors.error(error)
    }

    #[inline]
    fn value(&mut self, value: &T) -> Option<Verdict> {
        (self.values)(value).map(Into::into)
    }
}
