//! What all callers of an upstream may do together: the retries of a budget, the rolling
//! [`RollingBudget`] or the proportional [`RatioBudget`], and the attempts of a
//! [`RateLimiter`], first ones too.

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

/// A pool of retries. Both budgets are one; your own can be, too.
pub trait Budget {
    /// A call was made (not a retry). A ratio budget earns from it.
    fn deposit(&mut self) {}

    /// Takes `cost` retries, all or none; says whether they were there. A cost of
    /// zero is always granted.
    fn consume(&mut self, cost: u32, now: Instant) -> bool;

    /// How many retries there are now.
    fn remaining(&self, now: Instant) -> u32;
}
