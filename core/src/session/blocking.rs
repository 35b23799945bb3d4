//! The blocking driver of a session.

use core::cell::Cell;
use core::fmt;
use core::ops::ControlFlow;

use crate::call::Attempt;
use crate::classify::{ClassifyAttempt, Hook};
use crate::driver::Parts;
use crate::event::StopReason;
use crate::outcome::Error;
use crate::session::{Session, SessionState, SessionStep};
use crate::time::{Clock, Instant, Sleep};

/// With it a blocking operation says that its connection is up.
pub struct BlockingLink<'t> {
    clock: &'t dyn Clock,
    since: Cell<Option<Instant>>,
}

impl BlockingLink<'_> {
    /// The connection is up: the attempt timeout and the deadline no longer count.
    pub fn up(&self) {
        if self.since.get().is_none() {
            self.since.set(Some(self.clock.now()));
        }
    }
}

impl fmt::Debug for BlockingLink<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingLink").field("since", &self.since).finish_non_exhaustive()
    }
}

impl<X: Parts<Time: Sleep>, K, S: FnMut(SessionState)> Session<'_, '_, X, K, S> {
    /// As [`run_async`](Self::run_async), blocking. It cannot look at a connection while it runs: that
    /// one was healthy is decided when it breaks, and the state is reported between operations. An
    /// operation must keep the attempt timeout itself ([`Attempt::timeout`]).
    ///
    /// # Errors
    ///
    /// As [`run_async`](Self::run_async).
    pub fn run<V, E, F>(mut self, mut operation: F) -> Result<V, Error<E, K::Rejected>>
    where
        K: ClassifyAttempt<V, E>,
        F: FnMut(Attempt, &BlockingLink<'_>) -> Result<V, E>,
    {
        let mut last = None;
        loop {
            let attempt = match self.steps.next() {
                Ok(SessionStep::Connect(attempt)) => attempt,
                Ok(SessionStep::Wait(span)) => {
                    self.report();
                    let steps = self.steps.steps();
                    steps.engine.time.sleep(span);
                    if let Some(last) = &last
                        && K::Hook::RUNS
                        && self.steps.is_retry()
                    {
                        let steps = self.steps.steps();
                        let ended = steps.wake().and_then(|()| {
                            let context = steps.retry_context();
                            match self.classifier.hook().before_retry(&context, last) {
                                ControlFlow::Continue(()) => Ok(()),
                                ControlFlow::Break(()) => Err(StopReason::Aborted),
                            }
                        });
                        if let Err(reason) = ended {
                            self.steps.end(reason);
                        }
                    }
                    continue;
                }
                Err(reason) => {
                    self.report();
                    return Err(self.error(reason, last));
                }
            };
            self.report();
            let clock = &self.steps.steps().engine.time;
            let link = BlockingLink { clock, since: Cell::new(None) };
            let result = operation(attempt, &link);
            if let Some(since) = link.since.get() {
                self.steps.up_since(since);
            }
            if let Some(value) = self.ended(Some(result), &mut last) {
                self.report();
                return Ok(value);
            }
        }
    }
}
