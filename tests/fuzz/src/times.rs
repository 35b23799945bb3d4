//! The instants that callers ask with.

use crate::{Input, LAST};

/// A clock that many callers read before they take a lock.
pub struct Times {
    /// The latest instant that there was.
    pub latest: u64,
    /// Readings are stale by less than this; `None` for a clock that shows anything.
    stale: Option<u64>,
}

/// So that nothing saturates in a clock that goes on as it should.
const END: u64 = 1 << 60;

impl Times {
    /// Instants that go on, and are stale by less than `stale` and a quarter of an hour.
    pub fn orderly(input: &mut Input<'_>, stale: u64) -> Self {
        Self { latest: input.below(1 << 40), stale: Some(stale.min(1 << 30)) }
    }

    /// Any instants.
    pub fn wild(input: &mut Input<'_>) -> Self {
        Self { latest: input.moment(), stale: None }
    }

    /// The same clock, from `now` on.
    pub fn from(mut self, now: u64) -> Self {
        self.latest = now;
        self
    }

    pub fn is_orderly(&self) -> bool {
        self.stale.is_some()
    }

    /// The instant that the next caller asks with.
    pub fn next(&mut self, input: &mut Input<'_>) -> u64 {
        let Some(stale) = self.stale else {
            self.latest = match input.below(8) {
                0 => input.moment(),
                1 => self.latest.saturating_sub(input.micros()),
                _ => (self.latest + input.below(1 << 20)).min(LAST),
            };
            return self.latest;
        };
        let step = match input.below(8) {
            0 | 1 => 0,
            2..=5 => input.below(1 << 8),
            6 => input.below(1 << 21),
            _ => input.below(1 << 42),
        };
        self.latest = (self.latest + step).min(END);
        let late = if input.one_in(4) { input.below(stale) } else { 0 };
        self.latest.saturating_sub(late)
    }
}
