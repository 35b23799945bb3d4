//! A host's clock, sleep and randomness, under the feature `std`.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;

use crate::random::Draw;
use crate::retry::Retry;
use crate::{Clock, Duration, Instant, Policy, Sleep};

/// The system's monotonic clock, counted from its first use in this process, and
/// the thread's sleep.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemTime;

impl Clock for SystemTime {
    fn now(&self) -> Instant {
        static ORIGIN: OnceLock<std::time::Instant> = OnceLock::new();
        let origin = *ORIGIN.get_or_init(std::time::Instant::now);
        Instant::ZERO.saturating_add(origin.elapsed().into())
    }
}

impl Sleep for SystemTime {
    fn sleep(&mut self, span: Duration) {
        std::thread::sleep(span.into());
    }
}

/// Random numbers out of the keys that the standard library seeds its hash maps
/// with: different in every process, good enough for jitter, not for secrets.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Draw for SystemRandom {
    fn draw(&mut self) -> Option<u32> {
        // Each `RandomState` has keys of its own, so each hash of nothing differs.
        Some(RandomState::new().build_hasher().finish() as u32)
    }
}

/// A policy on a host's clock, sleep and randomness: the shortcut for services.
pub type RetryPolicy<'a> = Retry<'a, SystemTime, SystemRandom>;

impl Policy {
    /// Binds this policy to the system's time and randomness.
    #[inline]
    pub const fn on_system(&self) -> RetryPolicy<'_> {
        self.on(SystemTime, SystemRandom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_on_and_numbers_differ() {
        let earlier = SystemTime.now();
        SystemTime.sleep(Duration::from_micros(1));
        assert!(SystemTime.now() > earlier);
        let drawn: std::collections::HashSet<_> =
            (0..64).filter_map(|_| SystemRandom.draw()).collect();
        assert!(drawn.len() > 60, "{drawn:?}");
    }
}
