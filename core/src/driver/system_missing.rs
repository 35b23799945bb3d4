//! `wasm32-unknown-unknown`: the standard library compiles there, but its clock traps and its
//! hash keys are constants, so that all visitors of a page would retry together. Using either is
//! a compile error.

use crate::classify::Classifier;
use crate::driver::retry::Engine;
use crate::driver::{Retry, SystemRetry};
use crate::policy::Policy;
use crate::random::SystemRandom;
use crate::time::MonotonicClock;

/// What `on_system` needs; no platform of this target has it.
#[diagnostic::on_unimplemented(
    message = "wasm32-unknown-unknown has neither a system clock nor system randomness",
    label = "use `Policy::on` with those of the platform",
    note = "a clock: `FnClock(|| (performance.now() * 1000.0) as u64)`",
    note = "a source of randomness: `random::from_fn` over `crypto.getRandomValues()`"
)]
pub trait System<'a> {}

impl Policy {
    /// Always a compile error on this target, which has no system clock and no system randomness.
    /// Use [`on`](Self::on) with a [`FnClock`](crate::time::FnClock) over `performance.now()` and
    /// [`from_fn`](crate::random::from_fn) over `crypto.getRandomValues()`.
    // The lifetime keeps the compiler from refusing a bound that never holds right here.
    pub const fn on_system<'a>(&'a self) -> SystemRetry<'a>
    where
        Self: System<'a>,
    {
        Retry {
            engine: Engine::new(self, MonotonicClock, SystemRandom),
            classifier: Classifier::DEFAULT,
        }
    }
}
