//! Time in the hand: [`MockClock`].

#[cfg(not(feature = "std"))]
use core::cell::Cell;

use crate::time::{Clock, Duration, Instant, Sleep, Timer};

/// A clock that moves only when a test moves it, or sleeps on it.
///
/// Under the feature `std` threads may share it, so that it serves the tasks of a
/// multi-threaded runtime.
#[derive(Debug, Default)]
pub struct MockClock {
    state: Guarded<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    micros: u64,
    is_frozen: bool,
    slept: u64,
}

impl State {
    const fn advance(&mut self, span: Duration) {
        if !self.is_frozen {
            self.micros = self.micros.saturating_add(span.as_micros());
        }
    }
}

#[cfg(feature = "std")]
type Guarded<T> = std::sync::Mutex<T>;
#[cfg(not(feature = "std"))]
type Guarded<T> = Cell<T>;

impl MockClock {
    /// A clock at its origin.
    pub const fn new() -> Self {
        Self { state: Guarded::new(State { micros: 0, is_frozen: false, slept: 0 }) }
    }

    /// Moves it on, unless it is frozen.
    pub fn advance(&self, span: Duration) {
        self.with(|state| state.advance(span));
    }

    /// Sets it to any time, also an earlier one, frozen or not.
    pub fn jump_to(&self, now: Instant) {
        self.with(|state| state.micros = now.as_micros());
    }

    /// From now on it stands still, also during a sleep.
    pub fn freeze(&self) {
        self.with(|state| state.is_frozen = true);
    }

    /// It moves again.
    pub fn thaw(&self) {
        self.with(|state| state.is_frozen = false);
    }

    /// Time since its origin.
    pub fn elapsed(&self) -> Duration {
        self.with(|state| Duration::from_micros(state.micros))
    }

    /// How long was slept in total.
    pub fn slept(&self) -> Duration {
        self.with(|state| Duration::from_micros(state.slept))
    }

    fn pass(&self, span: Duration) {
        self.with(|state| {
            state.slept = state.slept.saturating_add(span.as_micros());
            state.advance(span);
        });
    }

    #[cfg(feature = "std")]
    fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        change(&mut self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    #[cfg(not(feature = "std"))]
    fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state.get();
        let result = change(&mut state);
        self.state.set(state);
        result
    }
}

impl Clock for MockClock {
    fn now(&self) -> Instant {
        self.with(|state| Instant::from_micros(state.micros))
    }
}

impl Sleep for &MockClock {
    fn sleep(&mut self, span: Duration) {
        self.pass(span);
    }
}

/// The time passes at the first poll.
impl Timer for &MockClock {
    async fn sleep(&mut self, span: Duration) {
        self.pass(span);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_stands_still_and_a_jump_moves_it_anywhere() {
        let clock = MockClock::new();
        clock.advance(Duration::from_secs(5));
        clock.freeze();
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.elapsed(), Duration::from_secs(5));
        clock.thaw();
        clock.jump_to(Instant::from_micros(3));
        assert_eq!(clock.now(), Instant::from_micros(3));
    }
}
