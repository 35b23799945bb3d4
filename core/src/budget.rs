//! What all callers of an upstream may do together: the retries of a budget, the rolling
//! [`RollingBudget`] or the proportional [`RatioBudget`], and the attempts of a
//! [`RateLimiter`](crate::RateLimiter), first ones too.

mod limited;
mod limiter;
mod ratio;
mod rolling;

pub use limited::{Acquire, Cost, Limit, Limited, NotBefore, WhenLimited};
pub(crate) use limiter::LimitWindow;
pub(crate) use limiter::UNKNOWN;
pub use limiter::{LimiterConfig, RateLimiter};
pub(crate) use ratio::{NEVER, RETRY};
pub use ratio::{RatioBudget, RatioConfig};
pub use rolling::{RollingBudget, RollingConfig};

use crate::{Duration, Instant, Shared};

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

/// Asks a budget for one retry: what the decision needs of it.
pub trait Withdraw {
    /// Takes one retry; says whether it was there.
    fn withdraw(&self, now: Instant) -> bool;
}

/// What a call needs of its budget: `()` for none, a reference to a [`Shared`] one, or
/// one that is [`Limited`] besides.
pub trait Pool: Withdraw {
    /// Whether attempts are limited, too. Where they are not, [`attempt`](Self::attempt)
    /// need not be asked, nor the clock for it.
    const LIMITS: bool = false;

    /// A call begins.
    fn deposit(&self);

    /// Attempt `number` of a call (the first is 1) is about to start: whether it may.
    fn attempt(&self, now: Instant, number: u32) -> Turn {
        let _ = (now, number);
        Turn::Now
    }
}

/// Whether an attempt may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Turn {
    /// It may, and its cost is spent.
    Now,
    /// Not before this long from the instant asked with: the caller waits, for 1 us or more,
    /// and asks again. Nothing is spent.
    Wait(Duration),
    /// Not before this long from the instant asked with: the call is deferred until then.
    /// Nothing is spent.
    Defer(Duration),
    /// The call ends here. The attempt would fit after this long; `None` if it never does,
    /// or if it is not known when. Nothing is spent.
    Reject(Option<Duration>),
}

/// Without a budget every retry is granted.
impl Withdraw for () {
    #[inline]
    fn withdraw(&self, _: Instant) -> bool {
        true
    }
}

impl Pool for () {
    #[inline]
    fn deposit(&self) {}
}

impl<S: Shared<Item: Budget>> Withdraw for &S {
    #[inline]
    fn withdraw(&self, now: Instant) -> bool {
        self.with(|budget| budget.consume(1, now)).unwrap_or(false)
    }
}

impl<S: Shared<Item: Budget>> Pool for &S {
    #[inline]
    fn deposit(&self) {
        self.with(Budget::deposit);
    }
}

/// A budget or a limiter that a configuration may leave out.
impl<P: Withdraw> Withdraw for Option<P> {
    #[inline]
    fn withdraw(&self, now: Instant) -> bool {
        self.as_ref().is_none_or(|pool| pool.withdraw(now))
    }
}

impl<P: Pool> Pool for Option<P> {
    const LIMITS: bool = P::LIMITS;

    #[inline]
    fn deposit(&self) {
        if let Some(pool) = self {
            pool.deposit();
        }
    }

    #[inline]
    fn attempt(&self, now: Instant, number: u32) -> Turn {
        self.as_ref().map_or(Turn::Now, |pool| pool.attempt(now, number))
    }
}
