//! Faults that others have and that must not come back.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;

use redress::classify::{self, Facts, retry_after};
use redress::lint::{self, Lint, Severity};
use redress::random::{Draw, NoRandom, from_fn};
use redress::testing::{MockClock, Script};
use redress::{
    Adaptive, AdaptiveConfig, AttemptContext, Backoff, BackoffContext, Breaker, BreakerConfig,
    Budget, CallResult, CircuitOpen, CircuitState, ClassSet, Clock, Decision, Duration, Error,
    ErrorClass, Event, EventKind, FailureRule, FailureTimes, Instant, Keyed, LastOutcomes, Memory,
    Observer, OutcomeRule, Policy, RatioBudget, RatioConfig, Restored, RetryConfig, RollingBudget,
    RollingConfig, Sleep, SleepDecision, SliceRule, Snapshot, SnapshotError, StopReason, Strategy,
    TimeSlices, Timer, Verdict, Window, assert_clean, by_key,
};

use crate::{block_on, each_second, on};

const SECOND: Duration = Duration::from_secs(1);
const ONCE: Policy = Policy::once();
const TRANSIENT: ErrorClass = ErrorClass::Transient;
const FAILURE: CallResult = CallResult::Failure(TRANSIENT);

const TRIPPED: BreakerConfig<FailureRule> = BreakerConfig::failures(1, Duration::from_secs(60));
type Small = Breaker<'static, FailureTimes<1>>;

/// A breaker that has just opened, on a clock at which its recovery time is over.
fn half_open_next() -> (MockClock, RefCell<Small>) {
    let clock = MockClock::new();
    let mut breaker = Small::new(&TRIPPED).unwrap();
    let permit = breaker.enter().unwrap();
    breaker.settle(permit, FAILURE, clock.now());
    clock.advance(Duration::from_secs(30));
    (clock, RefCell::new(breaker))
}

/// Runs what panics.
fn panics<T>(run: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

thread_local! {
    /// The place that panics next, once.
    static ARMED: Cell<&'static str> = const { Cell::new("") };
}

fn at(place: &'static str) {
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

/// An observer that may panic at each thing that it hears of.
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
    let policy = Policy::new().max_attempts(3).backoff(strategy).build().unwrap();
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
                if !opened && breaker.retry_after(clock.now()).is_some() {
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
                .classify(|_: &Error<(), ErrorClass>| match class {
                    Some(class) => Verdict::from(class),
                    None => Verdict::Abort,
                })
                .breaker(&breaker)
                .execute(|_| on(&inner, &clock).call(|_| Err::<(), _>(TRANSIENT)));
            assert!(!outcome.is_ok());
            assert_eq!(breaker.borrow().state(), state);
            if state == CircuitState::HalfOpen {
                assert_eq!(breaker.borrow().retry_after(clock.now()), None);
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
        let early = breaker.enter().unwrap();
        let permit = breaker.enter().unwrap();
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
        let permit = breaker.enter().unwrap();
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
        let policy = Policy::new().backoff(backoff).build().unwrap();
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
        let config = Policy::new().max_attempts(5000).no_deadline().backoff(backoff);
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
            "attempt_timeout is 0: it must be 1 us or more",
        ),
        (Policy::new(), "backoff is 0: it must be one strategy or more"),
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
        let refused = Breaker::<FailureTimes<1>>::new(&config);
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
    for (config, slept) in [
        (Policy::new().deadline(Duration::from_secs(9)), Duration::from_secs(9)),
        (Policy::new().no_deadline().max_attempts(2), Duration::MAX),
    ] {
        let policy = config.backoff(Backoff::retry_after_or(&ZERO, SECOND)).build().unwrap();
        let clock = MockClock::new();
        let outcome = policy
            .on(&clock, from_fn(|| u32::MAX))
            .classify(|_: &()| busy)
            .execute(|_| Err::<(), _>(()));
        assert_eq!((outcome.attempts, clock.slept()), (2, slept));
    }
}

/// Line 126.
#[test]
fn an_open_breaker_becomes_half_open_when_it_is_asked_and_not_before() {
    let month = Duration::from_secs(30 * 86_400);
    for silence in [Duration::from_secs(30), month] {
        let clock = MockClock::new();
        let mut breaker = Small::new(&TRIPPED).unwrap();
        let permit = breaker.enter().unwrap();
        breaker.settle(permit, FAILURE, clock.now());
        clock.advance(Duration::from_micros(29_999_999));
        assert_eq!(breaker.admit(clock.now()).unwrap_err().retry_after, Duration::from_micros(1));
        clock.advance(silence.saturating_sub(clock.elapsed()));
        assert_eq!(breaker.state(), CircuitState::Open);
        let admitted = breaker.admit(clock.now()).unwrap();
        assert!(admitted.half_opened && admitted.permit.is_probe());
    }
}

/// Line 129.
#[test]
fn a_hung_probe_gives_its_place_up_when_its_lease_ends() {
    let (clock, breaker) = half_open_next();
    let mut breaker = breaker.into_inner();
    let hung = breaker.admit(clock.now()).unwrap().permit;
    clock.advance(Duration::from_micros(59_999_999));
    assert_eq!(breaker.admit(clock.now()).unwrap_err().retry_after, Duration::from_micros(1));
    clock.advance(Duration::from_micros(1));
    let next = breaker.admit(clock.now()).unwrap().permit;
    // What the hung one says in the end is no longer heard.
    assert_eq!(breaker.settle(hung, FAILURE, clock.now()), None);
    assert!(breaker.admit(clock.now()).is_err());
    let closed = breaker.settle(next, CallResult::Success, clock.now());
    assert_eq!(closed, Some(CircuitState::Closed));
}

/// Line 130: a caller behind a hung probe is told at once to stay away, and for how long.
#[test]
fn nobody_queues_behind_a_hung_probe() {
    let (clock, breaker) = half_open_next();
    let mut probing = on(&ONCE, &clock).breaker(&breaker);
    let _hung = probing.begin().unwrap();
    for asked in 0..50 {
        let mut retry = on(&ONCE, &clock).breaker(&breaker);
        let outcome = block_on(retry.execute_async(async |_| Ok::<_, ErrorClass>(())));
        let retry_after = Duration::from_secs(60 - asked);
        let state = CircuitState::HalfOpen;
        assert_eq!(outcome.rejection(), Some(CircuitOpen { state, retry_after }));
        clock.advance(SECOND);
    }
}

/// The checksum that a snapshot ends with: CRC-32 of IEEE 802.3.
fn seal(bytes: &mut [u8]) {
    let (body, checksum) = bytes.split_at_mut(bytes.len() - 4);
    let crc = body.iter().fold(u32::MAX, |crc, byte| {
        let shift = |crc: u32, _| crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
        (0..8).fold(crc ^ u32::from(*byte), shift)
    });
    checksum.copy_from_slice(&(!crc).to_le_bytes());
}

const NOW: Instant = Instant::from_micros(1_000_000_000);

fn bytes_of<S: Snapshot>(state: &S) -> Vec<u8> {
    let mut bytes = vec![0; S::BYTES];
    assert_eq!(state.snapshot(NOW, &mut bytes), Ok(S::BYTES));
    bytes
}

/// What every state refuses, and with which reason; it is then as it was.
fn refuses<S: Snapshot + Clone>(state: &S, others: &[Vec<u8>], mut of_other_settings: Vec<u8>) {
    let good = bytes_of(state);
    let refused = |bytes: &[u8]| {
        let mut victim = state.clone();
        let error = victim.restore(bytes, NOW, None).unwrap_err();
        assert_eq!(bytes_of(&victim), good, "changed by {error}");
        error
    };
    // Every byte flipped, whole and bit by bit.
    for at in 0..good.len() {
        for flip in [0xFF, 1, 2, 4, 8, 16, 32, 64, 128] {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            assert_eq!(refused(&bytes), SnapshotError::Damaged, "{at} {flip}");
        }
    }
    for other in others {
        assert_eq!(refused(other), SnapshotError::Kind);
    }
    assert_eq!(refused(&of_other_settings), SnapshotError::Fingerprint);
    of_other_settings[1] = 2;
    seal(&mut of_other_settings);
    // The version comes first: the layout of another one says nothing.
    assert_eq!(refused(&of_other_settings), SnapshotError::Version { has: 2 });
    for has in [0, 1, 5] {
        let error = SnapshotError::Length { needs: S::BYTES, has };
        assert_eq!(refused(&good[..has]), error);
    }
    for has in [good.len() - 1, good.len() + 1, good.len() + 100] {
        let mut bytes = good.clone();
        bytes.resize(has, 0);
        assert_eq!(refused(&bytes), SnapshotError::Damaged);
        seal(&mut bytes);
        assert_eq!(refused(&bytes), SnapshotError::Length { needs: S::BYTES, has });
    }
    let mut short = vec![7; S::BYTES - 1];
    let error = SnapshotError::Length { needs: S::BYTES, has: S::BYTES - 1 };
    assert_eq!(state.snapshot(NOW, &mut short), Err(error));
    assert_eq!(state.clone().restore(&good, NOW, None), Ok(Restored::TimeStoodStill));
}

const TIMES: BreakerConfig<FailureRule> = BreakerConfig::failures(3, Duration::from_secs(60));
const RATE: BreakerConfig<OutcomeRule> = BreakerConfig::outcomes(40, 500, 10);
const SLICES: BreakerConfig<SliceRule> = BreakerConfig::slices(Duration::from_secs(10), 500, 4);
const ROLLING: RollingConfig = RollingConfig::new(3, Duration::from_secs(60));
const RATIO: RatioConfig = RatioConfig::new(100).floor_per_sec(1).limit(10);

type Times = Breaker<'static, FailureTimes<3>>;
type Rate = Breaker<'static, LastOutcomes<2>>;
type Slices = Breaker<'static, TimeSlices<3>>;

/// A state of each kind that has seen something.
fn states() -> (Times, Rate, Slices, RollingBudget<'static, 3>, RatioBudget<'static>) {
    let mut times = Times::new(&TIMES).unwrap();
    let mut rate = Rate::new(&RATE).unwrap();
    let mut slices = Slices::new(&SLICES).unwrap();
    for result in [FAILURE, CallResult::Success, FAILURE] {
        times.settle(times.enter().unwrap(), result, NOW);
        rate.settle(rate.enter().unwrap(), result, NOW);
        slices.settle(slices.enter().unwrap(), result, NOW);
    }
    let mut rolling = RollingBudget::new(&ROLLING).unwrap();
    let mut ratio = RatioBudget::new(&RATIO).unwrap();
    assert!(rolling.consume(2, NOW) && ratio.consume(1, NOW));
    (times, rate, slices, rolling, ratio)
}

/// Line 129: a snapshot that is damaged, foreign, newer or of other settings.
#[test]
fn what_is_no_snapshot_of_this_state_is_refused_with_its_reason() {
    let (times, rate, slices, rolling, ratio) = states();
    let all = [
        bytes_of(&times),
        bytes_of(&rate),
        bytes_of(&slices),
        bytes_of(&rolling),
        bytes_of(&ratio),
    ];
    let without = |nth: usize| {
        let others = all.iter().enumerate().filter(|(at, _)| *at != nth);
        others.map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>()
    };
    let other = TIMES.lease(SECOND);
    refuses(&times, &without(0), bytes_of(&Breaker::<FailureTimes<3>>::new(&other).unwrap()));
    let other = BreakerConfig::outcomes(40, 501, 10);
    refuses(&rate, &without(1), bytes_of(&Breaker::<LastOutcomes<2>>::new(&other).unwrap()));
    let other = SLICES.slow_calls(SECOND, 1000);
    refuses(&slices, &without(2), bytes_of(&Breaker::<TimeSlices<3>>::new(&other).unwrap()));
    let other = RollingConfig::new(2, Duration::from_secs(60));
    refuses(&rolling, &without(3), bytes_of(&RollingBudget::<3>::new(&other).unwrap()));
    let other = RATIO.limit(11);
    refuses(&ratio, &without(4), bytes_of(&RatioBudget::new(&other).unwrap()));
}

/// Each setting counts, of a breaker as of its window.
#[test]
fn a_snapshot_under_any_other_setting_is_refused() {
    let good = bytes_of(&states().0);
    for config in [
        TIMES.trip_on(ClassSet::of(&[TRANSIENT])),
        TIMES.recovery_timeout(SECOND),
        TIMES.recovery_growth_to(Duration::from_secs(60)),
        TIMES.lease(SECOND),
        TIMES.successes_to_close(2),
        TIMES.class_threshold(ErrorClass::RateLimit, 1),
        BreakerConfig::failures(2, Duration::from_secs(60)),
        BreakerConfig::failures(3, Duration::from_secs(61)),
    ] {
        let mut breaker = Breaker::<FailureTimes<3>>::new(&config).unwrap();
        let refused = breaker.restore(&good, NOW, None);
        assert_eq!(refused, Err(SnapshotError::Fingerprint), "{config:?}");
    }
    // The same settings with more room are another layout.
    let mut roomy = Breaker::<FailureTimes<5>>::new(&TIMES).unwrap();
    let length = SnapshotError::Length { needs: good.len() + 18, has: good.len() };
    assert_eq!(roomy.restore(&good, NOW, None), Err(length));
}

/// A breaker goes on as one does, whatever it was restored from.
fn exercised<W: Window + Clone>(breaker: Breaker<'_, W>) {
    const SUCCESS: CallResult = CallResult::Success;
    for results in [[FAILURE, SUCCESS, SUCCESS], [SUCCESS, FAILURE, FAILURE]] {
        let mut breaker = breaker.clone();
        for minute in 0..4 {
            let now = NOW.saturating_add(Duration::from_secs(60 * minute));
            for result in results {
                if let Ok(admitted) = breaker.admit(now) {
                    breaker.settle(admitted.permit, result, now);
                }
                let _ = breaker.retry_after(now);
            }
        }
    }
}

/// Every byte of a state set to every value, under a checksum that is right.
fn tampered<S: Snapshot + Clone>(state: &S, go_on: impl Fn(S)) {
    let good = bytes_of(state);
    for at in 6..good.len() - 4 {
        for value in 0..=255 {
            let mut bytes = good.clone();
            bytes[at] = value;
            seal(&mut bytes);
            let mut victim = state.clone();
            match victim.restore(&bytes, NOW, None) {
                Ok(_) => {
                    let again = panics(|| go_on(victim));
                    assert!(!again, "byte {at} of {value}");
                }
                Err(error) => {
                    assert_eq!((error, bytes_of(&victim)), (SnapshotError::Value, good.clone()));
                }
            }
        }
    }
}

/// A value that no state can have is refused, or does no harm.
#[test]
fn a_tampered_snapshot_with_a_right_checksum_breaks_nothing() {
    let (times, rate, slices, rolling, ratio) = states();
    tampered(&rate, exercised);
    tampered(&slices, exercised);
    tampered(&times, exercised);
    let spent = |mut budget: RollingBudget<'_, 3>| {
        for secs in 0..100 {
            budget.consume(secs % 4, NOW.saturating_add(Duration::from_secs(secs.into())));
        }
    };
    tampered(&rolling, spent);
    tampered(&ratio, |mut budget| {
        budget.deposit();
        budget.consume(budget.remaining(NOW), NOW);
    });
}

/// The same in half-open, where probes are counted and have leases.
#[test]
fn a_tampered_half_open_breaker_with_a_right_checksum_breaks_nothing() {
    let (clock, breaker) = half_open_next();
    let mut breaker = breaker.into_inner();
    let probe = breaker.admit(clock.now()).unwrap().permit;
    breaker.cancel(probe);
    tampered(&breaker, exercised);
}

/// A snapshot of a call fits the very strategies that it was taken under.
#[test]
fn a_call_does_not_go_on_under_another_strategy() {
    const A: [Duration; 1] = [Duration::from_secs(1)];
    const B: [Duration; 1] = [Duration::from_secs(2)];
    let (s, l) = (Duration::from_secs(1), Duration::from_secs(9));
    let clock = MockClock::new();
    for (one, other) in [
        (Backoff::sequence(&A), Backoff::sequence(&B)),
        (Backoff::exponential_by(s, l, 1500), Backoff::exponential_by(s, l, 3000)),
        (Backoff::exponential(s, l), Backoff::fibonacci(s, l)),
    ] {
        let one = Policy::new().backoff(one).build().unwrap();
        let other = Policy::new().backoff(other).build().unwrap();
        let bytes = suspended(&one, &clock);
        assert!(on(&one, &clock).resume(&bytes, None).is_ok());
        let refused = on(&other, &clock).resume(&bytes, None).err();
        assert_eq!(refused, Some(SnapshotError::Fingerprint));
    }
}

/// Line 129: the true opened-at time is kept, over any number of restarts.
#[test]
fn an_open_breaker_goes_on_recovering_where_it_was() {
    for (off, waits) in [(None, [20, 20, 20]), (Some(8), [12, 4, 0])] {
        let mut breaker = Small::new(&TRIPPED).unwrap();
        breaker.settle(breaker.enter().unwrap(), FAILURE, Instant::ZERO);
        let mut bytes = vec![0; Small::BYTES];
        let ten = Instant::ZERO.saturating_add(Duration::from_secs(10));
        breaker.snapshot(ten, &mut bytes).unwrap();
        let told = if off.is_some() { Restored::TimeOff } else { Restored::TimeStoodStill };
        for (restart, wait) in waits.into_iter().enumerate() {
            // Each time another process, whose clock has another origin.
            let now = Instant::from_micros(restart as u64 * 77);
            let mut restored = Small::new(&TRIPPED).unwrap();
            let off = off.map(Duration::from_secs);
            assert_eq!(restored.restore(&bytes, now, off), Ok(told));
            let left = restored.retry_after(now).unwrap_or_default();
            assert_eq!((restored.state(), left.as_secs()), (CircuitState::Open, wait));
            restored.snapshot(now, &mut bytes).unwrap();
        }
    }
}

/// Line 129: a power-off of a minute empties windows and refills budgets, if
/// it is known; else nothing has changed.
#[test]
fn windows_and_budgets_know_of_the_time_off_or_stand_still() {
    let minute = Some(Duration::from_secs(60));
    for (off, failures_to_open, tokens, floor) in [(None, 1, 1, 0), (minute, 3, 3, 10)] {
        let (times, _, slices, rolling, ratio) = states();
        let mut restored = Times::new(&TIMES).unwrap();
        restored.restore(&bytes_of(&times), Instant::ZERO, off).unwrap();
        let mut fail = || {
            restored.settle(restored.enter().unwrap(), FAILURE, Instant::ZERO);
            restored.state() == CircuitState::Open
        };
        assert_eq!((1..).find(|_| fail()), Some(failures_to_open));

        let mut restored = Slices::new(&SLICES).unwrap();
        restored.restore(&bytes_of(&slices), Instant::ZERO, off).unwrap();
        let mut fail = || {
            restored.settle(restored.enter().unwrap(), FAILURE, Instant::ZERO);
            restored.state() == CircuitState::Open
        };
        // Four calls are the least; three were before.
        let needed = if off.is_some() { 4 } else { 1 };
        assert_eq!((1..).find(|_| fail()), Some(needed));

        let mut restored = RollingBudget::<3>::new(&ROLLING).unwrap();
        restored.restore(&bytes_of(&rolling), Instant::ZERO, off).unwrap();
        assert_eq!(restored.remaining(Instant::ZERO), tokens);

        let mut restored = RatioBudget::new(&RATIO).unwrap();
        restored.restore(&bytes_of(&ratio), Instant::ZERO, off).unwrap();
        assert_eq!(restored.remaining(Instant::ZERO), floor);
    }
}

/// A call that waits five seconds for its third attempt, in bytes.
fn suspended(policy: &Policy, clock: &MockClock) -> Vec<u8> {
    let mut retry = on(policy, clock);
    let mut steps = retry.begin().unwrap();
    for class in [TRANSIENT, ErrorClass::Unknown] {
        steps.start().unwrap();
        let Decision::Retry { after } = steps.fail(class) else { panic!() };
        clock.advance(after);
        steps.woke().unwrap();
    }
    steps.start().unwrap();
    assert!(matches!(steps.fail(TRANSIENT), Decision::Retry { .. }));
    let mut bytes = vec![0; 100];
    let written = steps.suspend(&mut bytes).unwrap();
    bytes.truncate(written);
    bytes
}

/// Five seconds between attempts, a minute for all.
fn each_five_seconds() -> RetryConfig {
    Policy::new().backoff(Backoff::constant(Duration::from_secs(5)))
}

/// The same for a call.
#[test]
fn what_is_no_snapshot_of_this_call_is_refused_with_its_reason() {
    let policy = each_five_seconds().build().unwrap();
    let clock = MockClock::new();
    let good = suspended(&policy, &clock);
    let breaker = RefCell::new(Small::new(&TRIPPED).unwrap());
    let budget = RefCell::new(RollingBudget::<3>::new(&ROLLING).unwrap());
    let refused = |policy: &Policy, bytes: &[u8]| {
        let mut retry = on(policy, &clock).breaker(&breaker).budget(&budget);
        let error = retry.resume(bytes, None).err();
        // Nothing was entered and nothing spent.
        assert_eq!(breaker.borrow().state(), CircuitState::Closed);
        assert_eq!(budget.borrow().remaining(clock.now()), 3);
        error
    };
    for at in 0..good.len() {
        for flip in [0xFF, 1, 2, 4, 8, 16, 32, 64, 128] {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            assert_eq!(refused(&policy, &bytes), Some(SnapshotError::Damaged), "{at}");
        }
    }
    assert_eq!(refused(&policy, &bytes_of(&states().0)), Some(SnapshotError::Kind));
    let mut newer = good.clone();
    newer[1] = 2;
    seal(&mut newer);
    assert_eq!(refused(&policy, &newer), Some(SnapshotError::Version { has: 2 }));
    let mut longer = good.clone();
    longer.push(0);
    seal(&mut longer);
    let (needs, has) = (good.len(), good.len() + 1);
    assert_eq!(refused(&policy, &longer), Some(SnapshotError::Length { needs, has }));
    assert_eq!(refused(&policy, &[]), Some(SnapshotError::Length { needs, has: 0 }));
    for other in [
        each_five_seconds().max_attempts(7),
        each_five_seconds().deadline(SECOND),
        each_five_seconds().attempt_timeout(SECOND),
        each_five_seconds().max_unknown_attempts(1),
        each_five_seconds().max_attempts_for(TRANSIENT, 9),
        each_second(),
        each_five_seconds().backoff_for(TRANSIENT, Backoff::constant(SECOND)),
    ] {
        let other = other.build().unwrap();
        assert_eq!(refused(&other, &good), Some(SnapshotError::Fingerprint));
    }
    // The class of the latest failure, which no class is.
    let mut wrong = good.clone();
    let class = good.len() - 4 - 12 - 2;
    assert_eq!(wrong[class], TRANSIENT as u8);
    wrong[class] = 8;
    seal(&mut wrong);
    assert_eq!(refused(&policy, &wrong), Some(SnapshotError::Value));
    // It went without a breaker, and goes on without.
    assert_eq!(refused(&policy, &good), Some(SnapshotError::Value));
    assert!(on(&policy, &clock).resume(&good, None).is_ok());
}

/// Whatever a tampered call says, it goes on without a panic.
#[test]
fn a_tampered_call_with_a_right_checksum_breaks_nothing() {
    let policy = each_five_seconds().build().unwrap();
    let clock = MockClock::new();
    let good = suspended(&policy, &clock);
    for at in 6..good.len() - 4 {
        for value in 0..=255 {
            let mut bytes = good.clone();
            bytes[at] = value;
            seal(&mut bytes);
            let breaker = RefCell::new(Small::new(&TRIPPED).unwrap());
            let mut retry = on(&policy, &clock).breaker(&breaker);
            let Ok((mut steps, ..)) = retry.resume(&bytes, None) else { continue };
            while steps.woke().is_ok() && steps.start().is_ok() {
                if let Decision::Stop(_) = steps.fail(TRANSIENT) {
                    break;
                }
            }
        }
    }
}

/// Line 129: attempts, delay and deadline go on where they were.
#[test]
fn a_resumed_call_has_what_was_left_of_it() {
    for (off, rest, attempts) in [(None, 5, 6), (Some(3), 2, 6), (Some(9), 0, 6), (Some(60), 0, 3)]
    {
        let policy = each_five_seconds().deadline(Duration::from_secs(31)).build().unwrap();
        let bytes = suspended(&policy, &MockClock::new());
        let clock = MockClock::new();
        clock.advance(Duration::from_secs(1000));
        let mut retry = on(&policy, &clock);
        let off = off.map(Duration::from_secs);
        let (mut steps, left, restored) = retry.resume(&bytes, off).unwrap();
        assert_eq!(left, Duration::from_secs(rest));
        assert_eq!(restored == Restored::TimeOff, off.is_some());
        assert_eq!((steps.call().attempts(), steps.call().previous().as_secs()), (3, 5));
        clock.advance(left);
        let mut woke = steps.woke();
        while woke.is_ok() {
            steps.start().unwrap();
            let Decision::Retry { after } = steps.fail(TRANSIENT) else { break };
            clock.advance(after);
            woke = steps.woke();
        }
        assert_eq!(steps.call().attempts(), attempts, "{off:?}");
        assert_eq!(woke.is_err(), attempts == 3);
    }
}

/// Line 129: a probe sleeps with its call, keeps its place, and its result counts.
#[test]
fn a_suspended_probe_keeps_its_place_until_its_lease_ends() {
    let policy = each_five_seconds().build().unwrap();
    for (off, holds) in [(None, true), (Some(59), true), (Some(60), false)] {
        let (clock, breaker) = half_open_next();
        let mut call = vec![0; 100];
        let mut bytes = vec![0; Small::BYTES];
        {
            let mut retry = on(&policy, &clock).breaker(&breaker);
            let mut steps = retry.begin().unwrap();
            steps.start().unwrap();
            assert!(matches!(steps.fail(TRANSIENT), Decision::Retry { .. }));
            let written = steps.suspend(&mut call).unwrap();
            call.truncate(written);
        }
        breaker.borrow().snapshot(clock.now(), &mut bytes).unwrap();

        let off = off.map(Duration::from_secs);
        let clock = MockClock::new();
        let breaker = RefCell::new(Small::new(&TRIPPED).unwrap());
        breaker.borrow_mut().restore(&bytes, clock.now(), off).unwrap();
        assert_eq!(breaker.borrow().retry_after(clock.now()).is_some(), holds, "{off:?}");
        let mut retry = on(&policy, &clock).breaker(&breaker);
        let (mut steps, ..) = retry.resume(&call, off).unwrap();
        if steps.woke().is_ok() {
            steps.start().unwrap();
            steps.succeed();
        }
        let state = if holds { CircuitState::Closed } else { CircuitState::HalfOpen };
        assert_eq!(breaker.borrow().state(), state, "{off:?}");
    }
}

type Hosts = Keyed<&'static str, Small, 2>;

/// A host that is down closes no door but its own.
#[test]
fn each_key_has_a_breaker_of_its_own() {
    let clock = MockClock::new();
    let hosts = RefCell::new(Hosts::new(Small::new(&TRIPPED).unwrap()));
    let call = |host, result: Result<(), ErrorClass>| {
        on(&ONCE, &clock).breaker(by_key(&hosts, host)).execute(|_| result).rejection().is_some()
    };
    assert!(!call("a", Err(TRANSIENT)));
    assert!(call("a", Ok(())) && !call("b", Ok(())));
    clock.advance(Duration::from_secs(30));
    assert!(!call("a", Ok(())) && !call("a", Ok(())));
    assert_eq!(hosts.borrow().len(), 2);
}

/// An open breaker is never evicted for a closed one, and full is a defined
/// answer.
#[test]
fn an_open_breaker_is_never_evicted_for_a_closed_one() {
    let clock = MockClock::new();
    let hosts = RefCell::new(Hosts::new(Small::new(&TRIPPED).unwrap()));
    let call = |host, result: Result<(), ErrorClass>| {
        on(&ONCE, &clock).breaker(by_key(&hosts, host)).execute(|_| result).attempts
    };
    assert_eq!(call("down", Err(TRANSIENT)), 1);
    for other in ["b", "c", "d", "e"] {
        assert_eq!(call(other, Ok(())), 1);
        assert_eq!(call("down", Ok(())), 0, "{other} took its place");
    }
    assert_eq!((call("e", Err(TRANSIENT)), call("e", Ok(()))), (1, 0));
    // Both are open: the next one has no breaker, and that is counted.
    assert_eq!(hosts.borrow().refused(), 0);
    for _ in 0..3 {
        assert_eq!(call("f", Err(TRANSIENT)), 1);
    }
    assert!(hosts.borrow().refused() >= 3);
    assert!(hosts.borrow().peek(&"f").is_none() && hosts.borrow().peek(&"down").is_some());
}

fn findings(config: &dyn Lint) -> Vec<(Severity, &'static str)> {
    let mut findings = Vec::new();
    config.lint(&mut |finding| findings.push((finding.severity, finding.field)));
    findings
}

/// Lines 116, 117.
#[test]
fn the_linter_finds_errors_and_lets_legal_extremes_pass() {
    use Severity::{Error, Warning};
    let plain = each_second();
    for (config, found) in [
        (plain, &[][..]),
        // 0 attempts for a class are legal: never retry it.
        (plain.max_attempts_for(ErrorClass::RateLimit, 0), &[]),
        (plain.no_deadline().no_unknown_limit(), &[]),
        (plain.max_attempts(0), &[(Error, "max_attempts")]),
        (plain.attempt_timeout(Duration::ZERO), &[(Error, "attempt_timeout")]),
        (Policy::new(), &[(Error, "backoff")]),
        (Policy::new().max_attempts(0), &[(Error, "max_attempts"), (Error, "backoff")]),
        (plain.deadline(Duration::ZERO), &[(Warning, "deadline")]),
        (plain.attempt_timeout(Duration::from_secs(60)), &[(Warning, "attempt_timeout")]),
    ] {
        assert_eq!(findings(&config), found, "{config:?}");
    }
}

/// Lines 116, 117: breakers and adaptive strategies, too.
#[test]
fn the_linter_knows_breakers_and_adaptive_strategies() {
    use Severity::{Error, Warning};
    assert_eq!(findings(&TIMES), []);
    assert_eq!(findings(&TIMES.trip_on(ClassSet::EMPTY)), [(Warning, "breaker.trip_on")]);
    assert_eq!(findings(&RATE.trip_on(ClassSet::EMPTY)), [(Warning, "breaker.trip_on")]);
    let adaptive = AdaptiveConfig::new(Backoff::constant(SECOND));
    assert_eq!(findings(&adaptive), []);
    let wrong = adaptive.target_success_milli(1001);
    assert_eq!(findings(&wrong), [(Error, "adaptive.target_success_milli")]);
}

/// Line 118.
#[test]
fn the_linter_warns_of_limits_that_are_never_reached() {
    let config = each_second().max_attempts(3);
    for (config, line) in [
        (
            config.max_unknown_attempts(4),
            "warning: max_unknown_attempts is 4: it must be at most max_attempts: it is never reached",
        ),
        (
            config.max_attempts_for(ErrorClass::RateLimit, 3),
            "warning: max_attempts_for(RATE_LIMIT) is 3: it must be less than max_attempts: it is never reached",
        ),
    ] {
        let mut lines = Vec::new();
        config.lint(&mut |finding| lines.push(finding.to_string()));
        assert_eq!(lines, [line]);
    }
    assert_eq!(findings(&config.max_unknown_attempts(3)), []);
}

/// Line 118: `--show`.
#[test]
fn the_printed_form_has_strategies_and_limits_of_each_class() {
    let config = each_second()
        .attempt_timeout(Duration::from_millis(1500))
        .backoff_for(TRANSIENT, Backoff::fibonacci(SECOND, Duration::from_secs(9)))
        .backoff_for(ErrorClass::Concurrency, Backoff::constant(Duration::ZERO))
        .max_attempts_for(ErrorClass::RateLimit, 0);
    let shown = lint::show(&config, "app:POLICY").to_string();
    assert_eq!(
        shown.lines().collect::<Vec<_>>(),
        [
            "Config snapshot:",
            "  source: app:POLICY",
            "  deadline_s: 60",
            "  attempt_timeout_s: 1.5",
            "  max_attempts: 6",
            "  max_unknown_attempts: 2",
            "  default_strategy: constant(1s)",
            "  class_strategies:",
            "    CONCURRENCY: constant(0s)",
            "    TRANSIENT: fibonacci(1s, 9s)",
            "  per_class_max_attempts:",
            "    RATE_LIMIT: 0",
        ]
    );
}

/// Line 116: what the command's exit code is to a shell, the macro is to a test.
#[test]
fn assert_clean_passes_what_is_clean_and_lists_what_is_not() {
    assert_clean!(each_second());
    assert_clean!(ONCE);
    assert_clean!(TIMES);
    let suspicious = each_second().deadline(Duration::ZERO).max_unknown_attempts(9);
    let panic = catch_unwind(AssertUnwindSafe(|| assert_clean!(suspicious))).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    let lines: Vec<_> = message.lines().collect();
    assert_eq!(
        lines,
        [
            "suspicious",
            "  warning: deadline is 0s: it must be more than zero: only one attempt is made",
            "  warning: max_unknown_attempts is 9: it must be at most max_attempts: it is never reached",
        ]
    );
}
