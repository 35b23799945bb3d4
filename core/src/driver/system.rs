//! A policy with the system's clock and randomness: [`SystemRetry`].

use crate::driver::retry::Retry;
use crate::policy::Policy;
use crate::random::SystemRandom;
use crate::time::MonotonicClock;

/// A [`Retry`] with a host's clock, sleep and randomness: the shortcut for services.
pub type SystemRetry<'a> = Retry<'a, (MonotonicClock, SystemRandom, (), (), (), (), &'a Policy)>;

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
impl Policy {
    /// Binds this policy to the system's time and randomness.
    ///
    /// `wasm32-unknown-unknown` has neither, so this is a compile error there: use
    /// [`on`](Self::on).
    #[inline]
    pub const fn on_system(&self) -> SystemRetry<'_> {
        self.on(MonotonicClock, SystemRandom)
    }
}
