//! A budget with a rate limiter in front of it: [`Limited`], which asks a [`Limit`] before
//! every attempt.

use crate::budget::{Pool, Withdraw};
use crate::shared::Shared;
use crate::time::{Duration, Instant};

/// A limit on attempts, first attempts and retries alike. [`RateLimiter`](crate::RateLimiter)
/// implements it; your own type can, too.
pub trait Limit {
    /// Spends `cost` at `now`, all or nothing.
    ///
    /// # Errors
    ///
    /// [`NotBefore`] if `cost` does not fit at `now`; nothing is spent then.
    fn acquire(&mut self, cost: u32, now: Instant) -> Result<(), NotBefore>;

    /// Checks whether `cost` would fit at `now`, and spends nothing. An attempt that asks two
    /// limiters pays the first only if it fits into the second. By default everything fits.
    ///
    /// # Errors
    ///
    /// [`NotBefore`] if `cost` does not fit at `now`.
    fn check(&mut self, cost: u32, now: Instant) -> Result<(), NotBefore> {
        let _ = (cost, now);
        Ok(())
    }
}

/// Whether an attempt may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Turn {
    /// It may start, and its cost is spent.
    Now,
    /// It may not start yet. The caller waits for this long from the instant that it asked with,
    /// 1 us or more, and asks again. Nothing is spent.
    Wait(Duration),
    /// It may not start yet. The call is deferred for this long from the instant that it asked
    /// with. Nothing is spent.
    Defer(Duration),
    /// It may not start, and the call ends. The attempt would fit after this long; `None` if it
    /// never fits, or if the time is not known. Nothing is spent.
    Reject(Option<Duration>),
}

/// The error of a limiter: an attempt does not fit into the limit yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NotBefore {
    /// How long, from the instant that was passed, until the attempt fits, if nothing else is
    /// spent meanwhile; `None` if it never fits, or if the time is not known.
    pub wait: Option<Duration>,
}

impl core::fmt::Display for NotBefore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.wait {
            Some(wait) => write!(f, "over the rate limit: not before {wait} from now"),
            None => f.write_str("over the rate limit: it is not known to fit at any time"),
        }
    }
}

impl core::error::Error for NotBefore {}

/// The part of a limiter that [`Limited`] uses. Implemented for references to a [`Shared`]
/// limiter, for [`by_key`](crate::by_key), and for an [`Option`] of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no rate limiter that calls can share",
    label = "not a shared rate limiter",
    note = "put the limiter behind a lock and hand over a reference: `&RefCell` on one thread, `&Mutex` \
            or `Arc<Mutex>` of the standard library (feature `std`), `&Locked` of redress-embassy; or \
            one of many with `by_key`"
)]
pub trait Acquire {
    /// As [`Limit::acquire`].
    ///
    /// # Errors
    ///
    /// [`NotBefore`] if `cost` does not fit at `now`.
    fn acquire(&self, cost: u32, now: Instant) -> Result<(), NotBefore>;

    /// As [`Limit::check`].
    ///
    /// # Errors
    ///
    /// [`NotBefore`] if `cost` does not fit at `now`.
    fn check(&self, cost: u32, now: Instant) -> Result<(), NotBefore> {
        let _ = (cost, now);
        Ok(())
    }
}

impl<S: Shared<Item: Limit>> Acquire for S {
    /// If the lock is lent already, the answer is [`NotBefore`] without a time; see
    /// [`Shared::with`].
    #[inline]
    fn acquire(&self, cost: u32, now: Instant) -> Result<(), NotBefore> {
        self.with(|limit| limit.acquire(cost, now)).unwrap_or(Err(NotBefore { wait: None }))
    }

    fn check(&self, cost: u32, now: Instant) -> Result<(), NotBefore> {
        self.with(|limit| limit.check(cost, now)).unwrap_or(Err(NotBefore { wait: None }))
    }
}

/// An optional limiter: `None` limits nothing.
impl<A: Acquire> Acquire for Option<A> {
    #[inline]
    fn acquire(&self, cost: u32, now: Instant) -> Result<(), NotBefore> {
        self.as_ref().map_or(Ok(()), |limiter| limiter.acquire(cost, now))
    }

    fn check(&self, cost: u32, now: Instant) -> Result<(), NotBefore> {
        self.as_ref().map_or(Ok(()), |limiter| limiter.check(cost, now))
    }
}

/// The cost of an attempt: a number, or a function of the attempt's number (the first is 1).
pub trait Cost {
    /// The cost of attempt `number`, in the unit of the limiter.
    fn of(&self, number: u32) -> u32;
}

impl Cost for u32 {
    #[inline]
    fn of(&self, _: u32) -> u32 {
        *self
    }
}

impl<F: Fn(u32) -> u32> Cost for F {
    #[inline]
    fn of(&self, number: u32) -> u32 {
        self(number)
    }
}

/// What a call does when its next attempt does not fit into the limit yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum WhenLimited {
    /// It waits until the attempt fits, the default.
    #[default]
    Wait,
    /// It is deferred until the attempt fits.
    Defer,
    /// It ends.
    Reject,
}

/// A budget `U` whose calls ask the limiter `L` ([`Acquire`]) before every attempt.
///
/// `C` is the cost of an attempt ([`Cost`]), 1 by default. An attempt that never fits ends the
/// call, whatever [`WhenLimited`] is set.
///
/// ```
/// use core::cell::RefCell;
/// use redress::budget::{Limit, Limited, NotBefore, Pool, Turn};
/// use redress::{Duration, Instant};
///
/// /// One attempt, and no other.
/// struct Once(bool);
/// impl Limit for Once {
///     fn acquire(&mut self, _: u32, _: Instant) -> Result<(), NotBefore> {
///         if core::mem::replace(&mut self.0, true) { Err(NotBefore { wait: None }) } else { Ok(()) }
///     }
/// }
/// let once = RefCell::new(Once(false));
/// let pool = Limited::new((), &once);
/// assert_eq!(pool.attempt(Instant::ZERO, 1), Turn::Now);
/// assert_eq!(pool.attempt(Instant::ZERO, 2), Turn::Reject(None));
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Limited<U, L, C = u32> {
    inner: U,
    limiter: L,
    cost: C,
    when: WhenLimited,
}

impl<U, L> Limited<U, L> {
    /// The budget `inner` behind `limiter`: an attempt costs 1 and waits until it fits.
    pub const fn new(inner: U, limiter: L) -> Self {
        Self { inner, limiter, cost: 1, when: WhenLimited::Wait }
    }
}

impl<U, L, C> Limited<U, L, C> {
    /// Sets the cost of an attempt.
    pub fn cost<D: Cost>(self, cost: D) -> Limited<U, L, D> {
        let Self { inner, limiter, when, .. } = self;
        Limited { inner, limiter, cost, when }
    }

    /// Sets what a call does when its next attempt does not fit yet: wait, the default, defer or
    /// reject.
    pub fn when_limited(mut self, when: WhenLimited) -> Self {
        self.when = when;
        self
    }

    /// The budget.
    pub const fn inner(&self) -> &U {
        &self.inner
    }

    /// The same with another budget.
    pub fn with_inner<V>(self, inner: V) -> Limited<V, L, C> {
        let Self { limiter, cost, when, .. } = self;
        Limited { inner, limiter, cost, when }
    }
}

impl<U: Withdraw, L, C> Withdraw for Limited<U, L, C> {
    #[inline]
    fn withdraw(&self, now: Instant) -> bool {
        self.inner.withdraw(now)
    }
}

impl<U: Pool, L: Acquire, C: Cost> Pool for Limited<U, L, C> {
    const LIMITS: bool = true;

    #[inline]
    fn deposit(&self) {
        self.inner.deposit();
    }

    /// If the inner budget limits attempts, too, the attempt pays that limit first, but only if
    /// it also fits into this one.
    #[inline]
    fn attempt(&self, now: Instant, number: u32) -> Turn {
        let cost = self.cost.of(number);
        let mut fits = Ok(());
        if U::LIMITS {
            fits = self.limiter.check(cost, now);
            if fits.is_ok() {
                let turn = self.inner.attempt(now, number);
                if turn != Turn::Now {
                    return turn;
                }
            }
        }
        match (fits.and_then(|()| self.limiter.acquire(cost, now)), self.when) {
            (Ok(()), _) => Turn::Now,
            (Err(NotBefore { wait: Some(wait) }), WhenLimited::Wait) => Turn::Wait(wait),
            (Err(NotBefore { wait: Some(wait) }), WhenLimited::Defer) => Turn::Defer(wait),
            (Err(NotBefore { wait }), _) => Turn::Reject(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::RefCell;

    const SECOND: Duration = Duration::from_secs(1);

    /// Grants up to a number, and notes what it was asked for.
    #[derive(Debug)]
    struct Upto(u32, std::vec::Vec<u32>);

    impl Limit for Upto {
        fn acquire(&mut self, cost: u32, _: Instant) -> Result<(), NotBefore> {
            self.1.push(cost);
            match cost {
                0 => Err(NotBefore { wait: None }),
                _ if cost <= self.0 => Ok(()),
                _ => Err(NotBefore { wait: Some(SECOND) }),
            }
        }
    }

    #[test]
    fn a_call_waits_or_is_deferred_or_ends_where_an_attempt_does_not_fit_yet() {
        let limiter = RefCell::new(Upto(0, std::vec![]));
        let pool = Limited::new((), &limiter);
        for (when, turn) in [
            (WhenLimited::Wait, Turn::Wait(SECOND)),
            (WhenLimited::Defer, Turn::Defer(SECOND)),
            (WhenLimited::Reject, Turn::Reject(Some(SECOND))),
        ] {
            assert_eq!(pool.when_limited(when).attempt(Instant::ZERO, 1), turn);
            // One that never fits is not waited for.
            let never = pool.when_limited(when).cost(0);
            assert_eq!(never.attempt(Instant::ZERO, 1), Turn::Reject(None));
        }
    }

    #[test]
    fn a_cost_is_a_number_or_a_function_of_the_attempts_number() {
        let limiter = RefCell::new(Upto(9, std::vec![]));
        let pool = Limited::new((), &limiter);
        assert_eq!(pool.attempt(Instant::ZERO, 3), Turn::Now);
        assert_eq!(pool.cost(5).attempt(Instant::ZERO, 3), Turn::Now);
        assert_eq!(pool.cost(|number| number * 2).attempt(Instant::ZERO, 3), Turn::Now);
        assert_eq!(limiter.borrow().1, [1, 5, 6]);
    }

    #[test]
    fn a_limiter_that_is_left_out_limits_nothing() {
        let none: Option<&RefCell<Upto>> = None;
        assert_eq!(Limited::new((), none).attempt(Instant::ZERO, 1), Turn::Now);
        let none: Option<Limited<(), &RefCell<Upto>>> = None;
        assert_eq!(none.attempt(Instant::ZERO, 1), Turn::Now);
    }

    #[test]
    fn of_two_limiters_the_inner_one_is_asked_first() {
        let (inner, outer) =
            (RefCell::new(Upto(0, std::vec![])), RefCell::new(Upto(9, std::vec![])));
        let pool = Limited::new(Limited::new((), &inner), &outer);
        assert_eq!(pool.attempt(Instant::ZERO, 1), Turn::Wait(SECOND));
        assert_eq!(outer.borrow().1, []);
    }
}
