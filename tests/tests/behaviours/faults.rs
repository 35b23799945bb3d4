//! Faults that others have and that must not come back.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;

use redress::backoff::{Adaptive, AdaptiveConfig, BackoffContext, Memory, Strategy};
use redress::breaker::{CallResult, FailureRule, FailureTimes};
use redress::budget::{Budget, RollingConfig};
use redress::classify::{self, Facts, Verdict, retry_after};
use redress::config::LongDelay;
use redress::driver::SleepDecision;
use redress::event::{AttemptContext, CircuitState};
use redress::random::{Draw, NoRandom, from_fn};
use redress::testing::{MockClock, Script};
use redress::time::{Sleep, Timer};
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, Error, ErrorClass, Event, EventKind, Instant,
    Observer, Policy, RollingBudget, StopReason,
};

use crate::{block_on, each_second, on};

const SECOND: Duration = Duration::from_secs(1);
const ONCE: Policy = Policy::once();
const TRANSIENT: ErrorClass = ErrorClass::Transient;
const FAILURE: CallResult = CallResult::Failure(TRANSIENT);

pub(crate) const TRIPPED: BreakerConfig<FailureRule> =
    BreakerConfig::failures(1, Duration::from_secs(60));
pub(crate) type Small = Breaker<FailureTimes<1>>;

/// A breaker that has just opened, on a clock at which its recovery time is over.
pub(crate) fn half_open_next() -> (MockClock, RefCell<Small>) {
    let clock = MockClock::new();
    let mut breaker = Small::new(&TRIPPED).unwrap();
    let permit = breaker.admit_closed().unwrap();
    breaker.settle(permit, FAILURE, clock.now());
    clock.advance(Duration::from_secs(30));
    (clock, RefCell::new(breaker))
}

/// Runs what panics.
pub(crate) fn panics<T>(run: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

thread_local! {
    /// The place that panics next, once.
    pub(crate) static ARMED: Cell<&'static str> = const { Cell::new("") };
}

pub(crate) fn at(place: &'static str) {
    if ARMED.get() == place {
        ARMED.set("");
        // A panic that does not print.
        resume_unwind(Box::new(place));
    }
}

/// A clock whose sleeps may panic.
struct Fragile<'c>(&'c MockClock);

impl Clock for Fragile<'_> {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl Sleep for Fragile<'_> {
    fn sleep(&mut self, span: Duration) {
        at("sleeper");
        self.0.advance(span);
    }
}

impl Timer for Fragile<'_> {
    async fn sleep(&mut self, span: Duration) {
        Sleep::sleep(self, span);
    }
}

/// An observer that may panic at each event.
struct Trembling;

impl Observer for Trembling {
    fn event(&mut self, event: &Event<'_>) {
        at(event.kind.as_str());
    }

    fn attempt_start(&mut self, _: &AttemptContext<'_>) {
        at("attempt_start");
    }

    fn attempt_end(&mut self, _: &AttemptContext<'_>) {
        at("attempt_end");
    }
}

const HOOKS: [&str; 7] = [
    "classifier",
    "value_classifier",
    "strategy",
    "predicate",
    "handler",
    "before_sleep",
    "sleeper",
];
const OBSERVED: [&str; 9] = [
    "attempt_start",
    "attempt_end",
    "retry",
    "success",
    "permanent_fail",
    "max_attempts_exceeded",
    "circuit_half_open",
    "circuit_closed",
    "circuit_opened",
];

/// Runs a script as a probe and panics at a place of it, if it comes along there;
/// gives the breaker, the clock and the number of runs.
fn shaken(
    place: &'static str,
    script: [Result<u32, ErrorClass>; 3],
    blocking: bool,
) -> Option<(RefCell<Small>, MockClock, usize)> {
    let (clock, breaker) = half_open_next();
    let strategy = Backoff::short(|_, _, _| {
        at("strategy");
        Some(SECOND)
    });
    let policy = Policy::builder().max_attempts(3).backoff(strategy).build().unwrap();
    let mut operation = Script::new(script);
    let shaken = {
        let mut retry = policy
            .on(Fragile(&clock), NoRandom)
            .classify(|class: &ErrorClass| {
                at("classifier");
                *class
            })
            .classify_value(|value: &u32| {
                at("value_classifier");
                (*value > 9).then_some(ErrorClass::ServerError)
            })
            .breaker(&breaker)
            .abort_if(|| {
                at("predicate");
                false
            })
            .sleep_handler(|_, _| {
                at("handler");
                SleepDecision::Sleep
            })
            .before_sleep(|_, _| at("before_sleep"))
            .observer(Trembling);
        let mut run = || {
            at("operation");
            operation.next()
        };
        ARMED.set(place);
        let shaken = panics(|| {
            if blocking {
                retry.call(|_| run())
            } else {
                block_on(retry.call_async(async |_| run()))
            }
        });
        ARMED.set("");
        shaken
    };
    shaken.then_some((breaker, clock, operation.runs()))
}

const SCRIPTS: [[Result<u32, ErrorClass>; 3]; 5] = [
    [Ok(1); 3],
    [Err(TRANSIENT), Ok(1), Ok(1)],
    [Ok(10), Ok(1), Ok(1)],
    [Err(TRANSIENT); 3],
    [Err(ErrorClass::Permanent); 3],
];

/// The places of a probe taken that a panic at these places left behind.
fn wedged_at(places: &[&'static str]) -> Vec<(&'static str, bool)> {
    let mut wedged = Vec::new();
    for &place in places {
        let mut seen = 0;
        for script in SCRIPTS {
            for blocking in [true, false] {
                let Some((breaker, clock, _)) = shaken(place, script, blocking) else { continue };
                seen += 1;
                let breaker = breaker.into_inner();
                // After its own event a failed probe has rightly opened it anew.
                let opened = place == "circuit_opened" && breaker.state() == CircuitState::Open;
                if !opened && breaker.check(clock.now()).is_err() {
                    wedged.push((place, blocking));
                }
            }
        }
        assert!(seen > 0, "nothing comes along at {place}");
    }
    wedged
}

/// Fault: an escaping error leaves the half-open probe taken for ever. Here no panic
/// does, wherever it comes from and whoever drives.
#[test]
fn a_panic_of_the_operation_or_of_a_hook_frees_the_probe() {
    assert_eq!(wedged_at(&["operation"]), []);
    assert_eq!(wedged_at(&HOOKS), []);
}

/// Fault: the same, of what only listens.
#[test]
fn a_panic_of_an_observer_frees_the_probe() {
    assert_eq!(wedged_at(&OBSERVED), []);
}

/// Fault: a hook that raises counts as a failure of the operation, or its call counts
/// twice. Here only a result that was reached counts, and once.
#[test]
fn a_panic_is_no_failure_of_the_operation() {
    for place in ["operation"].into_iter().chain(HOOKS).chain(OBSERVED) {
        for script in SCRIPTS {
            for blocking in [true, false] {
                let Some((breaker, ..)) = shaken(place, script, blocking) else { continue };
                let reached = place == "circuit_opened" || place == "circuit_closed";
                let state = breaker.borrow().state();
                let succeeded = script.contains(&Ok(1));
                match state {
                    CircuitState::HalfOpen => assert!(!reached, "{place}"),
                    CircuitState::Closed => assert!(succeeded, "{place}"),
                    CircuitState::Open => assert!(!succeeded, "{place}"),
                }
            }
        }
    }
}

/// Fault: a hook that raises re-runs a successful operation.
#[test]
fn an_observer_that_panics_at_a_success_does_not_run_it_again() {
    for place in ["value_classifier", "attempt_end", "success", "circuit_closed"] {
        for blocking in [true, false] {
            let (_, _, runs) = shaken(place, [Ok(1); 3], blocking).expect(place);
            assert_eq!(runs, 1, "{place}");
        }
    }
}

/// Fault: a failure counts twice because the sleeper failed.
#[test]
fn a_sleeper_that_panics_counts_nothing() {
    const CONFIG: BreakerConfig<FailureRule> = BreakerConfig::failures(2, Duration::from_secs(600));
    const TOKENS: RollingConfig = RollingConfig::new(9, Duration::from_secs(600));
    let policy = each_second().max_attempts(2).build().unwrap();
    let clock = MockClock::new();
    let breaker = RefCell::new(Breaker::<FailureTimes<2>>::new(&CONFIG).unwrap());
    let budget = RefCell::new(RollingBudget::<9>::new(&TOKENS).unwrap());
    let mut retry = policy
        .on(Fragile(&clock), NoRandom)
        .classify(|class: &ErrorClass| *class)
        .breaker(&breaker)
        .budget(&budget);
    for left in [8, 7, 6] {
        ARMED.set("sleeper");
        assert!(panics(|| retry.call(|_| Err::<(), _>(TRANSIENT))));
        assert_eq!(breaker.borrow().state(), CircuitState::Closed);
        // The token of the retry that was granted stays spent, once.
        assert_eq!(budget.borrow().remaining(clock.now()), left);
    }
    // From here it takes as many failures as if nothing had happened.
    for state in [CircuitState::Closed, CircuitState::Open] {
        assert!(retry.call(|_| Err::<(), _>(TRANSIENT)).is_err());
        assert_eq!(breaker.borrow().state(), state);
    }
}

/// Fault: a nested exhausted error leaves the outer probe taken.
#[test]
fn a_nested_exhausted_error_settles_the_outer_probe() {
    let inner = each_second().max_attempts(2).build().unwrap();
    for (class, state) in [
        (Some(ErrorClass::ServerError), CircuitState::Open),
        (Some(ErrorClass::Permanent), CircuitState::Open),
        (None, CircuitState::HalfOpen),
    ] {
        for outer in [ONCE, inner] {
            let (clock, breaker) = half_open_next();
            let outcome = outer
                .on(&clock, NoRandom)
                .classify(|_: &Error<ErrorClass>| match class {
                    Some(class) => Verdict::from(class),
                    None => Verdict::Abort,
                })
                .breaker(&breaker)
                .execute(|_| on(&inner, &clock).call(|_| Err::<(), _>(TRANSIENT)));
            assert!(!outcome.is_ok());
            assert_eq!(breaker.borrow().state(), state);
            if state == CircuitState::HalfOpen {
                assert_eq!(breaker.borrow().check(clock.now()), Ok(()));
            }
        }
    }
}

/// Fault, and line 50: a call through the same breaker within a probe is rejected, and
/// that is no failure of the breaker's by itself.
#[test]
fn a_nested_call_through_the_same_breaker_is_rejected_and_not_counted() {
    let (clock, breaker) = half_open_next();
    let mut retry = on(&ONCE, &clock).breaker(&breaker);
    let mut rejected = None;
    let result = retry.call(|_| {
        let inner = on(&ONCE, &clock).breaker(&breaker).execute(|_| Ok::<_, ErrorClass>(()));
        rejected = inner.rejection();
        Ok(())
    });
    assert_eq!(rejected.unwrap().state, CircuitState::HalfOpen);
    assert_eq!((result, breaker.borrow().state()), (Ok(()), CircuitState::Closed));
}

/// Fault: an abort without retry frees the probe of another call.
#[test]
fn an_abort_without_retry_frees_its_own_probe_alone() {
    const CONFIG: BreakerConfig<FailureRule> =
        BreakerConfig::failures(1, SECOND).half_open_permits(2);
    let clock = MockClock::new();
    let breaker = RefCell::new(Breaker::<FailureTimes<1>, 2>::new(&CONFIG).unwrap());
    let mut opener = on(&ONCE, &clock).breaker(&breaker);
    assert!(opener.call(|_| Err::<(), _>(TRANSIENT)).is_err());
    clock.advance(Duration::from_secs(30));

    let mut first = on(&ONCE, &clock).breaker(&breaker);
    let probe = first.begin().unwrap();
    let mut aborting =
        ONCE.on(&clock, NoRandom).classify(|(): &()| Verdict::Abort).breaker(&breaker);
    assert!(aborting.call(|_| Err::<(), _>(())).unwrap_err().is_aborted());
    // One place is free, and only one.
    let mut second = on(&ONCE, &clock).breaker(&breaker);
    let taken = second.begin().unwrap();
    let mut third = on(&ONCE, &clock).breaker(&breaker);
    assert!(third.begin().is_err());
    drop((probe, taken));
}

/// Fault: a call from before the breaker opened gives back a place it never had.
#[test]
fn a_late_abort_or_result_of_an_earlier_period_touches_no_probe() {
    for late in [CallResult::Cancelled, CallResult::Success, FAILURE] {
        let clock = MockClock::new();
        let mut breaker = Small::new(&TRIPPED).unwrap();
        let early = breaker.admit_closed().unwrap();
        let permit = breaker.admit_closed().unwrap();
        breaker.settle(permit, FAILURE, clock.now());
        clock.advance(Duration::from_secs(30));
        let probe = breaker.admit(clock.now()).unwrap().permit;
        assert_eq!(breaker.settle(early, late, clock.now()), None);
        assert!(breaker.admit(clock.now()).is_err(), "{late:?}");
        let closed = breaker.settle(probe, CallResult::Success, clock.now());
        assert_eq!(closed, Some(CircuitState::Closed));
    }
}

/// Fault: a panic of a task or under a lock leaves its probe taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_panics_frees_its_probe() {
    static BREAKER: Mutex<Small> = Mutex::new(redress::checked!(Small::new(&TRIPPED)));
    struct Later;
    impl Clock for Later {
        fn now(&self) -> Instant {
            Instant::from_micros(30_000_000)
        }
    }
    impl Timer for Later {
        async fn sleep(&mut self, _: Duration) {
            tokio::task::yield_now().await;
        }
    }
    {
        let mut breaker = BREAKER.lock().unwrap();
        let permit = breaker.admit_closed().unwrap();
        breaker.settle(permit, FAILURE, Instant::ZERO);
    }
    let retry = || ONCE.on(Later, NoRandom).classify(|(): &()| TRANSIENT).breaker(&BREAKER);
    let task = tokio::spawn(async move {
        retry()
            .call_future(|_| async {
                tokio::task::yield_now().await;
                if true {
                    resume_unwind(Box::new("the operation"));
                }
                Ok::<(), ()>(())
            })
            .await
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(retry().call_future(|_| async { Ok::<_, ()>(1) }).await, Ok(1));
    assert_eq!(BREAKER.lock().unwrap().state(), CircuitState::Closed);
}

struct NoDelay;

impl Strategy for NoDelay {
    fn delay(&self, _: &BackoffContext, _: &mut dyn Draw) -> Option<Duration> {
        None
    }
}

/// Fault: a delay that is none is taken as no delay.
#[test]
fn a_delay_that_is_none_stops_and_does_not_retry_at_once() {
    const NONE: Backoff = Backoff::own(&NoDelay);
    static CAREFUL: Adaptive<Mutex<Memory<4>>> =
        redress::policy!(AdaptiveConfig::new(NONE)).memory(Mutex::new(Memory::new()));
    for backoff in [
        NONE,
        Backoff::short(|_, _, _| None),
        Backoff::function(|_, _| None),
        Backoff::sequence(&[]),
        Backoff::retry_after_or(&NONE, SECOND),
        Backoff::own(&CAREFUL),
        // Jitter without a source of randomness has no delay to give, either.
        Backoff::full_jitter(SECOND, SECOND),
        Backoff::equal_jitter(SECOND, SECOND),
        Backoff::decorrelated_jitter(SECOND, SECOND),
        Backoff::token_backoff(SECOND, SECOND),
    ] {
        let policy = Policy::builder().backoff(backoff).build().unwrap();
        let clock = MockClock::new();
        let mut kinds = Vec::new();
        let outcome = on(&policy, &clock)
            .on_event(|event| kinds.push(event.kind))
            .execute(|_| Err::<(), _>(TRANSIENT));
        assert_eq!(outcome.stop_reason(), Some(StopReason::NoStrategy), "{backoff}");
        assert_eq!((outcome.attempts, clock.slept()), (1, Duration::ZERO), "{backoff}");
        assert_eq!(outcome.result.unwrap_err().into_error(), Some(TRANSIENT));
        assert_eq!(kinds, [EventKind::NoStrategyConfigured]);
    }
}

/// Fault, and line 127: the delay overflows after a thousand attempts.
#[test]
fn no_strategy_overflows_whatever_the_attempt() {
    let (base, cap) = (Duration::from_millis(250), Duration::from_secs(30));
    let tops = [0, 1 << 31, u32::MAX];
    for (backoff, least) in [
        (Backoff::exponential(base, cap), cap),
        (Backoff::exponential_by(base, cap, 1500), cap),
        (Backoff::exponential_by(base, cap, 1001), Duration::from_millis(690)),
        (Backoff::fibonacci(base, cap), cap),
        (Backoff::full_jitter(base, cap), Duration::ZERO),
        (Backoff::equal_jitter(base, cap), Duration::from_secs(15)),
        (Backoff::token_backoff(base, cap), Duration::from_secs(15)),
        (Backoff::decorrelated_jitter(base, cap), base),
    ] {
        for attempt in [1023, 1024, 1025, 1026, 65_536, 1 << 31, u32::MAX - 1, u32::MAX] {
            for top in tops {
                let mut context = BackoffContext::new(attempt, TRANSIENT);
                context.previous = cap;
                let delay = backoff.delay(&context, &mut from_fn(|| top)).unwrap();
                assert!(delay >= least && delay <= cap, "{backoff} {attempt}: {delay}");
            }
        }
    }
}

/// Fault, and line 127: a call of five thousand attempts never becomes a storm.
#[test]
fn five_thousand_attempts_keep_their_distance() {
    let (base, cap) = (Duration::from_millis(250), Duration::from_secs(30));
    for backoff in [
        Backoff::exponential(base, cap),
        Backoff::exponential_by(base, cap, 1500),
        Backoff::fibonacci(base, cap),
        Backoff::equal_jitter(base, cap),
        Backoff::token_backoff(base, cap),
        Backoff::decorrelated_jitter(base, cap),
    ] {
        let config = Policy::builder().max_attempts(5000).no_deadline().backoff(backoff);
        let policy = config.build().unwrap();
        let clock = MockClock::new();
        let mut last = clock.now();
        let outcome = policy
            .on(&clock, from_fn(|| u32::MAX))
            .classify(|(): &()| TRANSIENT)
            .execute(|attempt| {
                let gap = clock.now().since(last);
                last = clock.now();
                let long = attempt.number < 20 || gap.as_secs() >= 29;
                assert!(long, "{backoff} {}: {gap}", attempt.number);
                Err::<(), _>(())
            });
        assert_eq!(outcome.attempts, 5000);
    }
}

/// Fault: settings that make no sense are accepted. (A negative deadline can't be
/// written down: a `Duration` has no sign.)
#[test]
fn settings_that_make_no_sense_are_refused_with_field_and_value() {
    for (config, message) in [
        (each_second().max_attempts(0), "max_attempts is 0: it must be 1 or more"),
        (
            each_second().attempt_timeout(Duration::ZERO),
            "attempt_timeout is 0 us: it must be 1 us or more",
        ),
        (Policy::builder(), "backoff is not set: give one strategy or more"),
    ] {
        assert_eq!(config.build().unwrap_err().to_string(), message);
    }
    for (config, field) in [
        (TRIPPED.recovery_timeout(Duration::ZERO), "breaker.recovery_timeout"),
        (TRIPPED.recovery_growth_to(SECOND), "breaker.recovery_growth_to"),
        (TRIPPED.lease(Duration::ZERO), "breaker.lease"),
        (TRIPPED.half_open_permits(0), "breaker.half_open_permits"),
        (TRIPPED.half_open_permits(2), "breaker.half_open_permits"),
        (TRIPPED.successes_to_close(0), "breaker.successes_to_close"),
        (TRIPPED.successes_to_close(16), "breaker.successes_to_close"),
        (BreakerConfig::failures(0, SECOND), "breaker.failure_threshold"),
        (BreakerConfig::failures(1, Duration::ZERO), "breaker.window"),
        (BreakerConfig::failures(2, SECOND), "breaker.thresholds"),
    ] {
        let refused = Breaker::<FailureTimes<1>, 1, _>::new(&config);
        assert_eq!(refused.err().map(|error| error.field()), Some(field));
    }
}

/// Fault: a Retry-After of 400 digits crashes the classifier.
#[test]
fn a_retry_after_of_four_hundred_digits_is_a_very_long_time() {
    const ZERO: Backoff = Backoff::constant(Duration::ZERO);
    let digits = "9".repeat(400);
    assert_eq!(retry_after::parse(&digits, 0), Some(Duration::MAX));
    let facts = Facts { status: Some(429), retry_after_header: Some(&digits), ..Facts::NONE };
    let busy = classify::http_retry_after(&facts);
    assert_eq!(busy.retry_after, Some(Duration::MAX));
    let cut = Policy::builder().long_delay(LongDelay::Cut);
    for (config, attempts, slept) in [
        (Policy::builder().deadline(Duration::from_secs(9)), 1, Duration::ZERO),
        (cut.deadline(Duration::from_secs(9)), 2, Duration::from_secs(9)),
        (Policy::builder().no_deadline().max_attempts(2), 2, Duration::MAX),
    ] {
        let policy = config.backoff(Backoff::retry_after_or(&ZERO, SECOND)).build().unwrap();
        let clock = MockClock::new();
        let outcome = policy
            .on(&clock, from_fn(|| u32::MAX))
            .classify(|_: &()| busy)
            .execute(|_| Err::<(), _>(()));
        assert_eq!((outcome.attempts, clock.slept()), (attempts, slept));
    }
}
