//! The calls through redress: one policy, one breaker and one budget for all.

use std::future::Future;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::SystemTime as WallTime;

use redress::{
    Backoff, Breaker, BreakerConfig, Budget, CircuitState, Classification, Clock, ConfigError,
    Duration, ErrorClass, Event, EventKind, FailureRule, FailureTimes, Instant, Observer, Policy,
    RatioBudget, RatioConfig, SystemRandom, SystemTime, Timer, classify, policy,
};
use reqwest::Response;
use reqwest::header::RETRY_AFTER;

use crate::load::Tally;
use crate::view::Log;

const SLOW: Backoff = Backoff::equal_jitter(Duration::from_millis(250), Duration::from_secs(2));

/// What each class of failure deserves.
pub const UPSTREAM: Policy = policy! {
    Policy::new()
        .max_attempts(4)
        .deadline(Duration::from_secs(5))
        .attempt_timeout(Duration::from_millis(300))
        .backoff(Backoff::decorrelated_jitter(Duration::from_millis(40), Duration::from_millis(600)))
        .backoff_for(ErrorClass::RateLimit, Backoff::retry_after_or(&SLOW, Duration::from_millis(100)))
};

static BREAKER_CONFIG: BreakerConfig<FailureRule> =
    BreakerConfig::failures(12, Duration::from_secs(2))
        .recovery_timeout(Duration::from_millis(250))
        .recovery_growth_to(Duration::from_secs(1))
        .lease(Duration::from_secs(2));

/// Two retries for five calls, and five a second in any case.
static BUDGET_CONFIG: RatioConfig = RatioConfig::new(400).floor_per_sec(5).limit(50);

/// A clock and timers of tokio.
#[derive(Clone, Copy, Debug)]
pub struct TokioTime;

impl Clock for TokioTime {
    fn now(&self) -> Instant {
        SystemTime.now()
    }
}

impl Timer for TokioTime {
    fn sleep(&mut self, span: Duration) -> impl Future<Output = ()> {
        tokio::time::sleep(span.into())
    }
}

/// A client of one service, shared by all callers.
#[derive(Debug)]
pub struct Guarded {
    client: reqwest::Client,
    url: String,
    policy: Policy,
    breaker: Mutex<Breaker<'static, FailureTimes<12>>>,
    budget: Mutex<RatioBudget<'static>>,
    tally: Arc<Tally>,
    log: Arc<Log>,
}

impl Guarded {
    /// A client of the service at `url` that follows `policy`.
    ///
    /// # Errors
    ///
    /// If breaker or budget are configured wrongly.
    pub fn new(
        client: reqwest::Client,
        url: String,
        policy: Policy,
        tally: Arc<Tally>,
        log: Arc<Log>,
    ) -> Result<Self, ConfigError> {
        let breaker = Mutex::new(Breaker::<FailureTimes<12>>::new(&BREAKER_CONFIG)?);
        let budget = Mutex::new(RatioBudget::new(&BUDGET_CONFIG)?);
        Ok(Self { client, url, policy, breaker, budget, tally, log })
    }

    /// Makes one call; says whether it succeeded.
    pub async fn call(self: Arc<Self>, path: &'static str) -> bool {
        let url = format!("{}{path}", self.url);
        let outcome = self
            .policy
            .on(TokioTime, SystemRandom)
            .classify(class_of)
            .classify_value(failure_in)
            .breaker(&self.breaker)
            .budget(&self.budget)
            .observer(Reporter(&self.log))
            .operation(path)
            .execute_future(|_| {
                self.tally.requests.fetch_add(1, Ordering::Relaxed);
                self.client.get(&url).send()
            })
            .await;
        outcome.is_ok()
    }

    /// What the breaker does now.
    pub fn circuit(&self) -> CircuitState {
        self.breaker.lock().map_or(CircuitState::Closed, |breaker| breaker.state())
    }

    /// How many retries are left now.
    pub fn budget_left(&self) -> u32 {
        self.budget.lock().map_or(0, |budget| budget.remaining(TokioTime.now()))
    }
}

/// Whatever the client could not get an answer for may work the next time; what it
/// could not even send will not.
fn class_of(error: &reqwest::Error) -> ErrorClass {
    if error.is_builder() || error.is_redirect() {
        ErrorClass::Permanent
    } else {
        ErrorClass::Transient
    }
}

/// A response whose status says that it is none.
fn failure_in(response: &Response) -> Option<Classification> {
    let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let now = WallTime::now().duration_since(WallTime::UNIX_EPOCH).map_or(0, |d| d.as_secs());
    classify::http_response(response.status().as_u16(), header, now.cast_signed())
}

/// Hands every event on to the log.
struct Reporter<'l>(&'l Log);

impl Observer for Reporter<'_> {
    fn event(&mut self, event: &Event<'_>) {
        if event.kind != EventKind::Success {
            self.0.add(event);
        }
    }
}
