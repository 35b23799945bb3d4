//! What happened in a call and why: [`Event`]s, the [`Observer`] that receives them, and their
//! fixed names for dashboards.

mod observer;
mod timeline;

pub use observer::{CallTarget, Observer, Observers, OnEvent};
pub use timeline::{Timeline, TimelineEntry};

use core::fmt;

use crate::class::ErrorClass;
use crate::time::Duration;

/// How an attempt failed: by an error, or by a value that counts as a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(u8)]
pub enum Cause {
    /// The operation returned an error (or ran into its timeout).
    Exception = 0,
    /// The operation returned a value that the classifier counts as a failure.
    Result = 1,
}

impl Cause {
    /// `"exception"` or `"result"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exception => "exception",
            Self::Result => "result",
        }
    }
}

/// Why a call stopped without a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "SCREAMING_SNAKE_CASE"))]
#[repr(u8)]
#[non_exhaustive]
pub enum StopReason {
    /// The last allowed attempt failed.
    MaxAttemptsGlobal = 0,
    /// The failures of this class exceeded the limit of the class.
    MaxAttemptsPerClass = 1,
    /// No time is left, the next delay does not fit before the deadline
    /// ([`LongDelay`](crate::config::LongDelay)), or the hint (Retry-After) is longer than the
    /// strategy accepts ([`Backoff::at_most`](crate::Backoff::at_most)).
    DeadlineExceeded = 2,
    /// The failures of class UNKNOWN exceeded their limit.
    MaxUnknownAttempts = 3,
    /// The class is final and therefore not retried: AUTH, PERMISSION, PERMANENT.
    NonRetryableClass = 4,
    /// There is no strategy for the class and none for all classes, or the strategy returned no
    /// delay.
    NoStrategy = 5,
    /// The shared budget has no retry left, or a rate limiter rejected the attempt.
    BudgetExhausted = 6,
    /// The retry was deferred or suspended; the caller resumes it later.
    Scheduled = 7,
    /// The operation, the abort predicate, the sleep handler or the hook before a retry stopped
    /// the call, or the caller dropped it.
    Aborted = 8,
    /// The breaker has opened since the call began, and is not closed
    /// ([`check_before_retry`](crate::BreakerConfig::check_before_retry)).
    CircuitOpen = 9,
}

impl StopReason {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::MaxAttemptsGlobal,
        Self::MaxAttemptsPerClass,
        Self::DeadlineExceeded,
        Self::MaxUnknownAttempts,
        Self::NonRetryableClass,
        Self::NoStrategy,
        Self::BudgetExhausted,
        Self::Scheduled,
        Self::Aborted,
        Self::CircuitOpen,
    ];

    /// The fixed name, `"MAX_ATTEMPTS_GLOBAL"` for instance.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MaxAttemptsGlobal => "MAX_ATTEMPTS_GLOBAL",
            Self::MaxAttemptsPerClass => "MAX_ATTEMPTS_PER_CLASS",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::MaxUnknownAttempts => "MAX_UNKNOWN_ATTEMPTS",
            Self::NonRetryableClass => "NON_RETRYABLE_CLASS",
            Self::NoStrategy => "NO_STRATEGY",
            Self::BudgetExhausted => "BUDGET_EXHAUSTED",
            Self::Scheduled => "SCHEDULED",
            Self::Aborted => "ABORTED",
            Self::CircuitOpen => "CIRCUIT_OPEN",
        }
    }

    /// The kind of the event for this reason.
    pub const fn event(self) -> EventKind {
        match self {
            Self::MaxAttemptsGlobal | Self::MaxAttemptsPerClass => EventKind::MaxAttemptsExceeded,
            Self::DeadlineExceeded => EventKind::DeadlineExceeded,
            Self::MaxUnknownAttempts => EventKind::MaxUnknownAttemptsExceeded,
            Self::NonRetryableClass => EventKind::PermanentFail,
            Self::NoStrategy => EventKind::NoStrategyConfigured,
            Self::BudgetExhausted => EventKind::BudgetExhausted,
            Self::Scheduled => EventKind::Scheduled,
            Self::Aborted => EventKind::Aborted,
            Self::CircuitOpen => EventKind::CircuitRejected,
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The state of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
// A whole word: what a byte leaves open behind it is copied by `memcpy`, which is 600 bytes.
#[repr(u32)]
pub enum CircuitState {
    /// Calls go through and their results are counted.
    Closed = 0,
    /// Calls are rejected until the recovery time is over.
    Open = 1,
    /// A few calls go through as probes; their results close or open the breaker.
    HalfOpen = 2,
}

impl CircuitState {
    /// `"closed"`, `"open"` or `"half_open"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }

    /// The kind of the event for this state.
    pub const fn event(self) -> EventKind {
        match self {
            Self::Closed => EventKind::CircuitClosed,
            Self::Open => EventKind::CircuitOpened,
            Self::HalfOpen => EventKind::CircuitHalfOpen,
        }
    }
}

/// The names of the events, as counters and logs carry them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[repr(u8)]
#[non_exhaustive]
pub enum EventKind {
    /// The call succeeded.
    Success = 0,
    /// The attempt failed and another one follows after `delay`.
    Retry = 1,
    /// The failure is of a final class, which is not retried.
    PermanentFail = 2,
    /// The deadline has passed, or the next delay does not fit.
    DeadlineExceeded = 3,
    /// The attempts of the call, or of the class, are used up.
    MaxAttemptsExceeded = 4,
    /// The attempts allowed for class UNKNOWN are used up.
    MaxUnknownAttemptsExceeded = 5,
    /// There is no strategy, or it returned no delay.
    NoStrategyConfigured = 6,
    /// The shared budget has no retry left, or a rate limiter rejected the attempt.
    BudgetExhausted = 7,
    /// The retry was deferred.
    Scheduled = 8,
    /// The call was aborted, or dropped by its caller.
    Aborted = 9,
    /// The breaker opened. Only the observer of the call that opened it gets this event.
    CircuitOpened = 10,
    /// The breaker is half-open, and this call is its first probe.
    CircuitHalfOpen = 11,
    /// The breaker closed. Only the observer of the call that closed it gets this event.
    CircuitClosed = 12,
    /// The breaker rejected the call, or a further attempt of it.
    CircuitRejected = 13,
}

impl EventKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::Success,
        Self::Retry,
        Self::PermanentFail,
        Self::DeadlineExceeded,
        Self::MaxAttemptsExceeded,
        Self::MaxUnknownAttemptsExceeded,
        Self::NoStrategyConfigured,
        Self::BudgetExhausted,
        Self::Scheduled,
        Self::Aborted,
        Self::CircuitOpened,
        Self::CircuitHalfOpen,
        Self::CircuitClosed,
        Self::CircuitRejected,
    ];

    /// The fixed name, `"circuit_opened"` for instance.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Retry => "retry",
            Self::PermanentFail => "permanent_fail",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::MaxAttemptsExceeded => "max_attempts_exceeded",
            Self::MaxUnknownAttemptsExceeded => "max_unknown_attempts_exceeded",
            Self::NoStrategyConfigured => "no_strategy_configured",
            Self::BudgetExhausted => "budget_exhausted",
            Self::Scheduled => "scheduled",
            Self::Aborted => "aborted",
            Self::CircuitOpened => "circuit_opened",
            Self::CircuitHalfOpen => "circuit_half_open",
            Self::CircuitClosed => "circuit_closed",
            Self::CircuitRejected => "circuit_rejected",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text of an error, written when it is displayed.
#[derive(Clone, Copy)]
pub struct Text<'a>(&'a dyn fmt::Display);

impl<'a> Text<'a> {
    /// The text that `text` displays.
    #[inline]
    pub const fn new(text: &'a dyn fmt::Display) -> Self {
        Self(text)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Text<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{}", defmt::Display2Format(self.0));
    }
}

/// One thing that happened in a call.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Event<'a> {
    /// What happened.
    pub kind: EventKind,
    /// The number of the attempt, from 1; 0 for events of the breaker and before the first
    /// attempt. For an abort, and for a further attempt that the breaker rejects, the last
    /// attempt that was started.
    pub attempt: u32,
    /// The delay before the next attempt for `retry` and `scheduled`; otherwise zero.
    pub delay: Duration,
    /// The class of the failure, if there is one.
    pub class: Option<ErrorClass>,
    /// How the attempt failed, if one failed.
    pub cause: Option<Cause>,
    /// Why retrying stopped, for events that end a call.
    pub stop_reason: Option<StopReason>,
    /// The state of the breaker after the event, for events of the breaker.
    pub state: Option<CircuitState>,
    /// The hint when to come back (Retry-After), on `retry` events after a failure that had one.
    pub retry_after: Option<Duration>,
    /// The type name of the error, without its path; `None` for a failing value.
    pub error: Option<&'static str>,
    /// The text of the error, if [`error_text`](crate::Retry::error_text),
    /// [`show_errors`](crate::Retry::show_errors) or [`debug_errors`](crate::Retry::debug_errors)
    /// is set.
    pub text: Option<Text<'a>>,
    /// The classifier's detail of the failure.
    pub detail: Option<&'static str>,
    /// The operation's name; empty if none is set.
    pub operation: &'a str,
    /// Time since the call began, sleeps included.
    pub elapsed: Duration,
}

impl<'a> Event<'a> {
    /// An event of `kind` with every optional field unset.
    pub const fn new(kind: EventKind, operation: &'a str) -> Self {
        Self {
            kind,
            attempt: 0,
            delay: Duration::ZERO,
            class: None,
            cause: None,
            stop_reason: None,
            state: None,
            retry_after: None,
            error: None,
            text: None,
            detail: None,
            operation,
            elapsed: Duration::ZERO,
        }
    }
}

/// The result of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
#[non_exhaustive]
pub enum AttemptDecision {
    /// The attempt succeeded.
    Success,
    /// It failed; another one follows.
    Retry,
    /// It failed and the call ends.
    Raise,
    /// The call was aborted.
    Aborted,
    /// The retry was deferred.
    Scheduled,
}

/// An attempt that starts or has ended, for [`Observer::attempt_start`] and
/// [`Observer::attempt_end`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct AttemptContext<'a> {
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The operation's name; empty if none is set.
    pub operation: &'a str,
    /// The result of the attempt; `None` while it starts.
    pub decision: Option<AttemptDecision>,
    /// The class of the failure, if the attempt failed.
    pub class: Option<ErrorClass>,
    /// How it failed.
    pub cause: Option<Cause>,
    /// The delay after the attempt; zero if none follows.
    pub delay: Duration,
    /// Time since the call began.
    pub elapsed: Duration,
}
