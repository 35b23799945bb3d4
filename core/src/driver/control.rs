//! How a caller controls a running call: [`Control`] aborts it, defers a retry, sets a deadline,
//! and is called before each sleep.

use crate::backoff::BackoffContext;
use crate::time::Duration;

/// What to do with a retry that the policy has decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SleepDecision {
    /// Sleep and try again.
    #[default]
    Sleep,
    /// End the call with [`StopReason::Scheduled`](crate::StopReason::Scheduled). The outcome has
    /// the delay ([`next_sleep`](crate::Outcome::next_sleep)), and the caller tries again later.
    /// For a delay that does not fit before the deadline this takes a token from the budget
    /// first; without a token the call ends with
    /// [`StopReason::BudgetExhausted`](crate::StopReason::BudgetExhausted).
    Defer,
    /// End the call with [`StopReason::Aborted`](crate::StopReason::Aborted).
    Abort,
}

/// Controls calls while they run. `()` controls nothing.
///
/// The setters of [`Retry`](crate::Retry) build a `Control` from closures.
pub trait Control {
    /// Whether [`deadline`](Self::deadline) may return a deadline. If false, it is not called,
    /// and the policy's deadline applies.
    const HAS_DEADLINE: bool = false;

    /// A deadline in place of the policy's; `None` for the policy's.
    fn deadline(&self) -> Option<Duration> {
        None
    }

    /// Whether to abort the call. Called before each attempt, after a failure, and before a sleep
    /// or a wait for a rate limiter; never after a success.
    fn aborted(&mut self) -> bool {
        false
    }

    /// What to do with a retry after `delay`. Not called for a wait for a rate limiter, which
    /// [`WhenLimited`](crate::budget::WhenLimited) controls.
    fn sleep_decision(&mut self, context: &BackoffContext, delay: Duration) -> SleepDecision {
        let _ = (context, delay);
        SleepDecision::Sleep
    }

    /// Called before the sleep of a delay. Not called for a delay of zero or for a wait for a
    /// rate limiter.
    fn before_sleep(&mut self, context: &BackoffContext, delay: Duration) {
        let _ = (context, delay);
    }
}

impl Control for () {}

/// Aborts a call when a predicate returns true; see [`Retry::abort_if`](crate::Retry::abort_if).
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

/// Decides what to do with each retry; see [`Retry::sleep_handler`](crate::Retry::sleep_handler).
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

/// Calls a hook before each sleep; see [`Retry::before_sleep`](crate::Retry::before_sleep).
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

/// Sets a deadline in place of the policy's; see [`Retry::deadline`](crate::Retry::deadline).
#[derive(Clone, Copy, Debug)]
pub struct Within<H> {
    pub(crate) inner: H,
    pub(crate) deadline: Duration,
}

impl<H: Control> Control for Within<H> {
    const HAS_DEADLINE: bool = true;

    /// The earlier one, if the inner control has a deadline, too.
    fn deadline(&self) -> Option<Duration> {
        let inner = if H::HAS_DEADLINE { self.inner.deadline() } else { None };
        Some(inner.map_or(self.deadline, |inner| inner.min(self.deadline)))
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
