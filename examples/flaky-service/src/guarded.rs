//! A call under one policy: what a user of redress writes. The policy is a constant;
//! the breaker and the budget are shared by all callers.

use std::error::Error as _;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime as WallTime, UNIX_EPOCH};

use redress::breaker::{FailureRule, FailureTimes};
use redress::budget::{Budget as _, RatioConfig};
use redress::config::ConfigError;
use redress::event::{AttemptContext, CircuitState};
use redress::random::SystemRandom;
use redress::time::{MonotonicClock, Timer};
use redress::{
    Backoff, Breaker, BreakerConfig, Classification, Clock, Duration, Error, ErrorClass, Event,
    EventKind, Instant, Last, Observer, Outcome, Policy, RatioBudget, StopReason, checked,
    classify, policy,
};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response};

use crate::board::{Board, Ending};
use crate::load::Errand;

/// Where the service does not say when to come back.
const BACKOFF: Backoff =
    Backoff::decorrelated_jitter(Duration::from_millis(50), Duration::from_millis(600));

/// What each class of failure deserves.
const UPSTREAM: Policy = policy! {
    Policy::builder()
        .max_attempts(4)
        .deadline(Duration::from_secs(8))
        .attempt_timeout(Duration::from_millis(400))
        .backoff(BACKOFF)
        .backoff_for(
            ErrorClass::RateLimit,
            Backoff::retry_after_or(&BACKOFF, Duration::from_millis(100)),
        )
};

/// Ten calls failed within one second: stay away for 0.4 s, then probe.
const BREAKER_CONFIG: BreakerConfig<FailureRule> =
    BreakerConfig::failures(10, Duration::from_secs(1))
        .recovery_timeout(Duration::from_millis(400));

/// Three retries for ten calls, twenty a second and at the start besides, and never more than this at once.
const BUDGET_CONFIG: RatioConfig =
    RatioConfig::new(300).initial(20).floor_per_sec(20).limit(SAVED_RETRIES);

/// The most retries that the budget saves up.
pub const SAVED_RETRIES: u32 = 50;

type UpstreamBreaker = Breaker<FailureTimes<10>>;

static BREAKER: Mutex<UpstreamBreaker> =
    Mutex::new(checked!(UpstreamBreaker::new(&BREAKER_CONFIG)));

static BUDGET: Mutex<RatioBudget> = Mutex::new(checked!(RatioBudget::new(&BUDGET_CONFIG)));

/// The upstream's policy with other limits than its own: those of the command line.
///
/// # Errors
///
/// Names the limit that is out of its range.
pub const fn upstream_with(
    attempts: u32,
    deadline: Duration,
    attempt_timeout: Duration,
) -> Result<Policy, ConfigError> {
    let limits = UPSTREAM.config().max_attempts(attempts).deadline(deadline);
    limits.attempt_timeout(attempt_timeout).build()
}

/// Tokio's sleep, on the system's clock.
#[derive(Clone, Copy, Debug)]
struct TokioTime;

impl Clock for TokioTime {
    fn now(&self) -> Instant {
        MonotonicClock.now()
    }
}

impl Timer for TokioTime {
    fn sleep(&mut self, span: Duration) -> impl Future<Output = ()> {
        tokio::time::sleep(span.into())
    }
}

/// Gets the errand's URL under the policy, and writes on the board how it went.
pub async fn call(client: &Client, errand: &Errand, policy: &Policy, board: &Arc<Board>) {
    let outcome = policy
        .on(TokioTime, SystemRandom)
        .breaker(&BREAKER)
        .budget(&BUDGET)
        .classify(by_error)
        .classify_value(by_response)
        .observer(Watcher { board: Arc::clone(board) })
        .operation(&errand.operation)
        .execute_future(|_| client.get(errand.url.clone()).send())
        .await;
    board.guarded(|tally| tally.end(ending(&outcome), outcome.elapsed.into()));
    if let Err(Error::Exhausted(stopped)) = outcome.result {
        board.fail(match stopped.last {
            Some(Last::Error(error)) => innermost(&error),
            Some(Last::Value(response)) => response.status().to_string(),
            Some(Last::Timeout) | None => "no answer in time".to_owned(),
        });
    }
}

/// What is at the bottom of an error: "connection refused" tells more than "error
/// sending request".
fn innermost(error: &reqwest::Error) -> String {
    let sources = std::iter::successors(error.source(), |&error| error.source());
    sources.last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// What a failed request is: the system's error if there is one, else what reqwest
/// says of it.
fn by_error(error: &reqwest::Error) -> ErrorClass {
    let mut sources = std::iter::successors(error.source(), |&error| error.source());
    let io = sources.find_map(|error| error.downcast_ref::<io::Error>());
    match io.map(|error| classify::io_kind(error.kind())) {
        Some(class) if class != ErrorClass::Unknown => class,
        _ if error.is_builder() || error.is_redirect() => ErrorClass::Permanent,
        _ => ErrorClass::Transient,
    }
}

/// What a response is, if not a success.
fn by_response(response: &Response) -> Option<Classification> {
    let retry_after = response.headers().get(RETRY_AFTER);
    let now = WallTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    classify::http_response(
        response.status().as_u16(),
        retry_after.and_then(|value| value.to_str().ok()),
        now.as_secs().cast_signed(),
    )
}

fn ending<T, E, V>(outcome: &Outcome<T, E, V>) -> Ending {
    match &outcome.result {
        Ok(_) if outcome.attempts == 1 => Ending::AtOnce,
        Ok(_) => Ending::Retried,
        Err(Error::CircuitOpen(_)) => Ending::Rejected,
        Err(error) if error.stop_reason() == Some(StopReason::NonRetryableClass) => Ending::Refused,
        Err(Error::Exhausted(_)) => Ending::Failed,
    }
}

/// Puts what happens in a call on the board.
struct Watcher {
    board: Arc<Board>,
}

impl Observer for Watcher {
    fn event(&mut self, event: &Event<'_>) {
        let at_once = event.kind == EventKind::Success && event.attempt == 1;
        // Too many to read.
        if at_once || event.kind == EventKind::CircuitRejected {
            return;
        }
        self.board.note(event);
        let Some(class) = event.class.filter(|_| event.attempt > 0) else { return };
        self.board.guarded(|tally| {
            tally.classes[class as usize] += 1;
            tally.waited += std::time::Duration::from(event.delay);
        });
    }

    fn attempt_start(&mut self, _: &AttemptContext<'_>) {
        self.board.guarded(|tally| tally.requests += 1);
    }
}

/// The breaker and the budget at a glance.
#[derive(Clone, Copy, Debug)]
pub struct Condition {
    /// Whether the breaker lets calls through.
    pub breaker: CircuitState,
    /// How long until it lets a probe through.
    pub probe_in: Option<Duration>,
    /// How many retries are left, of [`SAVED_RETRIES`].
    pub retries_left: u32,
}

impl Condition {
    /// The condition now.
    pub fn now() -> Self {
        let now = TokioTime.now();
        let breaker = BREAKER.lock().unwrap_or_else(PoisonError::into_inner);
        let budget = BUDGET.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            breaker: breaker.state(),
            probe_in: breaker.check(now).err().and_then(|open| open.retry_after),
            retries_left: budget.remaining(now),
        }
    }
}
