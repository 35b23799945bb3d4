//! Limits shared by all callers of an upstream. A budget limits retries: [`RollingBudget`] to a
//! number in a rolling window, [`RatioBudget`] in proportion to calls. A [`RateLimiter`] limits
//! every attempt, the first included.
//!
//! A *token* is one retry of a budget: a call takes one for each retry and does not give it back.

mod limited;
mod limiter;
mod pool;
mod ratio;
mod rolling;

pub use limited::{Acquire, Cost, Limit, Limited, NotBefore, Turn, WhenLimited};
pub(crate) use limiter::{LimitWindow, UNKNOWN};
pub use limiter::{LimiterConfig, RateLimiter};
pub use pool::{Pool, Withdraw};
pub(crate) use ratio::{NEVER, RETRY};
pub use ratio::{RatioBudget, RatioConfig};
pub use rolling::{RollingBudget, RollingConfig};

use crate::time::Instant;

/// A pool of retries. [`RollingBudget`] and [`RatioBudget`] implement it; your own type can, too.
pub trait Budget {
    /// Records that a call begins (not a retry). A ratio budget earns a fraction of a token from
    /// it.
    fn deposit(&mut self) {}

    /// Takes `cost` tokens, all or none, and returns whether it took them. A cost of zero is
    /// always granted.
    fn consume(&mut self, cost: u32, now: Instant) -> bool;

    /// How many tokens are left at `now`.
    fn remaining(&self, now: Instant) -> u32;
}
