//! The blocking driver: runs an operation, blocks for the delay, tries again.

use core::convert::Infallible;

use crate::breaker::Gate;
use crate::budget::Pool;
use crate::call::{Attempt, Decision};
use crate::classify::{ClassifyAttempt, ErrorText, Hook};
use crate::driver::Parts;
use crate::driver::failure::{Failed, judge};
use crate::driver::retry::Retry;
use crate::driver::steps::Steps;
use crate::driver::suspend::{Progress, Resumed};
use crate::event::{Observers, StopReason};
use crate::inlining::FAST_PATH;
use crate::outcome::{Error, Last, Outcome};
use crate::time::{Duration, Sleep};

impl<'a, X: Parts, K> Retry<'a, X, K> {
    /// Runs `operation` until it succeeds or the policy stops it.
    ///
    /// This driver cannot end an attempt, neither at the attempt timeout nor at the deadline. The
    /// operation gets the time that it may take ([`Attempt::timeout`]) and must keep to it, by
    /// the time-outs of its socket for instance. A failure after the attempt timeout is
    /// TRANSIENT, unless its class is [final](crate::ErrorClass::is_final); a late success is a
    /// success. A panic cancels the call.
    ///
    /// # Errors
    ///
    /// [`Error::Exhausted`] with the operation's own error, by value, and the reason why retrying
    /// stopped; [`Error::CircuitOpen`] if the breaker rejected the call.
    #[inline]
    pub fn call<V, E, F>(&mut self, operation: F) -> Result<V, Error<E, K::Rejected>>
    where
        X::Time: Sleep,
        K: ClassifyAttempt<V, E>,
        F: FnMut(Attempt) -> Result<V, E>,
    {
        self.run(operation, false).result
    }

    /// The same as [`call`](Self::call), but returns an [`Outcome`]: the result with the number
    /// of attempts and the time that the call took.
    #[inline]
    pub fn execute<V, E, F>(&mut self, operation: F) -> Outcome<V, E, K::Rejected>
    where
        X::Time: Sleep,
        K: ClassifyAttempt<V, E>,
        F: FnMut(Attempt) -> Result<V, E>,
    {
        self.run(operation, true)
    }

    /// The first attempt, which is all that a success needs.
    #[inline]
    fn run<V, E, F>(&mut self, mut operation: F, timed: bool) -> Outcome<V, E, K::Rejected>
    where
        X::Time: Sleep,
        K: ClassifyAttempt<V, E>,
        F: FnMut(Attempt) -> Result<V, E>,
    {
        let Self { engine, classifier } = self;
        if FAST_PATH
            && !X::Budget::LIMITS
            && let Some(pass) = engine.breaker.admit_closed()
        {
            let mut steps = engine.begin_admitted(pass, timed || K::Hook::RUNS);
            let attempt = match steps.start() {
                Ok(attempt) => attempt,
                Err(reason) => return steps.stopped(reason, None),
            };
            return match judge(classifier, operation(attempt)) {
                Ok(value) => {
                    steps.settle_success(timed);
                    steps.outcome(Ok(value))
                }
                Err(Failed::Error(error)) => {
                    let Ok(outcome) = steps.attempts_until_end(
                        classifier,
                        Some(Failed::Error(error)),
                        operation,
                        timed,
                        wait,
                    );
                    outcome
                }
                Err(failed) => {
                    let Ok(outcome) =
                        steps.attempts_until_end(classifier, Some(failed), operation, timed, wait);
                    outcome
                }
            };
        }
        self.run_loop(operation, timed)
    }

    /// As [`run`](Self::run) by the one loop alone: behind a breaker that is not closed, and
    /// everywhere without a [`FAST_PATH`].
    #[cfg_attr(target_pointer_width = "64", cold, inline(never))]
    fn run_loop<V, E, F>(&mut self, operation: F, timed: bool) -> Outcome<V, E, K::Rejected>
    where
        X::Time: Sleep,
        K: ClassifyAttempt<V, E>,
        F: FnMut(Attempt) -> Result<V, E>,
    {
        match self.engine.begin(timed || K::Hook::RUNS) {
            Ok(steps) => {
                let Ok(outcome) =
                    steps.attempts_until_end(&mut self.classifier, None, operation, timed, wait);
                outcome
            }
            Err(rejection) => Outcome::rejected(rejection),
        }
    }

    /// As [`execute`](Self::execute), but suspends the call instead of waiting for a delay of
    /// `limit` or more, so that it can go on after a deep sleep or a reset
    /// ([`resume`](Self::resume)).
    ///
    /// ```
    /// # #[cfg(feature = "testing")] {
    /// use redress::random::NoRandom;
    /// use redress::testing::MockClock;
    /// use redress::snapshot::Progress;
    /// use redress::{policy, Backoff, Duration, ErrorClass, Instant, Policy};
    /// const NETWORK: Policy = policy! {
    ///     Policy::builder()
    ///         .deadline(Duration::from_secs(3600))
    ///         .backoff(Backoff::constant(Duration::from_secs(600)))
    /// };
    /// let clock = MockClock::new();
    /// let mut retry = NETWORK.on(&clock, NoRandom).classify(|_: &&str| ErrorClass::Transient);
    ///
    /// let limit = Duration::from_secs(10);
    /// let Progress::Suspended(call) = retry.call_or_suspend(limit, |_| Err::<(), _>("down")) else {
    ///     panic!("the delay is longer than the limit");
    /// };
    /// assert_eq!(call.wake_after, Duration::from_secs(600));
    /// // Save `call.bytes`, sleep until then. After the reset the clock begins anew:
    /// let clock = MockClock::new();
    /// let mut retry = NETWORK.on(&clock, NoRandom).classify(|_: &&str| ErrorClass::Transient);
    /// let resumed = retry.resume(&call.bytes, Instant::ZERO, Some(Duration::from_secs(600)))?;
    /// let Progress::Over(outcome) = resumed.call_or_suspend(limit, |_| Ok::<_, &str>("sent")) else {
    ///     panic!("nothing is left of the delay");
    /// };
    /// assert_eq!((outcome.result, outcome.attempts), (Ok("sent"), 2));
    /// # }
    /// # Ok::<(), redress::snapshot::SnapshotError>(())
    /// ```
    pub fn call_or_suspend<V, E, F>(
        &mut self,
        limit: Duration,
        operation: F,
    ) -> Progress<V, E, K::Rejected>
    where
        X::Time: Sleep,
        K: ClassifyAttempt<V, E>,
        F: FnMut(Attempt) -> Result<V, E>,
    {
        match self.engine.begin(true) {
            Ok(steps) => steps.run_or_suspend(&mut self.classifier, limit, operation),
            Err(rejection) => Outcome::rejected(rejection).into(),
        }
    }

    /// Wraps a function of one argument: each call of the result is a call with retries.
    ///
    /// ```
    /// # #[cfg(feature = "std")] {
    /// use redress::{policy, Backoff, Duration, ErrorClass, Policy};
    /// const QUICK: Policy = policy! {
    ///     Policy::builder().backoff(Backoff::constant(Duration::from_micros(1)))
    /// };
    /// let retry = QUICK.on_system().classify(|_: &std::num::ParseIntError| ErrorClass::Permanent);
    /// let mut parse = retry.wrap(|text: &&str| text.parse::<u8>());
    /// assert_eq!(parse(&"7"), Ok(7));
    /// assert!(parse(&"x").is_err());
    /// # }
    /// ```
    pub fn wrap<A, V, E, F>(
        mut self,
        mut function: F,
    ) -> impl FnMut(&A) -> Result<V, Error<E, K::Rejected>>
    where
        X::Time: Sleep,
        K: ClassifyAttempt<V, E>,
        F: FnMut(&A) -> Result<V, E>,
    {
        move |argument| self.call(|_| function(argument))
    }
}

impl<X: Parts<Time: Sleep>> Steps<'_, '_, X> {
    /// All that follows a first failure.
    #[inline(always)]
    fn attempts_until_end<K, V, E, F, S>(
        mut self,
        classifier: &mut K,
        mut failed: Option<Failed<E, K::Rejected>>,
        mut operation: F,
        timed: bool,
        suspend: impl Fn(&mut Self, Decision) -> Result<Option<S>, StopReason>,
    ) -> Result<Outcome<V, E, K::Rejected>, S>
    where
        K: ClassifyAttempt<V, E>,
        F: FnMut(Attempt) -> Result<V, E>,
    {
        let mut last = None;
        let (reason, failure) = 'call: loop {
            if let Some(failed) = failed.take() {
                let failure = failed.classify(classifier, X::Observer::OBSERVES);
                let failed = last.insert(failed.into_last());
                let text = failed.error().and_then(|error| classifier.text().text(error));
                let decision = self.decide(&failure, text);
                match decision {
                    Decision::Retry { after } if after.is_zero() => {}
                    Decision::Retry { after } | Decision::TooLong { after } => {
                        match suspend(&mut self, decision) {
                            Ok(Some(suspended)) => return Err(suspended),
                            Ok(None) => self.engine.time.sleep(after),
                            Err(reason) => break (reason, Some(failure)),
                        }
                    }
                    Decision::Stop(reason) => break (reason, Some(failure)),
                }
                if let Err(reason) = self.wake() {
                    break (reason, None);
                }
                if K::Hook::RUNS {
                    let context = self.retry_context();
                    let proceeds = classifier.hook().before_retry(&context, failed);
                    let late = self.wake();
                    if proceeds.is_break() {
                        break (StopReason::Aborted, None);
                    }
                    if let Err(reason) = late {
                        break (reason, None);
                    }
                }
            }
            if X::Budget::LIMITS {
                loop {
                    let decision = match self.ask_for_turn() {
                        Ok(None) => break,
                        Ok(Some(decision)) => decision,
                        Err(reason) => break 'call (reason, None),
                    };
                    match suspend(&mut self, decision) {
                        Ok(Some(suspended)) => return Err(suspended),
                        Ok(None) => self.engine.time.sleep(decision.delay()),
                        Err(reason) => break 'call (reason, None),
                    }
                    if let Err(reason) = self.wake() {
                        break 'call (reason, None);
                    }
                }
            }
            let attempt = match self.next() {
                Ok(attempt) => attempt,
                Err(reason) => break (reason, None),
            };
            match judge(classifier, operation(attempt)) {
                Ok(value) => {
                    self.settle_success(timed);
                    return Ok(self.outcome(Ok(value)));
                }
                Err(again) => failed = Some(again),
            }
        };
        let error = last.as_ref().and_then(Last::error);
        let text = error.and_then(|error| classifier.text().text(error));
        self.end(reason, failure.as_ref(), text);
        Ok(self.stopped(reason, last))
    }

    fn run_or_suspend<K, V, E, F>(
        self,
        classifier: &mut K,
        limit: Duration,
        operation: F,
    ) -> Progress<V, E, K::Rejected>
    where
        K: ClassifyAttempt<V, E>,
        F: FnMut(Attempt) -> Result<V, E>,
    {
        let suspend = |steps: &mut Self, decision| steps.suspend_from(limit, decision);
        match self.attempts_until_end(classifier, None, operation, true, suspend) {
            Ok(outcome) => outcome.into(),
            Err(suspended) => Progress::Suspended(suspended),
        }
    }
}

impl<X: Parts, K> Resumed<'_, '_, X, K> {
    /// Waits for the rest of the delay and continues as [`Retry::call_or_suspend`].
    ///
    /// If the rest is `limit` or more because the device woke too early, the call is suspended
    /// again at once. If it is not known how long nothing ran, this waits for the rest in any
    /// case, so that the call makes progress.
    pub fn call_or_suspend<V, E, F>(
        mut self,
        limit: Duration,
        operation: F,
    ) -> Progress<V, E, K::Rejected>
    where
        X::Time: Sleep,
        K: ClassifyAttempt<V, E>,
        F: FnMut(Attempt) -> Result<V, E>,
    {
        match self.rest(limit) {
            Ok(rest) if rest.is_zero() => {}
            Ok(rest) => self.steps.engine.time.sleep(rest),
            Err(suspended) => return Progress::Suspended(suspended),
        }
        if let Err(reason) = self.steps.on_wake() {
            return self.steps.stopped(reason, None).into();
        }
        self.steps.run_or_suspend(self.classifier, limit, operation)
    }
}

/// For a driver that waits for every delay that fits.
#[inline]
fn wait<X: Parts>(
    steps: &mut Steps<'_, '_, X>,
    decision: Decision,
) -> Result<Option<Infallible>, StopReason> {
    match decision {
        // The delay after a failure is noted by the call itself, a limit's wait is not.
        Decision::TooLong { after } if X::Budget::LIMITS => {
            Err(steps.call.stop_limited(after, StopReason::DeadlineExceeded))
        }
        Decision::TooLong { .. } => Err(StopReason::DeadlineExceeded),
        _ => Ok(None),
    }
}

/// Calls in method form: `operation.retry(&mut retry)`.
pub trait RetryExt<V, E>: FnMut(Attempt) -> Result<V, E> + Sized {
    /// The same as [`Retry::call`].
    ///
    /// # Errors
    ///
    /// [`Error::Exhausted`] or [`Error::CircuitOpen`], as [`Retry::call`].
    fn retry<X: Parts<Time: Sleep>, K: ClassifyAttempt<V, E>>(
        self,
        retry: &mut Retry<'_, X, K>,
    ) -> Result<V, Error<E, K::Rejected>> {
        retry.call(self)
    }
}

impl<V, E, F: FnMut(Attempt) -> Result<V, E>> RetryExt<V, E> for F {}
