//! The decisions of one call: [`Call`], which every driver asks and none
//! second-guesses.

use crate::backoff::BackoffContext;
use crate::budget::Withdraw;
use crate::random::Draw;
use crate::{Cause, Classification, Duration, ErrorClass, Instant, Policy, StopReason};

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Decision {
    /// Try again after this delay.
    Retry {
        /// How long to wait first; may be zero.
        after: Duration,
    },
    /// Stop, for this reason.
    Stop(StopReason),
}

/// What an attempt is told when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// What is left of the call's deadline; [`Duration::MAX`] without one.
    pub remaining: Duration,
    /// How long it may take: the attempt timeout, or what is left of the
    /// deadline if that is shorter; [`Duration::MAX`] without attempt timeout.
    pub timeout: Duration,
}

/// The state of one call, without a clock, an operation or a lock.
///
/// The steps, in order: [`start`](Self::start) an attempt; if it
/// [`fail`](Self::fail)s, wait as decided and tell that you [`woke`](Self::woke);
/// if it succeeds, say so with [`succeed`](Self::succeed). Time is an argument
/// of each. [`Retry`](crate::Retry) walks them together with a breaker, a budget
/// and an observer; this is for drivers that have another way to do so.
///
/// Calling `fail` without `start` counts as a failure of attempt 0, and `woke`
/// may be left out; nothing panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Call {
    pub(crate) started: Instant,
    /// When the deadline is; `Instant::MAX` without one.
    pub(crate) until: Instant,
    pub(crate) previous: Duration,
    pub(crate) attempts: u32,
    /// Failures by class, saturating.
    pub(crate) failures: [u16; ErrorClass::COUNT],
    pub(crate) last: Option<(ErrorClass, Cause)>,
}

impl Call {
    /// A call that begins now.
    #[inline]
    pub const fn begin(policy: &Policy, now: Instant) -> Self {
        Self {
            started: now,
            until: now.saturating_add(policy.deadline()),
            previous: Duration::ZERO,
            attempts: 0,
            failures: [0; ErrorClass::COUNT],
            last: None,
        }
    }

    /// How many attempts were started; saturates at `u32::MAX`.
    #[inline]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The class and cause of the latest failure.
    #[inline]
    pub const fn last(&self) -> Option<(ErrorClass, Cause)> {
        self.last
    }

    /// The delay that was decided last; zero before the first.
    #[inline]
    pub const fn previous(&self) -> Duration {
        self.previous
    }

    /// Time since the call began; zero after a clock that jumped back.
    #[inline]
    pub const fn elapsed(&self, now: Instant) -> Duration {
        now.since(self.started)
    }

    /// What is left of the deadline, never more than the deadline itself.
    #[inline]
    pub const fn remaining(&self, policy: &Policy, now: Instant) -> Duration {
        let deadline = policy.deadline();
        if deadline.as_micros() == Duration::MAX.as_micros() {
            return deadline;
        }
        self.until.since(now).min(deadline)
    }

    /// Starts the next attempt.
    #[inline]
    pub const fn start(&mut self, policy: &Policy, now: Instant) -> Attempt {
        let remaining = self.remaining(policy, now);
        self.attempts = self.attempts.saturating_add(1);
        let timeout = policy.attempt_timeout();
        let timeout = if timeout.as_micros() == Duration::MAX.as_micros() {
            timeout
        } else {
            timeout.min(remaining)
        };
        Attempt { number: self.attempts, remaining, timeout }
    }

    /// Records a failure and decides what follows: the order of the rules is that
    /// of redress for Python.
    ///
    /// A retry has been granted by `budget` when this returns; the caller may
    /// still put it off or give up.
    // Where speed counts for more than bytes, a const policy is worked into it.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub fn fail<U: Withdraw>(
        &mut self,
        policy: &Policy,
        now: Instant,
        classification: &Classification,
        cause: Cause,
        random: &mut dyn Draw,
        budget: &U,
    ) -> Decision {
        let class = classification.class;
        self.last = Some((class, cause));
        let failures = &mut self.failures[class as usize & 7];
        *failures = failures.saturating_add(1);
        let failures = *failures;

        if policy.is_over_limit(class, failures) {
            return Decision::Stop(StopReason::MaxAttemptsPerClass);
        }
        if class.is_final() {
            return Decision::Stop(StopReason::NonRetryableClass);
        }
        if class == ErrorClass::Unknown && failures > policy.unknown_limit() {
            return Decision::Stop(StopReason::MaxUnknownAttempts);
        }
        if now > self.until {
            return Decision::Stop(StopReason::DeadlineExceeded);
        }
        let remaining = self.remaining(policy, now);
        if !policy.has_backoff(class) {
            return Decision::Stop(StopReason::NoStrategy);
        }
        if policy.listens()
            && let Some(backoff) = policy.backoff_of(class)
        {
            backoff.hear(now, false);
        }
        if remaining.is_zero() {
            return Decision::Stop(StopReason::DeadlineExceeded);
        }
        if self.attempts >= policy.max_attempts() {
            return Decision::Stop(StopReason::MaxAttemptsGlobal);
        }
        let context = BackoffContext {
            attempt: self.attempts,
            classification: *classification,
            cause,
            previous: self.previous,
            remaining,
            now,
        };
        let Some(delay) = policy.delay(&context, random) else {
            return Decision::Stop(StopReason::NoStrategy);
        };
        if !budget.withdraw(now) {
            return Decision::Stop(StopReason::BudgetExhausted);
        }
        let after = delay.min(remaining);
        self.previous = after;
        Decision::Retry { after }
    }

    /// The delay is over: says whether there is time for another attempt.
    ///
    /// # Errors
    ///
    /// [`StopReason::DeadlineExceeded`] if the deadline has passed; at exactly
    /// the deadline one more attempt is made.
    #[inline]
    pub const fn woke(&self, now: Instant) -> Result<(), StopReason> {
        // Without a deadline it is due when the clock ends, and nothing is later.
        let late = now.as_micros() > self.until.as_micros();
        if late { Err(StopReason::DeadlineExceeded) } else { Ok(()) }
    }

    /// Tells the policy's strategies, where one has a memory, of the success.
    #[inline]
    pub fn succeed(&self, policy: &Policy, now: Instant) {
        if policy.listens() {
            match self.last {
                None => policy.hear_all(now),
                Some((class, _)) => {
                    if let Some(backoff) = policy.backoff_of(class) {
                        backoff.hear(now, true);
                    }
                }
            }
        }
    }
}
