//! Programs that try to break the engine: every order of a few callers, real threads, random
//! policies beside an independent model, snapshots with wrong bytes, forked processes.
//!
//! `REDRESS_LONG=1` runs the long form, which `cargo suite long` does in release.

#![allow(clippy::pedantic, reason = "models and scenarios, no interface")]

#[cfg(unix)]
mod forks;
mod model;
mod orders;
mod snapshots;
mod threads;
mod wasm;

use redress::{Duration, Instant};

const fn at(micros: u64) -> Instant {
    Instant::from_micros(micros)
}

const fn us(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// How much work a test does: where arithmetic is checked and slow, in release, and in the
/// long form.
fn rounds(debug: u64, release: u64, long: u64) -> u64 {
    match (std::env::var_os("REDRESS_LONG"), cfg!(debug_assertions)) {
        (Some(_), _) => long,
        (None, true) => debug,
        (None, false) => release,
    }
}

/// Numbers that look random and are the same in every run: xorshift64*.
#[derive(Clone, Debug)]
struct Numbers(u64);

impl Numbers {
    const fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// One of `0..end`.
    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 11) % end
    }

    /// Whether one time in `n` has come.
    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}
