//! Who calls when, and what became of it: the same load for both ways of calling.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep_until;

/// What each caller does.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many callers there are at once.
    pub callers: u32,
    /// How many calls each makes.
    pub calls: u32,
    /// From the start of one call of a caller to the start of the next, unless the
    /// first takes longer.
    pub every: Duration,
}

impl Load {
    /// The number of all calls.
    pub const fn total(&self) -> u64 {
        self.callers as u64 * self.calls as u64
    }
}

/// What became of the calls so far.
#[derive(Debug, Default)]
pub struct Tally {
    /// Calls that ended.
    pub done: AtomicU64,
    /// Calls that ended well.
    pub succeeded: AtomicU64,
    /// Requests that were sent.
    pub requests: AtomicU64,
}

impl Tally {
    /// Calls that ended.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Calls that ended well.
    pub fn succeeded(&self) -> u64 {
        self.succeeded.load(Ordering::Relaxed)
    }

    /// Requests that were sent.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

/// Makes the load; `call` makes one call to a path and says whether it succeeded.
/// Returns how long it took.
pub async fn run<C, F>(load: Load, tally: &Arc<Tally>, call: C) -> Duration
where
    C: Fn(&'static str) -> F + Clone + Send + 'static,
    F: Future<Output = bool> + Send,
{
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..load.callers {
        let (call, tally) = (call.clone(), Arc::clone(tally));
        callers.spawn(async move {
            // Callers start one after the other, so that they do not call in step.
            let offset = load.every * caller / load.callers;
            for nth in 0..load.calls {
                sleep_until((started + offset + load.every * nth).into()).await;
                let succeeded = call(path(caller * load.calls + nth)).await;
                tally.succeeded.fetch_add(u64::from(succeeded), Ordering::Relaxed);
                tally.done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    callers.join_all().await;
    started.elapsed()
}

/// Now and then somebody asks for what is not there, or what he may not have.
const fn path(nth: u32) -> &'static str {
    match nth % 40 {
        13 => "/missing",
        27 => "/private",
        _ => "/orders",
    }
}
