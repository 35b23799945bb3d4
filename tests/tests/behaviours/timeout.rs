//! The time of an attempt.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use redress::random::NoRandom;
use redress::testing::{MockClock, Recorder};
use redress::{
    Attempt, Cause, Clock, Duration, Error, ErrorClass, EventKind, Instant, Last, RetryConfig,
    StopReason, Timer,
};

use crate::{block_on, each_second, on};

const SECOND: Duration = Duration::from_secs(1);
const TRANSIENT: ErrorClass = ErrorClass::Transient;

/// Three seconds for an attempt.
fn timed() -> RetryConfig {
    each_second().max_attempts(3).attempt_timeout(Duration::from_secs(3))
}

/// Line 107: nothing can end a blocking attempt, but its failure is one of time.
#[test]
fn a_blocking_failure_after_the_timeout_is_transient_and_retried() {
    let policy = timed().build().unwrap();
    for (takes, attempts, class) in [
        (2_999_999, 1, ErrorClass::Permanent),
        (3_000_000, 1, ErrorClass::Permanent),
        (3_000_001, 3, TRANSIENT),
    ] {
        let clock = MockClock::new();
        let outcome = on(&policy, &clock).execute(|_| {
            clock.advance(Duration::from_micros(takes));
            Err::<(), _>(ErrorClass::Permanent)
        });
        assert_eq!((outcome.attempts, outcome.last_class()), (attempts, Some(class)), "{takes}");
        // The caller's own error comes back all the same.
        assert_eq!(outcome.result.unwrap_err().into_error(), Some(ErrorClass::Permanent));
    }
}

/// Line 107: a value that counts as a failure is one of time, too; a good one stands.
#[test]
fn a_failing_value_after_the_timeout_is_transient_and_a_late_success_stands() {
    let policy = timed().build().unwrap();
    let clock = MockClock::new();
    let mut retry =
        on(&policy, &clock).classify_value(|bad: &bool| (*bad).then_some(ErrorClass::Permanent));
    let late = |value| {
        clock.advance(Duration::from_secs(4));
        Ok(value)
    };
    let failed = retry.execute(|_| late(true));
    assert_eq!((failed.attempts, failed.last_class()), (3, Some(TRANSIENT)));
    assert_eq!(failed.cause(), Some(Cause::Result));
    assert_eq!(retry.call(|_| late(false)), Ok(false));
}

/// Counts how many attempts were given up.
struct Hangs<'c>(&'c Cell<u32>);

impl Drop for Hangs<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// Lines 107, 108: the attempt is dropped, so no result of it can come later.
#[test]
fn an_async_attempt_over_time_is_dropped_and_retried_as_transient() {
    let policy = timed().build().unwrap();
    for by_future in [false, true] {
        let clock = MockClock::new();
        let dropped = Cell::new(0);
        let mut recorder = Recorder::<8>::new();
        let mut retry = on(&policy, &clock).observer(&mut recorder);
        let operation = async |_: Attempt| {
            let _guard = Hangs(&dropped);
            std::future::pending::<Result<(), ErrorClass>>().await
        };
        let outcome = if by_future {
            block_on(retry.execute_future(operation))
        } else {
            block_on(retry.execute_async(operation))
        };
        drop(retry);
        assert_eq!((outcome.attempts, dropped.get()), (3, 3));
        assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttemptsGlobal));
        assert_eq!(outcome.last_class(), Some(TRANSIENT));
        assert_eq!(outcome.cause(), Some(Cause::Exception));
        assert_eq!(outcome.elapsed, Duration::from_secs(3 * 3 + 2));
        let Err(Error::Exhausted(stopped)) = outcome.result else { panic!() };
        assert_eq!(stopped.last, Some(Last::Timeout));
        let retry = EventKind::Retry;
        assert_eq!(recorder.kinds(), [retry, retry, EventKind::MaxAttemptsExceeded]);
    }
}

/// Line 107: hooks see it under its name.
#[test]
fn an_attempt_over_time_is_told_as_a_timeout_error() {
    let policy = timed().max_attempts(2).build().unwrap();
    let clock = MockClock::new();
    let mut errors = Vec::new();
    let mut retry =
        on(&policy, &clock).on_event(|event| errors.push((event.kind, event.error, event.class)));
    let done = block_on(retry.call_async(async |attempt| {
        if attempt.number == 1 {
            std::future::pending::<()>().await;
        }
        Ok::<_, ErrorClass>(attempt.number)
    }));
    assert_eq!(done, Ok(2));
    drop(retry);
    let timeout = (EventKind::Retry, Some("TimeoutError"), Some(TRANSIENT));
    assert_eq!(errors, [timeout, (EventKind::Success, None, None)]);
}

/// Line 108.
#[test]
fn a_result_that_is_there_wins_over_a_timeout_that_is_due() {
    let policy = timed().build().unwrap();
    let clock = MockClock::new();
    let done = block_on(on(&policy, &clock).call_async(async |_| {
        clock.advance(Duration::from_secs(100));
        Ok::<_, ErrorClass>(1)
    }));
    assert_eq!(done, Ok(1));
}

/// A timer that never fires and counts how many there are.
#[derive(Clone, Default)]
struct Counting {
    clock: Rc<Cell<u64>>,
    made: Rc<RefCell<Vec<Duration>>>,
    alive: Rc<Cell<i32>>,
}

struct Alive(Rc<Cell<i32>>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Clock for Counting {
    fn now(&self) -> Instant {
        self.clock.now()
    }
}

impl Timer for Counting {
    fn sleep(&mut self, span: Duration) -> impl Future<Output = ()> {
        self.made.borrow_mut().push(span);
        self.alive.set(self.alive.get() + 1);
        let alive = Alive(Rc::clone(&self.alive));
        async move {
            let _alive = alive;
            std::future::pending().await
        }
    }
}

/// Line 108: the timer of an attempt is gone when the attempt is over.
#[test]
fn a_timer_is_given_up_with_its_attempt() {
    let policy = timed().build().unwrap();
    for (result, made) in [(Ok(1), 1), (Err(ErrorClass::Auth), 1)] {
        let time = Counting::default();
        let mut retry = policy.on(time.clone(), NoRandom).classify(|class: &ErrorClass| *class);
        let done = block_on(retry.call_async(async |_| {
            assert_eq!(time.alive.get(), 1);
            result
        }));
        assert_eq!(done.is_ok(), result.is_ok());
        assert_eq!((time.made.borrow().len(), time.alive.get()), (made, 0));
    }
}

/// Lines 108, 128: without an attempt timeout there is none.
#[test]
fn without_attempt_timeout_no_timer_is_made() {
    let policy = each_second().build().unwrap();
    let time = Counting::default();
    let mut retry = policy.on(time.clone(), NoRandom).classify(|class: &ErrorClass| *class);
    let done = block_on(retry.call_async(async |attempt| {
        assert_eq!(attempt.timeout, Duration::MAX);
        Ok::<_, ErrorClass>(1)
    }));
    assert_eq!((done, time.made.borrow().len()), (Ok(1), 0));
}

/// Lines 109, 138.
#[test]
fn an_attempt_learns_what_is_left_and_never_gets_more() {
    let secs = Duration::from_secs;
    let plain = each_second().max_attempts(9);
    for (config, told) in [
        (
            plain.deadline(secs(10)).attempt_timeout(secs(4)),
            &[(secs(10), secs(4)), (secs(6), secs(4)), (secs(2), secs(2))][..],
        ),
        (plain.deadline(secs(2)).attempt_timeout(secs(9)), &[(secs(2), secs(2))]),
        (plain.deadline(secs(7)), &[(secs(7), Duration::MAX), (secs(3), Duration::MAX)]),
        (
            plain.no_deadline().max_attempts(2).attempt_timeout(secs(5)),
            &[(Duration::MAX, secs(5)), (Duration::MAX, secs(5))],
        ),
        (
            plain.no_deadline().max_attempts(2),
            &[(Duration::MAX, Duration::MAX), (Duration::MAX, Duration::MAX)],
        ),
    ] {
        let policy = config.build().unwrap();
        for driver in 0..3 {
            let clock = MockClock::new();
            let mut seen = Vec::new();
            let mut operation = |attempt: Attempt| {
                seen.push((attempt.remaining, attempt.timeout));
                clock.advance(secs(3));
                Err::<(), _>(TRANSIENT)
            };
            let mut retry = on(&policy, &clock);
            let _ = match driver {
                0 => retry.call(operation),
                1 => block_on(retry.call_async(async |attempt| operation(attempt))),
                _ => block_on(retry.call_future(|attempt| std::future::ready(operation(attempt)))),
            };
            assert_eq!(seen, told, "driver {driver}");
        }
    }
}

/// Line 109: a hanging attempt ends at the deadline, not at its own timeout.
#[test]
fn the_deadline_cuts_a_hanging_attempt() {
    let policy = timed().deadline(Duration::from_secs(5)).build().unwrap();
    let clock = MockClock::new();
    let outcome = block_on(
        on(&policy, &clock)
            .execute_async(async |_| std::future::pending::<Result<(), ErrorClass>>().await),
    );
    // Three seconds, one of sleep, and the one that was left.
    assert_eq!((outcome.attempts, outcome.elapsed), (2, Duration::from_secs(5)));
    assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
}

/// Lines 109, 138: at the deadline itself one more attempt is told that nothing is left.
#[test]
fn an_attempt_at_the_deadline_is_told_that_nothing_is_left() {
    let policy = timed().deadline(SECOND).build().unwrap();
    let clock = MockClock::new();
    let mut seen = Vec::new();
    let outcome = on(&policy, &clock).execute(|attempt| {
        seen.push((attempt.remaining, attempt.timeout));
        Err::<(), _>(TRANSIENT)
    });
    assert_eq!(seen, [(SECOND, SECOND), (Duration::ZERO, Duration::ZERO)]);
    assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
}
