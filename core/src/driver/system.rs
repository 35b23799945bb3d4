//! A policy on the system's clock and randomness: [`SystemRetry`].

use crate::driver::retry::Retry;
use crate::policy::Policy;
use crate::random::SystemRandom;
use crate::time::MonotonicClock;

/// A policy on a host's clock, sleep and randomness: the shortcut for services.
pub type SystemRetry<'a> = Retry<'a, (MonotonicClock, SystemRandom, (), (), (), (), &'a Policy)>;

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
impl Policy {
    /// Binds this policy to the system's time and randomness.
    ///
    /// Does not compile for `wasm32-unknown-unknown`, which has neither: see
    /// [`on`](Self::on).
    #[inline]
    pub const fn on_system(&self) -> SystemRetry<'_> {
        self.on(MonotonicClock, SystemRandom)
    }
}
