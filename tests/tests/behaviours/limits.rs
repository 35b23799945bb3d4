//! How often and how long.

use redress::config::LongDelay;
use redress::testing::{MockClock, Script};
use redress::{Backoff, Duration, ErrorClass, Policy, StopReason};

use crate::{each_second, on};

/// Lines 6, 87.
#[test]
fn a_class_limit_of_n_retries_n_failures_and_stops_at_the_next() {
    for limit in [0, 1, 3] {
        let config = each_second().max_attempts_for(ErrorClass::Concurrency, limit);
        let policy = config.build().unwrap();
        let clock = MockClock::new();
        let outcome = on(&policy, &clock).execute(|_| Err::<(), _>(ErrorClass::Concurrency));
        assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttemptsPerClass));
        assert_eq!(outcome.attempts, u32::from(limit) + 1);
    }
}

/// Line 7: the rules have an order, and each scenario breaks all that follow.
#[test]
fn the_order_of_the_rules_is_that_of_the_reference() {
    let all = Policy::builder()
        .max_attempts(1)
        .deadline(Duration::from_secs(1))
        .max_unknown_attempts(0)
        .backoff_for(ErrorClass::Auth, Backoff::constant(Duration::ZERO));
    for (config, class, reason) in [
        (
            all.max_attempts_for(ErrorClass::Auth, 0),
            ErrorClass::Auth,
            StopReason::MaxAttemptsPerClass,
        ),
        (all, ErrorClass::Auth, StopReason::NonRetryableClass),
        (all, ErrorClass::Unknown, StopReason::MaxUnknownAttempts),
        (all, ErrorClass::Transient, StopReason::DeadlineExceeded),
        (all.no_deadline(), ErrorClass::Transient, StopReason::NoStrategy),
        (
            all.no_deadline().backoff(Backoff::constant(Duration::ZERO)),
            ErrorClass::Transient,
            StopReason::MaxAttemptsGlobal,
        ),
    ] {
        let policy = config.build().unwrap();
        let clock = MockClock::new();
        let outcome = on(&policy, &clock).execute(|_| {
            clock.advance(Duration::from_secs(2));
            Err::<(), _>(class)
        });
        assert_eq!(outcome.stop_reason(), Some(reason));
    }
}

/// Line 8.
#[test]
fn unknown_failures_have_a_limit_of_their_own_or_none() {
    for (config, attempts) in [
        (each_second(), 3),
        (each_second().max_unknown_attempts(0), 1),
        (each_second().no_unknown_limit(), 6),
    ] {
        let policy = config.build().unwrap();
        let clock = MockClock::new();
        let outcome = on(&policy, &clock).execute(|_| Err::<(), _>(ErrorClass::Unknown));
        assert_eq!(outcome.attempts, attempts);
    }
}

/// Lines 9, 10, by the reference's rule.
#[test]
fn a_delay_is_cut_to_the_deadline_and_the_deadline_is_checked_after_it() {
    let policy = each_second().deadline(Duration::from_millis(2_500)).long_delay(LongDelay::Cut);
    let policy = policy.build().unwrap();
    let clock = MockClock::new();
    let outcome = on(&policy, &clock).execute(|_| Err::<(), _>(ErrorClass::Transient));
    assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
    // At 0, 1, 2 and, cut short, at exactly the deadline.
    assert_eq!((outcome.attempts, outcome.elapsed), (4, Duration::from_millis(2_500)));

    // A sleep that takes longer than it should leaves no time.
    let clock = MockClock::new();
    let mut retry = on(&policy, &clock).before_sleep(|_, _| clock.advance(Duration::from_secs(9)));
    let outcome = retry.execute(|_| Err::<(), _>(ErrorClass::Transient));
    assert_eq!(outcome.attempts, 1);
    assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
    // A late success is a success.
    let outcome = on(&policy, &clock).execute(|_| {
        clock.advance(Duration::from_secs(99));
        Ok::<_, ErrorClass>(())
    });
    assert!(outcome.is_ok());
}

/// Lines 11, 12, 37.
#[test]
fn without_a_strategy_or_a_delay_nothing_is_retried() {
    assert_eq!(Policy::builder().build().unwrap_err().field(), "backoff");
    for backoff in [Backoff::sequence(&[]), Backoff::short(|_, _, _| None)] {
        let policy = Policy::builder().backoff(backoff).build().unwrap();
        let clock = MockClock::new();
        let outcome = on(&policy, &clock).execute(|_| Err::<(), _>(ErrorClass::Transient));
        assert_eq!(outcome.stop_reason(), Some(StopReason::NoStrategy));
        assert_eq!(outcome.attempts, 1);
    }
}

/// Line 127, and attempts past any overflow.
#[test]
fn a_hundred_thousand_attempts_keep_their_cap() {
    const CAP: Duration = Duration::from_millis(50);
    let policy = Policy::builder()
        .no_deadline()
        .max_attempts(100_000)
        .backoff(Backoff::exponential(Duration::from_millis(1), CAP))
        .build()
        .unwrap();
    let clock = MockClock::new();
    let outcome = on(&policy, &clock).execute(|_| Err::<(), _>(ErrorClass::Transient));
    assert_eq!(outcome.attempts, 100_000);
    assert!(clock.slept() > Duration::from_millis(50 * 99_990));
    assert!(clock.slept() < Duration::from_millis(50 * 100_000));
}

/// Line 136.
#[test]
fn delays_below_a_millisecond_are_exact() {
    const STEPS: [Duration; 2] = [Duration::from_micros(1), Duration::from_micros(333)];
    let policy = Policy::builder().backoff(Backoff::sequence(&STEPS)).build().unwrap();
    let clock = MockClock::new();
    let mut script = Script::new([Err(ErrorClass::Transient), Err(ErrorClass::Transient), Ok(())]);
    assert!(on(&policy, &clock).execute(|_| script.next()).is_ok());
    assert_eq!(clock.slept(), Duration::from_micros(334));
}

/// What was configured is what is read, for every class.
#[test]
fn a_policy_says_each_of_its_limits() {
    let mut config = each_second().max_unknown_attempts(9);
    for (nth, class) in ErrorClass::ALL.into_iter().enumerate() {
        let built = config.build().unwrap();
        assert_eq!(built.max_attempts_for(class), None);
        config = config.max_attempts_for(class, 20 + nth as u16);
    }
    let built = config.build().unwrap();
    for (nth, class) in ErrorClass::ALL.into_iter().enumerate() {
        assert_eq!(built.max_attempts_for(class), Some(20 + nth as u16));
    }
    assert_eq!(built.max_unknown_attempts(), Some(9));
    assert_eq!(Policy::once().max_unknown_attempts(), None);
}
