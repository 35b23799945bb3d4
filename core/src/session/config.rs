//! The settings of a session: [`SessionConfig`].

use crate::time::Duration;

/// The settings of a [session](crate::session).
///
/// | setting | default |
/// | --- | --- |
/// | [`healthy_after`](Self::healthy_after) | 30 s |
/// | [`spread`](Self::spread) | 1 s |
/// | [`pause`](Self::pause) | 60 s |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SessionConfig {
    pub(crate) healthy_after: Duration,
    pub(crate) spread: Duration,
    pub(crate) pause: Duration,
}

impl SessionConfig {
    /// The default settings.
    pub const fn new() -> Self {
        Self {
            healthy_after: Duration::from_secs(30),
            spread: Duration::from_secs(1),
            pause: Duration::from_secs(60),
        }
    }

    /// A connection that has been up for this long is healthy: the backoff starts anew after it, and
    /// the breaker counts a success. Zero: as soon as it is up, so that a peer which accepts
    /// and drops is asked again after [`spread`](Self::spread) only.
    ///
    /// A probe of a breaker is decided when its connection is healthy, so keep it below the
    /// [lease](crate::BreakerConfig::lease) of the breaker, 60 s by default.
    pub const fn healthy_after(mut self, span: Duration) -> Self {
        self.healthy_after = span;
        self
    }

    /// Waits a random time below this before the first connect, and before the first after a healthy
    /// connection broke: when power returns or a server restarts, many clients come at once.
    /// Without a source of randomness there is no wait.
    pub const fn spread(mut self, span: Duration) -> Self {
        self.spread = span;
        self
    }

    /// How long the session waits after the policy has stopped a series of connects, before it begins
    /// another; a Retry-After that is longer is waited for. Zero: the session ends with the reason.
    pub const fn pause(mut self, span: Duration) -> Self {
        self.pause = span;
        self
    }
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self::new()
    }
}
