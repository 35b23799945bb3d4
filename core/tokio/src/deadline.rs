//! The deadline of the request that a server is handling, for all calls that are part of it.
//!
//! [`within`] runs a future with a deadline. A call of an [`Upstream`](crate::Upstream) that begins
//! in it has that deadline or its policy's, whichever is earlier. A task that is spawned in it
//! does not have the deadline: wrap its future in `within`, too, with what [`remaining`] says.
//!
//! ```
//! use redress::Duration;
//! use redress_tokio::deadline;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let left = deadline::within(Duration::from_secs(2), async { deadline::remaining() }).await;
//! assert_eq!(left, Some(Duration::from_secs(2)));
//! assert_eq!(deadline::remaining(), None);
//! # }
//! ```

use std::future::Future;

use redress::driver::Control;
use redress::{Clock, Duration, Instant};

use crate::time::TokioTime;

tokio::task_local! {
    static DEADLINE: Instant;
}

/// Runs `future` with a deadline `limit` from now, or the one that is already set if that is
/// earlier. The deadline limits calls of upstreams; it does not end `future` itself.
pub fn within<F: Future>(limit: Duration, future: F) -> impl Future<Output = F::Output> {
    let deadline = TokioTime.now().saturating_add(limit);
    let deadline = DEADLINE.try_with(|outer| deadline.min(*outer)).unwrap_or(deadline);
    DEADLINE.scope(deadline, future)
}

/// How long the request that this task is handling still has; `None` without a deadline.
pub fn remaining() -> Option<Duration> {
    DEADLINE.try_with(|deadline| deadline.since(TokioTime.now())).ok()
}

/// Ends calls with the deadline of the request that is being handled: the [`Control`] of every call of
/// an upstream.
#[derive(Clone, Copy, Debug)]
pub struct WithinRequest(Option<Duration>);

impl WithinRequest {
    /// What is left of the request, if that is less than the policy's deadline.
    pub(crate) fn of(policy: Duration) -> Self {
        Self(remaining().filter(|left| *left < policy))
    }
}

impl Control for WithinRequest {
    const HAS_DEADLINE: bool = true;

    #[inline]
    fn deadline(&self) -> Option<Duration> {
        self.0
    }
}
