//! The decisions of one call: [`Call`], which all drivers share.

use crate::backoff::BackoffContext;
use crate::budget::Withdraw;
use crate::class::{Classification, ErrorClass};
use crate::event::{Cause, StopReason};
use crate::policy::{LongDelay, Policy};
use crate::random::Draw;
use crate::time::{Duration, Instant};

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Decision {
    /// Try again after a delay.
    Retry {
        /// How long to wait first; may be zero.
        after: Duration,
    },
    /// The delay does not fit before the deadline ([`LongDelay::Stop`]), or the hint
    /// (Retry-After) is longer than the strategy accepts
    /// ([`Backoff::at_most`](crate::Backoff::at_most)). The call ends with
    /// [`StopReason::DeadlineExceeded`], unless the caller defers or suspends it now. No token
    /// (one retry of the budget) is taken yet.
    TooLong {
        /// The whole delay.
        after: Duration,
    },
    /// Stop, for this reason.
    Stop(StopReason),
}

impl Decision {
    /// How long to wait; zero for [`Stop`](Self::Stop).
    #[inline]
    pub const fn delay(self) -> Duration {
        match self {
            Self::Retry { after } | Self::TooLong { after } => after,
            Self::Stop(_) => Duration::ZERO,
        }
    }
}

/// What an attempt gets when it starts: its number and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// What is left of the call's deadline; [`Duration::MAX`] without a deadline.
    pub remaining: Duration,
    /// How long the attempt may take: the attempt timeout or what is left of the deadline,
    /// whichever is shorter; [`Duration::MAX`] without either.
    pub timeout: Duration,
}

/// The state of one call, without a clock, an operation or a lock.
///
/// The steps, in order: [`start`](Self::start) an attempt. If the attempt fails, call
/// [`fail`](Self::fail), wait as decided and call [`on_wake`](Self::on_wake). If it succeeds,
/// call [`succeed`](Self::succeed). [`Retry`](crate::Retry) takes these steps together with a
/// breaker, a budget and an observer; use a `Call` directly to write another kind of driver.
///
/// The call adds up the time that has passed from instant to instant. An instant that is earlier
/// than the one before shows that the clock was set back, or has wrapped as a counter of 32 bits
/// does. That step then adds no time, and the deadline still holds.
///
/// Calling `fail` without `start` counts as a failure of attempt 0, and `on_wake`
/// may be left out; nothing panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Call {
    /// The latest instant that is known. The attempt in flight started at it.
    pub(crate) seen: Instant,
    /// The time that the call has taken, before `seen`, modulo 2^64 microseconds. It moves
    /// back with a clock that is set back, so that no step has to add up the time.
    pub(crate) began: Instant,
    /// The time for the call; `Duration::MAX` for no limit.
    pub(crate) deadline: Duration,
    pub(crate) previous: Duration,
    pub(crate) attempts: u32,
    /// Failures by class, saturating.
    pub(crate) failures: [u16; ErrorClass::COUNT],
    pub(crate) last: Option<(ErrorClass, Cause)>,
    /// The deadline was set for this call alone and is shorter than the policy's.
    pub(crate) own_deadline: bool,
    pub(crate) stage: Stage,
}

/// How far a call has come between two attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Stage {
    /// Nothing is special.
    Usual,
    /// The delay that was decided last does not fit.
    TooLong,
    /// The deadline has ended the attempt.
    Cut,
    /// The next attempt does not fit into a rate limit yet.
    Limited,
}

impl Call {
    /// A call that begins now.
    #[inline]
    pub const fn begin(policy: &Policy, now: Instant) -> Self {
        Self::begin_within(policy, policy.deadline(), now)
    }

    /// A call that begins now, with `deadline` in place of the policy's.
    ///
    /// If `deadline` is shorter than the policy's and ends an attempt,
    /// [`counted_failure`](Self::counted_failure) returns `None`: the attempt might have
    /// succeeded.
    #[inline]
    pub const fn begin_within(policy: &Policy, deadline: Duration, now: Instant) -> Self {
        Self {
            seen: now,
            began: now,
            deadline,
            previous: Duration::ZERO,
            attempts: 0,
            failures: [0; ErrorClass::COUNT],
            last: None,
            own_deadline: deadline.as_micros() < policy.deadline().as_micros(),
            stage: Stage::Usual,
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

    /// After which delay the caller may try again, if the call stopped for `reason` and such a
    /// delay is known: the call was deferred, the delay was too long, or a rate limit allowed no
    /// attempt yet.
    #[inline]
    pub const fn next_sleep(&self, reason: StopReason) -> Option<Duration> {
        match (reason, self.stage) {
            (StopReason::Scheduled, _)
            | (StopReason::DeadlineExceeded, Stage::TooLong | Stage::Limited)
            | (StopReason::BudgetExhausted, Stage::Limited) => Some(self.previous),
            _ => None,
        }
    }

    /// The class of the failure that the breaker is to count, if the call stopped for `reason`:
    /// that of the [last](Self::last) failure. `None` if the permit is to be cancelled instead:
    /// the call was aborted, nothing has failed, or the call's own deadline, shorter than the
    /// policy's, has ended an attempt that might have succeeded.
    #[inline]
    pub const fn counted_failure(&self, reason: StopReason) -> Option<ErrorClass> {
        let is_cut = matches!(self.stage, Stage::Cut) && self.own_deadline;
        match (reason, self.last) {
            (StopReason::Aborted, _) | (_, None) => None,
            (StopReason::DeadlineExceeded, _) if is_cut => None,
            (_, Some((class, _))) => Some(class),
        }
    }

    /// Time since the call began.
    #[inline]
    pub const fn elapsed(&self, now: Instant) -> Duration {
        if now.as_micros() > self.seen.as_micros() {
            now.wrapping_since(self.began)
        } else {
            self.seen.wrapping_since(self.began)
        }
    }

    /// Time from the beginning to the latest instant that is known.
    #[inline]
    pub(crate) const fn taken(&self) -> Duration {
        self.seen.wrapping_since(self.began)
    }

    /// What is left of the deadline, never more than the deadline itself; [`Duration::MAX`]
    /// without a deadline.
    #[inline]
    pub const fn remaining(&self, now: Instant) -> Duration {
        self.left(self.elapsed(now))
    }

    /// What is left of the deadline `elapsed` after the beginning.
    #[inline]
    const fn left(&self, elapsed: Duration) -> Duration {
        let left = self.time_left(elapsed);
        if left.is_endless() { Duration::MAX } else { left }
    }

    /// As [`left`](Self::left), but without a deadline it is some
    /// [endless](Duration::is_endless) span: that is enough for a comparison.
    #[inline]
    const fn time_left(&self, elapsed: Duration) -> Duration {
        self.deadline.saturating_sub(elapsed)
    }

    /// Whether the deadline has passed.
    #[inline]
    const fn is_late(&self) -> bool {
        self.taken().as_micros() > self.deadline.as_micros()
    }

    /// Starts the next attempt, at the latest instant that is known.
    #[inline]
    pub const fn start(&mut self, policy: &Policy) -> Attempt {
        let remaining = self.left(self.taken());
        self.attempts = self.attempts.saturating_add(1);
        self.stage = Stage::Usual;
        let timeout = policy.attempt_timeout().min(remaining);
        Attempt { number: self.attempts, remaining, timeout }
    }

    /// What is left at `now` of the time of the attempt in flight;
    /// [endless](Duration::is_endless) without a limit.
    #[inline]
    pub(crate) const fn attempt_left(&self, policy: &Policy, now: Instant) -> Duration {
        let (timeout, remaining) = (policy.attempt_timeout(), self.time_left(self.elapsed(now)));
        if timeout.as_micros() == Duration::MAX.as_micros() {
            return remaining;
        }
        timeout.saturating_sub(now.since(self.seen)).min(remaining)
    }

    /// What is left at `now` of the time of a hook before a retry.
    #[inline]
    pub(crate) const fn hook_left(&self, _: &Policy, now: Instant) -> Duration {
        self.time_left(self.elapsed(now))
    }

    /// Records a failure and decides what follows: the order of the rules is that
    /// of redress for Python.
    ///
    /// A failure that comes after the attempt timeout is TRANSIENT, unless its class is
    /// [final](crate::ErrorClass::is_final). With [`Decision::Retry`], `budget` has granted the
    /// retry; the caller may still defer or abort it.
    pub fn fail<U: Withdraw>(
        &mut self,
        policy: &Policy,
        now: Instant,
        classification: &Classification,
        cause: Cause,
        random: &mut dyn Draw,
        budget: &U,
    ) -> Decision {
        let took = self.advance(now);
        let overdue = self.is_overdue(policy, took, classification.class);
        let classification = if overdue { &OVERDUE } else { classification };
        self.decide(policy, classification, cause, random, budget)
    }

    /// Records that the driver has ended the attempt at its [timeout](Attempt::timeout), and
    /// decides what follows: if the deadline was the shorter limit, the call stops.
    pub fn cut<U: Withdraw>(
        &mut self,
        policy: &Policy,
        now: Instant,
        random: &mut dyn Draw,
        budget: &U,
    ) -> Decision {
        let took = self.advance(now);
        if self.cut_by_deadline(policy, took) {
            return Decision::Stop(self.end_at_deadline());
        }
        self.decide(policy, &OVERDUE, Cause::Exception, random, budget)
    }

    /// Whether the deadline is the limit that ended an attempt after `took`.
    #[inline]
    pub(crate) const fn cut_by_deadline(&self, policy: &Policy, took: Duration) -> bool {
        let left = self.time_left(self.taken().saturating_sub(took));
        !left.is_endless() && left.as_micros() <= policy.attempt_timeout().as_micros()
    }

    /// The deadline has ended an attempt.
    #[inline]
    pub(crate) fn end_at_deadline(&mut self) -> StopReason {
        self.record(ErrorClass::Transient, Cause::Exception);
        self.stage = Stage::Cut;
        StopReason::DeadlineExceeded
    }

    /// Whether a failure of `class` after `took` comes after the attempt's time, and counts as
    /// [`OVERDUE`]. A final class stays what it is.
    #[inline]
    pub(crate) fn is_overdue(&self, policy: &Policy, took: Duration, class: ErrorClass) -> bool {
        let (timeout, is_late) = (policy.attempt_timeout(), self.is_late());
        timeout < Duration::MAX && !class.is_final() && (took > timeout || is_late)
    }

    /// The time goes on to `now`; returns how long that took.
    #[inline]
    pub(crate) const fn advance(&mut self, now: Instant) -> Duration {
        let took = now.since(self.seen);
        if now.as_micros() < self.seen.as_micros() {
            self.began = now.wrapping_sub(self.taken());
        }
        self.seen = now;
        took
    }

    /// Leaves out the last `span` of the attempt in flight: it is part of neither the attempt nor the
    /// call.
    pub(crate) const fn exclude(&mut self, span: Duration) {
        self.seen = self.seen.saturating_add(span);
        let began = self.began.as_micros().wrapping_add(span.as_micros());
        self.began = Instant::from_micros(began);
    }

    fn record(&mut self, class: ErrorClass, cause: Cause) -> u16 {
        self.last = Some((class, cause));
        let failures = &mut self.failures[class as usize & 7];
        *failures = failures.saturating_add(1);
        *failures
    }

    /// Decides what follows a failure at the latest instant that is known.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(crate) fn decide<U: Withdraw>(
        &mut self,
        policy: &Policy,
        classification: &Classification,
        cause: Cause,
        random: &mut dyn Draw,
        budget: &U,
    ) -> Decision {
        let (class, now) = (classification.class, self.seen);
        let failures = self.record(class, cause);
        if policy.is_over_limit(class, failures) {
            return Decision::Stop(StopReason::MaxAttemptsPerClass);
        }
        if policy.is_final(class) {
            return Decision::Stop(StopReason::NonRetryableClass);
        }
        if class == ErrorClass::Unknown && failures > policy.unknown_limit() {
            return Decision::Stop(StopReason::MaxUnknownAttempts);
        }
        if self.is_late() {
            return Decision::Stop(StopReason::DeadlineExceeded);
        }
        let remaining = self.time_left(self.taken());
        if !policy.has_backoff(class) {
            return Decision::Stop(StopReason::NoStrategy);
        }
        if policy.listens()
            && let Some(backoff) = policy.memory_of(class)
        {
            backoff.record(now, false);
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
            remaining: self.left(self.taken()),
            now,
        };
        let Some(delay) = policy.delay(&context, random) else {
            return Decision::Stop(StopReason::NoStrategy);
        };
        let is_rejected =
            classification.retry_after.is_some_and(|hint| hint > policy.longest_hint(class));
        // Without a deadline the longest delay there is fits, too.
        let fits = delay < remaining
            || matches!(policy.long_delay(), LongDelay::Cut)
            || remaining.is_endless();
        if is_rejected || !fits {
            self.previous = delay;
            self.stage = Stage::TooLong;
            return Decision::TooLong { after: delay };
        }
        if !budget.withdraw(now) {
            return Decision::Stop(StopReason::BudgetExhausted);
        }
        // A delay that fits needs no minimum.
        let cuts = matches!(policy.long_delay(), LongDelay::Cut);
        let after = if cuts { delay.min(remaining) } else { delay };
        self.previous = after;
        Decision::Retry { after }
    }

    /// Defers or suspends the retry that was decided last, and returns the reason for which the
    /// call ends: [`StopReason::Scheduled`]. After [`Decision::TooLong`] it takes the token of
    /// the retry now; without a token the reason is [`StopReason::BudgetExhausted`].
    pub fn defer<U: Withdraw>(&mut self, budget: &U) -> StopReason {
        if self.stage == Stage::TooLong && !budget.withdraw(self.seen) {
            return StopReason::BudgetExhausted;
        }
        StopReason::Scheduled
    }

    /// A rate limit allows the next attempt when `wait` is over: says what follows. It is not
    /// asked again at the same instant.
    pub(crate) fn limited(&mut self, wait: Duration) -> Decision {
        let wait = wait.max(Duration::from_micros(1));
        let remaining = self.left(self.taken());
        if wait < remaining || remaining.is_endless() {
            return Decision::Retry { after: wait };
        }
        self.stage = Stage::Limited;
        Decision::TooLong { after: wait }
    }

    /// The call stops for `reason`, as a rate limit allows no attempt before `wait` is over.
    pub(crate) fn stop_limited(&mut self, wait: Duration, reason: StopReason) -> StopReason {
        self.previous = wait;
        self.stage = Stage::Limited;
        reason
    }

    /// Whether the delay that was decided last does not fit.
    #[inline]
    pub const fn is_too_long(&self) -> bool {
        matches!(self.stage, Stage::TooLong)
    }

    /// The delay is over: checks whether there is time for another attempt.
    ///
    /// # Errors
    ///
    /// [`StopReason::DeadlineExceeded`] if the deadline has passed. Exactly at the deadline one
    /// more attempt is made.
    #[inline]
    pub const fn on_wake(&mut self, now: Instant) -> Result<(), StopReason> {
        self.advance(now);
        if self.is_late() { Err(StopReason::DeadlineExceeded) } else { Ok(()) }
    }

    /// Records the success in those of the policy's strategies that have a memory
    /// ([`Adaptive`](crate::backoff::Adaptive)).
    #[inline]
    pub fn succeed(&mut self, policy: &Policy, now: Instant) {
        self.advance(now);
        self.pass_on_success(policy);
    }

    /// As [`succeed`](Self::succeed), at the latest instant that is known.
    #[inline]
    pub(crate) fn pass_on_success(&self, policy: &Policy) {
        let now = self.seen;
        if policy.listens() {
            match self.last {
                None => policy.record_success(now),
                Some((class, _)) => {
                    if let Some(backoff) = policy.memory_of(class) {
                        backoff.record(now, true);
                    }
                }
            }
        }
    }
}

/// A failure that comes after the attempt timeout.
pub(crate) const OVERDUE: Classification = Classification::new(ErrorClass::Transient);
