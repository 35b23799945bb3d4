//! What is retried, and what comes back.

use redress::driver::RetryExt;
use redress::event::Cause;
use redress::testing::{MockClock, Script};
use redress::{Backoff, Classification, Duration, Error, ErrorClass, Last, Policy, StopReason};

use crate::{block_on, each_second, on};

/// Lines 1, 2, 3, 15.
#[test]
fn a_final_class_stops_at_once() {
    let policy = each_second().build().unwrap();
    for class in [ErrorClass::Permanent, ErrorClass::Auth, ErrorClass::Permission] {
        let clock = MockClock::new();
        let outcome = on(&policy, &clock).execute(|_| Err::<(), _>(class));
        assert_eq!(outcome.stop_reason(), Some(StopReason::NonRetryableClass));
        assert_eq!((outcome.attempts, clock.slept()), (1, Duration::ZERO));
    }
}

/// Lines 4, 38.
#[test]
fn a_class_is_retried_with_its_own_strategy_or_the_default() {
    let policy = each_second()
        .max_attempts(2)
        .backoff_for(ErrorClass::RateLimit, Backoff::constant(Duration::from_secs(7)))
        .build()
        .unwrap();
    for (class, slept) in [
        (ErrorClass::Transient, 1),
        (ErrorClass::ServerError, 1),
        (ErrorClass::Concurrency, 1),
        (ErrorClass::RateLimit, 7),
    ] {
        let clock = MockClock::new();
        assert!(!on(&policy, &clock).execute(|_| Err::<(), _>(class)).is_ok());
        assert_eq!(clock.slept(), Duration::from_secs(slept), "{class}");
    }
}

/// Lines 5, 85, 86, 139.
#[test]
fn attempts_count_calls_and_the_last_error_comes_back_by_value() {
    #[derive(Debug, PartialEq)]
    struct Mine(Box<u32>);
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let mut runs = 0;
    let mut retry =
        policy.on(&clock, redress::random::NoRandom).classify(|_: &Mine| ErrorClass::Transient);
    let outcome = retry.execute(|_| {
        runs += 1;
        Err::<(), _>(Mine(Box::new(runs)))
    });
    assert_eq!((outcome.attempts, outcome.elapsed), (6, Duration::from_secs(5)));
    assert_eq!(outcome.result.unwrap_err().into_error(), Some(Mine(Box::new(6))));
    // At once and after retries can be told apart.
    assert_eq!(retry.execute(|_| Ok(())).attempts, 1);
    let mut script = Script::new([Err(ErrorClass::Transient), Ok(())]);
    assert_eq!(on(&policy, &clock).execute(|_| script.next()).attempts, 2);
}

/// Lines 13, 14, 16, 17, 18.
#[test]
fn a_value_may_be_a_failure_and_the_last_cause_decides() {
    let policy = each_second().max_attempts(2).build().unwrap();
    let clock = MockClock::new();
    let is_bad = |status: &u16| (*status >= 500).then_some(ErrorClass::ServerError);

    let mut good = Script::new([Ok(503), Ok(200)]);
    let result = on(&policy, &clock).classify_value(is_bad).call(|_| good.next());
    assert_eq!(result, Ok(200));

    for (first, second, last, cause) in [
        (Ok(500), Ok(502), Last::Value(502), Cause::Result),
        (Ok(500), Err(ErrorClass::Transient), Last::Error(ErrorClass::Transient), Cause::Exception),
        (Err(ErrorClass::Transient), Ok(500), Last::Value(500), Cause::Result),
    ] {
        let mut script = Script::new([first, second]);
        let error = on(&policy, &clock).classify_value(is_bad).call(|_| script.next()).unwrap_err();
        let Error::Exhausted(stopped) = error else { panic!("{error:?}") };
        assert_eq!(stopped.stop_reason, StopReason::MaxAttemptsGlobal);
        assert_eq!((stopped.last, stopped.cause), (Some(last), Some(cause)));
    }
}

/// Lines 20, 53, 91.
#[test]
fn without_retry_there_is_one_attempt_and_an_outcome() {
    const ONCE: Policy = Policy::once();
    let clock = MockClock::new();
    assert_eq!(on(&ONCE, &clock).call(|_| Ok(1)), Ok(1));
    let outcome = on(&ONCE, &clock).execute(|_| Err::<(), _>(ErrorClass::Transient));
    assert_eq!((outcome.attempts, outcome.last_class()), (1, Some(ErrorClass::Transient)));
}

/// Lines 21, 24, 110, 111, 112, 113.
#[test]
fn a_context_a_wrapped_function_and_an_extension_do_the_same() {
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let retry = on(&policy, &clock);
    let mut names = Vec::new();
    let mut context =
        retry.context("GET /x").on_event(|event| names.push(event.operation.to_owned()));
    let mut script = Script::new([Err(ErrorClass::Transient), Ok(1)]);
    assert_eq!(context.call(|_| script.next()), Ok(1));
    assert_eq!(names, ["GET /x", "GET /x"]);

    let mut runs = 0;
    let mut wrapped = retry.clone().wrap(|wanted: &u32| {
        runs += 1;
        if runs < *wanted { Err(ErrorClass::Transient) } else { Ok(runs) }
    });
    assert_eq!((wrapped(&3), wrapped(&4)), (Ok(3), Ok(4)));

    let mut script = Script::new([Err(ErrorClass::Transient), Ok(9)]);
    let mut retry = retry;
    assert_eq!((|_| script.next()).retry(&mut retry), Ok(9));
}

/// Line 23: a policy is a value; what is built of its settings later is another one.
#[test]
fn changing_settings_later_does_not_change_a_policy() {
    let config = each_second().max_attempts(2);
    let policy = config.build().unwrap();
    let other = policy.config().max_attempts(5).build().unwrap();
    assert_eq!((policy.max_attempts(), other.max_attempts()), (2, 5));
}

/// Line 26: borrowing mutably, and on a multi-threaded runtime.
#[test]
fn both_asynchronous_forms_work() {
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let mut sensor = Script::new([Err(ErrorClass::Transient), Ok(21)]);
    let mut retry = on(&policy, &clock);
    let value = block_on(retry.call_async(async |_| sensor.next()));
    assert_eq!((value, sensor.runs()), (Ok(21), 2));

    struct Tokio;
    impl redress::Clock for Tokio {
        fn now(&self) -> redress::Instant {
            redress::time::MonotonicClock.now()
        }
    }
    impl redress::time::Timer for Tokio {
        fn sleep(&mut self, span: Duration) -> impl Future<Output = ()> {
            tokio::time::sleep(span.into())
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    let spawned = runtime.spawn(async {
        const QUICK: Policy = redress::policy! {
            Policy::builder()
                .attempt_timeout(Duration::from_secs(60))
                .backoff(Backoff::full_jitter(Duration::from_micros(1), Duration::from_millis(1)))
        };
        let failures = std::sync::atomic::AtomicU32::new(0);
        let mut retry = QUICK
            .on(Tokio, redress::random::SystemRandom)
            .classify(|_: &std::io::Error| ErrorClass::Transient);
        retry
            .execute_future(|_| async {
                tokio::task::yield_now().await;
                let nth = failures.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if nth < 2 { Err(std::io::Error::other("flaky")) } else { Ok(nth) }
            })
            .await
    });
    let outcome = runtime.block_on(spawned).unwrap();
    assert_eq!((outcome.result.unwrap(), outcome.attempts), (2, 3));
}

/// A future may be sent to another thread although what an attempt leaves cannot be shared
/// between threads, with a hook before a retry, too.
#[test]
fn a_future_is_sent_whatever_an_attempt_leaves() {
    type Unshared = std::cell::Cell<u8>;
    struct Now;
    impl redress::Clock for Now {
        fn now(&self) -> redress::Instant {
            redress::Instant::ZERO
        }
    }
    impl redress::time::Timer for Now {
        async fn sleep(&mut self, _: Duration) {}
    }
    fn sent<F: Future + Send>(future: F) -> F::Output {
        block_on(future)
    }
    let policy = each_second().build().unwrap();
    let run = |attempt: redress::Attempt| {
        let left = Unshared::new(attempt.number as u8);
        std::future::ready(if attempt.number == 1 { Err(left) } else { Ok(left) })
    };
    let mut retry = policy
        .on(Now, redress::random::NoRandom)
        .classify(|_: &Unshared| ErrorClass::Transient)
        .classify_value(|_: &Unshared| None::<ErrorClass>);
    assert_eq!(sent(retry.call_future(run)), Ok(Unshared::new(2)));
    let mut retry = retry.before_retry(|_, last: &Last<Unshared, Unshared>| {
        assert_eq!(*last, Last::Error(Unshared::new(1)));
        std::ops::ControlFlow::Continue(())
    });
    assert_eq!(sent(retry.execute_future(run)).attempts, 2);
}

/// Lines 31, 36, 137: a hint is followed by every driver, of errors and of values.
#[test]
fn a_hint_is_followed_by_every_driver() {
    const FALLBACK: Backoff = Backoff::constant(Duration::from_secs(50));
    let policy = Policy::builder()
        .backoff(Backoff::retry_after_or(&FALLBACK, Duration::ZERO))
        .build()
        .unwrap();
    let hint = Classification::new(ErrorClass::RateLimit).retry_after(Duration::from_secs(3));
    let clock = MockClock::new();
    let retry = policy.on(&clock, redress::random::NoRandom).classify(|(): &()| hint);
    let mut script = Script::new([Err(()), Ok(1)]);
    assert_eq!(retry.clone().call(|_| script.next()), Ok(1));
    let mut script = Script::new([Err(()), Ok(1)]);
    assert_eq!(block_on(retry.clone().call_async(async |_| script.next())), Ok(1));
    let mut script = Script::new([Ok::<_, ()>(7), Ok(1)]);
    let mut by_value = retry.clone().classify_value(|value: &i32| (*value == 7).then_some(hint));
    assert_eq!(by_value.call(|_| script.next()), Ok(1));
    assert_eq!(clock.slept(), Duration::from_secs(9));
}
