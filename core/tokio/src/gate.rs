//! Breakers whose state is elsewhere, in a store that several processes share:
//! [`AsyncGate`], and [`Upstream::call_through`].

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use redress::breaker::{CallResult, Gate, Permit};
use redress::classify::Classify;
use redress::event::{CircuitState, Event, EventKind, Observers};
use redress::{Attempt, CircuitOpen, Duration, Error, Instant};

use crate::Upstream;

/// A breaker that is asked over a network: one in Redis, in a database, in another process.
///
/// A call asks it twice: for a permit before the first attempt, and with the result at its end. A
/// call that is dropped settles its permit as [`CallResult::Cancelled`] in a task of its own. If a
/// store cannot be reached, the implementation decides: to admit the call, to ask a local breaker,
/// or to reject it.
///
/// What a call counts as is decided by the engine, as for a local breaker.
pub trait AsyncGate: Clone + Send + Sync + 'static {
    /// What a call holds while it runs.
    type Permit: Send + 'static;

    /// Admits a call of `key`, with whether it made the breaker half-open, or rejects it.
    ///
    /// # Errors
    ///
    /// [`CircuitOpen`], the rejection, with the time until the next probe if that is known.
    fn admit(
        &self,
        key: &str,
    ) -> impl Future<Output = Result<(Self::Permit, bool), CircuitOpen>> + Send;

    /// Takes back a permit with the result of its call, and returns the new state if the breaker
    /// changed.
    fn settle(
        &self,
        permit: Self::Permit,
        result: CallResult,
    ) -> impl Future<Output = Option<CircuitState>> + Send;
}

/// Keeps what the engine settles, for the gate that is asked after the call.
#[derive(Clone, Debug, Default)]
struct Settled(Arc<Mutex<Option<CallResult>>>);

impl Settled {
    fn put(&self, result: CallResult) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    }

    /// What was settled; a call that settled nothing was cancelled.
    fn take(&self) -> CallResult {
        let settled = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        settled.unwrap_or(CallResult::Cancelled)
    }
}

impl Gate for Settled {
    type Pass = ();
    type Attempts = ();

    const WANTS: u8 = 0;

    fn admit_closed(&self) -> Option<()> {
        Some(())
    }

    fn admit(&self, _: Instant) -> Result<((), bool), CircuitOpen> {
        Ok(((), false))
    }

    fn counts_success((): &()) -> bool {
        true
    }

    fn settle(
        &self,
        (): (),
        result: CallResult,
        _: Duration,
        _: u32,
        _: Instant,
    ) -> Option<CircuitState> {
        self.put(result);
        None
    }

    fn cancel(&self, (): ()) {
        self.put(CallResult::Cancelled);
    }

    fn permit((): &()) -> Option<Permit> {
        None
    }

    fn pass(permit: Option<Permit>) -> Option<()> {
        permit.is_none().then_some(())
    }
}

/// A permit that settles itself when its call is dropped.
struct Held<G: AsyncGate> {
    gate: G,
    permit: Option<G::Permit>,
}

impl<G: AsyncGate> Held<G> {
    async fn settle(mut self, result: CallResult) -> Option<CircuitState> {
        let permit = self.permit.take()?;
        self.gate.settle(permit, result).await
    }
}

impl<G: AsyncGate> Drop for Held<G> {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        // Without a runtime nothing can be awaited any more; the lease of the permit frees it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let gate = self.gate.clone();
        runtime.spawn(async move { gate.settle(permit, CallResult::Cancelled).await });
    }
}

impl<O: Observers + Clone, K: Clone> Upstream<O, K> {
    /// As [`call`](Self::call), through a breaker that is elsewhere in place of the upstream's own.
    /// The time that the gate takes is not part of the deadline.
    ///
    /// # Errors
    ///
    /// As [`Retry::call`](redress::Retry::call).
    pub async fn call_through<G, V, E, F, A>(
        &self,
        gate: &G,
        key: &str,
        operation: F,
    ) -> Result<V, Error<E, K::Rejected>>
    where
        G: AsyncGate,
        K: Classify<V, E>,
        F: FnMut(Attempt) -> A,
        A: Future<Output = Result<V, E>>,
    {
        let mut observer = self.observer_of_call(key);
        let mut observe = |kind: EventKind, state: Option<CircuitState>| {
            let mut event = Event::new(kind, key);
            event.state = state;
            if O::OBSERVES {
                observer.on_event(&event);
            }
        };
        let (permit, half_opened) = match gate.admit(key).await {
            Ok(admitted) => admitted,
            Err(rejection) => {
                observe(EventKind::CircuitRejected, Some(rejection.state));
                return Err(rejection.into());
            }
        };
        let held = Held { gate: gate.clone(), permit: Some(permit) };
        if half_opened {
            observe(EventKind::CircuitHalfOpen, Some(CircuitState::HalfOpen));
        }
        let settled = Settled::default();
        let result = {
            let retry = self.retry_to("", key, false).operation(key);
            let mut retry = retry.breaker(settled.clone());
            retry.call_future(operation).await
        };
        if let Some(state) = held.settle(settled.take()).await {
            observe(state.event(), Some(state));
        }
        result
    }
}
