//! What comes back from a call, and what is left to read of it.

use std::cell::RefCell;

use redress::breaker::{CallResult, Circuit, FailureRule, FailureTimes};
use redress::budget::RollingConfig;
use redress::config::RetryConfig;
use redress::driver::{Execute, ExecuteAsync, SleepDecision};
use redress::event::{Cause, CircuitState, Timeline, TimelineEntry};
use redress::random::NoRandom;
use redress::snapshot::SnapshotError;
use redress::testing::{
    FakeBreaker, FakePolicy, MockClock, Recorder, RecordingPolicy, Script, ScriptedRandom,
    exhausted, instant_retries, no_retries,
};
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, Error, ErrorClass, EventKind, Instant, Last,
    Outcome, Policy, RollingBudget, StopReason,
};

use crate::{block_on, each_second, on};

const SECOND: Duration = Duration::from_secs(1);
const ONCE: Policy = Policy::once();
const TRANSIENT: ErrorClass = ErrorClass::Transient;

/// Line 85.
#[test]
fn an_outcome_has_everything_there_is_to_know() {
    #[derive(Debug, PartialEq)]
    struct Mine(&'static str);
    let policy = each_second().max_attempts(2).build().unwrap();
    let clock = MockClock::new();
    let mut retry = policy
        .on(&clock, NoRandom)
        .classify(|_: &Mine| ErrorClass::ServerError)
        .classify_value(|value: &u32| (*value > 9).then_some(ErrorClass::RateLimit));

    let outcome = retry.execute(|_| {
        clock.advance(Duration::from_secs(2));
        Err(Mine("down"))
    });
    assert_eq!((outcome.is_ok(), outcome.attempts), (false, 2));
    assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttemptsGlobal));
    assert_eq!(outcome.last_class(), Some(ErrorClass::ServerError));
    assert_eq!(outcome.cause(), Some(Cause::Exception));
    assert_eq!(outcome.elapsed, Duration::from_secs(5));
    assert_eq!((outcome.next_sleep(), outcome.rejection()), (None, None));
    let Err(Error::Exhausted(stopped)) = outcome.result else { panic!() };
    assert_eq!(stopped.last, Some(Last::Error(Mine("down"))));

    let outcome = retry.execute(|_| Ok(10));
    assert_eq!(outcome.last_class(), Some(ErrorClass::RateLimit));
    assert_eq!(outcome.cause(), Some(Cause::Result));
    let Err(Error::Exhausted(stopped)) = outcome.result else { panic!() };
    assert_eq!((stopped.last, stopped.attempts), (Some(Last::Value(10)), 2));
}

/// Lines 86, 139: a success at once and one after retries can be told apart.
#[test]
fn a_success_after_retries_says_how_many_attempts_it_took() {
    let policy = each_second().build().unwrap();
    for failures in [0, 1, 5] {
        let operation = |number| if number > failures { Ok(number) } else { Err(TRANSIENT) };
        let told = |outcome: Outcome<u32, ErrorClass>| {
            assert_eq!((outcome.stop_reason(), outcome.last_class()), (None, None));
            assert_eq!((outcome.cause(), outcome.next_sleep()), (None, None));
            assert_eq!(outcome.elapsed, Duration::from_secs(failures.into()));
            assert_eq!(outcome.attempts, failures + 1);
            outcome.result.unwrap()
        };
        let clock = MockClock::new();
        let mut retry = on(&policy, &clock);
        assert_eq!(told(retry.execute(|attempt| operation(attempt.number))), failures + 1);
        let with_async = retry.execute_async(async |attempt| operation(attempt.number));
        assert_eq!(told(block_on(with_async)), failures + 1);
        let future = retry.execute_future(|attempt| async move { operation(attempt.number) });
        assert_eq!(told(block_on(future)), failures + 1);
    }
}

/// What a call stopped for, its outcome and its timeline.
struct Stopped {
    outcome: Outcome<u32, ErrorClass>,
    entries: Vec<TimelineEntry>,
}

/// A call of a policy that ends for this reason.
fn stopped_for(reason: StopReason) -> Stopped {
    const EMPTY: RollingConfig = RollingConfig::new(0, SECOND);
    let plain = each_second().max_attempts(3);
    let (config, class): (RetryConfig, _) = match reason {
        StopReason::MaxAttemptsPerClass => (plain.max_attempts_for(TRANSIENT, 1), TRANSIENT),
        StopReason::DeadlineExceeded => (plain.deadline(Duration::from_millis(1500)), TRANSIENT),
        StopReason::MaxUnknownAttempts => (plain.max_unknown_attempts(1), ErrorClass::Unknown),
        StopReason::NonRetryableClass => (plain, ErrorClass::Permission),
        StopReason::NoStrategy => (plain.backoff_for(TRANSIENT, Backoff::sequence(&[])), TRANSIENT),
        _ => (plain, TRANSIENT),
    };
    let policy = config.build().unwrap();
    let clock = MockClock::new();
    let budget = RefCell::new(RollingBudget::<0>::new(&EMPTY).unwrap());
    let mut timeline = Timeline::<8>::new();
    let mut asked = 0;
    let outcome = on(&policy, &clock)
        .budget((reason == StopReason::BudgetExhausted).then_some(&budget))
        .abort_if(|| {
            asked += 1;
            reason == StopReason::Aborted && asked > 3
        })
        .sleep_handler(|_, _| match reason {
            StopReason::Scheduled => SleepDecision::Defer,
            _ => SleepDecision::Sleep,
        })
        .observer(&mut timeline)
        .execute(|_| {
            clock.advance(Duration::from_millis(400));
            Err(class)
        });
    Stopped { outcome, entries: timeline.entries().to_vec() }
}

/// Lines 87, 89.
#[test]
fn every_reason_to_stop_is_told_by_outcome_and_timeline() {
    for (reason, attempts, terminal) in [
        (StopReason::MaxAttemptsGlobal, 3, EventKind::MaxAttemptsExceeded),
        (StopReason::MaxAttemptsPerClass, 2, EventKind::MaxAttemptsExceeded),
        (StopReason::DeadlineExceeded, 2, EventKind::DeadlineExceeded),
        (StopReason::MaxUnknownAttempts, 2, EventKind::MaxUnknownAttemptsExceeded),
        (StopReason::NonRetryableClass, 1, EventKind::PermanentFail),
        (StopReason::NoStrategy, 1, EventKind::NoStrategyConfigured),
        (StopReason::BudgetExhausted, 1, EventKind::BudgetExhausted),
        (StopReason::Scheduled, 1, EventKind::Scheduled),
        (StopReason::Aborted, 1, EventKind::Aborted),
    ] {
        let Stopped { outcome, entries } = stopped_for(reason);
        assert_eq!((outcome.stop_reason(), outcome.attempts), (Some(reason), attempts));
        let (last, before) = entries.split_last().unwrap();
        assert_eq!((last.kind, last.stop_reason), (terminal, Some(reason)));
        assert_eq!((last.attempt, last.elapsed), (attempts, outcome.elapsed), "{reason}");
        assert!(before.iter().all(|entry| entry.kind == EventKind::Retry), "{reason}");
        assert!(before.iter().all(|entry| entry.stop_reason.is_none()), "{reason}");
        assert_eq!(reason.event(), terminal);
    }
}

/// Line 88.
#[test]
fn a_timeline_has_an_entry_for_each_event() {
    let policy = each_second().max_attempts(3).build().unwrap();
    let clock = MockClock::new();
    let mut timeline = Timeline::<8>::new();
    let mut operation = Script::new([Err(TRANSIENT), Err(ErrorClass::Unknown), Ok(())]);
    let mut retry = on(&policy, &clock).observer(&mut timeline);
    retry.call(|_| operation.next()).unwrap();
    drop(retry);
    let seen: Vec<_> = timeline
        .entries()
        .iter()
        .map(|e| (e.kind, e.attempt, e.delay, e.class, e.cause, e.stop_reason, e.elapsed))
        .collect();
    let exception = Some(Cause::Exception);
    let unknown = Some(ErrorClass::Unknown);
    let none = Duration::ZERO;
    assert_eq!(
        seen,
        [
            (EventKind::Retry, 1, SECOND, Some(TRANSIENT), exception, None, none),
            (EventKind::Retry, 2, SECOND, unknown, exception, None, SECOND),
            (EventKind::Success, 3, none, None, None, None, Duration::from_secs(2)),
        ]
    );
    timeline.clear();
    assert!(timeline.entries().is_empty());
}

/// Line 88: full is a defined answer.
#[test]
fn a_full_timeline_says_how_much_it_missed() {
    let policy = each_second().max_attempts(10).build().unwrap();
    let clock = MockClock::new();
    let mut timeline = Timeline::<4>::new();
    let _ = on(&policy, &clock).observer(&mut timeline).call(|_| Err::<(), _>(TRANSIENT));
    let attempts: Vec<_> = timeline.entries().iter().map(|entry| entry.attempt).collect();
    assert_eq!((attempts, timeline.dropped()), (vec![1, 2, 3, 4], 6));
}

/// Line 89: failing values in a timeline.
#[test]
fn a_timeline_tells_failing_values_from_errors() {
    let policy = each_second().max_attempts(2).build().unwrap();
    let clock = MockClock::new();
    let mut timeline = Timeline::<4>::new();
    let _ = on(&policy, &clock)
        .classify_value(|_: &u8| Some(ErrorClass::ServerError))
        .observer(&mut timeline)
        .call(|_| Ok(7));
    let seen: Vec<_> =
        timeline.entries().iter().map(|e| (e.kind, e.class, e.cause, e.stop_reason)).collect();
    let (class, cause) = (Some(ErrorClass::ServerError), Some(Cause::Result));
    let global = Some(StopReason::MaxAttemptsGlobal);
    assert_eq!(
        seen,
        [
            (EventKind::Retry, class, cause, None),
            (EventKind::MaxAttemptsExceeded, class, cause, global),
        ]
    );
}

const CONFIG: BreakerConfig<FailureRule> = BreakerConfig::failures(1, SECOND);
type Small = Breaker<FailureTimes<1>>;

/// Line 90.
#[test]
fn an_open_breaker_gives_an_outcome_without_attempts() {
    for policy in [ONCE, each_second().build().unwrap()] {
        let clock = MockClock::new();
        let breaker = RefCell::new(Small::new(&CONFIG).unwrap());
        let mut retry = on(&policy, &clock).breaker(&breaker);
        assert!(!retry.execute(|_| Err::<(), _>(TRANSIENT)).is_ok());
        clock.advance(Duration::from_secs(10));
        let outcome = retry.execute(|_| -> Result<(), ErrorClass> { panic!("it is open") });
        assert_eq!((outcome.is_ok(), outcome.attempts), (false, 0));
        assert_eq!((outcome.stop_reason(), outcome.last_class()), (None, None));
        let rejection = outcome.rejection().unwrap();
        // As the breaker opened after the sleeps of its call, at most that much is over.
        assert_eq!(rejection.retry_after, Some(Duration::from_secs(20)));
        assert_eq!(rejection.state, CircuitState::Open);
        assert_eq!(outcome.result, Err(Error::CircuitOpen(rejection)));
    }
}

/// Line 91.
#[test]
fn without_retry_success_failure_and_abort_are_outcomes_with_breaker_events() {
    let clock = MockClock::new();
    let breaker = RefCell::new(Small::new(&CONFIG).unwrap());
    let mut recorder = Recorder::<16>::new();
    let mut asked = 0;
    let mut retry = on(&ONCE, &clock)
        .breaker(&breaker)
        .abort_if(|| {
            asked += 1;
            asked == 2
        })
        .observer(&mut recorder);
    assert_eq!(retry.execute(|_| Ok(3)).result, Ok(3));
    let aborted = retry.execute(|_| Ok(4));
    assert_eq!((aborted.stop_reason(), aborted.attempts), (Some(StopReason::Aborted), 0));
    let failed = retry.execute(|_| Err::<u8, _>(TRANSIENT));
    assert_eq!(failed.stop_reason(), Some(StopReason::MaxAttemptsGlobal));
    assert_eq!((failed.attempts, failed.last_class()), (1, Some(TRANSIENT)));
    assert!(retry.execute(|_| Ok(5)).rejection().is_some());
    drop(retry);
    assert_eq!(
        recorder.kinds(),
        [
            EventKind::Success,
            EventKind::Aborted,
            EventKind::MaxAttemptsExceeded,
            EventKind::CircuitOpened,
            EventKind::CircuitRejected,
        ]
    );
    assert_eq!(clock.slept(), Duration::ZERO);
}

/// Line 92.
#[test]
fn the_nine_reasons_to_stop_are_fixed() {
    let names = StopReason::ALL.map(StopReason::as_str);
    assert_eq!(
        names,
        [
            "MAX_ATTEMPTS_GLOBAL",
            "MAX_ATTEMPTS_PER_CLASS",
            "DEADLINE_EXCEEDED",
            "MAX_UNKNOWN_ATTEMPTS",
            "NON_RETRYABLE_CLASS",
            "NO_STRATEGY",
            "BUDGET_EXHAUSTED",
            "SCHEDULED",
            "ABORTED",
            "CIRCUIT_OPEN",
        ]
    );
    assert_eq!(StopReason::ALL.map(|reason| reason.to_string()), names);
}

/// Line 85: as text, with the caller's own error as its source.
#[test]
fn an_error_prints_its_reason_and_has_the_callers_own_as_source() {
    let policy = Policy::builder().backoff(Backoff::constant(Duration::ZERO)).build().unwrap();
    let clock = MockClock::new();
    let mut retry = policy.on(&clock, NoRandom).classify(|_: &std::fmt::Error| TRANSIENT);
    let error = retry.call(|_| Err::<(), _>(std::fmt::Error)).unwrap_err();
    let text = "MAX_ATTEMPTS_GLOBAL after 6 attempts, last TRANSIENT";
    assert_eq!(error.to_string(), text);
    assert_eq!(format!("{error:#}"), format!("{text}: {}", std::fmt::Error));
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.is::<std::fmt::Error>());
    assert_eq!(error.error(), Some(&std::fmt::Error));
}

/// Lines 110, 112: a function is wrapped once, for many calls, with and without retry.
#[test]
fn a_wrapped_function_keeps_its_options_for_every_call() {
    let retrying = each_second().max_attempts(2).build().unwrap();
    for (policy, attempts) in [(&retrying, 2), (&ONCE, 1)] {
        let clock = MockClock::new();
        let mut recorder = Recorder::<8>::new();
        let mut runs = 0;
        {
            let retry = on(policy, &clock).operation("parse").observer(&mut recorder);
            let mut parse = retry.wrap(|text: &&str| {
                runs += 1;
                text.parse::<u8>().map_err(|_| TRANSIENT)
            });
            assert_eq!(parse(&"7"), Ok(7));
            assert_eq!(parse(&"x").unwrap_err().into_error(), Some(TRANSIENT));
            assert_eq!(parse(&"8"), Ok(8));
        }
        assert_eq!((runs, recorder.started()), (2 + attempts, 2 + attempts));
    }
}

/// Line 111: strategies for classes alone leave the others without one.
#[test]
fn class_strategies_alone_add_no_default() {
    let policy = Policy::builder()
        .backoff_for(ErrorClass::RateLimit, Backoff::constant(Duration::ZERO))
        .build()
        .unwrap();
    let clock = MockClock::new();
    let mut wrapped = on(&policy, &clock).wrap(|class: &ErrorClass| Err::<(), _>(*class));
    for (class, reason) in [
        (TRANSIENT, StopReason::NoStrategy),
        (ErrorClass::RateLimit, StopReason::MaxAttemptsGlobal),
    ] {
        assert_eq!(wrapped(&class).unwrap_err().stop_reason(), Some(reason));
    }
    assert!(Policy::builder().build().is_err(), "nothing at all is no policy");
}

/// Line 114.
#[test]
fn a_sequence_gives_its_delays_and_repeats_the_last() {
    const DELAYS: [Duration; 3] = [SECOND, Duration::from_secs(5), Duration::from_secs(2)];
    let policy = Policy::builder().backoff(Backoff::sequence(&DELAYS)).build().unwrap();
    let clock = MockClock::new();
    let mut delays = Vec::new();
    let mut retry =
        on(&policy, &clock).before_sleep(|_, delay: Duration| delays.push(delay.as_secs()));
    assert!(retry.call(|_| Err::<(), _>(TRANSIENT)).is_err());
    drop(retry);
    assert_eq!(delays, [1, 5, 2, 2, 2]);
}

/// Line 114.
#[test]
fn instant_and_no_retry_policies_change_nothing_else() {
    let policy = each_second()
        .max_attempts(4)
        .max_attempts_for(ErrorClass::Concurrency, 1)
        .backoff_for(ErrorClass::RateLimit, Backoff::constant(Duration::from_secs(9)))
        .build()
        .unwrap();
    for (policy, class, attempts, slept) in [
        (policy, TRANSIENT, 4, 3),
        (instant_retries(&policy), TRANSIENT, 4, 0),
        (instant_retries(&policy), ErrorClass::RateLimit, 4, 0),
        (instant_retries(&policy), ErrorClass::Concurrency, 2, 0),
        (instant_retries(&policy), ErrorClass::Auth, 1, 0),
        (no_retries(&policy), TRANSIENT, 1, 0),
    ] {
        let clock = MockClock::new();
        let outcome = on(&policy, &clock).execute(|_| Err::<(), _>(class));
        assert_eq!((outcome.attempts, clock.slept().as_secs()), (attempts, slept), "{class}");
    }
}

/// Line 115.
#[test]
fn a_fake_breaker_obeys_its_script_and_remembers_results() {
    let script = [Ok(()), FakeBreaker::rejection(SECOND), Ok(()), Ok(())];
    let clock = MockClock::new();
    let breaker = RefCell::new(FakeBreaker::new(&script));
    let policy = each_second().build().unwrap();
    let mut retry = on(&policy, &clock).breaker(&breaker);
    assert_eq!(retry.call(|_| Ok(1)), Ok(1));
    assert_eq!(retry.execute(|_| Ok(2)).rejection().unwrap().retry_after, Some(SECOND));
    let failed = block_on(retry.call_async(async |_| Err::<(), _>(ErrorClass::Auth)));
    assert!(failed.is_err());
    drop(retry.begin().unwrap());
    // After the end of its script it admits.
    assert!(breaker.borrow_mut().admit(clock.now()).is_ok());
    assert_eq!(breaker.borrow().asked(), 5);
    let failure = CallResult::Failure(ErrorClass::Auth);
    let results = [CallResult::Success, failure, CallResult::Cancelled];
    assert_eq!(breaker.borrow().results(), results);
}

/// Line 115: a scripted operation and a recording observer, blocking and async.
#[test]
fn scripts_and_recorders_stand_in_for_operations_and_hooks() {
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let mut operation = Script::new([Err(TRANSIENT), Ok(1), Ok(2)]);
    let mut recorder = Recorder::<8>::new();
    let mut retry = on(&policy, &clock).observer(&mut recorder);
    assert_eq!(retry.call(|_| operation.next()), Ok(1));
    assert_eq!(block_on(retry.call_async(async |_| operation.next())), Ok(2));
    assert_eq!(block_on(retry.call_async(async |_| operation.next())), Ok(2));
    drop(retry);
    assert_eq!(operation.runs(), 4);
    let success = EventKind::Success;
    assert_eq!(recorder.kinds(), [EventKind::Retry, success, success, success]);
    assert_eq!((recorder.started(), recorder.attempts().len()), (4, 4));
}

/// A counter on its shelf, and whatever retries its readings.
struct Counter<P>(P);

type Reading = Result<u8, Error<ErrorClass>>;

impl<P: Execute<u8, ErrorClass>> Counter<P> {
    fn read(&mut self, result: Result<u8, ErrorClass>) -> Reading {
        self.0.call(|_| result)
    }
}

impl<P: ExecuteAsync<u8, ErrorClass>> Counter<P> {
    async fn read_async(&mut self, result: Result<u8, ErrorClass>) -> Reading {
        self.0.call_async(async |_| result).await
    }
}

/// Line 115: code that takes whatever runs its operations gets a policy with preset answers.
#[test]
fn a_fake_policy_answers_in_place_of_a_retry() {
    let late = exhausted(StopReason::DeadlineExceeded, TRANSIENT, TRANSIENT);
    let late = || Err(Error::Exhausted(late));
    let mut counter = Counter(FakePolicy::new([Ok(7), late()]));
    assert_eq!(counter.read(Err(TRANSIENT)), Ok(7));
    assert_eq!(block_on(counter.read_async(Ok(1))), late());
    assert_eq!((counter.read(Ok(1)), counter.0.calls()), (late(), 3));
    let mut outcome = redress::testing::outcome(Ok::<u8, Error<()>>(3));
    (outcome.attempts, outcome.elapsed) = (4, SECOND);
    let mut policy = FakePolicy::with_outcomes([outcome]);
    assert_eq!(Execute::execute(&mut policy, |_| Ok(0)), outcome);
    assert_eq!(policy.wrap()(&"any"), Ok(3));
    assert_eq!(block_on(policy.wrap_async()(&"any")), Ok(3));
    // The program has a real one in its place.
    let (policy, clock) = (each_second().max_attempts(2).build().unwrap(), MockClock::new());
    let mut counter = Counter(on(&policy, &clock));
    assert_eq!(counter.read(Ok(1)), Ok(1));
    assert_eq!(block_on(counter.read_async(Err(TRANSIENT))).unwrap_err().error(), Some(&TRANSIENT));
    assert_eq!(clock.slept(), SECOND);
}

/// Line 115: each operation runs once, and the test sees what it was called with.
#[test]
fn a_recording_policy_remembers_its_calls() {
    let mut counter = Counter(RecordingPolicy::<u8, 2>::new());
    assert_eq!(counter.read(Ok(7)), Ok(7));
    let failed = block_on(counter.read_async(Err(TRANSIENT))).unwrap_err();
    assert_eq!((failed.error(), failed.is_aborted()), (Some(&TRANSIENT), false));
    let Counter(mut policy) = counter;
    let mut add = policy.wrap(|shelf: &u8| if *shelf > 4 { Err(TRANSIENT) } else { Ok(shelf + 1) });
    assert_eq!(add(&3), Ok(4));
    assert!(add(&5).is_err());
    drop(add);
    assert_eq!(block_on(policy.wrap_async(async |shelf: &u8| Ok::<_, ()>(*shelf))(&9)), Ok(9));
    assert_eq!((policy.arguments(), policy.calls()), (&[3, 5][..], 5));
}

/// Line 115: a test that draws more often than it foresees fails, and says where its script ends.
#[test]
#[should_panic(expected = "ScriptedRandom: draw 2 has no number, 1 are in the script")]
fn scripted_randomness_that_runs_out_says_so() {
    let jitter = Backoff::full_jitter(SECOND, SECOND);
    let policy = Policy::builder().max_attempts(3).backoff(jitter).build().unwrap();
    let clock = MockClock::new();
    let mut retry = policy.on(&clock, ScriptedRandom::new(&[1])).classify(|()| TRANSIENT);
    let _ = retry.call(|_| Err::<(), ()>(()));
}

/// Line 115: the clock of a test goes where it is told to.
#[test]
fn a_mock_clock_moves_only_when_it_is_told_to() {
    let clock = MockClock::new();
    clock.advance(SECOND);
    clock.freeze();
    clock.advance(SECOND);
    assert_eq!(clock.elapsed(), SECOND);
    clock.jump_to(Instant::from_micros(7));
    clock.thaw();
    clock.advance(Duration::from_micros(1));
    assert_eq!((clock.now(), clock.slept()), (Instant::from_micros(8), Duration::ZERO));
    // Threads may share it.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..100).for_each(|_| clock.advance(SECOND)));
        }
    });
    assert_eq!(clock.elapsed(), Duration::from_micros(400_000_008));
}

#[test]
fn an_error_says_how_many_attempts_it_took() {
    for (attempts, text) in [
        (1, "MAX_ATTEMPTS_GLOBAL after 1 attempt, last TRANSIENT"),
        (2, "MAX_ATTEMPTS_GLOBAL after 2 attempts, last TRANSIENT"),
    ] {
        let policy = each_second().max_attempts(attempts).build().unwrap();
        let clock = MockClock::new();
        let mut retry = policy.on(&clock, NoRandom).classify(|_: &&str| TRANSIENT);
        let error = retry.call(|_| Err::<(), _>("down")).unwrap_err();
        assert_eq!(error.to_string(), text);
        assert_eq!(format!("{error:#}"), format!("{text}: down"));
    }
    for (error, text) in [
        (SnapshotError::Kind, "snapshot is of another kind of state"),
        (SnapshotError::Length { needs: 3, has: 2 }, "snapshot has 2 bytes: this state needs 3"),
        (SnapshotError::Damaged, "snapshot is damaged: its checksum is wrong"),
    ] {
        assert_eq!(error.to_string(), text);
    }
}
