//! What a caller may say while a call runs: [`Control`], for aborting it, for deferring a
//! retry, for a deadline of its own, and for a hook before each sleep.

use crate::backoff::BackoffContext;
use crate::time::Duration;

/// What to do with a retry that was decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SleepDecision {
    /// Sleep and try again.
    #[default]
    Sleep,
    /// End the call with [`StopReason::Scheduled`](crate::StopReason::Scheduled);
    /// the delay is in its outcome, and the caller tries again later.
    Defer,
    /// End the call with [`StopReason::Aborted`](crate::StopReason::Aborted).
    Abort,
}

/// What the caller decides while a call runs. `()` decides nothing.
///
/// The setters of [`Retry`](crate::Retry) put one together from closures.
pub trait Control {
    /// Whether [`deadline`](Self::deadline) may give one; if not, it is not asked, and the
    /// policy's holds.
    const HAS_DEADLINE: bool = false;

    /// A deadline for the calls of this control, in place of the policy's.
    fn deadline(&self) -> Option<Duration> {
        None
    }

    /// Whether to abort the call. Asked before each attempt, after a failure and before a
    /// sleep, also one for a rate limiter; never after a success.
    fn aborted(&mut self) -> bool {
        false
    }

    /// What to do with a retry after `delay`. Not asked about a wait for a rate limiter:
    /// [`WhenLimited`](crate::budget::WhenLimited) says what becomes of that.
    fn sleep_decision(&mut self, context: &BackoffContext, delay: Duration) -> SleepDecision {
        let _ = (context, delay);
        SleepDecision::Sleep
    }

    /// The sleep of a delay is about to begin; a delay of zero is none, and neither is a wait
    /// for a rate limiter.
    fn before_sleep(&mut self, context: &BackoffContext, delay: Duration) {
        let _ = (context, delay);
    }
}

impl Control for () {}

/// Aborts a call when the predicate says so; see [`Retry::abort_if`](crate::Retry::abort_if).
#[derive(Clone, Copy, Debug)]
pub struct AbortIf<H, F> {
    pub(crate) inner: H,
    pub(crate) predicate: F,
}

impl<H: Control, F: FnMut() -> bool> Control for AbortIf<H, F> {
    const HAS_DEADLINE: bool = H::HAS_DEADLINE;

    fn deadline(&self) -> Option<Duration> {
        self.inner.deadline()
    }

    fn aborted(&mut self) -> bool {
        self.inner.aborted() || (self.predicate)()
    }

    fn sleep_decision(&mut self, context: &BackoffContext, delay: Duration) -> SleepDecision {
        self.inner.sleep_decision(context, delay)
    }

    fn before_sleep(&mut self, context: &BackoffContext, delay: Duration) {
        self.inner.before_sleep(context, delay);
    }
}

/// Decides over each sleep; see [`Retry::sleep_handler`](crate::Retry::sleep_handler).
#[derive(Clone, Copy, Debug)]
pub struct SleepHandler<H, F> {
    pub(crate) inner: H,
    pub(crate) handler: F,
}

impl<H: Control, F> Control for SleepHandler<H, F>
where
    F: FnMut(&BackoffContext, Duration) -> SleepDecision,
{
    const HAS_DEADLINE: bool = H::HAS_DEADLINE;

    fn deadline(&self) -> Option<Duration> {
        self.inner.deadline()
    }

    fn aborted(&mut self) -> bool {
        self.inner.aborted()
    }

    fn sleep_decision(&mut self, context: &BackoffContext, delay: Duration) -> SleepDecision {
        (self.handler)(context, delay)
    }

    fn before_sleep(&mut self, context: &BackoffContext, delay: Duration) {
        self.inner.before_sleep(context, delay);
    }
}

/// Is notified before each sleep; see [`Retry::before_sleep`](crate::Retry::before_sleep).
#[derive(Clone, Copy, Debug)]
pub struct BeforeSleep<H, F> {
    pub(crate) inner: H,
    pub(crate) hook: F,
}

impl<H: Control, F: FnMut(&BackoffContext, Duration)> Control for BeforeSleep<H, F> {
    const HAS_DEADLINE: bool = H::HAS_DEADLINE;

    fn deadline(&self) -> Option<Duration> {
        self.inner.deadline()
    }

    fn aborted(&mut self) -> bool {
        self.inner.aborted()
    }

    fn sleep_decision(&mut self, context: &BackoffContext, delay: Duration) -> SleepDecision {
        self.inner.sleep_decision(context, delay)
    }

    fn before_sleep(&mut self, context: &BackoffContext, delay: Duration) {
        self.inner.before_sleep(context, delay);
        (self.hook)(context, delay);
    }
}

/// Gives calls a deadline of their own; see [`Retry::deadline`](crate::Retry::deadline).
#[derive(Clone, Copy, Debug)]
pub struct Within<H> {
    pub(crate) inner: H,
    pub(crate) deadline: Duration,
}

impl<H: Control> Control for Within<H> {
    const HAS_DEADLINE: bool = true;

    fn deadline(&self) -> Option<Duration> {
        Some(self.deadline)
    }

    fn aborted(&mut self) -> bool {
        self.inner.aborted()
    }

    fn sleep_decision(&mut self, context: &BackoffContext, delay: Duration) -> SleepDecision {
        self.inner.sleep_decision(context, delay)
    }

    fn before_sleep(&mut self, context: &BackoffContext, delay: Duration) {
        self.inner.before_sleep(context, delay);
    }
}
