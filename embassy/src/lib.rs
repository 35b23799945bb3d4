//! redress on embassy: what each failure of a sensor, a bus or a network deserves, in
//! firmware without an allocator.
//!
//! A whole program for an nRF52840: it reads an LM75 over I2C every ten seconds. An attempt
//! has 50 ms and a driver of its own, and between two attempts the bus is freed. After three failed calls, of up to
//! four attempts each, within a minute the sensor is left alone for 30 s. Another task may share its breaker.
//!
// A host can neither build nor run it: the workspace of the firmware builds it for its chip.
#![cfg_attr(not(doctest), doc = "```no_run")]
#![cfg_attr(not(doctest), doc = include_str!("../examples/thermometer.rs"))]
#![cfg_attr(not(doctest), doc = "```")]
//!
//! # What is where
//!
//! | item | what it is about | feature |
//! | --- | --- | --- |
//! | [`EmbassyTime`], [`Sliced`] | clock, delays and timeouts on embassy-time; delays in slices for a watchdog | |
//! | [`Locked`] | a breaker or budget in a `static`, and what happens under each `RawMutex` | |
//! | [`cancel_on`], [`signaled`] | cancelling or aborting a call by a signal | |
//! | `recover_bus` | an I2C bus that a device holds, freed between two attempts | `embedded-hal` |
//! | [`random`] | generators of any `rand_core`, registers, and a seed for chips without one | `rand-core-06`, `rand-core-09` |
//! | [`classify`] | what errors of drivers and stacks are | a feature for each crate |
//! | `DefmtObserver`, `LogObserver` | every decision in one line | `defmt`, `log` |
//! | `durable` | breaker, budget and call in flight over a reset | `storage` |
//!
//! # An attempt in time
//!
//! With an `attempt_timeout` the attempt's future is dropped when its time is over, and the
//! peripheral that it borrowed is free again. Whether the peripheral is idle then is the
//! driver's business, and several drivers of embassy's HALs leave it running, with DMA into a buffer
//! that is no longer there: [the README](https://github.com/redress-rs/redress/tree/main/embassy#what-a-dropped-attempt-leaves)
//! says which. Make the driver in the attempt, as the program above does, so that it is dropped with it,
//! and free the bus before the next one with `recover_bus`.
//!
//! A call that is dropped itself, by [`cancel_on`] or a `select` of your own, gives its place in a half-open
//! breaker back and counts as nothing.
//!
//! # Without an executor
//!
//! Blocking firmware takes the engine alone, with its feature `embedded-hal`:
//! `redress::driver::WithDelay { clock, delay }` sleeps with any `DelayNs`. A whole one, with a sensor, is
//! [`blocking`](https://github.com/redress-rs/redress/tree/main/tests/firmware/images/src/bin/blocking).

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod abort;
pub mod classify;
#[cfg(feature = "storage")]
pub mod durable;
mod locked;
mod observe;
pub mod random;
#[cfg(feature = "embedded-hal")]
mod recovery;
mod time;

pub use abort::{Cancelled, cancel_on, signaled};
pub use locked::Locked;
#[cfg(feature = "defmt")]
pub use observe::DefmtObserver;
#[cfg(feature = "log")]
pub use observe::LogObserver;
#[cfg(feature = "embedded-hal")]
pub use recovery::{StuckBus, recover_bus};
pub use time::{EmbassyTime, Sliced};

/// The snippets of the crate's README run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeSnippets;
