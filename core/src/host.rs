//! A host's clock, sleep and randomness, under the feature `std`.

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod missing;
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod system;

use crate::retry::Retry;

/// The system's monotonic clock, counted from its first use in this process, and
/// the thread's sleep.
///
/// On `wasm32-unknown-unknown` it is neither: the standard library has no clock there, and
/// what needs this one does not compile. Use [`FnClock`](crate::FnClock) over
/// `performance.now()`.
#[cfg_attr(
    all(target_family = "wasm", target_os = "unknown"),
    deprecated = "wasm32-unknown-unknown has no system clock: use \
                  `FnClock(|| (performance.now() * 1000.0) as u64)`"
)]
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemTime;

/// Random numbers out of the keys that the standard library seeds its hash maps
/// with: different in every process, good enough for jitter, not for secrets.
///
/// A process that was forked off, or goes on from a copy of its memory, has the keys of the
/// first one. The process's number and the time are therefore part of each number.
///
/// On `wasm32-unknown-unknown` it is none: the standard library's keys are constants there,
/// and what needs random numbers from it does not compile. Use
/// [`from_fn`](crate::random::from_fn) over `crypto.getRandomValues()`.
#[cfg_attr(
    all(target_family = "wasm", target_os = "unknown"),
    deprecated = "wasm32-unknown-unknown has no random numbers: use `random::from_fn` over \
                  `crypto.getRandomValues()`"
)]
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

/// A policy on a host's clock, sleep and randomness: the shortcut for services.
#[cfg_attr(
    all(target_family = "wasm", target_os = "unknown"),
    expect(deprecated, reason = "the names are there, and say what to use")
)]
pub type RetryPolicy<'a> = Retry<'a, SystemTime, SystemRandom>;
