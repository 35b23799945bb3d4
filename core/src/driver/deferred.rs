//! A call that was deferred, as plain data: [`Deferred`].

use crate::call::{Call, Stage};
use crate::class::ErrorClass;
use crate::policy::Policy;
use crate::time::{Duration, Instant};

/// What a deferred call has behind it and before it, for a queue that carries it to another
/// process. It says nothing of a breaker's permit: the call asks again when it goes on.
///
/// [`Suspended`](crate::snapshot::Suspended) is the form for a device that goes on with its own call
/// after a reset: it has the permit, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Deferred {
    /// How many attempts were made.
    pub attempts: u32,
    /// How many of them failed, by class, in the order of [`ErrorClass::ALL`].
    pub failures: [u16; ErrorClass::COUNT],
    /// The delay for which the call was deferred.
    pub delay: Duration,
    /// How long the call has taken, that delay included.
    pub elapsed: Duration,
    /// What is left of the deadline after the delay: if the delay fits, what it leaves; if it
    /// does not fit, all that was left before it. [`Duration::MAX`] without a deadline.
    pub remaining: Duration,
}

impl Call {
    /// What to carry to where the call goes on, if it ended with
    /// [`StopReason::Scheduled`](crate::StopReason::Scheduled).
    pub const fn deferred(&self) -> Deferred {
        let elapsed = self.taken().saturating_add(self.previous);
        let before = match self.stage {
            Stage::TooLong => self.taken(),
            _ => elapsed,
        };
        let remaining = self.deadline.saturating_sub(before);
        Deferred {
            attempts: self.attempts,
            failures: self.failures,
            delay: self.previous,
            elapsed,
            remaining: if remaining.is_endless() { Duration::MAX } else { remaining },
        }
    }

    /// Goes on with a call that was deferred: its delay is over `now`, and the next attempt may
    /// start. Attempts, failures, the delay before and the time count on.
    pub const fn resume(policy: &Policy, deferred: &Deferred, now: Instant) -> Self {
        let deadline = deferred.elapsed.saturating_add(deferred.remaining);
        let mut call = Self::begin_within(policy, deadline, now);
        call.began = now.wrapping_sub(deferred.elapsed);
        call.attempts = deferred.attempts;
        call.failures = deferred.failures;
        call.previous = deferred.delay;
        call
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backoff::Backoff;
    use crate::class::Classification;
    use crate::driver::Decision;
    use crate::event::{Cause, StopReason};
    use crate::random::NoRandom;

    const fn at(secs: u64) -> Instant {
        Instant::from_micros(secs * 1_000_000)
    }

    fn policy(delay: u64, deadline: u64) -> Policy {
        Policy::builder()
            .backoff(Backoff::constant(Duration::from_secs(delay)))
            .deadline(Duration::from_secs(deadline))
            .max_attempts(3)
            .build()
            .unwrap()
    }

    fn failed(call: &mut Call, policy: &Policy, now: Instant) -> Decision {
        call.start(policy);
        let failure = Classification::new(ErrorClass::Transient);
        call.fail(policy, now, &failure, Cause::Exception, &mut NoRandom, &())
    }

    #[test]
    fn attempts_failures_delay_and_deadline_count_on() {
        let policy = policy(10, 25);
        let mut call = Call::begin(&policy, at(100));
        assert!(matches!(failed(&mut call, &policy, at(102)), Decision::Retry { .. }));
        assert_eq!(call.defer(&()), StopReason::Scheduled);
        let deferred = call.deferred();
        assert_eq!((deferred.attempts, deferred.delay), (1, Duration::from_secs(10)));
        assert_eq!(deferred.elapsed, Duration::from_secs(12));
        assert_eq!(deferred.remaining, Duration::from_secs(13));
        // On another clock, which began anew.
        let mut call = Call::resume(&policy, &deferred, at(3));
        assert_eq!(call.remaining(at(3)), Duration::from_secs(13));
        assert_eq!(call.previous(), Duration::from_secs(10));
        assert!(matches!(failed(&mut call, &policy, at(4)), Decision::Retry { .. }));
        assert_eq!(call.attempts(), 2);
        assert_eq!(call.on_wake(at(14)), Ok(()));
        let stopped = Decision::Stop(StopReason::MaxAttemptsGlobal);
        assert_eq!(failed(&mut call, &policy, at(15)), stopped);
        assert_eq!(call.elapsed(at(15)), Duration::from_secs(24));
    }

    #[test]
    fn a_delay_that_did_not_fit_leaves_all_that_was_left_before_it() {
        let policy = policy(100, 25);
        let mut call = Call::begin(&policy, at(0));
        assert!(matches!(failed(&mut call, &policy, at(5)), Decision::TooLong { .. }));
        let deferred = call.deferred();
        assert_eq!(deferred.elapsed, Duration::from_secs(105));
        assert_eq!(deferred.remaining, Duration::from_secs(20));
        assert_eq!(
            Call::resume(&policy, &deferred, at(0)).remaining(at(1)),
            Duration::from_secs(19)
        );
    }

    #[test]
    fn without_a_deadline_there_is_none_afterwards() {
        let policy = Policy::builder()
            .backoff(Backoff::constant(Duration::from_secs(1)))
            .no_deadline()
            .build()
            .unwrap();
        let mut call = Call::begin(&policy, at(0));
        failed(&mut call, &policy, at(9));
        assert_eq!(call.deferred().remaining, Duration::MAX);
        let resumed = Call::resume(&policy, &call.deferred(), at(1));
        assert_eq!(resumed.remaining(at(1_000_000)), Duration::MAX);
    }
}
