//! What hooks, dashboards and logs see.

use std::cell::RefCell;

use redress::breaker::{FailureRule, FailureTimes};
use redress::classify::Verdict;
use redress::driver::SleepDecision;
use redress::event::{AttemptContext, AttemptDecision, Cause, CircuitState};
use redress::testing::{FakeBreaker, MockClock, Recorder, Script};
use redress::{
    Breaker, BreakerConfig, Classification, Duration, ErrorClass, Event, EventKind, Observer,
    Policy, StopReason,
};

use crate::{block_on, each_second, on};

const SECOND: Duration = Duration::from_secs(1);
const TRANSIENT: ErrorClass = ErrorClass::Transient;

/// Line 74: and two seconds for each attempt.
#[test]
fn an_event_carries_attempt_delay_and_tags() {
    let policy = each_second().max_attempts(2).build().unwrap();
    let clock = MockClock::new();
    let mut events = Vec::new();
    let mut retry = on(&policy, &clock).operation("GET /x").on_event(|event| {
        assert_eq!(event.operation, "GET /x");
        events.push((event.kind, event.attempt, event.delay, event.elapsed));
    });
    let result = retry.call(|_| {
        clock.advance(Duration::from_secs(2));
        Err::<(), _>(TRANSIENT)
    });
    assert!(result.is_err());
    drop(retry);
    assert_eq!(
        events,
        [
            (EventKind::Retry, 1, SECOND, Duration::from_secs(2)),
            (EventKind::MaxAttemptsExceeded, 2, Duration::ZERO, Duration::from_secs(5)),
        ]
    );
}

/// Line 75.
#[test]
fn the_fourteen_event_names_are_fixed() {
    let names = EventKind::ALL.map(EventKind::as_str);
    assert_eq!(
        names,
        [
            "success",
            "retry",
            "permanent_fail",
            "deadline_exceeded",
            "max_attempts_exceeded",
            "max_unknown_attempts_exceeded",
            "no_strategy_configured",
            "budget_exhausted",
            "scheduled",
            "aborted",
            "circuit_opened",
            "circuit_half_open",
            "circuit_closed",
            "circuit_rejected",
        ]
    );
    assert_eq!(EventKind::ALL.map(|kind| kind.to_string()), names);
}

/// Lines 75, 76: states, causes and classes are tags of dashboards, too.
#[test]
fn the_values_of_tags_are_fixed() {
    let states = [CircuitState::Closed, CircuitState::Open, CircuitState::HalfOpen];
    assert_eq!(states.map(CircuitState::as_str), ["closed", "open", "half_open"]);
    let causes = [Cause::Exception, Cause::Result];
    assert_eq!(causes.map(Cause::as_str), ["exception", "result"]);
    assert_eq!(
        ErrorClass::ALL.map(ErrorClass::as_str),
        [
            "AUTH",
            "PERMISSION",
            "PERMANENT",
            "CONCURRENCY",
            "RATE_LIMIT",
            "SERVER_ERROR",
            "TRANSIENT",
            "UNKNOWN",
        ]
    );
}

#[derive(Debug)]
struct SensorError;

/// Line 76.
#[test]
fn a_tag_is_there_where_it_is_known_and_absent_elsewhere() {
    let policy = each_second().max_attempts(2).build().unwrap();
    let clock = MockClock::new();
    let mut tags = Vec::new();
    let mut retry = policy
        .on(&clock, redress::random::NoRandom)
        .classify(|_: &SensorError| TRANSIENT)
        .classify_value(|value: &u32| (*value > 9).then_some(ErrorClass::ServerError))
        .on_event(|event| {
            assert_eq!((event.state, event.operation), (None, ""));
            tags.push((event.kind, event.class, event.cause, event.error, event.stop_reason));
        });
    let mut scripts = [
        Script::new([Ok(1), Ok(1)]),
        Script::new([Err(()), Ok(2)]),
        Script::new([Ok(10), Err(())]),
    ];
    for script in &mut scripts {
        let _ = retry.call(|_| script.next().map_err(|()| SensorError));
    }
    drop(retry);
    let error =
        |kind, stop| (kind, Some(TRANSIENT), Some(Cause::Exception), Some("SensorError"), stop);
    let success = (EventKind::Success, None, None, None, None);
    let value = (EventKind::Retry, Some(ErrorClass::ServerError), Some(Cause::Result), None, None);
    assert_eq!(
        tags,
        [
            success,
            error(EventKind::Retry, None),
            success,
            value,
            error(EventKind::MaxAttemptsExceeded, Some(StopReason::MaxAttemptsGlobal)),
        ]
    );
}

/// Lines 76, 80: events of a breaker have a state, no attempt and no delay.
#[test]
fn a_breakers_events_carry_its_state_and_no_attempt() {
    const CONFIG: BreakerConfig<FailureRule> = BreakerConfig::failures(1, SECOND);
    const ONCE: Policy = Policy::once();
    let clock = MockClock::new();
    let breaker = RefCell::new(Breaker::<FailureTimes<1>>::new(&CONFIG).unwrap());
    let mut seen = Vec::new();
    let mut retry = on(&ONCE, &clock).breaker(&breaker).operation("op").on_event(|event| {
        if let Some(state) = event.state {
            assert_eq!((event.attempt, event.delay, event.stop_reason), (0, Duration::ZERO, None));
            assert_eq!(event.operation, "op");
            seen.push((event.kind, state, event.class));
        }
    });
    let _ = retry.call(|_| Err::<(), _>(TRANSIENT));
    let _ = retry.call(|_| Ok(()));
    clock.advance(Duration::from_secs(30));
    let _ = retry.call(|_| Ok(()));
    drop(retry);
    assert_eq!(
        seen,
        [
            (EventKind::CircuitOpened, CircuitState::Open, Some(TRANSIENT)),
            (EventKind::CircuitRejected, CircuitState::Open, None),
            (EventKind::CircuitHalfOpen, CircuitState::HalfOpen, None),
            (EventKind::CircuitClosed, CircuitState::Closed, None),
        ]
    );
}

/// Line 77.
#[test]
fn attempts_count_from_one_and_an_abort_names_the_completed_ones() {
    let policy = each_second().build().unwrap();
    // After how many questions the predicate says so, and what the event then says.
    for (after, attempt, started) in [(0, 0, 0), (1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 2, 2)] {
        let clock = MockClock::new();
        let mut recorder = Recorder::<8>::new();
        let mut asked = 0;
        let predicate = || {
            asked += 1;
            asked > after
        };
        let outcome = on(&policy, &clock)
            .abort_if(predicate)
            .observer(&mut recorder)
            .execute(|_| Err::<(), _>(TRANSIENT));
        let last = recorder.events().last().unwrap();
        assert_eq!((last.kind, last.attempt), (EventKind::Aborted, attempt), "after {after}");
        assert_eq!((last.delay, last.class, last.cause), (Duration::ZERO, None, None));
        assert_eq!((recorder.started(), outcome.attempts), (started, attempt));
    }
}

/// Line 77: only a retry, or a deferred one, has a delay.
#[test]
fn a_terminal_event_has_no_delay() {
    let policy = each_second().max_attempts(2).build().unwrap();
    for (choice, kinds) in [
        (SleepDecision::Sleep, [(EventKind::Retry, 1), (EventKind::MaxAttemptsExceeded, 0)]),
        (SleepDecision::Defer, [(EventKind::Retry, 1), (EventKind::Scheduled, 1)]),
        (SleepDecision::Abort, [(EventKind::Retry, 1), (EventKind::Aborted, 0)]),
    ] {
        let clock = MockClock::new();
        let mut recorder = Recorder::<4>::new();
        let _ = on(&policy, &clock)
            .sleep_handler(|_, _| choice)
            .observer(&mut recorder)
            .call(|_| Err::<(), _>(TRANSIENT));
        let seen = recorder.events().iter().map(|event| (event.kind, event.delay.as_secs()));
        assert_eq!(seen.collect::<Vec<_>>(), kinds, "{choice:?}");
    }
}

/// Line 78.
#[test]
fn a_hint_is_told_on_retry_events_alone() {
    let policy = each_second().max_attempts(3).build().unwrap();
    let clock = MockClock::new();
    let hinted = Classification::new(ErrorClass::RateLimit).retry_after(Duration::from_secs(9));
    let mut hints = Vec::new();
    let mut operation = Script::new([Err(hinted), Err(TRANSIENT.into()), Err(hinted)]);
    let mut retry = policy
        .on(&clock, redress::random::NoRandom)
        .classify(|error: &Classification| *error)
        .on_event(|event| hints.push((event.kind, event.retry_after)));
    assert!(retry.call(|_| operation.next() as Result<(), _>).is_err());
    drop(retry);
    assert_eq!(
        hints,
        [
            (EventKind::Retry, Some(Duration::from_secs(9))),
            (EventKind::Retry, None),
            (EventKind::MaxAttemptsExceeded, None),
        ]
    );
}

/// Line 80.
#[test]
fn a_success_is_told_once_with_the_number_of_its_attempt() {
    let policy = each_second().build().unwrap();
    for failures in 0..5 {
        let clock = MockClock::new();
        let mut recorder = Recorder::<8>::new();
        let mut retry = on(&policy, &clock).observer(&mut recorder);
        let operation = |attempt: redress::Attempt| {
            if attempt.number > failures { Ok(()) } else { Err(TRANSIENT) }
        };
        retry.call(operation).unwrap();
        let successes = recorder.events().iter().filter(|e| e.kind == EventKind::Success);
        let attempts: Vec<_> = successes.map(|event| event.attempt).collect();
        assert_eq!(attempts, [failures + 1]);
        assert_eq!(recorder.events().len(), failures as usize + 1);
    }
}

/// Lines 74, 77: start and end of each attempt.
#[test]
fn each_attempt_is_told_when_it_starts_and_how_it_ended() {
    use AttemptDecision::{Aborted, Raise, Retry, Scheduled, Success};
    let policy = each_second().max_attempts(2).build().unwrap();
    let stop = Err(ErrorClass::Permanent);
    let sleep = SleepDecision::Sleep;
    for (script, choice, ends) in [
        ([Ok(()); 2], sleep, &[(1, Success)][..]),
        ([Err(TRANSIENT), Ok(())], sleep, &[(1, Retry), (2, Success)]),
        ([Err(TRANSIENT); 2], sleep, &[(1, Retry), (2, Raise)]),
        ([stop; 2], sleep, &[(1, Raise)]),
        ([Err(TRANSIENT); 2], SleepDecision::Defer, &[(1, Scheduled)]),
        ([Err(TRANSIENT); 2], SleepDecision::Abort, &[(1, Aborted)]),
    ] {
        let clock = MockClock::new();
        let mut recorder = Recorder::<8>::new();
        let mut operation = Script::new(script);
        let _ = on(&policy, &clock)
            .sleep_handler(|_, _| choice)
            .observer(&mut recorder)
            .call(|_| operation.next());
        assert_eq!(recorder.attempts(), ends);
        assert_eq!(recorder.started() as usize, ends.len());
    }
}

/// Line 74: what an attempt's context knows.
#[test]
fn an_attempts_context_knows_its_failure_and_its_delay() {
    #[derive(Default)]
    struct Ends(Vec<(Option<ErrorClass>, Option<Cause>, Duration, Duration)>);
    impl Observer for Ends {
        fn event(&mut self, _: &Event<'_>) {}
        fn attempt_start(&mut self, attempt: &AttemptContext<'_>) {
            assert_eq!((attempt.operation, attempt.decision), ("op", None));
        }
        fn attempt_end(&mut self, attempt: &AttemptContext<'_>) {
            assert_eq!(attempt.operation, "op");
            self.0.push((attempt.class, attempt.cause, attempt.delay, attempt.elapsed));
        }
    }
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let mut ends = Ends::default();
    let mut operation = Script::new([Err(TRANSIENT), Ok(())]);
    let mut retry = on(&policy, &clock).operation("op").observer(&mut ends);
    retry.call(|_| operation.next()).unwrap();
    let failed = (Some(TRANSIENT), Some(Cause::Exception), SECOND, Duration::ZERO);
    assert_eq!(ends.0, [failed, (None, None, Duration::ZERO, SECOND)]);
}

/// Lines 74, 79: each gets every event, in the order in which they were added.
#[test]
fn several_observers_hear_the_same() {
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let heard = RefCell::new(Vec::new());
    let (mut first, mut third) = (Recorder::<4>::new(), Recorder::<4>::new());
    let mut operation = Script::new([Err(TRANSIENT), Ok(())]);
    on(&policy, &clock)
        .observer(&mut first)
        .on_event(|event| heard.borrow_mut().push((2, event.kind)))
        .on_event(|event| heard.borrow_mut().push((3, event.kind)))
        .observer(&mut third)
        .call(|_| operation.next())
        .unwrap();
    assert_eq!(first.kinds(), [EventKind::Retry, EventKind::Success]);
    assert_eq!(third.events(), first.events());
    let (retry, success) = (EventKind::Retry, EventKind::Success);
    assert_eq!(heard.into_inner(), [(2, retry), (3, retry), (2, success), (3, success)]);
}

/// Line 79: an observer runs outside of every lock.
#[test]
fn an_observer_may_ask_the_breaker_and_make_calls_itself() {
    const CONFIG: BreakerConfig<FailureRule> = BreakerConfig::failures(1, SECOND);
    const ONCE: Policy = Policy::once();
    let clock = MockClock::new();
    let breaker = RefCell::new(Breaker::<FailureTimes<1>>::new(&CONFIG).unwrap());
    let mut nested = Vec::new();
    let mut retry = on(&ONCE, &clock).breaker(&breaker).on_event(|event| {
        let state = breaker.borrow_mut().state();
        let inner = on(&ONCE, &clock).breaker(&breaker).execute(|_| Ok::<_, ErrorClass>(()));
        nested.push((event.kind, state, inner.is_ok()));
    });
    let _ = retry.call(|_| Err::<(), _>(TRANSIENT));
    drop(retry);
    assert_eq!(
        nested,
        [
            (EventKind::MaxAttemptsExceeded, CircuitState::Closed, true),
            (EventKind::CircuitOpened, CircuitState::Open, false),
        ]
    );
}

/// Lines 74, 112: the same events, whoever drives.
#[test]
fn blocking_async_and_steps_tell_the_same() {
    let policy = each_second().max_attempts(3).build().unwrap();
    let script = [Err(TRANSIENT), Err(ErrorClass::Unknown), Err(TRANSIENT)];
    let heard = |drive: &dyn Fn(&mut Recorder<8>)| {
        let mut recorder = Recorder::new();
        drive(&mut recorder);
        recorder.events().to_vec()
    };
    let blocking = heard(&|recorder| {
        let (clock, mut operation) = (MockClock::new(), Script::<(), _, 3>::new(script));
        let _ = on(&policy, &clock).observer(recorder).call(|_| operation.next());
    });
    let with_async = heard(&|recorder| {
        let (clock, mut operation) = (MockClock::new(), Script::<(), _, 3>::new(script));
        let mut retry = on(&policy, &clock).observer(recorder);
        let _ = block_on(retry.call_async(async |_| operation.next()));
    });
    let with_future = heard(&|recorder| {
        let (clock, mut operation) = (MockClock::new(), Script::<(), _, 3>::new(script));
        let mut retry = on(&policy, &clock).observer(recorder);
        let _ = block_on(retry.call_future(|_| std::future::ready(operation.next())));
    });
    let by_steps = heard(&|recorder| {
        let clock = MockClock::new();
        let mut retry = on(&policy, &clock).observer(recorder);
        let mut steps = retry.begin().unwrap();
        for failure in script.map(Result::unwrap_err) {
            steps.start().unwrap();
            if let redress::driver::Decision::Retry { after } = steps.fail(failure) {
                clock.advance(after);
                steps.on_wake().unwrap();
            }
        }
    });
    assert_eq!(blocking.len(), 3);
    assert_eq!(with_async, blocking);
    assert_eq!(with_future, blocking);
    assert_eq!(by_steps, blocking);
}

/// Lines 112, 113: an operation has no name until it is given one.
#[test]
fn a_context_binds_a_name_and_hooks_and_is_used_again() {
    const ONCE: Policy = Policy::once();
    let retrying = each_second().build().unwrap();
    for policy in [&ONCE, &retrying] {
        let clock = MockClock::new();
        let names = RefCell::new(Vec::new());
        let plain = on(policy, &clock);
        let note = |event: &Event<'_>| names.borrow_mut().push(event.operation.to_owned());
        let mut reads = plain.context("read").on_event(note);
        let mut writes = plain.context("write").on_event(note);
        reads.call(|_| Ok(())).unwrap();
        writes.call(|_| Ok(())).unwrap();
        block_on(reads.call_async(async |_| Ok(()))).unwrap();
        block_on(writes.call_future(|_| async { Ok(()) })).unwrap();
        plain.clone().on_event(note).call(|_| Ok(())).unwrap();
        drop((reads, writes));
        assert_eq!(names.into_inner(), ["read", "write", "read", "write", ""]);
    }
}

/// Lines 76, 79: an abort is none of the failures that dashboards count.
#[test]
fn an_abort_of_the_operation_has_neither_class_nor_cause() {
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let breaker = RefCell::new(FakeBreaker::new(&[]));
    let mut recorder = Recorder::<4>::new();
    let _ = policy
        .on(&clock, redress::random::NoRandom)
        .classify(|(): &()| Verdict::Abort)
        .breaker(&breaker)
        .observer(&mut recorder)
        .call(|_| Err::<(), _>(()));
    let [event] = recorder.events() else { panic!("{recorder:?}") };
    assert_eq!((event.kind, event.attempt), (EventKind::Aborted, 1));
    assert_eq!((event.class, event.cause), (None, None));
    assert_eq!(event.stop_reason, Some(StopReason::Aborted));
}
