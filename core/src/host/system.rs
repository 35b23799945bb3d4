//! Where the standard library has a clock, a sleep and a source of randomness.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;
use std::time;

use super::{RetryPolicy, SystemRandom, SystemTime};
use crate::random::Draw;
use crate::{Clock, Duration, Instant, Policy, Sleep};

impl Clock for SystemTime {
    fn now(&self) -> Instant {
        static ORIGIN: OnceLock<time::Instant> = OnceLock::new();
        let origin = *ORIGIN.get_or_init(time::Instant::now);
        Instant::ZERO.saturating_add(origin.elapsed().into())
    }
}

impl Sleep for SystemTime {
    fn sleep(&mut self, span: Duration) {
        std::thread::sleep(span.into());
    }
}

impl Draw for SystemRandom {
    fn draw(&mut self) -> Option<u32> {
        // Each `RandomState` has keys of its own, so each hash differs. A forked process
        // has copies of them; its number differs, and in a machine that goes on from a copy
        // of its memory the time does.
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u32(process());
        hasher.write_u32(nanoseconds());
        Some(hasher.finish() as u32)
    }
}

/// The number of this process, on systems that have processes.
fn process() -> u32 {
    if cfg!(any(unix, windows)) { std::process::id() } else { 0 }
}

/// The part of the time that differs most; 0 for a clock that is set before 1970.
fn nanoseconds() -> u32 {
    let now = time::SystemTime::now().duration_since(time::UNIX_EPOCH);
    now.map_or(0, |now| now.subsec_nanos())
}

impl Policy {
    /// Binds this policy to the system's time and randomness.
    ///
    /// Does not compile for `wasm32-unknown-unknown`, which has neither: see
    /// [`on`](Self::on).
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
