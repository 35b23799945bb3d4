//! The clock of embassy-time, which can be held: [`HeldClock`].

use core::cell::Cell;

use redress::{Clock, Instant};
use redress_embassy::EmbassyTime;

/// The clock of embassy-time, which can be held: a call and its breaker are saved, and restored,
/// at one instant.
pub struct HeldClock(Cell<Option<Instant>>);

impl HeldClock {
    pub const fn new() -> Self {
        Self(Cell::new(None))
    }

    /// Runs `f` while the clock stands at this instant.
    pub fn hold<R>(&self, at: Instant, f: impl FnOnce() -> R) -> R {
        self.0.set(Some(at));
        let result = f();
        self.0.set(None);
        result
    }
}

impl Clock for HeldClock {
    fn now(&self) -> Instant {
        self.0.get().unwrap_or_else(|| EmbassyTime.now())
    }
}
