//! How a call asks its budget: [`Withdraw`] for one retry, [`Pool`] for all that a call needs.

use crate::budget::{Budget, Turn};
use crate::shared::Shared;
use crate::time::Instant;

/// Asks a budget for one retry: what the decision needs of it.
pub trait Withdraw {
    /// Takes one retry; says whether it was there.
    fn withdraw(&self, now: Instant) -> bool;
}

/// What a call needs of its budget: `()` for none, a reference to a [`Shared`] one, or
/// one that is [`Limited`](crate::budget::Limited) besides.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no budget that calls can share",
    label = "not a shared budget",
    note = "put the budget behind a lock and hand over a reference: `&RefCell` on one thread, `&Mutex` \
            or `Arc<Mutex>` of the standard library (feature `std`), `&Locked` of redress-embassy; or \
            one of many with `by_key`. A lock that is awaited, as tokio's, will not do"
)]
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
