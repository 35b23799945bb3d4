//! Opening and closing a breaker by hand, with the events that observers expect.

use crate::breaker::{ByHand, Gate};
use crate::driver::Parts;
use crate::driver::retry::Retry;
use crate::event::{CircuitState, Observers};
use crate::time::Clock;

/// Opens or closes the breaker of these calls by hand. Each method returns the new state if the
/// breaker changed, and notifies the observer of this `Retry` of `circuit_opened` or
/// `circuit_closed`, without a class.
impl<X: Parts, K> Retry<'_, X, K> {
    /// Opens the breaker for its recovery time, as failures would. See
    /// [`Breaker::trip`](crate::Breaker::trip).
    pub fn trip(&mut self) -> Option<CircuitState> {
        self.set_breaker(ByHand::Trip)
    }

    /// Opens the breaker until [`reset`](Self::reset). See [`Breaker::isolate`](crate::Breaker::isolate).
    pub fn isolate(&mut self) -> Option<CircuitState> {
        self.set_breaker(ByHand::Isolate)
    }

    /// Closes the breaker and forgets all failures. See [`Breaker::reset`](crate::Breaker::reset).
    pub fn reset(&mut self) -> Option<CircuitState> {
        self.set_breaker(ByHand::Reset)
    }

    fn set_breaker(&mut self, by_hand: ByHand) -> Option<CircuitState> {
        let now = self.engine.time.now();
        let changed = self.engine.breaker.set(by_hand, now);
        if X::Observer::OBSERVES
            && let Some(state) = changed
        {
            let event = self.engine.circuit_event(state.event(), state);
            self.engine.observer.on_event(&event);
        }
        changed
    }
}
