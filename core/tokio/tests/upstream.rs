//! Upstreams: what their calls share, and what an update changes.

use std::future::{Future, pending, ready};
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time;

use redress::budget::{RatioConfig, RollingConfig};
use redress::event::{CircuitState, Event};
use redress::{
    Backoff, BreakerConfig, Clock, Duration, Error, EventKind, Observer, Policy, StopReason,
};
use redress_tokio::settings::{BreakerSettings, BudgetSettings, StrategySettings};
use redress_tokio::{TokioTime, Upstream, UpstreamSettings, deadline};

fn policy(attempts: u32) -> Policy {
    let backoff = Backoff::constant(Duration::from_millis(10));
    Policy::builder().max_attempts(attempts).backoff(backoff).build().unwrap()
}

fn down() -> io::Result<()> {
    Err(io::ErrorKind::ConnectionRefused.into())
}

/// Opens at the first failure.
fn quick() -> BreakerConfig<redress::breaker::FailureRule> {
    BreakerConfig::failures(1, Duration::from_secs(60))
}

fn is_rejected<T, E>(result: &Result<T, Error<E>>) -> bool {
    matches!(result, Err(Error::CircuitOpen(_)))
}

#[tokio::test(start_paused = true)]
async fn clones_share_breakers_by_key() {
    let upstream = Upstream::new(policy(1)).breaker(quick()).unwrap();
    let other = upstream.clone();
    assert!(upstream.at("a").call_future(|_| ready(down())).await.is_err());
    assert!(is_rejected(&other.at("a").call_future(|_| ready(Ok::<_, io::Error>(()))).await));
    assert!(other.at("b").call_future(|_| ready(Ok::<_, io::Error>(()))).await.is_ok());
    assert!(other.call(|_| ready(Ok::<_, io::Error>(()))).await.is_ok());
    assert_eq!(upstream.breaker_of("a").unwrap().state(), CircuitState::Open);
    let mut keys: Vec<_> = other.breakers().into_iter().map(|(key, _)| key).collect();
    keys.sort();
    assert_eq!(keys.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn all_keys_share_the_budget() {
    let budget = RollingConfig::new(1, Duration::from_secs(60));
    let upstream = Upstream::new(policy(2)).budget(budget).unwrap();
    let first = upstream.at("a").execute_future(|_| ready(down())).await;
    let second = upstream.at("b").execute_future(|_| ready(down())).await;
    assert_eq!((first.attempts, second.attempts), (2, 1));
    assert_eq!(second.result.unwrap_err().stop_reason(), Some(StopReason::BudgetExhausted));
    assert_eq!(upstream.retries_left(""), Some(0));
}

#[tokio::test(start_paused = true)]
async fn each_key_may_have_a_budget_of_its_own() {
    let upstream = Upstream::new(policy(4)).budget_by_key(RatioConfig::new(100)).unwrap();
    let first = upstream.at("a").execute_future(|_| ready(down())).await;
    let same = upstream.at("a").execute_future(|_| ready(down())).await;
    let other = upstream.at("b").execute_future(|_| ready(down())).await;
    // A key begins with one retry.
    assert_eq!([first.attempts, same.attempts, other.attempts], [2, 1, 2]);
    assert_eq!((upstream.retries_left("a"), upstream.retries_left("")), (Some(0), None));
    let mut settings = settings(2);
    settings.budget_by_key = Some(BudgetSettings::default());
    let refused = Upstream::from_settings(&settings).unwrap_err();
    assert_eq!(refused.issues()[0].path, "budgetByKey.maxRetries");
}

#[tokio::test(start_paused = true)]
async fn a_full_map_lets_the_least_recently_used_closed_breaker_go() {
    let mut settings = settings(1);
    settings.capacity = Some(2.0);
    settings.circuit_breaker = Some(breaker(1.0));
    let upstream = Upstream::from_settings(&settings).unwrap();
    let keys = |upstream: &Upstream| {
        let mut keys: Vec<_> = upstream.breakers().iter().map(|(key, _)| key.to_string()).collect();
        keys.sort();
        keys
    };
    assert!(upstream.at("open").call_future(|_| ready(down())).await.is_err());
    for key in ["a", "b"] {
        upstream.at(key).call_future(|_| ready(Ok::<_, io::Error>(()))).await.unwrap();
    }
    assert_eq!(keys(&upstream), ["b", "open"]);
    assert!(upstream.at("b").call_future(|_| ready(down())).await.is_err());
    // Both are open: there is no room, and the call runs without a breaker.
    for _ in 0..2 {
        assert!(!is_rejected(&upstream.at("c").call_future(|_| ready(down())).await));
    }
    assert_eq!((keys(&upstream), upstream.refused_keys()), (vec!["b".into(), "open".into()], 2));
    // After their recovery time the one that was used least recently makes room.
    tokio::time::advance(time::Duration::from_secs(31)).await;
    upstream.at("c").call_future(|_| ready(Ok::<_, io::Error>(()))).await.unwrap();
    assert_eq!(keys(&upstream), ["b", "c"]);
}

fn settings(attempts: u32) -> UpstreamSettings {
    let mut settings = UpstreamSettings::default();
    settings.retry.max_attempts = redress_tokio::settings::Limit::At(f64::from(attempts));
    settings.retry.strategy = Some(StrategySettings::Constant { delay_ms: 10.0, jitter_ms: None });
    settings
}

fn breaker(threshold: f64) -> BreakerSettings {
    let mut breaker = BreakerSettings::default();
    breaker.failure_threshold = Some(threshold);
    breaker
}

#[tokio::test(start_paused = true)]
async fn an_update_keeps_the_state_of_what_has_not_changed() {
    let mut now = settings(2);
    now.circuit_breaker = Some(breaker(1.0));
    let mut budget = BudgetSettings::default();
    budget.max_retries = Some(5.0);
    now.retry.budget = Some(budget.clone());
    let upstream = Upstream::from_settings(&now).unwrap();
    let clone = upstream.clone();
    assert!(upstream.at("a").call_future(|_| ready(down())).await.is_err());
    assert_eq!(upstream.retries_left(""), Some(4));

    now.retry.max_attempts = redress_tokio::settings::Limit::At(3.0);
    upstream.update(&now).unwrap();
    assert_eq!((clone.policy().max_attempts(), clone.retries_left("")), (3, Some(4)));
    assert_eq!(clone.breaker_of("a").unwrap().state(), CircuitState::Open);

    now.circuit_breaker = Some(breaker(2.0));
    now.retry.budget = None;
    upstream.update(&now).unwrap();
    assert_eq!(
        (clone.breaker_of("a").unwrap().state(), clone.retries_left("")),
        (CircuitState::Closed, None)
    );
}

#[tokio::test(start_paused = true)]
async fn an_update_that_is_refused_changes_nothing() {
    let upstream = Upstream::from_settings(&settings(2)).unwrap();
    let mut wrong = settings(5);
    wrong.circuit_breaker = Some(breaker(0.0));
    let refused = upstream.update(&wrong).unwrap_err();
    assert_eq!(refused.issues()[0].path, "circuitBreaker.failureThreshold");
    assert_eq!(upstream.policy().max_attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_keeps_the_policy_that_it_began_with() {
    let upstream = Upstream::from_settings(&settings(3)).unwrap();
    let swapped = upstream.clone();
    let mut call = upstream.at("");
    let outcome = call.execute_future(move |attempt| {
        if attempt.number == 1 {
            swapped.update(&settings(1)).unwrap();
        }
        ready(down())
    });
    assert_eq!(outcome.await.attempts, 3);
    assert_eq!(upstream.at("").execute_future(|_| ready(down())).await.attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_with_the_request_that_it_is_part_of() {
    let upstream = Upstream::new(policy(3)).breaker(quick()).unwrap();
    let outcome = deadline::within(Duration::from_secs(2), async {
        upstream.at("a").execute_future(|_| pending::<io::Result<()>>()).await
    });
    let outcome = outcome.await;
    assert_eq!(outcome.elapsed, Duration::from_secs(2));
    assert_eq!(outcome.result.unwrap_err().stop_reason(), Some(StopReason::DeadlineExceeded));
    // It might have succeeded: that the request ended is no failure of the upstream.
    assert_eq!(upstream.breaker_of("a").unwrap().state(), CircuitState::Closed);
    // A deadline of the call does not outlive the request.
    let outcome = deadline::within(Duration::from_secs(2), async {
        let mut call = upstream.at("a").deadline(Duration::from_secs(30));
        call.execute_future(|_| pending::<io::Result<()>>()).await
    });
    assert_eq!(outcome.await.elapsed, Duration::from_secs(2));
    let nested = deadline::within(Duration::from_secs(2), async {
        deadline::within(Duration::from_secs(9), async { deadline::remaining() }).await
    });
    assert_eq!(nested.await, Some(Duration::from_secs(2)));
}

/// The kinds of the events of all calls.
#[derive(Clone, Default)]
struct Kinds(Arc<Mutex<Vec<EventKind>>>);

impl Observer for Kinds {
    fn event(&mut self, event: &Event<'_>) {
        self.0.lock().unwrap().push(event.kind);
    }
}

#[tokio::test(start_paused = true)]
async fn observers_are_notified_of_every_call_and_of_a_dropped_one() {
    let kinds = Kinds::default();
    let upstream = Upstream::new(policy(2)).observer(kinds.clone());
    assert!(upstream.call(|_| ready(down())).await.is_err());
    let dropped = upstream.call(|_| pending::<io::Result<()>>());
    assert!(tokio::time::timeout(time::Duration::from_secs(1), dropped).await.is_err());
    let seen = kinds.0.lock().unwrap().clone();
    assert_eq!(seen, [EventKind::Retry, EventKind::MaxAttemptsExceeded, EventKind::Aborted]);
}

#[tokio::test(start_paused = true)]
async fn a_call_with_one_attempt_makes_one() {
    let upstream = Upstream::new(policy(4));
    assert_eq!(upstream.once_at("a").execute_future(|_| ready(down())).await.attempts, 1);
}

/// Many tasks, one upstream: no permit is lost, and nothing is counted twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_in_many_tasks_lose_no_permit() {
    const CALLS: u32 = 2_000;
    let window = BreakerConfig::outcomes(1_000, 1_000, 1_000).half_open_permits(4);
    let upstream = Upstream::new(policy(2)).breaker(window).unwrap();
    let served = Arc::new(AtomicU32::new(0));
    let tasks: Vec<_> = (0..16_u32)
        .map(|task| {
            let (upstream, served) = (upstream.clone(), served.clone());
            tokio::spawn(async move {
                for call in 0..CALLS / 16 {
                    let key = ["a", "b", "c"][((task + call) % 3) as usize];
                    let mut retry = upstream.at(key);
                    let served = served.clone();
                    let result = retry.call_future(move |_| {
                        served.fetch_add(1, Ordering::Relaxed);
                        ready(Ok::<_, io::Error>(()))
                    });
                    result.await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(served.load(Ordering::Relaxed), CALLS);
    assert!(upstream.breakers().iter().all(|(_, breaker)| breaker.state() == CircuitState::Closed));
}

/// How many bytes a call in flight takes at most, besides its operation's future.
const CALL_BYTES: usize = 480;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_thousand_calls_in_flight_lose_no_permit() {
    const TASKS: usize = 64;
    const EACH: usize = 100_000 / TASKS + 1;
    let breaker = BreakerConfig::failures(1, Duration::from_secs(60));
    let upstream = Upstream::new(policy(1)).breaker(breaker).unwrap();
    let (started, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(tokio::sync::Semaphore::new(0)));
    let call = || {
        let (started, gate) = (started.clone(), gate.clone());
        upstream.call(move |_| {
            started.fetch_add(1, Ordering::Relaxed);
            let gate = gate.clone();
            async move { gate.acquire().await.map(drop).map_err(io::Error::other) }
        })
    };
    let bytes = size_of_val(&call()) - size_of_val(&gate.acquire());
    println!("{bytes} bytes a call in flight, besides its operation");
    assert!(bytes <= CALL_BYTES, "{bytes}");
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| tokio::spawn(futures_util::future::join_all((0..EACH).map(|_| call()))))
        .collect();
    let all = u32::try_from(TASKS * EACH).unwrap();
    while started.load(Ordering::Relaxed) < all {
        tokio::task::yield_now().await;
    }
    // All are in flight, and one failure opens the breaker beneath them.
    assert!(upstream.call(|_| ready(down())).await.is_err());
    assert!(is_rejected(&upstream.call(|_| ready(Ok::<_, io::Error>(()))).await));
    gate.add_permits(all as usize);
    for task in tasks {
        assert!(task.await.unwrap().iter().all(Result::is_ok));
    }
    // Late results change nothing, and the probe of the recovery finds its place.
    let state = upstream.breaker_of("").unwrap();
    assert_eq!(state.state(), CircuitState::Open);
    let late = TokioTime.now().saturating_add(Duration::from_secs(31));
    assert!(state.check_at(late).is_ok());
}

/// What is spawned may be sent to another thread, also with a classifier of one's own.
fn _may_be_spawned(upstream: &Upstream) -> impl Future<Output = bool> + Send + use<> {
    let call = upstream.call(|_| ready(down()));
    async move { call.await.is_ok() }
}

#[tokio::test(start_paused = true)]
async fn breakers_are_opened_and_closed_by_hand_and_say_what_a_call_would_be_answered() {
    let breaker = BreakerConfig::failures(5, Duration::from_secs(60));
    let kinds = Kinds::default();
    let upstream = Upstream::new(policy(2)).breaker(breaker).unwrap().observer(kinds.clone());
    assert_eq!(upstream.trip("a"), Some(CircuitState::Open));
    let tripped = upstream.breaker_of("a").unwrap();
    assert_eq!(tripped.check().unwrap_err().retry_after, Some(Duration::from_secs(30)));
    assert!(upstream.breaker_of("b").unwrap().check().is_ok(), "another key");
    tokio::time::advance(time::Duration::from_secs(30)).await;
    assert!(tripped.check().is_ok(), "a probe is admitted");
    assert_eq!(upstream.isolate("a"), None, "it is open");
    tokio::time::advance(time::Duration::from_hours(1)).await;
    assert_eq!(tripped.check().unwrap_err().retry_after, None, "its end is not known");
    assert_eq!(upstream.reset("a"), Some(CircuitState::Closed));
    assert!(upstream.at("a").call_future(|_| ready(Ok::<_, io::Error>(()))).await.is_ok());
    assert_eq!(upstream.isolate(""), Some(CircuitState::Open), "calls that name no key");
    assert!(matches!(upstream.call(|_| ready(down())).await, Err(Error::CircuitOpen(_))));
    let seen = kinds.0.lock().unwrap().clone();
    assert_eq!(seen[..2], [EventKind::CircuitOpened, EventKind::CircuitClosed]);
    assert_eq!(Upstream::new(policy(2)).trip("a"), None, "no breaker");
}
