//! How a driver classifies a failure: [`Classify`], for errors and for returned values that count
//! as failures.

use core::convert::Infallible;

use crate::class::{Classification, ErrorClass};
use crate::classify::{self, Describe};

/// The answer of a classifier to an attempt that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Verdict {
    /// A failure of this class.
    Failure(Classification),
    /// The operation asks to stop. Nothing has failed, and the call ends with
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

/// Classifies the errors of an operation, and its values if they may count as failures.
///
/// [`Retry::classify`](crate::Retry::classify) and
/// [`classify_value`](crate::Retry::classify_value) make a classifier from closures. Set a type
/// of your own with [`classifier`](crate::Retry::classifier):
///
/// ```
/// use core::convert::Infallible;
/// use redress::ErrorClass;
/// use redress::classify::{Classify, Verdict};
///
/// enum BusError { Noise, Absent }
/// struct ByBus;
///
/// impl<T> Classify<T, BusError> for ByBus {
///     type Rejected = Infallible;
///
///     fn error(&mut self, error: &BusError) -> Verdict {
///         match error {
///             BusError::Noise => ErrorClass::Transient.into(),
///             BusError::Absent => ErrorClass::Permanent.into(),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "nothing says what class of failure a `{E}` is",
    label = "this call does not know what to make of `{E}`",
    note = "classify it: `.classify(|error: &{E}| match error {{ .. => ErrorClass::Transient, .. }})`, \
            with a table of `redress::classify`, or implement `redress::classify::Describe` for \
            `{E}`"
)]
pub trait Classify<T, E> {
    /// The type of a value that counts as a failure, in the error of a call: `T`, or
    /// [`Infallible`] for a classifier that only looks at errors.
    type Rejected;

    /// The class of this error.
    fn error(&mut self, error: &E) -> Verdict;

    /// Returns the value if it is a success. By default every value is.
    ///
    /// # Errors
    ///
    /// The value with its [`Verdict`], if it counts as a failure.
    #[inline]
    fn value(&mut self, value: T) -> Result<T, (Self::Rejected, Verdict)> {
        Ok(value)
    }
}

/// The default classifier: errors implement [`Describe`], and every value is a success.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ByDescription;

impl<T, E: Describe> Classify<T, E> for ByDescription {
    type Rejected = Infallible;

    #[inline]
    fn error(&mut self, error: &E) -> Verdict {
        classify::default(&error.facts()).into()
    }
}

/// Classifies errors with a function; see [`Retry::classify`](crate::Retry::classify).
#[derive(Clone, Copy, Debug)]
pub struct ByError<F>(pub F);

impl<T, E, V: Into<Verdict>, F: FnMut(&E) -> V> Classify<T, E> for ByError<F> {
    type Rejected = Infallible;

    #[inline]
    fn error(&mut self, error: &E) -> Verdict {
        (self.0)(error).into()
    }
}

/// Classifies values with a function; see
/// [`Retry::classify_value`](crate::Retry::classify_value).
#[derive(Clone, Copy, Debug)]
pub struct ByValue<F>(pub(crate) F);

/// Classifies values; `()` leaves them to the classifier `K` of errors.
pub trait ClassifyValue<T, E, K> {
    /// As [`Classify::Rejected`].
    type Rejected;

    /// As [`Classify::value`].
    fn value(&mut self, errors: &mut K, value: T) -> Result<T, (Self::Rejected, Verdict)>;
}

impl<T, E, K: Classify<T, E>> ClassifyValue<T, E, K> for () {
    type Rejected = K::Rejected;

    #[inline]
    fn value(&mut self, errors: &mut K, value: T) -> Result<T, (K::Rejected, Verdict)> {
        errors.value(value)
    }
}

impl<T, E, K, V, F> ClassifyValue<T, E, K> for ByValue<F>
where
    V: Into<Verdict>,
    F: FnMut(&T) -> Option<V>,
{
    type Rejected = T;

    #[inline]
    fn value(&mut self, _: &mut K, value: T) -> Result<T, (T, Verdict)> {
        match (self.0)(&value) {
            None => Ok(value),
            Some(verdict) => Err((value, verdict.into())),
        }
    }
}
