//! The parts of a [`Retry`](crate::Retry) as one type parameter: [`Parts`].

use crate::breaker::Gate;
use crate::budget::Pool;
use crate::config::Settings;
use crate::driver::Control;
use crate::event::Observers;
use crate::policy::Policy;
use crate::random::Draw;
use crate::time::Clock;

/// The types of the parts, by name. Implemented for a tuple of seven, in the order below.
pub trait Slots {
    /// The clock, which also sleeps.
    type Time;
    /// The randomness.
    type Random;
    /// The breaker.
    type Breaker;
    /// The budget, with or without a rate limiter.
    type Budget;
    /// The observers.
    type Observer;
    /// The hooks that abort or defer a call, or set its deadline.
    type Control;
    /// The policy, in any form of [`Settings`](crate::config::Settings).
    type Policy;
}

impl<T, R, B, U, O, H, P> Slots for (T, R, B, U, O, H, P) {
    type Time = T;
    type Random = R;
    type Breaker = B;
    type Budget = U;
    type Observer = O;
    type Control = H;
    type Policy = P;
}

/// [`Slots`] whose types all fit their part of a call.
///
/// Implemented for every tuple `(time, randomness, breaker, budget, observer, control, policy)`
/// of such types; you need not implement it. `()` stands for no breaker, no budget, no observer
/// and no control.
pub trait Parts:
    Slots<
        Time: Clock,
        Random: Draw,
        Breaker: Gate,
        Budget: Pool,
        Observer: Observers,
        Control: Control,
        Policy: Settings<Policy>,
    >
{
}

impl<X> Parts for X where
    X: Slots<
            Time: Clock,
            Random: Draw,
            Breaker: Gate,
            Budget: Pool,
            Observer: Observers,
            Control: Control,
            Policy: Settings<Policy>,
        >
{
}
