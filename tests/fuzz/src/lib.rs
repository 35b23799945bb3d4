//! What the fuzz targets share: choices out of an input ([`Input`]), instants in any order
//! ([`Times`]), and users of breakers, budgets and limiters that check what must always hold.

pub mod breakers;
pub mod budgets;
pub mod dates;
mod input;
pub mod limiter;
pub mod policies;
pub mod rules;
mod times;
pub mod world;

pub use input::{Input, LAST};
pub use times::Times;

use redress::{Duration, Instant};

pub const fn at(micros: u64) -> Instant {
    Instant::from_micros(micros)
}

pub const fn us(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// The most steps of one input: what takes longer teaches nothing more.
pub const STEPS: usize = 300;
