//! A breaker and a budget whose state is in a store that processes share, Redis for instance
//! (`redress_tokio::redis`, by the feature `redis`): what one process learns of an upstream, the
//! others know with their next call.
//!
//! The core decides, in the process that asks; the [`Store`] has the bytes of a snapshot, a version,
//! and the time. The npm package shares the same states: a process in Rust and one in JavaScript
//! whose settings are equal have one breaker.
//!
//! | | |
//! | --- | --- |
//! | a call begins | one reading; a probe writes, too, to take its place |
//! | a call succeeds | nothing, if a closed breaker that counts failures admitted it; with a window of a rate each call is counted, by a reading and a writing |
//! | a call fails | a reading, and a writing if its class counts |
//! | many calls at once in a process | one exchange is in flight; what is asked meanwhile is decided together, with one reading and at most one writing |
//! | another process writes meanwhile | it is read and decided again, five times at most. After that the probe is rejected, the retry is not made, or the result does not count: there are never more probes than permitted |
//! | a process is killed, or an answer is lost | the place of its probe is free when its lease has ended |
//! | the store cannot be reached | [`WhenUnreachable`] |
//! | the store loses its data | the state begins anew: closed, a full budget |
//!
//! A window of a time does not measure slow calls here.

mod breaker;
mod budget;
mod state;
mod store;

pub use breaker::{SharedBreaker, SharedPermit};
pub use budget::SharedBudget;
pub use store::{Store, Stored};

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::settings::{Problem, SettingsError};

/// What is decided if the store cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenUnreachable {
    /// The process goes on from what it knew last, with probes of its own: together the processes may
    /// make more than are permitted.
    #[default]
    Local,
    /// Calls are rejected with a wait of zero, retries are not made, and results do not count.
    Reject,
}

/// How a state is shared: its key, and what happens if the store cannot be reached. A `&str` is a key
/// with the defaults.
///
/// ```
/// use std::time::Duration;
/// use redress_tokio::shared::{Sharing, WhenUnreachable};
///
/// let sharing = Sharing::new("redress:prices")
///     .timeout(Duration::from_millis(250))
///     .when_unreachable(WhenUnreachable::Reject)
///     .on_unreachable(|why| eprintln!("Redis cannot be reached: {why}"));
/// # let _ = sharing;
/// ```
#[derive(Clone)]
pub struct Sharing {
    key: String,
    timeout: Option<Duration>,
    when_unreachable: WhenUnreachable,
    on_unreachable: Option<Arc<dyn Fn(&(dyn Error + 'static)) + Send + Sync>>,
    on_conflict: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Sharing {
    /// Under this key, one for each upstream, which is not empty. Twelve digits of what the state is
    /// of and of its settings are added, so that other settings have a state of their own.
    pub fn new(key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            timeout: Some(Duration::from_secs(1)),
            when_unreachable: WhenUnreachable::Local,
            on_unreachable: None,
            on_conflict: None,
        }
    }

    /// How long a reading with its writing may take, conflicts included, before the store counts as
    /// unreachable: 1 s by default, `None` for no limit. A call may wait for the exchange that is in
    /// flight, and then for its own.
    pub fn timeout(self, limit: impl Into<Option<Duration>>) -> Self {
        Self { timeout: limit.into(), ..self }
    }

    /// What is decided if the store cannot be reached: [`WhenUnreachable::Local`] by default.
    pub fn when_unreachable(self, when_unreachable: WhenUnreachable) -> Self {
        Self { when_unreachable, ..self }
    }

    /// Called with the reason when the store could not be reached. A panic in it changes nothing.
    pub fn on_unreachable(
        self,
        hook: impl Fn(&(dyn Error + 'static)) + Send + Sync + 'static,
    ) -> Self {
        Self { on_unreachable: Some(Arc::new(hook)), ..self }
    }

    fn check(&self, path: &str) -> Result<(), SettingsError> {
        if self.key.is_empty() {
            let path = format!("{path}.key");
            return Err(SettingsError::new(
                path,
                "\"\"",
                Problem::IsNot,
                "a string that is not empty",
            ));
        }
        Ok(())
    }

    /// Called when other processes wrote first five times. A panic in it changes nothing.
    pub fn on_conflict(self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        Self { on_conflict: Some(Arc::new(hook)), ..self }
    }
}

impl From<&str> for Sharing {
    fn from(key: &str) -> Self {
        Self::new(key)
    }
}

impl From<String> for Sharing {
    fn from(key: String) -> Self {
        Self::new(key)
    }
}

impl fmt::Debug for Sharing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sharing")
            .field("key", &self.key)
            .field("timeout", &self.timeout)
            .field("when_unreachable", &self.when_unreachable)
            .finish_non_exhaustive()
    }
}
