//! A call that survives a deep sleep or a reset: [`Suspended`] is its saved form, [`Resumed`]
//! goes on with it.

use core::convert::Infallible;

use crate::breaker::Gate;
use crate::budget::Pool;
use crate::call::{Decision, Stage};
use crate::config::Settings;
use crate::driver::Parts;
use crate::driver::retry::Retry;
use crate::driver::steps::Steps;
use crate::event::{Observers, StopReason};
use crate::outcome::Outcome;
use crate::snapshot::{Between, CALL_BYTES, Restored, SnapshotError};
use crate::time::{Clock, Duration, Instant};

/// A call between two attempts, saved before a deep sleep or a reset.
///
/// Take the snapshots of its breaker and its budget with the same instant, [`at`](Self::at), so
/// that the permit in the call still fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Suspended {
    /// The snapshot of the call.
    pub bytes: [u8; Self::BYTES],
    /// When the snapshot was taken, on the clock of the call.
    pub at: Instant,
    /// The time from the instant in the field `at` until the next attempt is due.
    pub wake_after: Duration,
}

impl Suspended {
    /// How many bytes the snapshot of a call takes.
    pub const BYTES: usize = CALL_BYTES;
}

/// The result of a call that suspends instead of waiting for a long delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Progress<T, E, V = Infallible> {
    /// The call is over.
    Over(Outcome<T, E, V>),
    /// The call is suspended for a long delay. Save this, sleep, and [`resume`](Retry::resume).
    Suspended(Suspended),
}

impl<T, E, V> From<Outcome<T, E, V>> for Progress<T, E, V> {
    #[inline]
    fn from(outcome: Outcome<T, E, V>) -> Self {
        Self::Over(outcome)
    }
}

/// A resumed call, which first waits for the rest of its delay.
#[non_exhaustive]
pub struct Resumed<'r, 'a, X: Parts, K> {
    /// The call. At [`due`](Self::due), call [`on_wake`](Steps::on_wake), then
    /// [`start`](Steps::start).
    pub steps: Steps<'r, 'a, X>,
    pub(crate) classifier: &'r mut K,
    /// When its next attempt is due.
    pub due: Instant,
    /// Whether the time that nothing ran was known.
    pub restored: Restored,
}

impl<X: Parts, K> core::fmt::Debug for Resumed<'_, '_, X, K> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Resumed")
            .field("call", &self.steps.call)
            .field("due", &self.due)
            .field("restored", &self.restored)
            .finish()
    }
}

#[cfg(feature = "defmt")]
impl<X: Parts, K> defmt::Format for Resumed<'_, '_, X, K> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Resumed({}, due {}, {})", self.steps.call, self.due, self.restored);
    }
}

impl<'a, X: Parts, K> Retry<'a, X, K> {
    /// Resumes the call that is saved in `bytes`. `off` is how long nothing ran, if that is
    /// known; without it time is taken to have stood still, and the whole delay is left.
    ///
    /// The time that was left of the deadline at the suspension is kept, and the delay counts against it.
    /// If the delay did not fit into it, that time begins again when the delay is over.
    ///
    /// If this `Retry` has its own [deadline](Retry::deadline), the call gets that deadline anew,
    /// from the end of the delay. Without one, a resumed call has at most the policy's deadline,
    /// also if its own was longer.
    ///
    /// Restore the breaker first, with the same `now` and `off`. To resume a call without a
    /// restart in between, pass [`Suspended::at`] as `now`.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] as in [`Snapshot::restore`](crate::snapshot::Snapshot::restore).
    /// [`Fingerprint`](SnapshotError::Fingerprint) if the snapshot was taken under another
    /// policy; [`Value`](SnapshotError::Value) also if it has a permit that this breaker cannot
    /// have given.
    pub fn resume(
        &mut self,
        bytes: &[u8],
        now: Instant,
        off: Option<Duration>,
    ) -> Result<Resumed<'_, 'a, X, K>, SnapshotError> {
        let Self { engine, classifier } = self;
        let (between, restored) =
            Between::load(engine.policy.settings(), X::Budget::LIMITS, bytes, now, off)?;
        let pass = X::Breaker::pass(between.permit).ok_or(SnapshotError::Value)?;
        let Between { mut call, due, .. } = between;
        if let Some(deadline) = engine.own_deadline() {
            let begins = call.elapsed(now).saturating_add(due.since(now));
            call.deadline = begins.saturating_add(deadline);
            call.own_deadline = deadline < engine.policy.settings().deadline();
        }
        let steps = Steps::new(engine, call, Some(pass));
        Ok(Resumed { steps, classifier, due, restored })
    }
}

impl<X: Parts> Steps<'_, '_, X> {
    /// Saves the call after a [`Decision::Retry`] or a [`Decision::TooLong`], with the rest of
    /// its delay and its permit, so that [`resume`](Retry::resume) can go on with it later. These
    /// `Steps` are then over, without a result.
    ///
    /// # Errors
    ///
    /// [`StopReason::BudgetExhausted`] if the delay was [too long](Decision::TooLong) and the
    /// budget has no token for the retry. The call is over.
    pub fn suspend(&mut self) -> Result<Suspended, StopReason> {
        self.suspend_for(self.call.previous)
    }

    /// As [`suspend`](Self::suspend), for a wait that [`turn`](Self::turn) returned.
    ///
    /// # Errors
    ///
    /// [`StopReason::BudgetExhausted`] if the delay was [too long](Decision::TooLong) and the
    /// budget has no token for the retry. The call is over.
    pub fn suspend_for(&mut self, wait: Duration) -> Result<Suspended, StopReason> {
        self.try_suspend(wait).map_err(|reason| self.stop(reason))
    }

    /// As [`suspend`](Self::suspend), if the delay is `limit` or more, or too long; without
    /// ending the call if there is no token.
    #[inline]
    pub(crate) fn suspend_from(
        &mut self,
        limit: Duration,
        decision: Decision,
    ) -> Result<Option<Suspended>, StopReason> {
        match decision {
            Decision::Retry { after } if after >= limit && !after.is_zero() => {
                self.try_suspend(after).map(Some)
            }
            Decision::TooLong { after } => self.try_suspend(after).map(Some),
            _ => Ok(None),
        }
    }

    fn try_suspend(&mut self, delay: Duration) -> Result<Suspended, StopReason> {
        let fits = self.call.stage == Stage::Usual;
        match self.call.defer(&self.engine.budget) {
            StopReason::Scheduled => {}
            reason => return Err(reason),
        }
        if X::Observer::OBSERVES && !fits && self.pass.is_some() {
            self.observe_end(StopReason::Scheduled, None, None);
        }
        Ok(self.suspend_until(self.call.seen.saturating_add(delay)))
    }

    fn suspend_until(&mut self, due: Instant) -> Suspended {
        let due = self.advance_towards(due);
        let at = self.call.seen;
        let permit = self.pass.as_ref().and_then(X::Breaker::permit);
        let mut bytes = [0; CALL_BYTES];
        Between { call: self.call, permit, due }.save(self.policy.settings(), at, &mut bytes);
        // The permit goes along with the snapshot: dropping must not free it.
        self.pass = None;
        Suspended { bytes, at, wake_after: due.since(at) }
    }

    /// Reads the clock. Returns `due`, moved back with the clock if that was set back.
    fn advance_towards(&mut self, due: Instant) -> Instant {
        let now = self.engine.time.now();
        let back = self.call.seen.since(now);
        self.call.advance(now);
        due.saturating_sub(back)
    }
}

impl<X: Parts, K> Resumed<'_, '_, X, K> {
    /// What is left of the delay; or the call again, if that is still `limit` or more.
    ///
    /// Where time stood still the rest is waited for, however long it is: a node that
    /// is woken again and again would otherwise never come to its attempt.
    pub(crate) fn rest(&mut self, limit: Duration) -> Result<Duration, Suspended> {
        self.due = self.steps.advance_towards(self.due);
        let rest = self.due.since(self.steps.call.seen);
        if self.restored == Restored::TimeOff && rest >= limit {
            return Err(self.steps.suspend_until(self.due));
        }
        Ok(rest)
    }
}
