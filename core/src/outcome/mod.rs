//! How a call ended: [`Outcome`], and [`Error`], which returns the operation's own error with the
//! reason why retrying stopped.
//!
//! `E` is the error of the operation. `V` is the type of the values that count as failures: none
//! ([`Infallible`]) unless values are classified
//! ([`Retry::classify_value`](crate::Retry::classify_value)).

#[cfg(feature = "std")]
mod boxed;

#[cfg(feature = "std")]
pub use boxed::BoxError;

use core::convert::Infallible;
use core::fmt;

use crate::breaker::CircuitOpen;
use crate::class::ErrorClass;
use crate::event::{Cause, StopReason};
use crate::time::Duration;

/// The result of the last failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Last<E, V = Infallible> {
    /// The operation's own error.
    Error(E),
    /// A value that the classifier counts as a failure.
    Value(V),
    /// Nothing: the attempt ran into its timeout and was dropped.
    Timeout,
}

impl<E, V> Last<E, V> {
    /// The operation's own error, if it is one.
    #[inline]
    pub const fn error(&self) -> Option<&E> {
        match self {
            Self::Error(error) => Some(error),
            Self::Value(_) | Self::Timeout => None,
        }
    }
}

/// Retrying stopped without a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct RetryExhausted<E, V = Infallible> {
    /// Why retrying stopped.
    pub stop_reason: StopReason,
    /// How many attempts were made; 0 if the call was aborted before the first.
    pub attempts: u32,
    /// The class of the latest failure; `None` if nothing failed.
    pub last_class: Option<ErrorClass>,
    /// How the latest attempt failed; `None` if nothing failed.
    pub cause: Option<Cause>,
    /// What the last attempt returned; `None` if there was no attempt.
    pub last: Option<Last<E, V>>,
    /// After which delay to try again, if it is known: the retry was deferred, its delay did not
    /// fit, or a rate limit allowed no attempt yet.
    pub next_sleep: Option<Duration>,
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Error<E, V = Infallible> {
    /// The breaker rejected the call; the operation was not run.
    CircuitOpen(CircuitOpen),
    /// Retrying stopped.
    Exhausted(RetryExhausted<E, V>),
}

impl<E, V> Error<E, V> {
    /// The operation's own error, by value, if the last attempt ended in one.
    pub fn into_error(self) -> Option<E> {
        match self {
            Self::Exhausted(RetryExhausted { last: Some(Last::Error(error)), .. }) => Some(error),
            _ => None,
        }
    }

    /// The operation's own error, if the last attempt ended in one.
    pub const fn error(&self) -> Option<&E> {
        match self {
            Self::Exhausted(RetryExhausted { last: Some(Last::Error(error)), .. }) => Some(error),
            _ => None,
        }
    }

    /// The value of the last attempt, if it counted as a failure: the last response of a service
    /// for instance.
    ///
    /// # Errors
    ///
    /// This error, if there is no such value.
    pub fn into_value(self) -> Result<V, Error<E>> {
        let stopped = match self {
            Self::CircuitOpen(rejection) => return Err(Error::CircuitOpen(rejection)),
            Self::Exhausted(stopped) => stopped,
        };
        let last = match stopped.last {
            Some(Last::Value(value)) => return Ok(value),
            Some(Last::Error(error)) => Some(Last::Error(error)),
            Some(Last::Timeout) => Some(Last::Timeout),
            None => None,
        };
        let RetryExhausted { stop_reason, attempts, last_class, cause, next_sleep, .. } = stopped;
        Err(Error::Exhausted(RetryExhausted {
            stop_reason,
            attempts,
            last_class,
            cause,
            last,
            next_sleep,
        }))
    }

    /// Why retrying stopped; `None` if the breaker rejected the call.
    pub const fn stop_reason(&self) -> Option<StopReason> {
        match self {
            Self::CircuitOpen(_) => None,
            Self::Exhausted(stopped) => Some(stopped.stop_reason),
        }
    }

    /// Whether the caller asked to stop.
    pub const fn is_aborted(&self) -> bool {
        matches!(self.stop_reason(), Some(StopReason::Aborted))
    }
}

impl<E, V> From<CircuitOpen> for Error<E, V> {
    fn from(rejection: CircuitOpen) -> Self {
        Self::CircuitOpen(rejection)
    }
}

/// `MAX_ATTEMPTS_GLOBAL after 6 attempts, last TRANSIENT`; the alternate form, `{:#}`, adds the
/// operation's own error. The operation's error is the [source](core::error::Error::source) of
/// this error, so a printer of the whole chain prints it once.
impl<E: fmt::Display, V> fmt::Display for RetryExhausted<E, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attempts = self.attempts;
        let plural = if attempts == 1 { "" } else { "s" };
        write!(f, "{} after {attempts} attempt{plural}", self.stop_reason)?;
        if let Some(class) = self.last_class {
            write!(f, ", last {class}")?;
        }
        match &self.last {
            Some(Last::Error(error)) if f.alternate() => write!(f, ": {error}"),
            Some(Last::Timeout) => f.write_str(": attempt timed out"),
            _ => Ok(()),
        }
    }
}

impl<E: core::error::Error + 'static, V: fmt::Debug> core::error::Error for RetryExhausted<E, V> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.last {
            #[cfg(feature = "std")]
            Some(Last::Error(error)) => Some(BoxError::inner(error)),
            #[cfg(not(feature = "std"))]
            Some(Last::Error(error)) => Some(error),
            _ => None,
        }
    }
}

/// Printed as the [`RetryExhausted`] or [`CircuitOpen`] that it holds.
impl<E: fmt::Display, V> fmt::Display for Error<E, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CircuitOpen(rejection) => rejection.fmt(f),
            Self::Exhausted(stopped) => stopped.fmt(f),
        }
    }
}

impl<E: core::error::Error + 'static, V: fmt::Debug> core::error::Error for Error<E, V> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::CircuitOpen(_) => None,
            Self::Exhausted(stopped) => stopped.source(),
        }
    }
}

/// Everything about a call that ended: its result, the number of attempts and the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Outcome<T, E, V = Infallible> {
    /// The value, or the error of the call.
    pub result: Result<T, Error<E, V>>,
    /// How many attempts were made: 1 for a success at once, 0 if the breaker
    /// rejected the call.
    pub attempts: u32,
    /// The time from start to end, sleeps included.
    pub elapsed: Duration,
}

impl<T, E, V> From<Outcome<T, E, V>> for Result<T, Error<E, V>> {
    #[inline]
    fn from(outcome: Outcome<T, E, V>) -> Self {
        outcome.result
    }
}

impl<T, E, V> Outcome<T, E, V> {
    /// The breaker rejected the call.
    #[inline]
    pub(crate) const fn rejected(rejection: CircuitOpen) -> Self {
        let result = Err(Error::CircuitOpen(rejection));
        Self { result, attempts: 0, elapsed: Duration::ZERO }
    }

    /// The call ended in this result.
    #[inline]
    pub(crate) const fn new(
        result: Result<T, Error<E, V>>,
        attempts: u32,
        elapsed: Duration,
    ) -> Self {
        Self { result, attempts, elapsed }
    }

    /// Whether there is a value.
    #[inline]
    pub const fn is_ok(&self) -> bool {
        self.result.is_ok()
    }

    /// Why retrying stopped; `None` after a success or a rejection.
    pub const fn stop_reason(&self) -> Option<StopReason> {
        match &self.result {
            Ok(_) => None,
            Err(error) => error.stop_reason(),
        }
    }

    /// The class of the latest failure; `None` after a success or a rejection.
    pub const fn last_class(&self) -> Option<ErrorClass> {
        match &self.result {
            Err(Error::Exhausted(stopped)) => stopped.last_class,
            _ => None,
        }
    }

    /// How the latest attempt failed; `None` after a success or a rejection.
    pub const fn cause(&self) -> Option<Cause> {
        match &self.result {
            Err(Error::Exhausted(stopped)) => stopped.cause,
            _ => None,
        }
    }

    /// After which delay to try again, if it is known: the retry was deferred, its delay did not
    /// fit, or a rate limit allowed no attempt yet.
    pub const fn next_sleep(&self) -> Option<Duration> {
        match &self.result {
            Err(Error::Exhausted(stopped)) => stopped.next_sleep,
            _ => None,
        }
    }

    /// The rejection, if the breaker rejected the call.
    pub const fn rejection(&self) -> Option<CircuitOpen> {
        match &self.result {
            Err(Error::CircuitOpen(rejection)) => Some(*rejection),
            _ => None,
        }
    }
}
