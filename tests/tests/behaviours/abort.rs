//! Giving up: by predicate, by the operation, by dropping the future.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use redress::breaker::{CallResult, FailureRule, FailureTimes};
use redress::classify::Verdict;
use redress::event::CircuitState;
use redress::random::NoRandom;
use redress::testing::{FakeBreaker, MockClock, Recorder, Script};
use redress::time::Timer;
use redress::{
    Attempt, Backoff, Breaker, BreakerConfig, Clock, Duration, Error, ErrorClass, EventKind,
    Instant, Policy, StopReason, policy,
};

use crate::{block_on, each_second, on};

const SECOND: Duration = Duration::from_secs(1);
const ONCE: Policy = Policy::once();
const TRANSIENT: ErrorClass = ErrorClass::Transient;

/// Line 93.
#[test]
fn a_predicate_that_says_so_from_the_start_makes_no_call() {
    for policy in [ONCE, each_second().build().unwrap()] {
        let clock = MockClock::new();
        let mut recorder = Recorder::<4>::new();
        let mut retry = on(&policy, &clock).abort_if(|| true).observer(&mut recorder);
        let outcome = retry.execute(|_| -> Result<(), ErrorClass> { panic!("it was aborted") });
        assert_eq!((outcome.attempts, outcome.stop_reason()), (0, Some(StopReason::Aborted)));
        assert_eq!((outcome.last_class(), outcome.cause()), (None, None));
        let with_async =
            retry.call_async(async |_| -> Result<(), ErrorClass> { panic!("it was aborted") });
        assert!(block_on(with_async).unwrap_err().is_aborted());
        drop(retry);
        assert_eq!(recorder.kinds(), [EventKind::Aborted; 2]);
        assert!(recorder.attempts().is_empty());
    }
}

/// Lines 93, 94: asked before each attempt, after a failure and before a sleep.
#[test]
fn a_predicate_is_asked_at_three_points_of_each_attempt() {
    let policy = each_second().build().unwrap();
    // After how many questions it says so; what was run and slept until then.
    for (after, runs, slept, events) in [
        (0, 0, 0, 1),
        (1, 1, 0, 1),
        (2, 1, 0, 2),
        (3, 1, 1, 2),
        (4, 2, 1, 2),
        (5, 2, 1, 3),
        (6, 2, 2, 3),
    ] {
        let clock = MockClock::new();
        let mut recorder = Recorder::<8>::new();
        let mut operation = Script::<(), _, 1>::new([Err(TRANSIENT)]);
        let mut asked = 0;
        let error = on(&policy, &clock)
            .abort_if(|| {
                asked += 1;
                asked > after
            })
            .observer(&mut recorder)
            .call(|_| operation.next())
            .unwrap_err();
        assert!(error.is_aborted());
        assert_eq!((operation.runs(), clock.slept().as_secs()), (runs, slept), "after {after}");
        assert_eq!(recorder.events().len(), events, "after {after}");
        assert_eq!(recorder.kinds().last(), Some(&EventKind::Aborted));
    }
}

/// Line 95: by an error and by a value.
#[test]
fn an_operation_that_asks_to_stop_is_not_run_again() {
    #[derive(Clone, Debug, PartialEq)]
    enum Mine {
        Stop,
        Down,
    }
    let policy = each_second().build().unwrap();
    for (script, attempts) in [
        ([Err(Mine::Stop), Ok(1)], 1),
        ([Err(Mine::Down), Err(Mine::Stop)], 2),
        ([Ok(99), Ok(1)], 1),
    ] {
        let clock = MockClock::new();
        let mut recorder = Recorder::<4>::new();
        let mut operation = Script::new(script);
        let outcome = policy
            .on(&clock, NoRandom)
            .classify(|error: &Mine| match error {
                Mine::Stop => Verdict::Abort,
                Mine::Down => TRANSIENT.into(),
            })
            .classify_value(|value: &u32| (*value == 99).then_some(Verdict::Abort))
            .observer(&mut recorder)
            .execute(|_| operation.next());
        assert_eq!(
            (outcome.stop_reason(), outcome.attempts),
            (Some(StopReason::Aborted), attempts)
        );
        assert_eq!(operation.runs(), attempts as usize);
        assert_eq!(recorder.kinds().last(), Some(&EventKind::Aborted));
        // An abort is no failure; it keeps the class of an earlier one.
        assert_eq!(outcome.last_class().is_some(), attempts == 2);
    }
}

/// Line 96.
#[test]
fn an_abort_comes_back_as_an_error_and_as_an_outcome() {
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let mut retry = policy.on(&clock, NoRandom).classify(|_: &&str| Verdict::Abort);
    let error = retry.call(|_| Err::<(), _>("enough")).unwrap_err();
    assert!(error.is_aborted() && matches!(error, Error::Exhausted(_)));
    assert_eq!(error.into_error(), Some("enough"));
    let outcome = retry.execute(|_| Err::<(), _>("enough"));
    assert_eq!(outcome.stop_reason(), Some(StopReason::Aborted));
    assert_eq!((outcome.is_ok(), outcome.attempts), (false, 1));
    let mut steps = retry.begin().unwrap();
    steps.start().unwrap();
    assert_eq!(steps.abort(), StopReason::Aborted);
}

/// Line 97.
#[test]
fn a_breaker_hears_of_an_abort_that_it_was_none_of_its_business() {
    let retrying = each_second().build().unwrap();
    for policy in [&ONCE, &retrying] {
        for questions in 0..3 {
            let clock = MockClock::new();
            let breaker = RefCell::new(FakeBreaker::new(&[]));
            let mut asked = 0;
            let mut retry = on(policy, &clock).breaker(&breaker).abort_if(|| {
                asked += 1;
                asked > questions
            });
            let outcome = retry.execute(|_| Err::<(), _>(TRANSIENT));
            // Without retry nothing is asked before a sleep that does not follow.
            let result = match outcome.stop_reason() {
                Some(StopReason::Aborted) => CallResult::Cancelled,
                _ => CallResult::Failure(TRANSIENT),
            };
            assert_eq!(breaker.borrow().results(), [result]);
            assert_eq!(policy.max_attempts() > 1 || questions < 2, result == CallResult::Cancelled);
        }
    }
}

const TRIPPED: BreakerConfig<FailureRule> = BreakerConfig::failures(1, Duration::from_secs(60));
type Small = Breaker<FailureTimes<1>>;

/// A breaker that has just opened, on a clock at which its recovery time is over.
fn half_open_next() -> (MockClock, RefCell<Small>) {
    let clock = MockClock::new();
    let mut breaker = Small::new(&TRIPPED).unwrap();
    let permit = breaker.admit_closed().unwrap();
    breaker.settle(permit, CallResult::Failure(TRANSIENT), clock.now());
    clock.advance(Duration::from_secs(30));
    (clock, RefCell::new(breaker))
}

/// Line 97: the probe's place is free again and its state is unchanged.
#[test]
fn an_aborted_probe_frees_its_place_and_decides_nothing() {
    let retrying = each_second().build().unwrap();
    for policy in [&ONCE, &retrying] {
        let (clock, breaker) = half_open_next();
        let mut retry =
            policy.on(&clock, NoRandom).classify(|(): &()| Verdict::Abort).breaker(&breaker);
        for _ in 0..3 {
            let aborted = retry.execute(|_| Err::<(), _>(()));
            assert_eq!(aborted.stop_reason(), Some(StopReason::Aborted));
            assert_eq!(breaker.borrow().state(), CircuitState::HalfOpen);
        }
        assert_eq!(retry.call(|_| Ok(1)), Ok(1));
        assert_eq!(breaker.borrow().state(), CircuitState::Closed);
    }
}

/// Line 98a: a value that was there before the abort is returned.
#[test]
fn a_predicate_is_never_asked_after_a_success() {
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let stop = Cell::new(false);
    let mut retry = on(&policy, &clock).abort_if(|| stop.get());
    let result = retry.call(|_| {
        stop.set(true);
        Ok(21)
    });
    assert_eq!(result, Ok(21));
}

/// Pending once.
#[derive(Default)]
struct Once(bool);

impl Future for Once {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A clock that passes only after its sleep was polled twice.
struct Slow<'c>(&'c MockClock);

impl Clock for Slow<'_> {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl Timer for Slow<'_> {
    async fn sleep(&mut self, span: Duration) {
        Once::default().await;
        self.0.advance(span);
    }
}

/// Polls so often; says whether it is done.
fn polled<F: Future>(mut future: Pin<&mut F>, times: usize) -> Option<F::Output> {
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..times {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
    }
    None
}

/// Drops a probe's call after any number of polls, and checks that each await left
/// the breaker free and the operation alone.
fn dropped_at_every_await(policy: &Policy, by_future: bool) {
    let mut awaits = 0;
    for polls in 0.. {
        let (clock, breaker) = half_open_next();
        let runs = Cell::new(0);
        let operation = async |_: Attempt| {
            runs.set(runs.get() + 1);
            Once::default().await;
            if runs.get() < 3 { Err(TRANSIENT) } else { Ok(()) }
        };
        let mut retry = policy
            .on(Slow(&clock), NoRandom)
            .classify(|class: &ErrorClass| *class)
            .breaker(&breaker);
        let done = if by_future {
            polled(pin!(retry.call_future(operation)), polls)
        } else {
            polled(pin!(retry.call_async(operation)), polls)
        };
        if let Some(result) = done {
            assert_eq!((result, runs.get()), (Ok(()), 3));
            assert_eq!(breaker.borrow().state(), CircuitState::Closed);
            break;
        }
        awaits += 1;
        let state = if polls == 0 { CircuitState::Open } else { CircuitState::HalfOpen };
        assert_eq!(breaker.borrow().state(), state, "{polls} polls");
        assert_eq!(breaker.borrow().check(clock.now()), Ok(()), "{polls} polls");
        let run_before = runs.get();
        assert!(retry.begin().is_ok(), "{polls} polls");
        assert_eq!(runs.get(), run_before);
    }
    // Not polled at all, three operations, two sleeps.
    assert_eq!(awaits, 6);
}

/// Line 98, 132: with and without attempt timeout, in both forms.
#[test]
fn dropping_a_call_at_any_await_frees_the_probe_and_counts_nothing() {
    let timed = each_second().attempt_timeout(SECOND).build().unwrap();
    for policy in [each_second().build().unwrap(), timed] {
        dropped_at_every_await(&policy, false);
        dropped_at_every_await(&policy, true);
    }
}

/// Line 98: in the step form.
#[test]
fn dropping_or_cancelling_steps_at_any_point_frees_the_probe() {
    let policy = each_second().build().unwrap();
    for steps_taken in 0..4 {
        for dropped in [true, false] {
            let (clock, breaker) = half_open_next();
            let mut retry = on(&policy, &clock).breaker(&breaker);
            let mut steps = retry.begin().unwrap();
            if steps_taken > 0 {
                steps.start().unwrap();
            }
            if steps_taken > 1 {
                let _ = steps.fail(TRANSIENT);
            }
            if steps_taken > 2 {
                steps.on_wake().unwrap();
            }
            assert!(breaker.borrow().check(clock.now()).is_err());
            if dropped {
                drop(steps)
            } else {
                steps.cancel()
            }
            assert_eq!(breaker.borrow().check(clock.now()), Ok(()));
            assert_eq!(breaker.borrow().state(), CircuitState::HalfOpen);
        }
    }
}

/// Line 98: what the operation borrowed is free again, too.
#[test]
fn a_dropped_call_gives_back_what_its_operation_borrowed() {
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let mut sensor = vec![0_u32];
    let mut retry = policy.on(Slow(&clock), NoRandom).classify(|class: &ErrorClass| *class);
    {
        let call = retry.call_async(async |attempt| {
            sensor.push(attempt.number);
            Once::default().await;
            Err::<(), _>(TRANSIENT)
        });
        assert!(polled(pin!(call), 4).is_none());
    }
    assert_eq!(sensor, [0, 1, 2]);
    let done = block_on(retry.call_async(async |_| {
        sensor.clear();
        Ok::<_, ErrorClass>(sensor.len())
    }));
    assert_eq!(done, Ok(0));
}

/// A clock for many threads; its sleeps pass at once but for one turn of the runtime.
struct Threads;

static MICROS: AtomicU64 = AtomicU64::new(0);

impl Clock for Threads {
    fn now(&self) -> Instant {
        Instant::from_micros(MICROS.load(Ordering::SeqCst))
    }
}

impl Timer for Threads {
    async fn sleep(&mut self, span: Duration) {
        tokio::task::yield_now().await;
        MICROS.fetch_add(span.as_micros(), Ordering::SeqCst);
    }
}

static SPAWNED: Policy = policy! {
    Policy::builder().no_deadline().backoff(Backoff::constant(Duration::from_millis(1)))
};
static SHARED: Mutex<Small> = Mutex::new(redress::checked!(Small::new(&TRIPPED)));

/// Lines 98, 59: aborted tasks of a multi-threaded runtime leave no probe behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_aborted_task_frees_its_probe() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let retry =
        || SPAWNED.on(Threads, NoRandom).classify(|class: &ErrorClass| *class).breaker(&SHARED);
    assert!(
        ONCE.on(&MockClock::new(), NoRandom)
            .classify(|class: &ErrorClass| *class)
            .breaker(&SHARED)
            .call(|_| Err::<(), _>(TRANSIENT))
            .is_err()
    );
    MICROS.fetch_add(30_000_000, Ordering::SeqCst);
    for hung in 1..=3 {
        let task = tokio::spawn(async move {
            retry()
                .call_future(|_| async {
                    RUNS.fetch_add(1, Ordering::SeqCst);
                    std::future::pending::<Result<(), ErrorClass>>().await
                })
                .await
        });
        while RUNS.load(Ordering::SeqCst) < hung {
            tokio::task::yield_now().await;
        }
        // The probe is in flight: no caller queues behind it.
        let rejected = retry().execute_future(|_| async { Ok::<_, ErrorClass>(()) }).await;
        assert_eq!(rejected.rejection().unwrap().state, CircuitState::HalfOpen);
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }
    let task = tokio::spawn(async move {
        retry().call_future(|attempt| async move { Ok::<_, ErrorClass>(attempt.number) }).await
    });
    assert_eq!(task.await.unwrap(), Ok(1));
    assert_eq!(SHARED.lock().unwrap().state(), CircuitState::Closed);
}
