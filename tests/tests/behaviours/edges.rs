//! The edges of ranges, and what is forwarded: the last value that is in, the first that is out.

use std::cell::{Cell, RefCell};

use redress::classify::{self, Facts, retry_after};
use redress::random::NoRandom;
use redress::testing::MockClock;
use redress::{
    Acquire, Backoff, Breaker, BreakerConfig, Call, CallResult, Cause, ClassSet, Classification,
    Clock, Decision, Duration, ErrorClass, Instant, Keyed, LimiterConfig, Policy, Progress,
    RateLimiter, SleepDecision, SliceRule, SnapshotError, StopReason, TimeSlices, by_key,
};

use crate::{each_second, on};

const SECOND: Duration = Duration::from_secs(1);
const TRANSIENT: ErrorClass = ErrorClass::Transient;
/// Thu, 15 Jan 2026 12:00:00 GMT.
const NOON: i64 = 1_768_478_400;

#[test]
fn a_date_that_no_calendar_has_is_no_hint() {
    for (text, secs) in [
        ("2026-01-15T12:00:59Z", Some(59)),
        ("2026-01-15T12:59:00Z", Some(59 * 60)),
        ("2026-01-15T23:00:00Z", Some(11 * 3600)),
        ("2026-01-16T11:59:00+23:59", Some(0)),
        ("2026-01-15T12:00:00-23:59", Some(23 * 3600 + 59 * 60)),
        ("2026-12-31T12:00:00Z", Some(350 * 86_400)),
        ("2028-02-29T12:00:00Z", Some(775 * 86_400)),
        ("2026-00-15T12:00:00Z", None),
        ("2026-13-15T12:00:00Z", None),
        ("2026-01-00T12:00:00Z", None),
        ("2026-01-32T12:00:00Z", None),
        ("2026-02-29T12:00:00Z", None),
        ("2100-02-29T12:00:00Z", None),
        ("2026-04-31T12:00:00Z", None),
        ("2026-01-15T24:00:00Z", None),
        ("2026-01-15T12:60:00Z", None),
        ("2026-01-15T12:00:61Z", None),
        ("2026-01-15T12:00:00+24:00", None),
        ("2026-01-15T12:00:00+00:60", None),
        ("2026-01-15T12:00:00Z ", Some(0)),
        ("2026-01-15T12:00:00Zz", None),
    ] {
        let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", text)];
        let answer = classify::http_response_headers(429, headers, NOON).unwrap();
        assert_eq!(answer.class, ErrorClass::RateLimit);
        assert_eq!(answer.retry_after, secs.map(Duration::from_secs), "{text}");
    }
    for (text, secs) in [
        ("Thu, 15 Jan 2026 12:00:59 GMT", Some(59)),
        ("Thu, 00 Jan 2026 12:00:00 GMT", None),
        ("Thu, 15 Jan 2026 12:60:00 GMT", None),
        ("Thu, 15 Jan 2026 24:00:00 GMT", None),
    ] {
        assert_eq!(retry_after::parse(text, NOON), secs.map(Duration::from_secs), "{text}");
    }
}

#[test]
fn a_status_is_one_of_100_to_599() {
    for (status, class) in [
        (399, None),
        (400, Some(ErrorClass::Permanent)),
        (499, Some(ErrorClass::Permanent)),
        (500, Some(ErrorClass::ServerError)),
        (599, Some(ErrorClass::ServerError)),
    ] {
        let answer = classify::http_response_headers(status, [("retry-after", "7")], NOON);
        assert_eq!(answer.map(|answer| answer.class), class, "{status}");
        let hint = answer.and_then(|answer| answer.retry_after);
        let follows = class == Some(ErrorClass::ServerError);
        assert_eq!(hint.is_some(), follows, "{status}");
    }
}

/// A state counts in an ODBC message only between brackets, whatever else looks like one.
#[test]
fn an_odbc_state_stands_between_brackets() {
    for (message, class) in [
        ("[HYT00] timeout", TRANSIENT),
        ("[40001] deadlock", ErrorClass::Concurrency),
        ("HYT00 timeout", ErrorClass::Unknown),
        ("[HYT00 timeout", ErrorClass::Unknown),
        ("HYT00] timeout", ErrorClass::Unknown),
        ("[hyt00] timeout", ErrorClass::Unknown),
        ("[Microsoft] no state", ErrorClass::Unknown),
    ] {
        let facts = Facts { message, ..Facts::NONE };
        assert_eq!(classify::odbc(&facts).class, class, "{message}");
    }
}

#[test]
fn a_set_of_classes_loses_one_at_a_time() {
    for class in ErrorClass::ALL {
        let without = ClassSet::ALL.without(class);
        for other in ErrorClass::ALL {
            assert_eq!(without.contains(other), other != class);
        }
        assert_eq!(without.with(class), ClassSet::ALL);
        assert!(ClassSet::EMPTY.with(class).without(class).is_empty());
    }
}

/// The maximum of one strategy's hints holds for its class alone, in any order.
#[test]
fn a_maximum_of_hints_is_of_its_own_class() {
    const SLOW: Backoff = Backoff::constant(SECOND);
    let short = Backoff::retry_after_or(&SLOW, Duration::ZERO).at_most(Duration::from_secs(5));
    let any = Backoff::retry_after_or(&SLOW, Duration::ZERO);
    let first = Policy::new()
        .backoff(any)
        .backoff_for(ErrorClass::RateLimit, short)
        .backoff_for(ErrorClass::ServerError, any);
    let last = Policy::new()
        .backoff(any)
        .backoff_for(ErrorClass::ServerError, any)
        .backoff_for(ErrorClass::RateLimit, short);
    let default = Policy::new().backoff(short).backoff_for(ErrorClass::ServerError, any);
    for policy in [first, last, default] {
        let (policy, clock) = (policy.build().unwrap(), MockClock::new());
        for (class, hint, fits) in [
            (ErrorClass::RateLimit, 5, true),
            (ErrorClass::RateLimit, 6, false),
            (ErrorClass::ServerError, 6, true),
        ] {
            let hint = Duration::from_secs(hint);
            let mut retry = on(&policy, &clock);
            let mut steps = retry.begin().unwrap();
            steps.start().unwrap();
            let decision = steps.fail(Classification::new(class).retry_after(hint));
            let expected = if fits {
                Decision::Retry { after: hint }
            } else {
                Decision::TooLong { after: hint }
            };
            assert_eq!(decision, expected);
        }
    }
}

/// What a handler, a deadline of one call and a hook before the sleep do together does not
/// depend on which was set first.
#[test]
fn handlers_and_deadlines_are_set_in_any_order() {
    let policy = each_second().max_attempts(3).build().unwrap();
    let (clock, asked, slept) = (MockClock::new(), Cell::new(0), Cell::new(0));
    let ask = |_: &_, _| {
        asked.set(asked.get() + 1);
        SleepDecision::Sleep
    };
    let sleep = |_: &_, _| slept.set(slept.get() + 1);
    let short = Duration::from_millis(1500);
    let fails = |_| Err::<(), _>(TRANSIENT);
    let first =
        on(&policy, &clock).deadline(short).sleep_handler(ask).before_sleep(sleep).call(fails);
    let last =
        on(&policy, &clock).before_sleep(sleep).sleep_handler(ask).deadline(short).call(fails);
    for (nth, error) in [first, last].into_iter().enumerate() {
        let error = error.unwrap_err();
        assert_eq!(error.stop_reason(), Some(StopReason::DeadlineExceeded), "{nth}");
        assert!(!error.is_aborted());
    }
    // A second fits, another one does not: the handler is asked for both.
    assert_eq!((asked.get(), slept.get()), (4, 2));
}

#[test]
fn an_error_says_how_many_attempts_it_took() {
    for (attempts, text) in [
        (1, "MAX_ATTEMPTS_GLOBAL after 1 attempt, last TRANSIENT: down"),
        (2, "MAX_ATTEMPTS_GLOBAL after 2 attempts, last TRANSIENT: down"),
    ] {
        let policy = each_second().max_attempts(attempts).build().unwrap();
        let clock = MockClock::new();
        let mut retry = policy.on(&clock, NoRandom).classify(|_: &&str| TRANSIENT);
        assert_eq!(retry.call(|_| Err::<(), _>("down")).unwrap_err().to_string(), text);
    }
    for (error, text) in [
        (SnapshotError::Kind, "snapshot is of another kind of state"),
        (SnapshotError::Length { needs: 3, has: 2 }, "snapshot has 2 bytes: this state needs 3"),
        (SnapshotError::Damaged, "snapshot is damaged: its checksum is wrong"),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

/// A call that a scheduler of its own drives: a late failure is TRANSIENT there, too.
#[test]
fn a_bare_call_counts_a_late_failure_as_transient() {
    let policy = each_second().attempt_timeout(SECOND).build().unwrap();
    let policy: &Policy = &policy;
    for (took, class) in [(1, ErrorClass::Unknown), (2, TRANSIENT)] {
        let mut call = Call::begin(policy, Instant::ZERO);
        call.start(policy);
        let now = Instant::ZERO.saturating_add(Duration::from_secs(took));
        let failed = Classification::new(ErrorClass::Unknown);
        let decision = call.fail(policy, now, &failed, Cause::Exception, &mut NoRandom, &());
        assert_eq!(decision, Decision::Retry { after: SECOND });
        assert_eq!(call.last(), Some((class, Cause::Exception)));
    }
    // Cut by the attempt timeout it goes on, cut by the deadline it ends.
    for (deadline, stops) in [(60, false), (1, true)] {
        let mut call = Call::begin_within(policy, Duration::from_secs(deadline), Instant::ZERO);
        call.start(policy);
        let now = Instant::ZERO.saturating_add(SECOND);
        let decision = call.cut(policy, now, &mut NoRandom, &());
        assert_eq!(decision == Decision::Stop(StopReason::DeadlineExceeded), stops);
    }
}

#[test]
fn a_keyed_limiter_is_asked_without_spending() {
    const TWO: LimiterConfig = LimiterConfig::new().window(2, SECOND);
    let template = RateLimiter::<2>::new(&TWO).unwrap();
    let map = RefCell::new(Keyed::<u8, _, 1>::new(template));
    assert!(map.borrow().is_empty());
    let (one, now) = (by_key(&map, 1), Instant::ZERO);
    for _ in 0..5 {
        assert_eq!(one.check(2, now), Ok(()));
    }
    assert_eq!(one.acquire(2, now), Ok(()));
    assert_eq!(one.check(1, now).unwrap_err().wait, Some(SECOND));
    assert!(!map.borrow().is_empty());
    // Another key finds no room beside a limiter that counts something.
    assert_eq!(by_key(&map, 2).check(1, now).unwrap_err().wait, None);
}

/// What is left of a delay is slept where it is shorter than the limit, and suspended again from
/// the limit on.
#[test]
fn a_resumed_call_is_suspended_again_from_the_limit_on() {
    let policy = Policy::new()
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

/// A slice that is full forgets half of its calls and keeps its shares.
#[test]
fn a_full_slice_keeps_its_shares() {
    const HALF: BreakerConfig<SliceRule> =
        BreakerConfig::slices(Duration::from_secs(3600), 500, 10);
    let mut breaker = Breaker::<TimeSlices<1>>::new(&HALF).unwrap();
    let permit = breaker.enter().unwrap();
    // Of three calls one fails, for longer than a slice can count.
    let (calls, counted) = if cfg!(miri) { (300, 300) } else { (70_000_u32, 37_233) };
    for nth in 0..calls {
        let failed = nth % 3 == 0;
        let result = if failed { CallResult::Failure(TRANSIENT) } else { CallResult::Success };
        assert_eq!(breaker.settle(permit, result, Instant::ZERO), None, "{nth}");
    }
    // Of those that are counted a third are failures: as many again open it.
    let mut failures = 0_u32;
    while breaker.settle(permit, CallResult::Failure(TRANSIENT), Instant::ZERO).is_none() {
        failures += 1;
    }
    assert!(failures.abs_diff(counted / 3) < 20, "{failures}");
}
