//! How a call uses its budget: [`Withdraw`] takes one retry, [`Pool`] is all that a call uses.

use crate::budget::{Budget, Turn};
use crate::shared::Shared;
use crate::time::Instant;

/// The part of a budget that the decision uses: take one retry.
pub trait Withdraw {
    /// Takes a token for one retry, and returns whether it took one.
    fn withdraw(&self, now: Instant) -> bool;
}

/// The part of a budget that a call uses. Implemented for `()` (no budget), for a [`Budget`]
/// behind a lock ([`Shared`]), for [`by_key`](crate::by_key), for
/// [`Limited`](crate::budget::Limited), which adds a rate limiter, and for an [`Option`] of
/// these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no budget that calls can share",
    label = "not a shared budget",
    note = "put the budget behind a lock and hand over a reference: `&RefCell` on one thread, `&Mutex` \
            or `Arc<Mutex>` of the standard library (feature `std`), `&Locked` of redress-embassy; or \
            one of many with `by_key`. A lock that is awaited, as tokio's, will not do"
)]
pub trait Pool: Withdraw {
    /// Whether attempts are limited, too. If not, a call neither asks [`attempt`](Self::attempt)
    /// nor reads the clock for it.
    const LIMITS: bool = false;

    /// Records that a call begins.
    fn deposit(&self);

    /// Whether attempt `number` of a call (the first is 1) may start at `now`.
    fn attempt(&self, now: Instant, number: u32) -> Turn {
        let _ = (now, number);
        Turn::Now
    }
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

impl<S: Shared<Item: Budget>> Withdraw for S {
    #[inline]
    fn withdraw(&self, now: Instant) -> bool {
        self.with(|budget| budget.consume(1, now)).unwrap_or(false)
    }
}

impl<S: Shared<Item: Budget>> Pool for S {
    #[inline]
    fn deposit(&self) {
        self.with(Budget::deposit);
    }
}

/// An optional budget: `None` grants every retry.
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
