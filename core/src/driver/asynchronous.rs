//! The asynchronous driver: awaits an operation under its timeout, awaits the delay, tries again.
//! It runs on any executor.

use core::future::Future;
use core::ops::ControlFlow;
use core::pin::pin;
use core::task::Poll;

use crate::budget::Pool;
use crate::call::{Attempt, Call, Decision};
use crate::classify::{ClassifyAttempt, ErrorText, Hook};
use crate::config::Settings;
use crate::driver::failure::{Failed, judge};
use crate::driver::retry::Retry;
use crate::driver::suspend::{Progress, Resumed};
use crate::driver::{Control, Parts};
use crate::event::{Observers, StopReason};
use crate::outcome::{Error, Last, Outcome};
use crate::time::{Clock, Duration, Timer};

/// A whole call by the one loop of this driver.
macro_rules! drive {
    ($retry:expr, $operation:expr, $timed:expr $(, $limit:expr)?) => {{
        let mut steps = match $retry.engine.begin($timed || K::Hook::RUNS) {
            Ok(steps) => steps,
            Err(rejection) => return Outcome::rejected(rejection).into(),
        };
        walk!(steps, $retry.classifier, $operation, $timed $(, $limit)?)
    }};
}

/// Awaits a future for as long as `$left` says; `None` if that time is over.
///
/// The future is polled first: a result that is there wins over a limit that is due. The
/// timer is made when the future is not ready at once, and not at all without a limit.
// A macro, because a function would store both arguments twice. The time left is computed
// when the timer is made, because a stored span would enlarge the future.
macro_rules! limited {
    ($steps:ident, $left:expr, $future:expr, $may_end:expr) => {{
        let (call, policy) = (&$steps.call, $steps.policy.clone());
        let mut time = Some(&mut $steps.engine.time);
        let (mut future, mut timer) = (pin!($future), pin!(None));
        core::future::poll_fn(move |context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            if const { !$may_end } {
                return Poll::Pending;
            }
            if let Some(time) = time.take() {
                let left = $left(call, policy.settings(), time.now());
                if !left.is_endless() {
                    timer.set(Some(time.sleep(left)));
                }
            }
            match timer.as_mut().as_pin_mut() {
                Some(timer) => timer.poll(context).map(|()| None),
                None => Poll::Pending,
            }
        })
        .await
    }};
}

/// Awaits a delay. One of zero lets other tasks of the executor run once: attempts without a
/// delay between them would otherwise keep them from it, an outer time-out among them.
// One `await` for both cases: two would compile the rest of the loop twice.
macro_rules! pause {
    ($steps:ident, $delay:expr) => {{
        let delay = $delay;
        let is_zero = delay.as_micros() == 0 || const { !may_delay::<X>() };
        let mut timer = pin!(if is_zero { None } else { Some($steps.engine.time.sleep(delay)) });
        let mut has_yielded = false;
        core::future::poll_fn(move |context| match timer.as_mut().as_pin_mut() {
            Some(timer) if const { may_delay::<X>() } => timer.poll(context),
            _ if has_yielded => Poll::Ready(()),
            _ => {
                has_yielded = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await
    }};
}

/// Waits until a rate limiter may be asked again.
macro_rules! limiter_wait {
    ($steps:ident, $wait:expr) => {{
        let mut timer = pin!($steps.engine.time.sleep($wait));
        core::future::poll_fn(|context| {
            if const { !X::Budget::LIMITS } {
                return Poll::Ready(());
            }
            timer.as_mut().poll(context)
        })
        .await
    }};
}

// The states of a future are fixed before the compiler knows the policy, so the code that resumes
// each of them stays in the image. Where it would poll a timer, these constants leave that out.

/// Whether an attempt or a hook may have a limit.
const fn may_limit<X: Parts>() -> bool {
    X::Control::HAS_DEADLINE
        || match X::Policy::KNOWN {
            Some(policy) => policy.is_timed(),
            None => true,
        }
}

/// Whether a retry may have a delay: no timer for one is in the image where the compiler knows
/// that none has.
const fn may_delay<X: Parts>() -> bool {
    match X::Policy::KNOWN {
        Some(policy) => policy.may_delay(),
        None => true,
    }
}

/// The one loop of this driver, for both forms of an operation; with a limit, a delay from
/// that length on suspends the call.
macro_rules! walk {
    ($steps:ident, $classifier:expr, $operation:expr, $timed:expr $(, $limit:expr)?) => {{
        let mut last = None;
        // Blocks, so that nothing is stored for the length of an attempt or a delay but
        // what is needed after it.
        let (reason, failure) = 'call: loop {
            let delay = {
                let result = {
                    while X::Budget::LIMITS {
                        let decision = match $steps.ask_for_turn() {
                            Ok(None) => break,
                            Ok(Some(decision)) => decision,
                            Err(reason) => break 'call (reason, None),
                        };
                        $(
                            match $steps.suspend_from($limit, decision) {
                                Ok(Some(suspended)) => return Progress::Suspended(suspended),
                                Ok(None) => {}
                                Err(reason) => break 'call (reason, None),
                            }
                        )?
                        let wait = match decision {
                            Decision::TooLong { after } => {
                                let reason = StopReason::DeadlineExceeded;
                                break 'call ($steps.call.stop_limited(after, reason), None);
                            }
                            decision => decision.delay(),
                        };
                        limiter_wait!($steps, wait);
                        if let Err(reason) = $steps.wake() {
                            break 'call (reason, None);
                        }
                    }
                    let attempt = match $steps.next() {
                        Ok(attempt) => attempt,
                        Err(reason) => break (reason, None),
                    };
                    if $steps.is_unlimited() {
                        Some($operation(attempt).await)
                    } else {
                        limited!(
                            $steps,
                            Call::attempt_left,
                            $operation(attempt),
                            may_limit::<X>()
                        )
                    }
                };
                let judged = match result {
                    Some(result) => judge(&mut $classifier, result),
                    None => Err(Failed::Timeout),
                };
                match judged {
                    Ok(value) => {
                        $steps.settle_success($timed);
                        return $steps.outcome(Ok(value)).into();
                    }
                    Err(failed) => {
                        let failure = failed.classify(&mut $classifier, X::Observer::OBSERVES);
                        let failed = last.insert(failed.into_last());
                        let text =
                            failed.error().and_then(|error| $classifier.text().text(error));
                        let decision = $steps.decide(&failure, text);
                        $(
                            match $steps.suspend_from($limit, decision) {
                                Ok(Some(suspended)) => return Progress::Suspended(suspended),
                                Ok(None) => {}
                                Err(reason) => break (reason, Some(failure)),
                            }
                        )?
                        match decision {
                            Decision::Retry { after } => after,
                            Decision::TooLong { .. } => {
                                break (StopReason::DeadlineExceeded, Some(failure));
                            }
                            Decision::Stop(reason) => break (reason, Some(failure)),
                        }
                    }
                }
            };
            pause!($steps, delay);
            if let Err(reason) = $steps.wake() {
                break (reason, None);
            }
            if K::Hook::RUNS
                && let Some(last) = &last
            {
                let context = $steps.retry_context();
                let hook = $classifier.hook().before_retry_async(&context, last);
                let proceeds = limited!(
                    $steps,
                    Call::hook_left,
                    hook,
                    K::Hook::RUNS && may_limit::<X>()
                );
                let late = $steps.wake();
                match proceeds {
                    Some(ControlFlow::Continue(())) => {}
                    Some(ControlFlow::Break(())) => break (StopReason::Aborted, None),
                    None => break (StopReason::DeadlineExceeded, None),
                }
                if let Err(reason) = late {
                    break (reason, None);
                }
            }
        };
        let error = last.as_ref().and_then(Last::error);
        let text = error.and_then(|error| $classifier.text().text(error));
        $steps.end(reason, failure.as_ref(), text);
        $steps.stopped(reason, last).into()
    }};
}

#[expect(
    clippy::manual_async_fn,
    reason = "an `async fn` stores its arguments twice, what is captured is stored once"
)]
impl<X: Parts, K> Retry<'_, X, K> {
    /// Runs `operation` until it succeeds or the policy stops it.
    ///
    /// Takes an `async |attempt| ..` closure that may borrow mutably from its surroundings, a
    /// sensor behind `&mut` for instance. For a future that is spawned on a multi-threaded
    /// runtime use [`call_future`](Self::call_future).
    ///
    /// An attempt that exceeds its timeout is dropped and counts as TRANSIENT. An attempt that is
    /// in flight at the deadline is dropped, too, and the call ends with
    /// [`StopReason::DeadlineExceeded`]. No timer is created if the operation is ready
    /// at the first poll. With a delay of zero the call yields once to the executor between two
    /// attempts.
    ///
    /// Dropping the returned future cancels the call. The breaker then counts nothing, a probe
    /// frees its slot in a half-open breaker, and the observer is notified of `aborted`.
    ///
    /// # Errors
    ///
    /// [`Error::Exhausted`] or [`Error::CircuitOpen`], as [`call`](Self::call).
    #[inline]
    pub fn call_async<V, E, F>(
        &mut self,
        mut operation: F,
    ) -> impl Future<Output = Result<V, Error<E, K::Rejected>>>
    where
        X::Time: Timer,
        K: ClassifyAttempt<V, E>,
        F: AsyncFnMut(Attempt) -> Result<V, E>,
    {
        async move { drive!(self, operation, false) }
    }

    /// The same as [`call_async`](Self::call_async), but returns an [`Outcome`]: the result with
    /// the number of attempts and the time that the call took.
    #[inline]
    pub fn execute_async<V, E, F>(
        &mut self,
        mut operation: F,
    ) -> impl Future<Output = Outcome<V, E, K::Rejected>>
    where
        X::Time: Timer,
        K: ClassifyAttempt<V, E>,
        F: AsyncFnMut(Attempt) -> Result<V, E>,
    {
        async move { drive!(self, operation, true) }
    }

    /// As [`execute_async`](Self::execute_async), but suspends the call instead of waiting for a
    /// delay of `limit` or more, so that it can go on after a deep sleep or a reset; see
    /// [`call_or_suspend`](Self::call_or_suspend).
    #[inline]
    pub fn call_or_suspend_async<V, E, F>(
        &mut self,
        limit: Duration,
        mut operation: F,
    ) -> impl Future<Output = Progress<V, E, K::Rejected>>
    where
        X::Time: Timer,
        K: ClassifyAttempt<V, E>,
        F: AsyncFnMut(Attempt) -> Result<V, E>,
    {
        async move { drive!(self, operation, true, limit) }
    }

    /// Wraps an asynchronous function of one argument: each call of the result is a call with
    /// retries.
    ///
    /// ```
    /// # #[cfg(feature = "testing")] {
    /// use redress::testing::MockClock;
    /// use redress::{policy, Backoff, Duration, ErrorClass, Policy};
    /// # fn block_on<F: Future>(future: F) -> F::Output {
    /// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// #     match std::pin::pin!(future).poll(&mut context) {
    /// #         std::task::Poll::Ready(output) => output,
    /// #         std::task::Poll::Pending => unreachable!(),
    /// #     }
    /// # }
    /// const QUICK: Policy =
    ///     policy! { Policy::builder().backoff(Backoff::constant(Duration::from_millis(1))) };
    /// let clock = MockClock::new();
    /// let mut parse = QUICK
    ///     .on(&clock, redress::random::NoRandom)
    ///     .classify(|_: &std::num::ParseIntError| ErrorClass::Permanent)
    ///     .wrap_async(async |text: &&str| text.parse::<u8>());
    /// assert_eq!(block_on(parse(&"7")), Ok(7));
    /// assert!(block_on(parse(&"x")).is_err());
    /// # }
    /// ```
    pub fn wrap_async<A, V, E, F>(
        mut self,
        mut function: F,
    ) -> impl AsyncFnMut(&A) -> Result<V, Error<E, K::Rejected>>
    where
        X::Time: Timer,
        K: ClassifyAttempt<V, E>,
        F: AsyncFnMut(&A) -> Result<V, E>,
    {
        async move |argument: &A| self.call_async(async |_| function(argument).await).await
    }

    /// The same as [`call_async`](Self::call_async) for an operation that returns a future,
    /// `|attempt| async move { .. }`. The compiler can then see that the returned future is
    /// `Send`, so it can be spawned on a multi-threaded runtime.
    ///
    /// # Errors
    ///
    /// [`Error::Exhausted`] or [`Error::CircuitOpen`], as [`call`](Self::call).
    #[inline]
    pub fn call_future<V, E, F, A>(
        &mut self,
        mut operation: F,
    ) -> impl Future<Output = Result<V, Error<E, K::Rejected>>>
    where
        X::Time: Timer,
        K: ClassifyAttempt<V, E>,
        F: FnMut(Attempt) -> A,
        A: Future<Output = Result<V, E>>,
    {
        async move { drive!(self, operation, false) }
    }

    /// The same as [`call_future`](Self::call_future), but returns an [`Outcome`]: the result
    /// with the number of attempts and the time that the call took.
    #[inline]
    pub fn execute_future<V, E, F, A>(
        &mut self,
        mut operation: F,
    ) -> impl Future<Output = Outcome<V, E, K::Rejected>>
    where
        X::Time: Timer,
        K: ClassifyAttempt<V, E>,
        F: FnMut(Attempt) -> A,
        A: Future<Output = Result<V, E>>,
    {
        async move { drive!(self, operation, true) }
    }
}

impl<X: Parts, K> Resumed<'_, '_, X, K> {
    /// As [`call_or_suspend`](Self::call_or_suspend), asynchronously.
    pub async fn call_or_suspend_async<V, E, F>(
        mut self,
        limit: Duration,
        mut operation: F,
    ) -> Progress<V, E, K::Rejected>
    where
        X::Time: Timer,
        K: ClassifyAttempt<V, E>,
        F: AsyncFnMut(Attempt) -> Result<V, E>,
    {
        match self.rest(limit) {
            Ok(rest) if rest.is_zero() => {}
            Ok(rest) => self.steps.engine.time.sleep(rest).await,
            Err(suspended) => return Progress::Suspended(suspended),
        }
        let Self { mut steps, classifier, .. } = self;
        if let Err(reason) = steps.on_wake() {
            return steps.stopped(reason, None).into();
        }
        walk!(steps, *classifier, operation, true, limit)
    }
}

/// Calls in method form: `operation.retry_async(&mut retry).await`.
pub trait RetryAsyncExt<V, E>: AsyncFnMut(Attempt) -> Result<V, E> + Sized {
    /// The same as [`Retry::call_async`].
    fn retry_async<X: Parts<Time: Timer>, K: ClassifyAttempt<V, E>>(
        self,
        retry: &mut Retry<'_, X, K>,
    ) -> impl Future<Output = Result<V, Error<E, K::Rejected>>> {
        retry.call_async(self)
    }
}

impl<V, E, F: AsyncFnMut(Attempt) -> Result<V, E>> RetryAsyncExt<V, E> for F {}
