//! A breaker opened and closed by hand.

use crate::breaker::window::Window;
use crate::breaker::{Breaker, BreakerConfig, Phase};
use crate::config::Settings;
use crate::event::CircuitState;
use crate::time::Instant;

impl<W: Window, const PERMITS: usize, C: Settings<BreakerConfig<W::Rule>>> Breaker<W, PERMITS, C> {
    /// Opens the breaker by hand for the recovery time, which starts anew if it is open already.
    /// An [isolated](Self::isolate) breaker stays as it is. Returns the new state if it changed.
    /// [`Retry::trip`](crate::Retry::trip) also notifies an observer.
    pub fn trip(&mut self, now: Instant) -> Option<CircuitState> {
        if self.phase == Phase::Isolated {
            return None;
        }
        let changes = self.phase != Phase::Open;
        let opened = self.open(now.saturating_add(self.recovery()));
        if changes { opened } else { None }
    }

    /// Opens the breaker by hand until [`reset`](Self::reset). Returns the new state if it
    /// changed. [`Retry::isolate`](crate::Retry::isolate) also notifies an observer.
    pub fn isolate(&mut self) -> Option<CircuitState> {
        let changes = !matches!(self.phase, Phase::Open | Phase::Isolated);
        self.turn(Phase::Isolated);
        if changes { Some(CircuitState::Open) } else { None }
    }

    /// Closes the breaker and forgets all failures. Returns the new state if it changed.
    /// [`Retry::reset`](crate::Retry::reset) also notifies an observer.
    pub fn reset(&mut self) -> Option<CircuitState> {
        let changes = self.phase != Phase::Closed;
        self.tally = 0;
        self.turn(Phase::Closed);
        if changes { Some(CircuitState::Closed) } else { None }
    }
}
