//! Time in the hand: [`MockClock`].

use core::cell::Cell;

use crate::time::{Clock, Duration, Instant, Sleep, Timer};

/// A clock that moves only when a test moves it, or sleeps on it.
#[derive(Debug, Default)]
pub struct MockClock {
    micros: Cell<u64>,
    frozen: Cell<bool>,
    slept: Cell<u64>,
}

impl MockClock {
    /// A clock at its origin.
    pub const fn new() -> Self {
        Self { micros: Cell::new(0), frozen: Cell::new(false), slept: Cell::new(0) }
    }

    /// Moves it on, unless it is frozen.
    pub fn advance(&self, span: Duration) {
        if !self.frozen.get() {
            self.micros.set(self.micros.get().saturating_add(span.as_micros()));
        }
    }

    /// Sets it to any time, also an earlier one, frozen or not.
    pub fn jump_to(&self, now: Instant) {
        self.micros.set(now.as_micros());
    }

    /// From now on it stands still, also during a sleep.
    pub fn freeze(&self) {
        self.frozen.set(true);
    }

    /// It moves again.
    pub fn thaw(&self) {
        self.frozen.set(false);
    }

    /// Time since its origin.
    pub fn elapsed(&self) -> Duration {
        Duration::from_micros(self.micros.get())
    }

    /// How long was slept in total.
    pub fn slept(&self) -> Duration {
        Duration::from_micros(self.slept.get())
    }

    fn pass(&self, span: Duration) {
        self.slept.set(self.slept.get().saturating_add(span.as_micros()));
        self.advance(span);
    }
}

impl Clock for MockClock {
    fn now(&self) -> Instant {
        Instant::from_micros(self.micros.get())
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
