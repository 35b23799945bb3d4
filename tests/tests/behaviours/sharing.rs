//! One upstream that many handlers use: settings that are read at run time, a breaker and a
//! budget in an `Arc`, observers that are shared, and one value of a type with a name.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use redress::backoff::{Adaptive, AdaptiveConfig, Memory};
use redress::breaker::{FailureRule, FailureTimes, LastOutcomes};
use redress::budget::{Budget, LimiterConfig, NotBefore, RatioConfig, RollingConfig};
use redress::classify::{ByError, Classifier};
use redress::config::ConfigError;
use redress::event::{AttemptContext, CircuitState};
use redress::random::{NoRandom, SystemRandom};
use redress::testing::MockClock;
use redress::time::MonotonicClock;
use redress::{
    Backoff, Breaker, BreakerConfig, Classification, Clock, Duration, Error, ErrorClass, Event,
    EventKind, Instant, Keyed, Observer, Policy, RateLimiter, RatioBudget, Retry, RollingBudget,
    Shared, StopReason, by_key,
};

const TRANSIENT: ErrorClass = ErrorClass::Transient;

type Guard = Arc<Mutex<Breaker<FailureTimes<5>, 1, BreakerConfig<FailureRule>>>>;
type Tokens = Arc<Mutex<RollingBudget<16, RollingConfig>>>;

/// All that the handlers of an upstream share, in one field.
type Upstream = Retry<
    'static,
    (MonotonicClock, SystemRandom, Guard, Tokens, (), (), Arc<Policy>),
    Classifier<ByError<fn(&ErrorClass) -> ErrorClass>>,
>;

struct Handlers {
    upstream: Upstream,
}

impl Handlers {
    /// Made of what a program reads when it starts.
    fn new(attempts: u32, failures: u8) -> Result<Self, ConfigError> {
        let policy = Policy::builder()
            .max_attempts(attempts)
            .backoff(Backoff::constant(Duration::ZERO))
            .build()?;
        let breaker = BreakerConfig::failures(failures, Duration::from_secs(60));
        let breaker = Arc::new(Mutex::new(Breaker::from_settings(breaker)?));
        let budget = RollingConfig::new(16, Duration::from_secs(60));
        let budget = Arc::new(Mutex::new(RollingBudget::from_settings(budget)?));
        let classify: fn(&ErrorClass) -> ErrorClass = |class| *class;
        let upstream = Retry::new(Arc::new(policy), MonotonicClock, SystemRandom)
            .classify(classify)
            .breaker(breaker)
            .budget(budget);
        Ok(Self { upstream })
    }

    fn handle(&self, result: Result<u8, ErrorClass>) -> Result<u8, Error<ErrorClass>> {
        self.upstream.context("GET /orders").call(|_| result)
    }
}

/// The state is shared by all threads, and goes with the value wherever that is moved.
#[test]
fn one_value_serves_all_handlers_behind_a_shared_reference() {
    let handlers = Arc::new(Handlers::new(2, 5).unwrap());
    let threads: Vec<_> = (0..5)
        .map(|_| {
            let handlers = handlers.clone();
            std::thread::spawn(move || handlers.handle(Err(TRANSIENT)).is_err())
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    assert!(matches!(handlers.handle(Ok(1)), Err(Error::CircuitOpen(_))));
    let wrong = Handlers::new(0, 5).err().unwrap();
    assert_eq!(wrong.to_string(), "max_attempts is 0: it must be 1 or more");
    assert_eq!(Handlers::new(1, 6).err().unwrap().field(), "breaker.thresholds");
}

/// Nothing of a policy that is read at run time needs to live for ever: what a hint falls back
/// on is the policy's own strategy.
#[test]
fn a_hint_falls_back_on_the_policys_strategy() {
    let (ms, secs) = (Duration::from_millis, Duration::from_secs);
    let hints = Backoff::retry_after(Duration::ZERO).at_least(ms(1)).at_most(secs(5));
    let config = Policy::builder().max_attempts(2).backoff_for(ErrorClass::RateLimit, hints);
    let slept = |config: redress::config::RetryConfig, class, hint: Option<Duration>| {
        let (clock, policy) = (MockClock::new(), config.build().unwrap());
        let mut retry = policy.on(&clock, NoRandom).classify(|()| {
            let classification = Classification::new(class);
            hint.map_or(classification, |hint| classification.retry_after(hint))
        });
        let outcome = retry.execute(|_| Err::<(), ()>(()));
        (clock.slept(), outcome.stop_reason().unwrap())
    };
    let whole = config.backoff(Backoff::constant(ms(50)));
    let (limit, over) = (ErrorClass::RateLimit, StopReason::MaxAttemptsGlobal);
    assert_eq!(slept(whole, limit, Some(secs(2))), (secs(2), over));
    assert_eq!(slept(whole, limit, None), (ms(50), over));
    assert_eq!(slept(whole, TRANSIENT, Some(secs(2))), (ms(50), over));
    let late = StopReason::DeadlineExceeded;
    assert_eq!(slept(whole, limit, Some(secs(6))), (Duration::ZERO, late));
    // Without one there is none to fall back on.
    let none = StopReason::NoStrategy;
    assert_eq!(slept(config, limit, None), (Duration::ZERO, none));
    assert_eq!(slept(config.backoff(hints), TRANSIENT, None), (Duration::ZERO, none));
}

/// What a failure is recorded in is the strategy that gave its delay.
#[test]
fn a_failure_without_a_hint_is_recorded_by_the_strategy_it_falls_back_on() {
    static LEARNS: Adaptive<Mutex<Memory<8>>> =
        redress::policy!(AdaptiveConfig::new(Backoff::constant(Duration::from_secs(1))))
            .memory(Mutex::new(Memory::new()));
    let policy = Policy::builder()
        .max_attempts(3)
        .no_deadline()
        .backoff(Backoff::own(&LEARNS))
        .backoff_for(ErrorClass::RateLimit, Backoff::retry_after(Duration::ZERO))
        .build()
        .unwrap();
    let clock = MockClock::new();
    let mut retry = policy.on(&clock, NoRandom).classify(|()| ErrorClass::RateLimit);
    assert!(retry.call(|_| Err::<(), ()>(())).is_err());
    assert!(clock.slept() > Duration::from_secs(2), "{}", clock.slept());
}

/// Each kind of state may own its settings, and refuses what is out of range by name.
#[test]
fn settings_that_are_owned_are_checked_as_others_are() {
    let minute = Duration::from_secs(60);
    let rate = BreakerConfig::outcomes(100, 500, 10);
    assert!(Breaker::<LastOutcomes<4>, 1, _>::from_settings(rate).is_ok());
    let small = Breaker::<LastOutcomes<3>, 1, _>::from_settings(Rc::new(rate)).err().unwrap();
    assert_eq!(small.field(), "breaker.size");
    let wrong = RollingBudget::<4, _>::from_settings(RollingConfig::new(5, minute)).err().unwrap();
    assert_eq!(wrong.field(), "budget.max_retries");
    let ratio = RatioConfig::new(100).initial(2);
    let mut budget = RatioBudget::from_settings(Arc::new(ratio)).unwrap();
    assert_eq!(budget.remaining(Instant::ZERO), 2);
    assert!(budget.consume(2, Instant::ZERO));
    let mut limiter =
        RateLimiter::<1, _>::from_settings(LimiterConfig::new().window(1, minute)).unwrap();
    let limit: &mut dyn redress::budget::Limit = &mut limiter;
    assert_eq!(limit.acquire(1, Instant::ZERO), Ok(()));
    assert_eq!(limit.acquire(1, Instant::ZERO), Err(NotBefore { wait: Some(minute) }));
    assert!(RateLimiter::<1, _>::from_settings(LimiterConfig::new()).is_err());
}

/// A map of breakers may be owned by its callers, too.
#[test]
fn a_map_of_breakers_in_an_arc_is_shared_by_key() {
    let settings = Arc::new(BreakerConfig::failures(1, Duration::from_secs(60)));
    let breaker = Breaker::<FailureTimes<1>, 1, _>::from_settings(settings).unwrap();
    let hosts = Arc::new(Mutex::new(Keyed::<&str, _, 4>::new(breaker)));
    let (once, clock) = (Policy::once(), MockClock::new());
    let call = |host| {
        let mut retry = once
            .on(&clock, NoRandom)
            .classify(|(): &()| TRANSIENT)
            .breaker(by_key(hosts.clone(), host));
        retry.call(|_| Err::<(), ()>(()))
    };
    assert!(matches!(call("a"), Err(Error::Exhausted(_))));
    assert!(matches!(call("a"), Err(Error::CircuitOpen(_))));
    assert!(matches!(call("b"), Err(Error::Exhausted(_))));
    let state = hosts.with(|hosts| hosts.peek(&"a").map(Breaker::state)).flatten();
    assert_eq!(state, Some(CircuitState::Open));
}

/// Counts without a lock, by a shared reference.
#[derive(Default)]
struct Metrics {
    events: AtomicU32,
    attempts: AtomicU32,
}

impl Observer for &Metrics {
    fn event(&mut self, _: &Event<'_>) {
        self.events.fetch_add(1, Ordering::Relaxed);
    }

    fn attempt_end(&mut self, _: &AttemptContext<'_>) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }
}

/// Keeps the kinds of events, by an exclusive reference.
#[derive(Default)]
struct Kinds(Vec<EventKind>);

impl Observer for Kinds {
    fn event(&mut self, event: &Event<'_>) {
        self.0.push(event.kind);
    }
}

/// References, `Arc`, `Rc`, locks and boxes of observers are observers.
#[test]
fn an_observer_is_shared_in_every_usual_way() {
    fn observed(observer: impl Observer) {
        let (once, clock) = (Policy::once(), MockClock::new());
        let mut retry = once.on(&clock, NoRandom).classify(|(): &()| TRANSIENT).observer(observer);
        assert!(retry.call(|_| Ok::<_, ()>(())).is_ok());
        assert_eq!(clock.now(), Instant::ZERO);
    }
    let metrics = Arc::new(Metrics::default());
    observed(&*metrics);
    observed(metrics.clone());
    observed(Box::new(&*metrics) as Box<dyn Observer>);
    assert_eq!(metrics.events.load(Ordering::Relaxed), 3);
    assert_eq!(metrics.attempts.load(Ordering::Relaxed), 3);
    let one_thread = Rc::new(RefCell::new(Kinds::default()));
    observed(one_thread.clone());
    observed(&*one_thread);
    let mut exclusive = Kinds::default();
    observed(&mut exclusive);
    observed(&mut exclusive as &mut dyn Observer);
    assert_eq!(one_thread.borrow().0, [EventKind::Success; 2]);
    assert_eq!(exclusive.0, [EventKind::Success; 2]);
    let threads = Arc::new(Mutex::new(Kinds::default()));
    observed(threads.clone());
    assert_eq!(threads.lock().unwrap().0, [EventKind::Success]);
}
