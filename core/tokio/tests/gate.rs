//! A breaker that is asked asynchronously: here in a task of its own, as in another process.

use std::future::{pending, ready};
use std::io;
use std::sync::{Arc, Mutex};

use redress::breaker::{CallResult, FailureRule, FailureTimes, Permit};
use redress::event::{CircuitState, Event};
use redress::{
    Backoff, Breaker, BreakerConfig, CircuitOpen, Clock, Duration, Error, EventKind, Observer,
    Policy,
};
use redress_tokio::{AsyncGate, TokioTime, Upstream};

type Stored = Breaker<FailureTimes<2>, 1, BreakerConfig<FailureRule>>;

/// A breaker behind a lock that is awaited.
#[derive(Clone)]
struct Remote(Arc<tokio::sync::Mutex<Stored>>);

impl Remote {
    fn new() -> Self {
        let config = BreakerConfig::failures(2, Duration::from_secs(60));
        Self(Arc::new(tokio::sync::Mutex::new(Breaker::from_settings(config).unwrap())))
    }
}

impl AsyncGate for Remote {
    type Permit = Permit;

    async fn admit(&self, _: &str) -> Result<(Permit, bool), CircuitOpen> {
        tokio::task::yield_now().await;
        let admitted = self.0.lock().await.admit(TokioTime.now())?;
        Ok((admitted.permit, admitted.half_opened))
    }

    async fn settle(&self, permit: Permit, result: CallResult) -> Option<CircuitState> {
        tokio::task::yield_now().await;
        self.0.lock().await.settle(permit, result, TokioTime.now())
    }
}

#[derive(Clone, Default)]
struct Kinds(Arc<Mutex<Vec<EventKind>>>);

impl Observer for Kinds {
    fn event(&mut self, event: &Event<'_>) {
        self.0.lock().unwrap().push(event.kind);
    }
}

fn upstream() -> Upstream {
    let backoff = Backoff::constant(Duration::from_millis(10));
    Upstream::new(Policy::builder().max_attempts(2).backoff(backoff).build().unwrap())
}

fn down() -> io::Result<()> {
    Err(io::ErrorKind::ConnectionRefused.into())
}

#[tokio::test(start_paused = true)]
async fn a_remote_breaker_opens_rejects_and_recovers() {
    let (kinds, gate) = (Kinds::default(), Remote::new());
    let upstream = upstream().observer(kinds.clone());
    for _ in 0..2 {
        assert!(upstream.call_through(&gate, "orders", |_| ready(down())).await.is_err());
    }
    let rejected = upstream.call_through(&gate, "orders", |_| ready(Ok::<_, io::Error>(()))).await;
    assert!(matches!(rejected, Err(Error::CircuitOpen(_))));
    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    upstream.call_through(&gate, "orders", |_| ready(Ok::<_, io::Error>(()))).await.unwrap();
    let retried = [EventKind::Retry, EventKind::MaxAttemptsExceeded];
    let seen = kinds.0.lock().unwrap().clone();
    assert_eq!(seen[..4], [retried, retried].concat());
    assert_eq!(
        seen[4..],
        [
            EventKind::CircuitOpened,
            EventKind::CircuitRejected,
            EventKind::CircuitHalfOpen,
            EventKind::Success,
            EventKind::CircuitClosed,
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_call_is_dropped_is_given_back() {
    let (gate, upstream) = (Remote::new(), upstream());
    for _ in 0..2 {
        assert!(upstream.call_through(&gate, "orders", |_| ready(down())).await.is_err());
    }
    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    let probe = upstream.call_through(&gate, "orders", |_| pending::<io::Result<()>>());
    assert!(tokio::time::timeout(std::time::Duration::from_secs(1), probe).await.is_err());
    // Its permit is settled in a task of its own.
    tokio::task::yield_now().await;
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    upstream.call_through(&gate, "orders", |_| ready(Ok::<_, io::Error>(()))).await.unwrap();
    assert_eq!(gate.0.lock().await.state(), CircuitState::Closed);
}
