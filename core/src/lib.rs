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
//!     Policy::new()
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

mod adaptive;
mod asynchronous;
mod backoff;
mod blocking;
mod breaker;
mod budget;
mod by_hand;
mod call;
mod class;
mod classifier;
pub mod classify;
mod config_error;
mod control;
mod event;
mod failure;
mod gate;
#[cfg(any(feature = "embedded-hal", feature = "embedded-hal-async"))]
mod hal;
#[cfg(feature = "std")]
mod host;
mod keyed;
pub mod lint;
mod notify;
mod outcome;
mod policy;
pub mod random;
mod reach;
mod retry;
mod settings;
mod shared;
mod snapshot;
mod steps;
mod suspend;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod time;
mod timeline;
mod window;

pub use adaptive::{Adaptive, AdaptiveConfig, Memory};
pub use asynchronous::{RetryAsyncExt, Timer};
pub use backoff::{Backoff, BackoffContext, Strategy};
pub use blocking::{RetryExt, Sleep};
pub use breaker::{Admitted, Breaker, BreakerConfig, CallResult, CircuitOpen, Permit};
pub use budget::{
    Acquire, Budget, Cost, Limit, Limited, LimiterConfig, NotBefore, Pool, RateLimiter,
    RatioBudget, RatioConfig, RollingBudget, RollingConfig, Turn, WhenLimited, Withdraw,
};
pub use call::{Attempt, Call, Decision};
pub use class::{ClassSet, Classification, ErrorClass};
pub use classifier::{
    BeforeRetry, BeforeRetryAsync, ByDescription, ByError, ByValue, Classify, Verdict,
};
pub use config_error::ConfigError;
pub use control::{AbortIf, BeforeSleep, Control, SleepDecision, SleepHandler, Within};
pub use event::{
    AttemptContext, AttemptDecision, Cause, CircuitState, Event, EventKind, Observer, OnEvent,
    StopReason,
};
pub use gate::{ByHand, Circuit, Gate};
#[cfg(any(feature = "embedded-hal", feature = "embedded-hal-async"))]
pub use hal::WithDelay;
#[cfg(feature = "std")]
#[cfg_attr(
    all(target_family = "wasm", target_os = "unknown"),
    expect(deprecated, reason = "the names are there, and say what to use")
)]
pub use host::{RetryPolicy, SystemRandom, SystemTime};
pub use keyed::{ByKey, Entry, Keyed, by_key};
pub use outcome::{Error, Last, Outcome, RetryExhausted};
pub use policy::{LongDelay, Policy, RetryConfig};
pub use retry::Retry;
pub use settings::{Fixed, Settings};
pub use shared::Shared;
pub use snapshot::{Restored, Snapshot, SnapshotError};
pub use steps::Steps;
pub use suspend::{Progress, Resumed, Suspended};
pub use time::{Clock, Duration, FnClock, Instant, Widened};
pub use timeline::{Timeline, TimelineEntry};
pub use window::{
    FailureRule, FailureTimes, LastOutcomes, Observation, OutcomeRule, SliceRule, Stopwatch,
    TimeSlices, Window,
};

/// The snippets of the crate's README run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeSnippets;
