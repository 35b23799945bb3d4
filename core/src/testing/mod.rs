//! For tests of code that uses redress: a clock that only you move, randomness and
//! operations from a script, an observer that remembers, and a breaker and policies that do as
//! a test says.
//!
//! `cargo add redress --dev --features testing` makes this module available to tests alone.
//!
//! Nothing here stands in for the engine. A [`Retry`](crate::Retry) takes its time, its
//! randomness, its breaker and its observers as arguments, so a test runs the real
//! decisions on parts of its own, in no time at all:
//!
//! ```
//! use redress::testing::{MockClock, Recorder, Script, ScriptedRandom};
//! use redress::{policy, Backoff, Duration, ErrorClass, EventKind, Policy};
//!
//! const UPSTREAM: Policy = policy! {
//!     Policy::builder().backoff(Backoff::full_jitter(Duration::from_secs(2), Duration::from_secs(9)))
//! };
//! let clock = MockClock::new();
//! let mut operation = Script::new([Err("busy"), Ok(21)]);
//! let mut recorder = Recorder::<8>::new();
//! let value = UPSTREAM
//!     .on(&clock, ScriptedRandom::new(&[1 << 31]))
//!     .classify(|_: &&str| ErrorClass::Transient)
//!     .observer(&mut recorder)
//!     .call(|_| operation.next());
//! assert_eq!(value, Ok(21));
//! assert_eq!(clock.elapsed(), Duration::from_secs(1));
//! assert_eq!(recorder.kinds(), [EventKind::Retry, EventKind::Success]);
//! ```
//!
//! # Fixed delays, no delays, no retries
//!
//! [`Backoff::sequence`] gives these delays, the last one again and again.
//! [`instant_retries`] and [`no_retries`] make variants of the policy you ship.
//!
//! ```
//! use redress::random::NoRandom;
//! use redress::testing::{instant_retries, no_retries, MockClock};
//! use redress::{policy, Backoff, Duration, ErrorClass, Policy};
//!
//! const STEPS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
//! const UPSTREAM: Policy =
//!     policy! { Policy::builder().max_attempts(4).backoff(Backoff::sequence(&STEPS)) };
//! /// How often it tries in vain, and how long it sleeps.
//! fn tries(policy: &Policy) -> (u32, Duration) {
//!     let clock = MockClock::new();
//!     let mut retry = policy.on(&clock, NoRandom).classify(|_: &&str| ErrorClass::Transient);
//!     let outcome = retry.execute(|_| Err::<(), _>("down"));
//!     (outcome.attempts, clock.slept())
//! }
//! assert_eq!(tries(&UPSTREAM), (4, Duration::from_secs(11)));
//! assert_eq!(tries(&instant_retries(&UPSTREAM)), (4, Duration::ZERO));
//! assert_eq!(tries(&no_retries(&UPSTREAM)), (1, Duration::ZERO));
//! ```
//!
//! # A policy that runs nothing: `FakePolicy`
//!
//! To test code without its policy, make it generic: over [`Execute`](crate::driver::Execute),
//! which a `Retry` implements, or over a function, which [`wrap`](crate::Retry::wrap) returns. A
//! [`FakePolicy`] is an `Execute`, and its [`wrap`](FakePolicy::wrap) returns a function.
//! [`exhausted`] and [`outcome`] make the answers that only the engine makes otherwise.
//!
//! ```
//! use redress::random::NoRandom;
//! use redress::testing::{exhausted, FakePolicy, MockClock};
//! use redress::{policy, Backoff, Duration, Error, ErrorClass, Policy, StopReason};
//!
//! #[derive(Clone, Debug, PartialEq)]
//! struct BusError;
//!
//! /// The code under test: the level of a tank by its number, the last one if it is late.
//! fn level(
//!     mut read: impl FnMut(&u8) -> Result<u32, Error<BusError>>,
//!     tank: u8,
//!     last: u32,
//! ) -> Result<u32, BusError> {
//!     match read(&tank) {
//!         Ok(millivolts) => Ok(millivolts / 10),
//!         Err(late) if late.stop_reason() == Some(StopReason::DeadlineExceeded) => Ok(last),
//!         Err(error) => Err(error.into_error().unwrap_or(BusError)),
//!     }
//! }
//!
//! // A preset result, then a preset error.
//! let late = exhausted(StopReason::DeadlineExceeded, ErrorClass::Transient, BusError);
//! let mut policy = FakePolicy::new([Ok(330), Err(Error::Exhausted(late))]);
//! assert_eq!(level(policy.wrap(), 1, 0), Ok(33));
//! assert_eq!(level(policy.wrap(), 1, 7), Ok(7));
//! assert_eq!(policy.calls(), 2);
//! // What the program does.
//! const SENSORS: Policy =
//!     policy! { Policy::builder().backoff(Backoff::constant(Duration::from_millis(5))) };
//! let clock = MockClock::new();
//! let retry = SENSORS.on(&clock, NoRandom).classify(|_: &BusError| ErrorClass::Transient);
//! assert_eq!(level(retry.wrap(|tank: &u8| Ok(u32::from(*tank) * 100)), 3, 0), Ok(30));
//! ```
//!
//! # A policy that remembers what it was asked: `RecordingPolicy`
//!
//! It runs each operation once, and remembers the arguments of what it wraps. Where the code
//! under test makes a `Retry` itself, an observer sees its calls: a [`Recorder`] the events and
//! attempts, a closure the names of the operations.
//!
//! ```
//! use redress::driver::Execute;
//! use redress::random::NoRandom;
//! use redress::testing::{MockClock, RecordingPolicy};
//! use redress::{Error, ErrorClass, Policy};
//!
//! /// The code under test.
//! fn total(mut read: impl FnMut(&u8) -> Result<u32, Error<()>>) -> u32 {
//!     [3, 5].iter().filter_map(|tank| read(tank).ok()).sum()
//! }
//! let mut policy = RecordingPolicy::<u8, 8>::new();
//! assert_eq!(total(policy.wrap(|tank| Ok(u32::from(*tank)))), 8);
//! assert_eq!(policy.arguments(), [3, 5]);
//!
//! /// The code under test, which makes its own operation.
//! fn greet(policy: &mut impl Execute<&'static str, ()>) -> Option<&'static str> {
//!     policy.call(|_| Ok("hello")).ok()
//! }
//! assert_eq!((greet(&mut policy), policy.calls()), (Some("hello"), 3));
//!
//! // Or with a real policy, with an observer.
//! const ONCE: Policy = Policy::once();
//! let (clock, mut names) = (MockClock::new(), Vec::new());
//! let mut retry = ONCE
//!     .on(&clock, NoRandom)
//!     .classify(|_: &()| ErrorClass::Transient)
//!     .on_event(|event| names.push(event.operation.to_owned()))
//!     .operation("read a tank");
//! assert_eq!(greet(&mut retry), Some("hello"));
//! drop(retry);
//! assert_eq!(names, ["read a tank"]);
//! ```
//!
//! # A breaker that follows a script: `FakeBreaker`
//!
//! ```
//! use core::cell::RefCell;
//! use redress::random::NoRandom;
//! use redress::testing::{FakeBreaker, MockClock};
//! use redress::breaker::CallResult;
//! use redress::{Duration, ErrorClass, Policy};
//!
//! const ONCE: Policy = Policy::once();
//! let script = [Ok(()), FakeBreaker::rejection(Duration::from_secs(7))];
//! let breaker = RefCell::new(FakeBreaker::new(&script));
//! let clock = MockClock::new();
//! let mut retry = ONCE
//!     .on(&clock, NoRandom)
//!     .classify(|_: &&str| ErrorClass::Transient)
//!     .breaker(&breaker);
//! assert!(retry.call(|_| Err::<(), _>("down")).is_err());
//! let rejected = retry.execute(|_| -> Result<(), &str> { unreachable!("it is rejected") });
//! assert_eq!(rejected.rejection().unwrap().retry_after, Some(Duration::from_secs(7)));
//! assert_eq!(breaker.borrow().results(), [CallResult::Failure(ErrorClass::Transient)]);
//! ```
//!
//! # Asynchronous code
//!
//! The same parts serve [`call_async`](crate::Retry::call_async) and
//! [`wrap_async`](crate::Retry::wrap_async): sleeping on a [`MockClock`] is over at the
//! first poll, so any executor will do. An attempt that is pending at its first poll runs into its
//! timeout at once, and the delays of two tasks add up: where operations wait, or run side by side,
//! use the mock driver of embassy-time, or tokio's paused clock.
//!
//! ```
//! use redress::random::NoRandom;
//! use redress::testing::{MockClock, Script};
//! use redress::{policy, Backoff, Duration, Error, ErrorClass, Policy};
//! # fn block_on<F: Future>(future: F) -> F::Output {
//! #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
//! #     match std::pin::pin!(future).poll(&mut context) {
//! #         std::task::Poll::Ready(output) => output,
//! #         std::task::Poll::Pending => unreachable!(),
//! #     }
//! # }
//!
//! /// The code under test.
//! async fn total(mut read: impl AsyncFnMut(&u8) -> Result<u32, Error<&'static str>>) -> u32 {
//!     read(&1).await.unwrap_or(0) + read(&2).await.unwrap_or(0)
//! }
//!
//! assert_eq!(block_on(total(async |tank: &u8| Ok(u32::from(*tank)))), 3);
//! const SENSORS: Policy =
//!     policy! { Policy::builder().backoff(Backoff::constant(Duration::from_secs(5))) };
//! let clock = MockClock::new();
//! let mut bus = Script::new([Err("busy"), Ok(21)]);
//! let retry = SENSORS.on(&clock, NoRandom).classify(|_: &&str| ErrorClass::Transient);
//! assert_eq!(block_on(total(retry.wrap_async(async |_: &u8| bus.next()))), 42);
//! assert_eq!(clock.slept(), Duration::from_secs(5));
//! ```
//!
//! To check the settings themselves, use [`assert_clean!`](crate::assert_clean).

mod clock;
mod fake_breaker;
mod fake_policy;
mod recorder;
mod recording_policy;
mod script;

pub use clock::MockClock;
pub use fake_breaker::FakeBreaker;
pub use fake_policy::FakePolicy;
pub use recorder::Recorder;
pub use recording_policy::RecordingPolicy;
pub use script::{Script, ScriptedRandom};

use crate::backoff::Backoff;
use crate::class::ErrorClass;
use crate::event::{Cause, StopReason};
use crate::outcome::{Error, Last, Outcome, RetryExhausted};
use crate::policy::Policy;
use crate::time::Duration;

/// The same policy without any delay: every strategy gives zero.
pub const fn instant_retries(policy: &Policy) -> Policy {
    policy.with_delays_of(Backoff::constant(Duration::ZERO))
}

/// The same policy with one attempt only.
pub const fn no_retries(policy: &Policy) -> Policy {
    policy.with_attempts(1)
}

/// The error of a call that stopped after one attempt, which failed with `error`: for tests of
/// code that handles it. Set other fields as needed.
pub const fn exhausted<E, V>(
    reason: StopReason,
    class: ErrorClass,
    error: E,
) -> RetryExhausted<E, V> {
    RetryExhausted {
        stop_reason: reason,
        attempts: 1,
        last_class: Some(class),
        cause: Some(Cause::Exception),
        last: Some(Last::Error(error)),
        next_sleep: None,
    }
}

/// The outcome of a call that took no time and ended in `result`. Its attempts are 1 for a value,
/// 0 for a rejection, and the error's own number if retrying stopped. Set other fields as needed.
///
/// ```
/// use redress::testing::{exhausted, outcome};
/// use redress::{Duration, Error, ErrorClass, Outcome, StopReason};
/// /// The code under test.
/// fn line(outcome: &Outcome<u8, &str>) -> String {
///     match &outcome.result {
///         Ok(value) => format!("{value} at attempt {}", outcome.attempts),
///         Err(error) => format!("{error:#}, {} waited", outcome.elapsed),
///     }
/// }
/// assert_eq!(line(&outcome(Ok(7))), "7 at attempt 1");
/// let mut stopped = exhausted(StopReason::BudgetExhausted, ErrorClass::RateLimit, "slow down");
/// stopped.attempts = 3;
/// let mut failed = outcome(Err(Error::Exhausted(stopped)));
/// failed.elapsed = Duration::from_secs(2);
/// assert_eq!(
///     line(&failed),
///     "BUDGET_EXHAUSTED after 3 attempts, last RATE_LIMIT: slow down, 2s waited"
/// );
/// ```
pub fn outcome<T, E, V>(result: Result<T, Error<E, V>>) -> Outcome<T, E, V> {
    let attempts = match &result {
        Ok(_) => 1,
        Err(Error::Exhausted(stopped)) => stopped.attempts,
        Err(Error::CircuitOpen(_)) => 0,
    };
    Outcome { result, attempts, elapsed: Duration::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backed_off(policy: &Policy, clock: &MockClock) -> u32 {
        let mut retry =
            policy.on(clock, ScriptedRandom::new(&[])).classify(|(): &()| ErrorClass::Transient);
        retry.execute(|_| Err::<(), ()>(())).attempts
    }

    #[test]
    fn instant_and_no_retry_policies_change_only_that() {
        let policy = Policy::builder()
            .max_attempts(4)
            .backoff(Backoff::constant(Duration::from_secs(1)))
            .backoff_for(ErrorClass::Transient, Backoff::constant(Duration::from_secs(2)))
            .build()
            .unwrap();
        let clock = MockClock::new();
        assert_eq!((backed_off(&policy, &clock), clock.slept()), (4, Duration::from_secs(6)));
        let clock = MockClock::new();
        let instant = instant_retries(&policy);
        assert_eq!((backed_off(&instant, &clock), clock.slept()), (4, Duration::ZERO));
        let clock = MockClock::new();
        assert_eq!(backed_off(&no_retries(&policy), &clock), 1);
    }

    #[test]
    fn an_outcome_has_the_attempts_of_its_result() {
        let rejected = FakeBreaker::rejection(Duration::from_secs(1)).unwrap_err();
        let rejected = outcome::<(), (), ()>(Err(rejected.into()));
        assert_eq!((rejected.attempts, outcome::<_, (), ()>(Ok(7)).attempts), (0, 1));
        let mut stopped = exhausted::<_, ()>(StopReason::Aborted, ErrorClass::Unknown, "late");
        stopped.attempts = 5;
        let stopped = outcome::<(), _, _>(Err(Error::Exhausted(stopped)));
        assert_eq!((stopped.attempts, stopped.last_class()), (5, Some(ErrorClass::Unknown)));
        assert_eq!(stopped.result.unwrap_err().into_error(), Some("late"));
    }
}
