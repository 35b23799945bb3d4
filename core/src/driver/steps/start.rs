//! Whether and when an attempt may start.

use crate::breaker::{Gate, WANTS_CHECK};
use crate::budget::{Pool, Turn};
use crate::call::{Attempt, Decision};
use crate::config::Settings;
use crate::driver::steps::Steps;
use crate::driver::{Control, Parts};
use crate::event::{Observers, StopReason};
use crate::time::Duration;

impl<X: Parts> Steps<'_, '_, X> {
    /// Starts an attempt. With a rate limiter call [`turn`](Self::turn) first and wait as it
    /// says: `start` ends the call with [`StopReason::Scheduled`] if the limiter does not allow the
    /// attempt yet.
    ///
    /// # Errors
    ///
    /// The reason why the call is over. [`StopReason::Aborted`] if the abort predicate returns
    /// true. [`StopReason::CircuitOpen`] if the breaker is configured to [check before a
    /// retry](crate::BreakerConfig::check_before_retry) and is no longer closed. With a rate
    /// limiter [`StopReason::Scheduled`] if the attempt may not start yet, or any reason of
    /// [`turn`](Self::turn).
    #[inline]
    pub fn start(&mut self) -> Result<Attempt, StopReason> {
        if X::Budget::LIMITS
            && !self.has_turn
            && let Some(wait) = self.turn()?
        {
            let reason = self.call.stop_limited(wait, StopReason::Scheduled);
            return Err(self.stop(reason));
        }
        self.next().map_err(|reason| self.stop(reason))
    }

    /// Asks the rate limiter whether the next attempt may start. Returns how long to wait before
    /// asking again, or `None` if the attempt may start. Its cost is then spent, once for each
    /// attempt.
    ///
    /// # Errors
    ///
    /// The reason why the call is over. [`StopReason::DeadlineExceeded`] if the wait does not fit
    /// before the deadline. [`StopReason::Scheduled`] or [`StopReason::BudgetExhausted`] if the
    /// limiter is configured to defer or to reject ([`WhenLimited`](crate::budget::WhenLimited));
    /// `BudgetExhausted` also if the attempt never fits. [`StopReason::Aborted`] and
    /// [`StopReason::CircuitOpen`] as [`start`](Self::start) returns them. If it is known when
    /// the attempt fits, the error of the call has the delay
    /// ([`next_sleep`](crate::RetryExhausted::next_sleep)).
    #[inline]
    pub fn turn(&mut self) -> Result<Option<Duration>, StopReason> {
        if self.has_turn {
            return Ok(None);
        }
        let reason = match self.ask_for_turn() {
            Ok(None) => return Ok(None),
            Ok(Some(Decision::Retry { after })) => return Ok(Some(after)),
            Ok(Some(too_long)) => {
                self.call.stop_limited(too_long.delay(), StopReason::DeadlineExceeded)
            }
            Err(reason) => reason,
        };
        Err(self.stop(reason))
    }

    /// As [`turn`](Self::turn), without ending the call.
    #[inline]
    pub(crate) fn ask_for_turn(&mut self) -> Result<Option<Decision>, StopReason> {
        self.may_start()?;
        let number = self.call.attempts.saturating_add(1);
        match self.engine.budget.attempt(self.call.seen, number) {
            Turn::Now => {
                self.has_turn = true;
                Ok(None)
            }
            Turn::Wait(wait) => Ok(Some(self.call.limited(wait))),
            Turn::Defer(wait) => Err(self.call.stop_limited(wait, StopReason::Scheduled)),
            Turn::Reject(Some(wait)) => {
                Err(self.call.stop_limited(wait, StopReason::BudgetExhausted))
            }
            Turn::Reject(None) => Err(StopReason::BudgetExhausted),
        }
    }

    /// Whether another attempt may start at all, before a rate limiter is asked for it: what
    /// never starts costs nothing, and waits for nothing.
    #[inline]
    fn may_start(&mut self) -> Result<(), StopReason> {
        if self.engine.control.aborted() {
            return Err(StopReason::Aborted);
        }
        if self.call.attempts > 0
            && let Some(pass) = self.pass
            && X::Breaker::WANTS & WANTS_CHECK != 0
            && X::Breaker::permit(&pass).is_some_and(|permit| permit.wants_check())
            && !self.engine.breaker.still_admits(pass)
        {
            return Err(StopReason::CircuitOpen);
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Result<Attempt, StopReason> {
        self.may_start()?;
        self.has_turn = false;
        let attempt = self.call.start(self.policy.settings());
        if X::Observer::OBSERVES {
            let context = self.attempt(None, Duration::ZERO);
            self.in_flight = true;
            self.observe(|observer| observer.on_attempt_start(&context));
        }
        Ok(attempt)
    }

    /// Whether an attempt may take as long as it likes, which the compiler knows if it knows
    /// the policy.
    #[inline]
    pub(crate) fn is_unlimited(&self) -> bool {
        !self.policy.settings().is_timed() && !X::Control::HAS_DEADLINE
    }
}
