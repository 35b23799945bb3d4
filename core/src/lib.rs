#![cfg_attr(feature = "std", doc = include_str!("../README.md"))]
//! # The guide
//!
//! [`guide`](https://docs.rs/redress/latest/redress/guide) explains one idea on each page: how to start, classes, backoff,
//! deadlines, budgets, breakers, and what to check before production.
//!
//! # The modules
//!
//! From the ground up: a module uses those above it in the table.
//!
//! | module | what it is about |
//! | --- | --- |
//! | [`time`] | [`Instant`], [`Duration`], [`Clock`] and clocks that can wait; [`Widened`](time::Widened), a clock made from a counter that wraps |
//! | [`random`] | [`Draw`](random::Draw): randomness as an argument |
//! | [`config`] | [`ConfigError`](config::ConfigError), and how settings are stored: borrowed, as a type, owned or in an `Arc` |
//! | [`event`] | [`Event`], [`Observer`], [`StopReason`], [`Timeline`](event::Timeline) |
//! | [`breaker`], [`budget`] | state that calls share: [`Breaker`] and its windows; [`RollingBudget`], [`RatioBudget`], [`RateLimiter`]; in a [`Keyed`] map by host or device |
//! | [`classify`] | [`ErrorClass`], the tables of protocols, databases, brokers and systems, and your own classifier |
//! | [`backoff`] | [`Backoff`], and [`Strategy`](backoff::Strategy) for your own |
//! | [`driver`] | [`Retry`], which runs a [`Policy`]: blocking, asynchronous, or step by step ([`Steps`](driver::Steps)) |
//! | [`snapshot`] | state that survives a restart; [`Suspended`](snapshot::Suspended), a call that does |
//! | [`lint`] | what is suspicious in a policy, a breaker, a budget, and in all of them together |
//! | [`testing`](https://docs.rs/redress/latest/redress/testing) | under the feature `testing`: a clock that a test moves, scripts, recorders, a fake breaker |

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "std"))]
extern crate std;

mod call;
mod class;
#[cfg(feature = "defmt")]
mod format;
mod inlining;
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
#[cfg(all(any(doc, doctest), feature = "std", feature = "testing"))]
pub mod guide;
pub mod keyed;
pub mod lint;
pub mod random;
pub mod session;
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
