//! Connections that stay: connect, run until the connection breaks, connect again.
//!
//! A call of a [`Retry`] ends with its first success, so a peer that accepts a connection and
//! drops it would be asked again at once, as each connect was a success. A [`Session`] looks at what
//! comes after: attempts are *one series* until a connection has been up for
//! [`healthy_after`](SessionConfig::healthy_after). Until then the backoff goes on where it was; after
//! it a new series begins.
//!
//! | what | limits |
//! | --- | --- |
//! | attempt timeout, deadline | the time in which connections are made. The time that one is up is not part of it |
//! | attempts, limits by class, budget, rate limiter | the connects of one series |
//! | breaker | a series: it succeeds once a connection is healthy |
//!
//! What a policy stops (attempts used up, the deadline, the budget, an isolated breaker) ends the
//! series, and the session goes on after a [`pause`](SessionConfig::pause). A class that is never
//! retried (AUTH, PERMISSION, PERMANENT), a class without a strategy, and an abort end the session.
//! While the breaker is open the session waits for it.
//!
//! ```
//! # #[cfg(feature = "testing")] {
//! use redress::random::NoRandom;
//! use redress::session::SessionConfig;
//! use redress::testing::MockClock;
//! use redress::{Backoff, Duration, ErrorClass, Policy, policy};
//!
//! const LINK: Policy = policy! {
//!     Policy::builder()
//!         .attempt_timeout(Duration::from_secs(5))
//!         .backoff(Backoff::exponential(Duration::from_secs(1), Duration::from_secs(60)))
//! };
//! let clock = MockClock::new();
//! let mut retry = LINK.on(&clock, NoRandom).classify(|_: &&str| ErrorClass::Transient);
//! let mut connects = 0;
//! let end = retry.session(SessionConfig::new()).run(|attempt, link| {
//!     connects += 1;
//!     link.up();
//!     // The peer drops the connection at once, four times.
//!     if connects <= 4 { Err("dropped") } else { Ok(attempt.number) }
//! });
//! assert_eq!(end, Ok(5));
//! // The backoff went on: 1 + 2 + 4 + 8 seconds.
//! assert_eq!(clock.elapsed(), Duration::from_secs(15));
//! # }
//! ```
//!
//! With an asynchronous clock it is [`Session::run_async`]; step by step, for bare loops and
//! schedulers of your own, [`Retry::session_steps`].

mod asynchronous;
mod blocking;
mod config;
mod steps;

pub use asynchronous::Link;
pub use blocking::BlockingLink;
pub use config::SessionConfig;
pub use steps::{SessionState, SessionStep, SessionSteps};

use core::fmt;

use crate::classify::{ClassifyAttempt, ErrorText};
use crate::driver::failure::{Failed, judge};
use crate::driver::{Parts, Retry};
use crate::event::{Observers, StopReason};
use crate::outcome::{Error, Last};

/// A connection that is made again whenever it breaks; see [the module](self).
///
/// [`Retry::session`] makes it. Dropping it, or the future of [`run_async`](Self::run_async), cancels
/// the connect that runs.
pub struct Session<'r, 'a, X: Parts, K, S = fn(SessionState)> {
    pub(crate) steps: SessionSteps<'r, 'a, X>,
    classifier: &'r mut K,
    on_state: S,
}

impl<'a, X: Parts, K> Retry<'a, X, K> {
    /// A session with this policy, breaker, budget and observer.
    pub fn session(&mut self, config: SessionConfig) -> Session<'_, 'a, X, K> {
        let Self { engine, classifier } = self;
        Session { steps: SessionSteps::new(engine, config), classifier, on_state: |_| {} }
    }

    /// A session that you run step by step.
    pub fn session_steps(&mut self, config: SessionConfig) -> SessionSteps<'_, 'a, X> {
        SessionSteps::new(&mut self.engine, config)
    }
}

impl<'r, 'a, X: Parts, K, S: FnMut(SessionState)> Session<'r, 'a, X, K, S> {
    /// Calls `on_state` whenever the state changes: for a display, a lamp, a signal to other tasks.
    pub fn on_state<N: FnMut(SessionState)>(self, on_state: N) -> Session<'r, 'a, X, K, N> {
        let Self { steps, classifier, .. } = self;
        Session { steps, classifier, on_state }
    }

    /// Reports the state.
    fn report(&mut self) {
        (self.on_state)(self.steps.state());
    }

    /// What an operation returned: the value that ends the session, or nothing, and then what
    /// follows is decided.
    fn ended<V, E>(
        &mut self,
        result: Option<Result<V, E>>,
        last: &mut Option<Last<E, K::Rejected>>,
    ) -> Option<V>
    where
        K: ClassifyAttempt<V, E>,
    {
        let failed = match result.map(|result| judge(self.classifier, result)) {
            Some(Ok(value)) => {
                self.steps.succeed();
                return Some(value);
            }
            Some(Err(failed)) => failed,
            None => Failed::Timeout,
        };
        let failure = failed.classify(self.classifier, X::Observer::OBSERVES);
        let failed = last.insert(failed.into_last());
        let text = failed.error().and_then(|error| self.classifier.text().text(error));
        self.steps.failed(&failure, text);
        None
    }

    /// The error of a session that ended.
    fn error<E, R>(&self, reason: StopReason, last: Option<Last<E, R>>) -> Error<E, R> {
        self.steps.error(reason, last)
    }
}

impl<X: Parts, K, S> fmt::Debug for Session<'_, '_, X, K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("steps", &self.steps).finish_non_exhaustive()
    }
}
