//! A call that is put aside over a deep sleep or a reset: [`Suspended`], and the way
//! back, [`Resumed`].

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

/// A call between two attempts, as it is written down before nothing runs any more.
///
/// What belongs to it is written down as of the same instant: take the snapshots of its
/// breaker and its budget with [`at`](Self::at).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Suspended {
    /// The snapshot of the call.
    pub bytes: [u8; Self::BYTES],
    /// When it was taken, on the clock of the call.
    pub at: Instant,
    /// How long after that the next attempt is due: when to wake.
    pub wake_after: Duration,
}

impl Suspended {
    /// How many bytes the snapshot of a call takes.
    pub const BYTES: usize = CALL_BYTES;
}

/// How far a call came whose long delays are not waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Progress<T, E, V = Infallible> {
    /// It is over.
    Over(Outcome<T, E, V>),
    /// A long delay is due. Save this, sleep, and [`resume`](Retry::resume).
    Suspended(Suspended),
}

impl<T, E, V> From<Outcome<T, E, V>> for Progress<T, E, V> {
    #[inline]
    fn from(outcome: Outcome<T, E, V>) -> Self {
        Self::Over(outcome)
    }
}

/// A call that goes on, with the rest of its delay before it.
#[non_exhaustive]
pub struct Resumed<'r, 'a, X: Parts, K> {
    /// The call. After [`due`](Self::due), say that you [`on_wake`](Steps::on_wake), and
    /// [`start`](Steps::start).
    pub steps: Steps<'r, 'a, X>,
    pub(crate) classifier: &'r mut K,
    /// When its next attempt is due.
    pub due: Instant,
    /// What was known of the time that nothing ran.
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
    /// Goes on with the call in `bytes`, of which `off` has passed while nothing ran, if
    /// that is known. Without `off` time stood still, and all of the delay is left.
    ///
    /// The deadline goes on, too. A call that was suspended for a delay which did not fit
    /// before its deadline has, after that delay, what was left of the deadline when it was
    /// suspended. With a [deadline](Retry::deadline) of its own, this `Retry` gives the call a
    /// new one, which begins when the delay is over; one that is longer than the policy's must
    /// be given anew, as no more than the policy's is left of it otherwise.
    ///
    /// Restore the breaker first, with the same `now` and `off`. A call that did not
    /// leave this run goes on with [`Suspended::at`] as `now`.
    ///
    /// # Errors
    ///
    /// If the snapshot is damaged, of another policy or of another version.
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
    /// Writes the call down after a [`Decision::Retry`] or a [`Decision::TooLong`], with
    /// what is left of its delay and its permit, to go on elsewhere with
    /// [`resume`](Retry::resume). The call ends here without a result.
    ///
    /// # Errors
    ///
    /// [`StopReason::BudgetExhausted`] if a delay that was too long finds no token in the
    /// budget; the call is over.
    pub fn suspend(&mut self) -> Result<Suspended, StopReason> {
        self.suspend_for(self.call.previous)
    }

    /// As [`suspend`](Self::suspend), for a wait that [`turn`](Self::turn) returned.
    ///
    /// # Errors
    ///
    /// As there.
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
