//! Breakers and budgets whose state is elsewhere, in a store that several processes share:
//! [`AsyncGate`], [`AsyncPool`], and [`Upstream::call_through`].

use std::future::{Future, ready};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use redress::breaker::{CallResult, Gate, Permit};
use redress::budget::{Pool, Turn, Withdraw};
use redress::classify::Classify;
use redress::event::{AttemptContext, CircuitState, Event, EventKind, Observers};
use redress::{Attempt, CircuitOpen, Duration, Error, Instant, Last};

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

/// Without a breaker every call is admitted.
impl AsyncGate for () {
    type Permit = ();

    async fn admit(&self, _: &str) -> Result<((), bool), CircuitOpen> {
        Ok(((), false))
    }

    async fn settle(&self, (): (), _: CallResult) -> Option<CircuitState> {
        None
    }
}

/// A budget that is asked over a network, as [`AsyncGate`] is.
///
/// A call asks it after its delay, right before a retry: a call that is dropped while it waits takes
/// nothing. A retry that is not granted ends the call with
/// [`StopReason::BudgetExhausted`](redress::StopReason::BudgetExhausted).
pub trait AsyncPool: Clone + Send + Sync + 'static {
    /// A call begins: a budget in proportion to calls earns from it.
    fn deposit(&self);

    /// Takes one retry, and returns whether it was there.
    fn consume(&self) -> impl Future<Output = bool> + Send;
}

/// Without a budget every retry is granted.
impl AsyncPool for () {
    fn deposit(&self) {}

    fn consume(&self) -> impl Future<Output = bool> + Send {
        ready(true)
    }
}

/// What the pool has granted, for the engine, which asks right before each attempt.
#[derive(Clone, Debug, Default)]
struct Granted(Arc<Mutex<bool>>);

impl Granted {
    fn put(&self, granted: bool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = granted;
    }

    fn take(&self) -> bool {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Withdraw for Granted {
    fn withdraw(&self, _: Instant) -> bool {
        true
    }
}

impl Pool for Granted {
    const LIMITS: bool = true;

    fn deposit(&self) {}

    fn attempt(&self, _: Instant, number: u32) -> Turn {
        if number <= 1 || self.take() { Turn::Now } else { Turn::Reject(None) }
    }
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
        let settled = Settled::default();
        let call = async {
            let retry = self.retry_to("", key, false).operation(key);
            retry.breaker(settled.clone()).call_future(operation).await
        };
        self.admitted(gate, key, &settled, call).await
    }

    /// As [`call_through`](Self::call_through), with retries of a budget that is elsewhere in place of
    /// the upstream's own; `&()` is no breaker. The time that the budget takes is part of the deadline.
    ///
    /// # Errors
    ///
    /// As [`Retry::call`](redress::Retry::call).
    pub async fn call_through_with<G, P, V, E, F, A>(
        &self,
        gate: &G,
        pool: &P,
        key: &str,
        operation: F,
    ) -> Result<V, Error<E, K::Rejected>>
    where
        G: AsyncGate,
        P: AsyncPool,
        K: Classify<V, E>,
        F: FnMut(Attempt) -> A,
        A: Future<Output = Result<V, E>>,
    {
        let settled = Settled::default();
        let granted = Granted::default();
        // A closure whose futures borrow nothing, so that the call may be spawned.
        let asks = (pool.clone(), granted.clone());
        let ask = move |_: &AttemptContext<'_>, _: &Last<E, K::Rejected>| {
            let (pool, granted) = asks.clone();
            async move {
                granted.put(pool.consume().await);
                ControlFlow::Continue(())
            }
        };
        let call = async {
            pool.deposit();
            let retry = self.retry_to("", key, false).operation(key);
            let retry = retry.breaker(settled.clone()).budget(granted);
            retry.before_retry_async(ask).call_future(operation).await
        };
        self.admitted(gate, key, &settled, call).await
    }

    /// Runs `call` if the gate admits it, and settles its permit with what it settled.
    async fn admitted<G: AsyncGate, V, E, R>(
        &self,
        gate: &G,
        key: &str,
        settled: &Settled,
        call: impl Future<Output = Result<V, Error<E, R>>>,
    ) -> Result<V, Error<E, R>> {
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
        let result = call.await;
        if let Some(state) = held.settle(settled.take()).await {
            observe(state.event(), Some(state));
        }
        result
    }
}
