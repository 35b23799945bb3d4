//! What a [`Retry`](crate::Retry) is made of, as one type parameter: [`Parts`].

use crate::breaker::Gate;
use crate::budget::Pool;
use crate::config::Settings;
use crate::driver::Control;
use crate::event::Observers;
use crate::policy::Policy;
use crate::random::Draw;
use crate::time::Clock;

/// The types of the parts, by name. A tuple in the order below is one.
pub trait Slots {
    /// The time.
    type Time;
    /// The randomness.
    type Random;
    /// The breaker.
    type Breaker;
    /// The budget, with or without a rate limiter.
    type Budget;
    /// The observers.
    type Observer;
    /// The hooks that stop, defer or bound a call.
    type Control;
    /// The policy, or where it is.
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

/// [`Slots`] that each hold what a call needs there.
///
/// Never implemented by hand: each tuple `(time, randomness, breaker, budget, observer,
/// control, policy)` of such types is one. `()` stands for no breaker, no budget, no observer
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
