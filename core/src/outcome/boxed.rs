//! The [`Error`] of a call in programs that box their errors, under the feature `std`.

use core::any::Any;
use core::fmt;
use std::boxed::Box;
use std::io;

use crate::outcome::{Error, Last, RetryExhausted};

/// A boxed error that implements [`Error`](std::error::Error), which a `Box<dyn Error>` and an
/// `anyhow::Error` do not. [`Error::boxed`] makes it from those. It prints as the error inside,
/// and has the same source.
#[derive(Debug)]
pub struct BoxError(pub Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for BoxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for BoxError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl BoxError {
    /// The error in it, of which a caller may ask the type, if `error` is a box.
    pub(crate) fn inner<E: std::error::Error + 'static>(
        error: &E,
    ) -> &(dyn std::error::Error + 'static) {
        match (error as &dyn Any).downcast_ref::<Self>() {
            Some(boxed) => &*boxed.0,
            None => error,
        }
    }
}

impl<E, V> Error<E, V> {
    /// Boxes the operation's error, for operations that fail with an `anyhow::Error` or a
    /// `Box<dyn Error + Send + Sync>`. Those types do not implement [`Error`](std::error::Error),
    /// so `?` does not convert the error of the call; after `boxed` it does.
    ///
    /// ```
    /// use redress::{ErrorClass, Policy};
    /// type BoxedError = Box<dyn std::error::Error + Send + Sync>;
    /// const ONCE: Policy = Policy::once();
    /// fn answer() -> Result<u8, BoxedError> {
    ///     let mut retry = ONCE.on_system().classify(|_: &BoxedError| ErrorClass::Unknown);
    ///     Ok(retry.call(|_| Err("no answer".into())).map_err(redress::Error::boxed)?)
    /// }
    /// let error = answer().unwrap_err();
    /// assert_eq!(error.to_string(), "MAX_ATTEMPTS_GLOBAL after 1 attempt, last UNKNOWN");
    /// assert_eq!(error.source().unwrap().to_string(), "no answer");
    /// ```
    ///
    /// The source of the result is the error in the box, so `downcast_ref` finds its type. An
    /// `anyhow::Error`, however, hides its type when it is boxed. To keep that, take the operation's
    /// error out of the call's:
    ///
    /// ```text
    /// retry.call(operation).map_err(|stopped| {
    ///     let why = stopped.to_string();
    ///     match stopped.into_error() {
    ///         Some(error) => error.context(why),
    ///         None => anyhow::Error::msg(why),
    ///     }
    /// })?;
    /// ```
    pub fn boxed(self) -> Error<BoxError, V>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let stopped = match self {
            Self::CircuitOpen(rejection) => return Error::CircuitOpen(rejection),
            Self::Exhausted(stopped) => stopped,
        };
        let RetryExhausted { stop_reason, attempts, last_class, cause, last, next_sleep } = stopped;
        let last = last.map(|last| match last {
            Last::Error(error) => Last::Error(BoxError(error.into())),
            Last::Value(value) => Last::Value(value),
            Last::Timeout => Last::Timeout,
        });
        Error::Exhausted(RetryExhausted {
            stop_reason,
            attempts,
            last_class,
            cause,
            last,
            next_sleep,
        })
    }
}

/// Wraps the error of the call. The kind is the kind of the operation's own error if it is an
/// [`io::Error`], [`TimedOut`](io::ErrorKind::TimedOut) for an attempt that was ended at its
/// timeout, and otherwise [`Other`](io::ErrorKind::Other).
impl<E, V> From<Error<E, V>> for io::Error
where
    E: std::error::Error + Send + Sync + 'static,
    V: fmt::Debug + Send + Sync + 'static,
{
    fn from(error: Error<E, V>) -> Self {
        let kind = match &error {
            Error::Exhausted(RetryExhausted { last: Some(Last::Error(error)), .. }) => {
                let error: &dyn Any = error;
                error.downcast_ref::<io::Error>().map_or(io::ErrorKind::Other, io::Error::kind)
            }
            Error::Exhausted(RetryExhausted { last: Some(Last::Timeout), .. }) => {
                io::ErrorKind::TimedOut
            }
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
