//! Failure handling as policy: say what each class of failure deserves, and let
//! one engine decide which backoff, how long, how often, by which deadline, out of
//! which shared budget and behind which circuit breaker.
//!
//! The engine is `no_std`, allocates nothing, contains no unsafe code and does not
//! panic. Time and randomness are arguments, so it runs unchanged on a Cortex-M0,
//! on a server and in a browser, and in a test with a mock clock.
//!
//! ```
//! # #[cfg(feature = "std")] {
//! use redress::{Backoff, Duration, ErrorClass, Policy, policy};
//!
//! const SLOW: Backoff = Backoff::equal_jitter(Duration::from_secs(1), Duration::from_secs(30));
//! const UPSTREAM: Policy = policy! {
//!     Policy::builder()
//!         .max_attempts(6)
//!         .deadline(Duration::from_secs(60))
//!         .backoff(Backoff::decorrelated_jitter(Duration::from_millis(250), Duration::from_secs(5)))
//!         .backoff_for(ErrorClass::RateLimit, Backoff::retry_after_or(&SLOW, Duration::from_millis(250)))
//! };
//!
//! let outcome = UPSTREAM
//!     .on_system()
//!     .operation("read the sensor")
//!     .execute(|attempt| if attempt.number == 1 { Ok::<_, std::io::Error>(21) } else { Ok(0) });
//! assert_eq!((outcome.result.unwrap(), outcome.attempts), (21, 1));
//! # }
//! ```
//!
//! # The rooms
//!
//! | module | what it is about |
//! | --- | --- |
//! | `time` | [`Instant`], [`Duration`], [`Clock`]; [`Widened`], a clock out of a counter that wraps |
//! | `class` | [`ErrorClass`], [`ClassSet`], [`Classification`] |
//! | [`classify`] | the tables: HTTP and its limits, gRPC, databases, brokers, AWS, `std::io`, codes of systems, the web, cancellations |
//! | [`random`] | [`Draw`](random::Draw): randomness as an argument |
//! | `backoff`, `adaptive` | [`Backoff`] and the strategies |
//! | `policy` | [`Policy`]: what each class deserves |
//! | `call` | [`Call`]: the decisions of one call |
//! | `breaker`, `window` | [`Breaker`] and what it counts |
//! | `budget` | [`RollingBudget`], [`RatioBudget`]; [`RateLimiter`] |
//! | `keyed` | [`Keyed`]: breakers and budgets by host or device |
//! | `retry`, `steps`, `failure`, `blocking`, `asynchronous` | [`Retry`] and its drivers |
//! | `event`, `timeline` | [`Observer`], [`Event`], [`Timeline`] |
//! | `snapshot`, `suspend` | state that survives a restart; [`Suspended`], a call that does |
//! | [`lint`] | what is suspicious in a policy, a breaker, a budget, and in all of them together |

#![no_std]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "std"))]
extern crate std;

mod call;
mod class;
mod outcome;
mod policy;
mod shared;

pub mod backoff;
pub mod breaker;
pub mod budget;
pub mod classify;
pub mod config;
pub mod driver;
pub mod event;
pub mod keyed;
pub mod lint;
pub mod random;
pub mod snapshot;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod time;

pub use backoff::Backoff;
pub use breaker::{Breaker, BreakerConfig, CircuitOpen};
pub use budget::{RateLimiter, RatioBudget, RollingBudget};
pub use call::Attempt;
pub use class::{Classification, ErrorClass};
pub use driver::Retry;
pub use event::{Event, EventKind, Observer, StopReason};
pub use keyed::{Keyed, by_key};
pub use outcome::{Error, Last, Outcome, RetryExhausted};
pub use policy::Policy;
pub use shared::Shared;
pub use time::{Clock, Duration, Instant};

/// The snippets of the crate's README run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeSnippets;
