//! The blocking driver: runs an operation, sleeps on the spot, tries again.

use crate::budget::Pool;
use crate::call::{Attempt, Decision};
use crate::classifier::Classify;
use crate::control::Control;
use crate::gate::Gate;
use crate::outcome::{Error, Outcome};
use crate::random::Draw;
use crate::retry::Retry;
use crate::steps::{Failed, Steps};
use crate::{Clock, Duration, Observer};

/// A clock that can also wait, blocking.
pub trait Sleep: Clock {
    /// Waits for `span`; a little longer does no harm. Never called with zero.
    fn sleep(&mut self, span: Duration);
}

impl<S: Sleep + ?Sized> Sleep for &mut S {
    fn sleep(&mut self, span: Duration) {
        (**self).sleep(span);
    }
}

impl<'a, T, R, K, B, U, O, H> Retry<'a, T, R, K, B, U, O, H>
where
    T: Sleep,
    R: Draw,
    B: Gate,
    U: Pool,
    O: Observer,
    H: Control,
{
    /// Runs `operation` until it succeeds or the policy stops it.
    ///
    /// Nothing can end a blocking attempt: the operation is told how long it may
    /// take ([`Attempt::timeout`]) and must keep to it. A failure after that time
    /// is TRANSIENT; a late success is a success. A panic cancels the call.
    ///
    /// # Errors
    ///
    /// [`Error::Exhausted`] with the operation's own error, by value, and the
    /// reason; [`Error::CircuitOpen`] if the breaker rejected the call.
    #[inline]
    pub fn call<V, E, F>(&mut self, operation: F) -> Result<V, Error<V, E>>
    where
        K: Classify<V, E>,
        F: FnMut(Attempt) -> Result<V, E>,
    {
        self.run(operation, false).result
    }

    /// The same as [`call`](Self::call), with everything there is to know of it.
    #[inline]
    pub fn execute<V, E, F>(&mut self, operation: F) -> Outcome<V, E>
    where
        K: Classify<V, E>,
        F: FnMut(Attempt) -> Result<V, E>,
    {
        self.run(operation, true)
    }

    /// The first attempt, which is all that a success needs; the rest is kept out
    /// of line, so that callers inline little.
    #[inline]
    fn run<V, E, F>(&mut self, mut operation: F, timed: bool) -> Outcome<V, E>
    where
        K: Classify<V, E>,
        F: FnMut(Attempt) -> Result<V, E>,
    {
        let mut steps = match self.enter(timed) {
            Ok(steps) => steps,
            Err(rejection) => return Outcome::rejected(rejection),
        };
        let attempt = match steps.start() {
            Ok(attempt) => attempt,
            Err(reason) => return Outcome::stopped(&steps, reason, None),
        };
        match steps.judge(operation(attempt)) {
            Ok(value) => {
                steps.settle_success(timed);
                Outcome::of(&steps, Ok(value))
            }
            Err(failed) => steps.run_on(failed, operation, timed),
        }
    }

    /// Wraps a function of one argument once, for many calls.
    ///
    /// ```
    /// # #[cfg(feature = "std")] {
    /// use redress::{Backoff, Duration, ErrorClass, Policy, policy};
    /// const QUICK: Policy = policy! {
    ///     Policy::new().backoff(Backoff::constant(Duration::from_micros(1)))
    /// };
    /// let retry = QUICK.on_system().classify(|_: &std::num::ParseIntError| ErrorClass::Permanent);
    /// let mut parse = retry.wrap(|text: &&str| text.parse::<u8>());
    /// assert_eq!(parse(&"7"), Ok(7));
    /// assert!(parse(&"x").is_err());
    /// # }
    /// ```
    pub fn wrap<A, V, E, F>(mut self, mut function: F) -> impl FnMut(&A) -> Result<V, Error<V, E>>
    where
        K: Classify<V, E>,
        F: FnMut(&A) -> Result<V, E>,
    {
        move |argument| self.call(|_| function(argument))
    }
}

impl<T, R, K, B, U, O, H> Steps<'_, '_, T, R, K, B, U, O, H>
where
    T: Sleep,
    R: Draw,
    B: Gate,
    U: Pool,
    O: Observer,
    H: Control,
{
    /// All that follows a first failure.
    ///
    /// On hosts it stays out of line, where it would burden the first attempt with its
    /// registers. In a small image it had better be inlined: only then does the
    /// compiler see the constants of a policy and leave out what it does not use.
    #[cfg_attr(target_pointer_width = "64", cold, inline(never))]
    fn run_on<V, E, F>(
        mut self,
        first: Failed<V, E>,
        mut operation: F,
        timed: bool,
    ) -> Outcome<V, E>
    where
        K: Classify<V, E>,
        F: FnMut(Attempt) -> Result<V, E>,
    {
        let mut failed = first;
        loop {
            let after = match self.decide(&failed) {
                Decision::Retry { after } => after,
                Decision::Stop(reason) => {
                    return Outcome::stopped(&self, reason, Some(failed.last));
                }
            };
            if !after.is_zero() {
                self.retry.time.sleep(after);
            }
            let attempt = match self.woke().and_then(|()| self.start()) {
                Ok(attempt) => attempt,
                Err(reason) => return Outcome::stopped(&self, reason, Some(failed.last)),
            };
            match self.judge(operation(attempt)) {
                Ok(value) => {
                    self.settle_success(timed);
                    return Outcome::of(&self, Ok(value));
                }
                Err(again) => failed = again,
            }
        }
    }
}

/// `operation.retry(&mut retry)`, for those who read it better that way round.
pub trait RetryExt<V, E>: FnMut(Attempt) -> Result<V, E> + Sized {
    /// The same as [`Retry::call`].
    ///
    /// # Errors
    ///
    /// As there.
    fn retry<T, R, K, B, U, O, H>(
        self,
        retry: &mut Retry<'_, T, R, K, B, U, O, H>,
    ) -> Result<V, Error<V, E>>
    where
        T: Sleep,
        R: Draw,
        K: Classify<V, E>,
        B: Gate,
        U: Pool,
        O: Observer,
        H: Control,
    {
        retry.call(self)
    }
}

impl<V, E, F: FnMut(Attempt) -> Result<V, E>> RetryExt<V, E> for F {}
