//! The promises of the design, each as properties against a plain model, with values
//! log-uniform over all of `u64`. More than a million cases in release.

#![allow(clippy::pedantic, reason = "models compute in floats and wide integers")]

mod calls;
mod delays;
mod limiter;
mod sessions;
mod state;

use proptest::prelude::*;
use proptest::test_runner::Config;

/// How many cases each property has: 100,000 in release, so that there are more than a
/// million in all; fewer where arithmetic is checked and slow, or as many as `REDRESS_CASES`
/// says.
fn cases() -> Config {
    let usual = if cfg!(debug_assertions) { 2_000 } else { 100_000 };
    let asked = std::env::var("REDRESS_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = asked.unwrap_or(usual);
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// Log-uniform over all of `u64`: every bit length is as likely.
fn any_u64() -> impl Strategy<Value = u64> + Clone {
    (0_u32..=64, any::<u64>()).prop_map(|(bits, random)| match bits {
        0 => 0,
        bits => (random >> (64 - bits)) | 1 << (bits - 1),
    })
}

/// A clock that goes on by spans of every size, stands still and jumps anywhere.
fn any_times(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec((any_u64(), 0_u8..4), count).prop_map(|steps| {
        let mut now = 0_u64;
        let step = |(value, kind)| {
            now = match kind {
                0 => now,
                1 => value,
                _ => now.saturating_add(value >> 20),
            };
            now
        };
        steps.into_iter().map(step).collect()
    })
}
