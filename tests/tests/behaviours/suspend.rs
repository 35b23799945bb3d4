//! Calls that do not wait for long delays, over a deep sleep or a reset.

use std::cell::RefCell;

use redress::breaker::{FailureRule, FailureTimes};
use redress::budget::RollingConfig;
use redress::config::RetryConfig;
use redress::event::CircuitState;
use redress::snapshot::{Progress, Snapshot, Suspended};
use redress::testing::{MockClock, Recorder};
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, EventKind, Instant, Policy,
    RollingBudget, StopReason,
};

use crate::{block_on, on};

const SECOND: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(10);
const TRANSIENT: ErrorClass = ErrorClass::Transient;

/// Delays of 1, 4, 16, 64 .. seconds, six attempts, an hour for all.
fn growing() -> RetryConfig {
    Policy::builder().backoff(Backoff::exponential_by(SECOND, Duration::from_secs(1000), 4000))
}

fn suspended<V: core::fmt::Debug, E: core::fmt::Debug>(progress: Progress<V, E>) -> Suspended {
    match progress {
        Progress::Suspended(suspended) => suspended,
        over => panic!("not suspended: {over:?}"),
    }
}

fn over<V: core::fmt::Debug, E: core::fmt::Debug>(
    progress: Progress<V, E>,
) -> redress::Outcome<V, E> {
    match progress {
        Progress::Over(outcome) => outcome,
        suspended => panic!("not over: {suspended:?}"),
    }
}

/// Runs the operation in the blocking and in the asynchronous driver; both end alike.
macro_rules! both {
    ($driver:expr, $operation:expr) => {{
        let (blocking, asynchronous) = $driver;
        let operation = $operation;
        let first = blocking.call_or_suspend(LIMIT, &operation);
        let second =
            block_on(asynchronous.call_or_suspend_async(LIMIT, async |attempt| operation(attempt)));
        assert_eq!(first, second);
        first
    }};
}

#[test]
fn short_delays_are_waited_for_and_the_first_long_one_suspends() {
    let policy = growing().max_attempts(6).deadline(Duration::from_secs(3600)).build().unwrap();
    let (one, other) = (MockClock::new(), MockClock::new());
    let (mut first, mut second) = (on(&policy, &one), on(&policy, &other));
    let call = suspended(both!((&mut first, &mut second), |_| Err::<(), _>(TRANSIENT)));
    // One second and four were waited for.
    assert_eq!(call.at, one.now());
    assert_eq!(one.now().as_micros(), 5_000_000);
    assert_eq!(call.wake_after, Duration::from_secs(16));
}

#[test]
fn a_call_goes_on_where_it_stood_until_it_is_over() {
    let policy = growing().max_attempts(5).deadline(Duration::from_secs(3600)).build().unwrap();
    let clock = MockClock::new();
    let mut call =
        suspended(on(&policy, &clock).call_or_suspend(LIMIT, |_| Err::<(), _>(TRANSIENT)));
    let mut slept = vec![call.wake_after.as_secs()];
    let outcome = loop {
        // A reset: another clock, another driver.
        let (one, other) = (MockClock::new(), MockClock::new());
        let (mut first, mut second) = (on(&policy, &one), on(&policy, &other));
        let off = Some(call.wake_after);
        let first = first.resume(&call.bytes, one.now(), off).unwrap();
        let second = second.resume(&call.bytes, other.now(), off).unwrap();
        match both!((first, second), |_| Err::<(), _>(TRANSIENT)) {
            Progress::Suspended(again) => {
                slept.push(again.wake_after.as_secs());
                call = again;
            }
            Progress::Over(outcome) => break outcome,
        }
    };
    // The fifth attempt was the last.
    assert_eq!(slept, [16, 64]);
    assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttemptsGlobal));
    assert_eq!(outcome.attempts, 5);
}

#[test]
fn woken_too_early_it_sleeps_on_and_too_late_it_has_no_time_left() {
    let policy = growing().deadline(Duration::from_secs(100)).build().unwrap();
    let clock = MockClock::new();
    let call = suspended(on(&policy, &clock).call_or_suspend(LIMIT, |_| Err::<(), _>(TRANSIENT)));
    let resume = |off| {
        let (one, other) = (MockClock::new(), MockClock::new());
        // Starting has taken its time.
        one.advance(SECOND);
        other.advance(SECOND);
        let started = one.now();
        let (mut first, mut second) = (on(&policy, &one), on(&policy, &other));
        let first = first.resume(&call.bytes, one.now(), off).unwrap();
        let second = second.resume(&call.bytes, other.now(), off).unwrap();
        let progress = both!((first, second), |attempt: redress::Attempt| {
            Ok::<_, ErrorClass>(attempt.number)
        });
        (progress, one.now().since(started).as_micros())
    };
    // Five of sixteen seconds are over: eleven are more than the limit.
    let (early, waited) = resume(Some(Duration::from_secs(5)));
    assert_eq!((suspended(early).wake_after.as_secs(), waited), (11, 0));
    // Seven are over: nine are waited for.
    let (short, waited) = resume(Some(Duration::from_secs(7)));
    assert_eq!((over(short).result, waited), (Ok(4), 9_000_000));
    // How long it slept is not known: it gets on nevertheless.
    let (unknown, waited) = resume(None);
    assert_eq!((over(unknown).result, waited), (Ok(4), 16_000_000));
    // It overslept its deadline.
    let (late, _) = resume(Some(Duration::from_secs(200)));
    let late = over(late);
    assert_eq!(late.stop_reason(), Some(StopReason::DeadlineExceeded));
    assert_eq!((late.attempts, late.last_class()), (3, Some(TRANSIENT)));
}

#[test]
fn a_call_suspended_in_the_same_run_goes_on_at_once() {
    let policy = growing().build().unwrap();
    let clock = MockClock::new();
    let mut retry = on(&policy, &clock);
    let call = suspended(retry.call_or_suspend(LIMIT, |_| Err::<(), _>(TRANSIENT)));
    // Saving failed, say: the node stays awake. Time goes on meanwhile.
    clock.advance(SECOND);
    let resumed = retry.resume(&call.bytes, call.at, None).unwrap();
    let outcome = over(resumed.call_or_suspend(LIMIT, |_| Ok::<_, ErrorClass>(7)));
    assert_eq!((outcome.result, outcome.attempts), (Ok(7), 4));
    assert_eq!(clock.now(), call.at.saturating_add(call.wake_after));
}

/// A clock that is set back while a call waits does not make it wait for as long as that.
#[test]
fn a_clock_that_is_set_back_does_not_lengthen_the_sleep() {
    let policy = growing().deadline(Duration::from_secs(3600)).build().unwrap();
    for hours in [1, 24, 1000] {
        let clock = MockClock::new();
        clock.advance(Duration::from_secs(hours * 3600));
        let mut retry = on(&policy, &clock);
        let mut steps = retry.begin().unwrap();
        for _ in 0..2 {
            steps.start().unwrap();
            clock.advance(steps.fail(TRANSIENT).delay());
            steps.on_wake().unwrap();
        }
        steps.start().unwrap();
        assert_eq!(steps.fail(TRANSIENT).delay().as_secs(), 16);
        clock.jump_to(Instant::ZERO);
        let call = steps.suspend().unwrap();
        drop(steps);
        assert_eq!((call.at, call.wake_after.as_secs()), (Instant::ZERO, 16));
        // It is so for the one that goes on with it, too.
        let resumed = retry.resume(&call.bytes, call.at, None).unwrap();
        assert_eq!(resumed.due.since(call.at).as_secs(), 16);
    }
    // It is set back while the call that was woken too early asks for the rest.
    let clock = MockClock::new();
    let call = suspended(on(&policy, &clock).call_or_suspend(LIMIT, |_| Err::<(), _>(TRANSIENT)));
    let (clock, now) = (MockClock::new(), Instant::from_micros(5_000_000_000));
    let mut retry = on(&policy, &clock);
    let resumed = retry.resume(&call.bytes, now, Some(Duration::from_secs(1))).unwrap();
    let again = suspended(resumed.call_or_suspend(LIMIT, |_| Ok::<_, ErrorClass>(1)));
    assert_eq!((again.at, again.wake_after.as_secs()), (Instant::ZERO, 15));
}

/// The breaker and the budget sleep with the call: one opening, one token for each retry.
#[test]
fn breaker_and_budget_go_along() {
    const RULE: BreakerConfig<FailureRule> = BreakerConfig::failures(1, Duration::from_secs(600));
    const RETRIES: RollingConfig = RollingConfig::new(4, Duration::from_secs(6000));
    type Circuit = Breaker<FailureTimes<1>>;
    type Retries = RollingBudget<4>;
    let policy = growing().max_attempts(4).deadline(Duration::from_secs(3600)).build().unwrap();
    let mut events = Vec::new();
    let (mut saved, mut runs) = (None::<(Suspended, Vec<u8>, Vec<u8>)>, 0);
    let outcome = loop {
        runs += 1;
        let clock = MockClock::new();
        let breaker = RefCell::new(Circuit::new(&RULE).unwrap());
        let budget = RefCell::new(Retries::new(&RETRIES).unwrap());
        let mut recorder = Recorder::<16>::new();
        let mut retry =
            on(&policy, &clock).breaker(&breaker).budget(&budget).observer(&mut recorder);
        let progress = match &saved {
            None => retry.call_or_suspend(LIMIT, |_| Err::<(), _>(TRANSIENT)),
            Some((call, circuit, retries)) => {
                let (now, off) = (clock.now(), Some(call.wake_after));
                breaker.borrow_mut().restore(circuit, now, off).unwrap();
                budget.borrow_mut().restore(retries, now, off).unwrap();
                let resumed = retry.resume(&call.bytes, now, off).unwrap();
                resumed.call_or_suspend(LIMIT, |_| Err::<(), _>(TRANSIENT))
            }
        };
        events.extend_from_slice(recorder.kinds());
        match progress {
            Progress::Over(outcome) => {
                assert_eq!(breaker.borrow().state(), CircuitState::Open);
                break outcome;
            }
            Progress::Suspended(call) => {
                let mut circuit = vec![0; Circuit::BYTES];
                let mut retries = vec![0; Retries::BYTES];
                breaker.borrow().snapshot(call.at, &mut circuit).unwrap();
                budget.borrow().snapshot(call.at, &mut retries).unwrap();
                assert_eq!(breaker.borrow().state(), CircuitState::Closed);
                saved = Some((call, circuit, retries));
            }
        }
    };
    assert_eq!((runs, outcome.attempts), (2, 4));
    assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttemptsGlobal));
    let expected = [EventKind::Retry, EventKind::Retry, EventKind::Retry];
    assert_eq!(events[..3], expected);
    assert_eq!(events.iter().filter(|kind| **kind == EventKind::CircuitOpened).count(), 1);
}

#[test]
fn a_rejection_is_over_and_a_success_at_once_never_sleeps() {
    const RULE: BreakerConfig<FailureRule> = BreakerConfig::failures(1, Duration::from_secs(600));
    let policy = growing().max_attempts(1).build().unwrap();
    let clock = MockClock::new();
    let breaker = RefCell::new(Breaker::<FailureTimes<1>>::new(&RULE).unwrap());
    let mut retry = on(&policy, &clock).breaker(&breaker);
    let fine = over(retry.call_or_suspend(LIMIT, |_| Ok::<_, ErrorClass>(1)));
    assert_eq!(fine.result, Ok(1));
    let failed = over(retry.call_or_suspend(LIMIT, |_| Err::<u8, _>(TRANSIENT)));
    assert_eq!(failed.stop_reason(), Some(StopReason::MaxAttemptsGlobal));
    let rejected = over(retry.call_or_suspend(LIMIT, |_| Ok::<_, ErrorClass>(1)));
    assert!(rejected.rejection().is_some());
    let rejected =
        over(block_on(retry.call_or_suspend_async(LIMIT, async |_| Ok::<_, ErrorClass>(1))));
    assert!(rejected.rejection().is_some());
}

/// A deadline of one call alone is its own after a deep sleep, too: named anew, or what was
/// left of it.
#[test]
fn a_resumed_call_with_a_shorter_deadline_blames_nobody_else() {
    const CONFIG: BreakerConfig<FailureRule> = BreakerConfig::failures(1, SECOND);
    let policy = Policy::builder().backoff(Backoff::constant(LIMIT)).build().unwrap();
    let own = Duration::from_secs(20);
    for (begins, resumes, state) in [
        (Some(own), Some(own), CircuitState::Closed),
        (None, Some(own), CircuitState::Closed),
        (Some(own), None, CircuitState::Closed),
        (None, None, CircuitState::Open),
        // As long as the policy's, or longer, it is none that is shorter.
        (None, Some(Duration::from_secs(60)), CircuitState::Open),
        (Some(own), Some(Duration::from_secs(99)), CircuitState::Open),
        (Some(Duration::from_secs(99)), None, CircuitState::Open),
    ] {
        let clock = MockClock::new();
        let breaker = RefCell::new(Breaker::<FailureTimes<1>>::new(&CONFIG).unwrap());
        let retry = || on(&policy, &clock).breaker(&breaker);
        let fails = |_| Err::<(), _>(TRANSIENT);
        let call = suspended(match begins {
            Some(deadline) => retry().deadline(deadline).call_or_suspend(LIMIT, fails),
            None => retry().call_or_suspend(LIMIT, fails),
        });
        clock.advance(LIMIT);
        let hangs = async |_| std::future::pending::<Result<(), ErrorClass>>().await;
        macro_rules! go_on {
            ($retry:expr) => {{
                let mut retry = $retry;
                let resumed = retry.resume(&call.bytes, clock.now(), Some(LIMIT)).unwrap();
                over(block_on(resumed.call_or_suspend_async(LIMIT, hangs)))
            }};
        }
        let outcome = match resumes {
            Some(deadline) => go_on!(retry().deadline(deadline)),
            None => go_on!(retry()),
        };
        assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
        assert_eq!((outcome.attempts, outcome.last_class()), (2, Some(TRANSIENT)));
        assert_eq!(breaker.borrow().state(), state, "{begins:?} {resumes:?}");
    }
}

/// What is left of a delay is slept where it is shorter than the limit, and suspended again from
/// the limit on.
#[test]
fn a_resumed_call_is_suspended_again_from_the_limit_on() {
    let policy = Policy::builder()
        .deadline(Duration::from_secs(3600))
        .backoff(Backoff::constant(Duration::from_secs(100)))
        .build()
        .unwrap();
    for (slept, suspends) in [(89, true), (90, true), (91, false)] {
        let clock = MockClock::new();
        let limit = Duration::from_secs(10);
        let Progress::Suspended(call) =
            on(&policy, &clock).call_or_suspend(limit, |_| Err::<(), _>(TRANSIENT))
        else {
            panic!("100 s are longer than 10 s")
        };
        let off = Duration::from_secs(slept);
        clock.advance(off);
        let mut retry = on(&policy, &clock);
        let resumed = retry.resume(&call.bytes, clock.now(), Some(off)).unwrap();
        let again = resumed.call_or_suspend(limit, |_| Ok::<_, ErrorClass>(()));
        assert_eq!(matches!(again, Progress::Suspended(_)), suspends, "{slept}");
        if let Progress::Suspended(again) = again {
            assert_eq!(again.wake_after, Duration::from_secs(100 - slept));
        }
    }
}
