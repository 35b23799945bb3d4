//! What is renewed between an attempt that failed and the next one.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;

use redress::event::AttemptContext;
use redress::testing::{MockClock, Recorder};
use redress::{Backoff, Duration, Error, ErrorClass, EventKind, Last, Policy, StopReason};

use crate::{block_on, each_second, on};

const SECOND: Duration = Duration::from_secs(1);
const TRANSIENT: ErrorClass = ErrorClass::Transient;
const CONTINUE: ControlFlow<()> = ControlFlow::Continue(());

/// The hook knows the attempt that failed and what it left, after the delay.
#[test]
fn a_hook_before_a_retry_knows_the_last_failure() {
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let seen = RefCell::new(Vec::new());
    let hook = |attempt: &AttemptContext<'_>, last: &Last<ErrorClass, u8>| {
        seen.borrow_mut().push((
            attempt.attempt,
            attempt.class,
            attempt.delay,
            *last,
            clock.elapsed(),
        ));
        CONTINUE
    };
    let results = [Err(TRANSIENT), Ok(7), Err(ErrorClass::Unknown), Ok(0)];
    let expected = [
        (1, Some(TRANSIENT), SECOND, Last::Error(TRANSIENT), SECOND),
        (2, Some(ErrorClass::Concurrency), SECOND, Last::Value(7), Duration::from_secs(2)),
        (
            3,
            Some(ErrorClass::Unknown),
            SECOND,
            Last::Error(ErrorClass::Unknown),
            Duration::from_secs(3),
        ),
    ];
    let value = |value: &u8| (*value > 0).then_some(ErrorClass::Concurrency);
    let run = |attempt: redress::Attempt| results[attempt.number as usize - 1];
    for driver in 0..3 {
        clock.jump_to(redress::Instant::ZERO);
        let mut retry = on(&policy, &clock).classify_value(value).before_retry(hook);
        let done = match driver {
            0 => retry.call(run),
            1 => block_on(retry.call_async(async |attempt| run(attempt))),
            _ => block_on(retry.call_future(|attempt| std::future::ready(run(attempt)))),
        };
        assert_eq!(done, Ok(0));
        assert_eq!(seen.take(), expected, "driver {driver}");
    }
}

/// An attempt that ran into its timeout is one, too, and the hook may wait.
#[test]
fn an_asynchronous_hook_renews_what_a_timeout_left() {
    let policy = each_second().attempt_timeout(SECOND).build().unwrap();
    let clock = MockClock::new();
    let connected = Cell::new(false);
    let mut retry = on(&policy, &clock).before_retry_async(async |attempt, last: &Last<_>| {
        assert_eq!((attempt.attempt, *last), (1, Last::Timeout));
        std::future::ready(()).await;
        connected.set(true);
        CONTINUE
    });
    let done = block_on(retry.call_async(async |_| {
        if !connected.get() {
            std::future::pending::<()>().await;
        }
        Ok::<_, ErrorClass>(1)
    }));
    assert_eq!(done, Ok(1));
}

/// It may stop the call, which keeps its last error.
#[test]
fn a_hook_before_a_retry_can_stop_the_call() {
    let policy = each_second().build().unwrap();
    for asynchronous in [false, true] {
        let clock = MockClock::new();
        let mut recorder = Recorder::<4>::new();
        let mut retry = on(&policy, &clock)
            .before_retry(|_, _: &Last<_>| ControlFlow::Break(()))
            .observer(&mut recorder);
        let outcome = if asynchronous {
            block_on(retry.execute_async(async |_| Err::<(), _>(TRANSIENT)))
        } else {
            retry.execute(|_| Err::<(), _>(TRANSIENT))
        };
        drop(retry);
        assert_eq!((outcome.attempts, outcome.stop_reason()), (1, Some(StopReason::Aborted)));
        let Err(Error::Exhausted(stopped)) = outcome.result else { panic!() };
        assert_eq!(stopped.last, Some(Last::Error(TRANSIENT)));
        assert_eq!(recorder.kinds(), [EventKind::Retry, EventKind::Aborted]);
    }
}

/// What it takes counts, and the deadline ends it.
#[test]
fn the_deadline_holds_for_a_hook_before_a_retry() {
    let policy = each_second().deadline(Duration::from_secs(5)).build().unwrap();
    let clock = MockClock::new();
    let mut retry =
        on(&policy, &clock).before_retry_async(async |_, _: &Last<_>| std::future::pending().await);
    let outcome = block_on(retry.execute_async(async |_| Err::<(), _>(TRANSIENT)));
    assert_eq!((outcome.attempts, outcome.elapsed), (1, Duration::from_secs(5)));
    assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));

    let clock = MockClock::new();
    let mut retry = on(&policy, &clock).before_retry(|_, _: &Last<_>| {
        clock.advance(Duration::from_secs(9));
        CONTINUE
    });
    let outcome = retry.execute(|_| Err::<(), _>(TRANSIENT));
    assert_eq!((outcome.attempts, outcome.elapsed), (1, Duration::from_secs(10)));
    assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
}

/// A final class may be retried on purpose, so often and with a strategy of its own.
#[test]
fn a_final_class_is_retried_where_the_policy_says_so() {
    let config = each_second()
        .retriable(ErrorClass::Auth, 2)
        .backoff_for(ErrorClass::Auth, Backoff::constant(Duration::from_secs(3)));
    let policy = config.build().unwrap();
    let clock = MockClock::new();
    let outcome = on(&policy, &clock).execute(|_| Err::<(), _>(ErrorClass::Auth));
    assert_eq!((outcome.attempts, clock.slept()), (3, Duration::from_secs(6)));
    assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttemptsPerClass));
    for class in [ErrorClass::Permission, ErrorClass::Permanent] {
        assert_eq!(on(&policy, &clock).execute(|_| Err::<(), _>(class)).attempts, 1);
    }
    let joined = on(&policy, &clock).call(|attempt| match attempt.number {
        1 => Err(ErrorClass::Auth),
        _ => Ok(attempt.number),
    });
    assert_eq!(joined, Ok(2));
    let wrong = Policy::builder().retriable(TRANSIENT, 1).backoff(Backoff::constant(SECOND));
    assert_eq!(wrong.build().unwrap_err().field(), "retriable");
}

/// The hook knows how long the call has taken, also where nothing else asks for it.
#[test]
fn a_hook_before_a_retry_knows_how_long_the_call_has_taken() {
    let policy = each_second().no_deadline().build().unwrap();
    let clock = MockClock::new();
    clock.advance(Duration::from_secs(3600));
    let run = |attempt: redress::Attempt| {
        if attempt.number == 1 { Err(TRANSIENT) } else { Ok::<u8, _>(1) }
    };
    for driver in 0..3 {
        let mut retry = on(&policy, &clock).before_retry(|attempt, _: &Last<ErrorClass>| {
            assert_eq!(attempt.elapsed, SECOND, "driver {driver}");
            CONTINUE
        });
        let done = match driver {
            0 => retry.call(run),
            1 => block_on(retry.call_async(async |attempt| run(attempt))),
            _ => block_on(retry.call_future(|attempt| std::future::ready(run(attempt)))),
        };
        assert_eq!(done, Ok(1));
    }
}
