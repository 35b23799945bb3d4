//! What a restart keeps to the last field, and what it refuses.

use std::cell::RefCell;

use redress::breaker::{CallResult, FailureRule, FailureTimes};
use redress::budget::LimiterConfig;
use redress::config::{LongDelay, RetryConfig};
use redress::driver::Decision;
use redress::event::{Cause, CircuitState};
use redress::snapshot::{Progress, Resumed, Snapshot, SnapshotError, Suspended};
use redress::testing::{MockClock, Recorder};
use redress::{
    Attempt, Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, EventKind, Instant,
    Policy, RateLimiter, StopReason,
};

use crate::snapshots::seal;
use crate::{block_on, on};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const HOUR: Duration = secs(3600);
const FIVE: Duration = secs(5);
const TRANSIENT: ErrorClass = ErrorClass::Transient;
const FIVE_SECONDS: Backoff = Backoff::constant(FIVE);

/// Six attempts in a minute; a strategy for four classes alone, one of which has a limit of two.
fn strict() -> RetryConfig {
    Policy::builder()
        .backoff_for(ErrorClass::Auth, FIVE_SECONDS)
        .backoff_for(ErrorClass::RateLimit, FIVE_SECONDS)
        .backoff_for(TRANSIENT, FIVE_SECONDS)
        .backoff_for(ErrorClass::Unknown, FIVE_SECONDS)
        .max_attempts_for(ErrorClass::RateLimit, 2)
}

/// A call after its first attempt, which waits for five seconds.
fn after_one(policy: &Policy, clock: &MockClock) -> Suspended {
    let mut retry = on(policy, clock);
    let mut steps = retry.begin().unwrap();
    steps.start().unwrap();
    assert_eq!(steps.fail(TRANSIENT), Decision::Retry { after: FIVE });
    steps.suspend().unwrap()
}

/// Where the fields of a call are.
const LEFT: usize = 14;
const PREVIOUS: usize = 22;
const REST: usize = 30;
const ATTEMPTS: usize = 38;
const FAILURES: usize = 42;
const LAST: usize = 58;
const CAUSE: usize = 59;
const WAITS: usize = 60;
const PERMIT: usize = 61;
const SLOT: usize = 62;
const GENERATION: usize = 63;
const LEASE: usize = 65;

fn tampered(good: &[u8], changes: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for (at, value) in changes {
        bytes[*at..*at + value.len()].copy_from_slice(value);
    }
    seal(&mut bytes);
    bytes
}

const fn failures_of(class: ErrorClass) -> usize {
    FAILURES + 2 * class as usize
}

/// Line 129: no call under a policy has more behind it than the policy allows.
#[test]
fn a_call_that_its_policy_would_have_ended_is_not_resumed() {
    let policy = strict().build().unwrap();
    let clock = MockClock::new();
    let good = after_one(&policy, &clock).bytes;
    let (unknown, limited) = (failures_of(ErrorClass::Unknown), failures_of(ErrorClass::RateLimit));
    let (auth, conflict) = (failures_of(ErrorClass::Auth), failures_of(ErrorClass::Concurrency));
    let transient = failures_of(TRANSIENT);
    let five: (usize, &[u8]) = (ATTEMPTS, &[5]);
    let none: (usize, &[u8]) = (LAST, &[255, 255]);
    for (changes, is_fine, what) in [
        (&[][..], true, "as it was"),
        (&[(ATTEMPTS, &[5][..])][..], true, "one attempt is left"),
        (&[(ATTEMPTS, &[6])], false, "no attempt is left"),
        (&[(ATTEMPTS, &[7])], false, "more attempts than there are"),
        (&[(ATTEMPTS, &[0])], false, "a failure without an attempt"),
        (&[five, (transient, &[5])], true, "each attempt has failed"),
        (&[five, (transient, &[6])], false, "more failures than attempts"),
        (&[five, (transient, &[3]), (limited, &[2])], true, "failures of two classes"),
        (&[five, (transient, &[4]), (limited, &[2])], false, "more in all than attempts"),
        (&[five, (limited, &[3])], false, "more than the limit of a class"),
        (&[five, (unknown, &[2])], true, "as many as may be unknown"),
        (&[five, (unknown, &[3])], false, "more than may be unknown"),
        (&[five, (auth, &[1])], false, "a failure of a final class"),
        (&[five, (conflict, &[1])], false, "a failure of a class without a strategy"),
        (&[(LAST, &[4])], false, "a last failure that there was not"),
        (&[(LAST, &[8])], false, "a class that there is not"),
        (&[(LAST, &[255])], false, "a cause of no failure"),
        (&[(CAUSE, &[1])], true, "a value that failed"),
        (&[(CAUSE, &[2])], false, "a cause that there is not"),
        (&[(CAUSE, &[255])], false, "a failure without a cause"),
        (&[none], false, "failures, but no last one"),
        (&[none, (transient, &[0])], true, "no failure at all"),
        (&[none, (transient, &[0]), (ATTEMPTS, &[0])], true, "nothing at all"),
    ] {
        let bytes = tampered(&good, changes);
        let resumed = on(&policy, &clock).resume(&bytes, clock.now(), None).err();
        assert_eq!(resumed, (!is_fine).then_some(SnapshotError::Value), "{what}");
    }
}

/// Line 129: nor more time than its policy gives it.
#[test]
fn a_call_with_more_time_than_there_is_is_not_resumed() {
    let policy = strict().build().unwrap();
    let clock = MockClock::new();
    let good = after_one(&policy, &clock).bytes;
    let limiter = RefCell::new(RateLimiter::<3>::new(&THREE).unwrap());
    let micros = |span: Duration| span.as_micros().to_le_bytes();
    let (most, beyond) = (micros(secs(65)), secs(65).as_micros() + 1);
    let longer = (FIVE.as_micros() + 1).to_le_bytes();
    for (changes, alone, limited, what) in [
        (&[(LEFT, &most[..])][..], true, true, "the deadline and the delay"),
        (&[(LEFT, &beyond.to_le_bytes())], false, false, "more than that"),
        (&[(WAITS, &[1])], false, false, "a wait that is no longer than the delay"),
        (&[(REST, &longer[..])], false, false, "a wait that is none"),
        (&[(REST, &longer[..]), (WAITS, &[1])], false, true, "a wait for a limiter"),
        (&[(REST, &longer[..]), (WAITS, &[2])], false, false, "a flag that there is not"),
        (&[(PREVIOUS, &longer[..])], true, true, "the rest of a delay"),
    ] {
        let bytes = tampered(&good, changes);
        let now = clock.now();
        let refused = |is_fine: bool| (!is_fine).then_some(SnapshotError::Value);
        let found = on(&policy, &clock).resume(&bytes, now, None).err();
        assert_eq!(found, refused(alone), "{what}");
        let found = on(&policy, &clock).limiter(&limiter).resume(&bytes, now, None).err();
        assert_eq!(found, refused(limited), "{what}, with a limiter");
    }
}

const THREE: LimiterConfig = LimiterConfig::new().window(3, HOUR);
const TWO_PROBES: BreakerConfig<FailureRule> =
    BreakerConfig::failures(1, secs(60)).half_open_permits(2);
type Pair = Breaker<FailureTimes<1>, 2>;

/// Line 129: a permit is one that the breaker can have given.
#[test]
fn a_permit_that_no_breaker_gives_is_not_resumed() {
    let policy = strict().build().unwrap();
    let clock = MockClock::new();
    let without = after_one(&policy, &clock).bytes;
    let breaker = RefCell::new(Pair::new(&TWO_PROBES).unwrap());
    let with = {
        let mut retry = on(&policy, &clock).breaker(&breaker);
        let mut steps = retry.begin().unwrap();
        steps.start().unwrap();
        steps.fail(TRANSIENT);
        steps.suspend().unwrap().bytes
    };
    for (changes, is_fine, what) in [
        (&[][..], true, "none"),
        (&[(PERMIT, &[2][..])][..], false, "one that wants something"),
        (&[(SLOT, &[0])], false, "the place of a probe"),
        (&[(GENERATION, &[1])], false, "a period"),
        (&[(GENERATION, &[0, 1])], false, "a period"),
        (&[(LEASE, &[1])], false, "a lease"),
    ] {
        let bytes = tampered(&without, changes);
        let resumed = on(&policy, &clock).resume(&bytes, clock.now(), None).err();
        assert_eq!(resumed, (!is_fine).then_some(SnapshotError::Value), "no permit, but {what}");
    }
    for (changes, is_fine, what) in [
        (&[][..], true, "as it was"),
        (&[(PERMIT, &[15][..])][..], true, "all that may be wanted"),
        (&[(PERMIT, &[17])], false, "more than may be wanted"),
        (&[(PERMIT, &[0])], true, "none"),
        (&[(GENERATION, &[1, 1])], true, "of another period"),
        (&[(LEASE, &[1])], false, "a lease without a place"),
        (&[(SLOT, &[0]), (LEASE, &[1])], true, "of the first probe"),
        (&[(SLOT, &[1])], true, "of the second probe"),
        (&[(SLOT, &[2])], false, "of a third probe"),
        (&[(SLOT, &[254])], false, "of a probe beyond all"),
    ] {
        let bytes = tampered(&with, changes);
        let mut retry = on(&policy, &clock).breaker(Some(&breaker));
        let resumed = retry.resume(&bytes, clock.now(), None).err();
        assert_eq!(resumed, (!is_fine).then_some(SnapshotError::Value), "{what}");
    }
}

/// Line 129: everything that a call is made of, before and after.
#[test]
fn a_resumed_call_is_the_same_call() {
    let policy = strict().no_unknown_limit().max_attempts(9).build().unwrap();
    let clock = MockClock::new();
    clock.advance(secs(1_000));
    let mut retry = on(&policy, &clock);
    let mut steps = retry.begin().unwrap();
    for class in [TRANSIENT, ErrorClass::Unknown, ErrorClass::Unknown, ErrorClass::RateLimit] {
        steps.start().unwrap();
        clock.advance(secs(1));
        assert_eq!(steps.fail_by_value(class), Decision::Retry { after: FIVE });
        clock.advance(FIVE);
        steps.on_wake().unwrap();
    }
    steps.start().unwrap();
    assert_eq!(steps.fail(TRANSIENT), Decision::Retry { after: FIVE });
    clock.advance(secs(2));
    let call = steps.suspend().unwrap();
    drop(steps);
    assert_eq!((call.at, call.wake_after), (clock.now(), secs(3)));
    for (off, elapsed, rest) in [(None, 26, 3), (Some(secs(1)), 27, 2), (Some(secs(9)), 35, 0)] {
        let after = MockClock::new();
        let mut retry = on(&policy, &after);
        let Resumed { steps, due, .. } = retry.resume(&call.bytes, after.now(), off).unwrap();
        let resumed = steps.call();
        assert_eq!((resumed.attempts(), resumed.previous()), (5, FIVE));
        assert_eq!(resumed.last(), Some((TRANSIENT, Cause::Exception)));
        assert_eq!(resumed.elapsed(after.now()), secs(elapsed));
        assert_eq!(resumed.remaining(after.now()), secs(60 - elapsed));
        assert_eq!(due, Instant::ZERO.saturating_add(secs(rest)));
        // Failures are counted on: the third of this class is one too many.
        let mut steps = steps;
        for decision in [Decision::Retry { after: FIVE }, STOPPED] {
            steps.start().unwrap();
            assert_eq!(steps.fail(ErrorClass::RateLimit), decision);
        }
    }
}

const STOPPED: Decision = Decision::Stop(StopReason::MaxAttemptsPerClass);

/// Line 10: the deadline goes on after a delay that did not fit before it, and with any other.
#[test]
fn only_a_delay_that_did_not_fit_moves_the_deadline() {
    for (rule, delay, slept, remaining) in [
        (LongDelay::Stop, 5, 0, 60),
        (LongDelay::Stop, 5, 5, 55),
        (LongDelay::Stop, 59, 0, 60),
        (LongDelay::Stop, 60, 0, 120),
        (LongDelay::Stop, 60, 60, 60),
        (LongDelay::Stop, 100, 0, 160),
        (LongDelay::Cut, 59, 0, 60),
        // It is cut to the deadline, and ends with it.
        (LongDelay::Cut, 60, 0, 60),
        (LongDelay::Cut, 100, 60, 0),
    ] {
        let policy = Policy::builder().long_delay(rule).backoff(Backoff::constant(secs(delay)));
        let policy = policy.build().unwrap();
        let clock = MockClock::new();
        let mut retry = on(&policy, &clock);
        let Progress::Suspended(call) = retry.call_or_suspend(secs(1), |_| Err::<(), _>(TRANSIENT))
        else {
            panic!("a second is less than {delay} s")
        };
        let off = Some(secs(slept));
        let resumed = retry.resume(&call.bytes, Instant::ZERO, off).unwrap();
        let left = resumed.steps.call().remaining(Instant::ZERO);
        assert_eq!(left, secs(remaining), "{rule:?} {delay} {slept}");
    }
}

/// A node may wake late, and its clock may go on while it starts.
#[test]
fn a_call_whose_delay_is_over_goes_on_at_once() {
    let policy = strict().build().unwrap();
    let clock = MockClock::new();
    let (later, mut retry) = (secs(7), on(&policy, &clock));
    let mut steps = retry.begin().unwrap();
    steps.start().unwrap();
    assert_eq!(steps.fail(TRANSIENT), Decision::Retry { after: FIVE });
    clock.advance(later);
    let call = steps.suspend().unwrap();
    drop(steps);
    assert_eq!((call.at, call.wake_after), (clock.now(), Duration::ZERO));
    let resumed = retry.resume(&call.bytes, call.at, Some(Duration::ZERO)).unwrap();
    assert_eq!(resumed.due, call.at);
    drop(resumed);
    // It is over since three seconds when it is asked for.
    let call = after_one(&policy, &clock);
    clock.advance(secs(8));
    let resumed = retry.resume(&call.bytes, call.at, Some(Duration::ZERO)).unwrap();
    let progress = resumed.call_or_suspend(secs(1), |attempt| Ok(attempt.number));
    let Progress::Over(outcome) = progress else { panic!("nothing is left to wait for") };
    assert_eq!((outcome.result, clock.slept()), (Ok(2), Duration::ZERO));
}

/// A retry at once is no delay that a call could be suspended for, whatever the limit.
#[test]
fn no_call_is_suspended_for_no_time() {
    let policy = Policy::builder().backoff(Backoff::constant(Duration::ZERO)).build().unwrap();
    let clock = MockClock::new();
    let third = |attempt: Attempt| if attempt.number < 3 { Err(TRANSIENT) } else { Ok(3) };
    let mut retry = on(&policy, &clock);
    for progress in [
        retry.call_or_suspend(Duration::ZERO, third),
        block_on(retry.call_or_suspend_async(Duration::ZERO, async |attempt| third(attempt))),
    ] {
        let Progress::Over(outcome) = progress else { panic!("there is nothing to wait for") };
        assert_eq!(outcome.result, Ok(3));
    }
}

/// Without a deadline there is none after a restart, and no time off is too long.
#[test]
fn a_restart_gives_a_call_neither_a_deadline_nor_more_time() {
    let clock = MockClock::new();
    clock.advance(secs(100));
    for (config, off, remaining) in [
        (strict().no_deadline(), None, Duration::MAX),
        (strict().no_deadline(), Some(secs(9)), Duration::MAX),
        (strict(), Some(secs(9)), secs(48)),
        (strict(), Some(Duration::MAX), Duration::ZERO),
    ] {
        let policy = config.build().unwrap();
        let mut retry = on(&policy, &clock);
        let mut steps = retry.begin().unwrap();
        steps.start().unwrap();
        clock.advance(secs(3));
        assert_eq!(steps.fail(TRANSIENT), Decision::Retry { after: FIVE });
        let bytes = steps.suspend().unwrap().bytes;
        drop(steps);
        let mut resumed = retry.resume(&bytes, clock.now(), off).unwrap();
        assert_eq!(resumed.steps.call().remaining(clock.now()), remaining, "{off:?}");
        assert_eq!(resumed.steps.on_wake().is_err(), remaining.is_zero());
    }
    let policy = strict().build().unwrap();
    let older = tampered(&after_one(&policy, &clock).bytes, &[(1, &[0])]);
    let refused = on(&policy, &clock).resume(&older, clock.now(), None).err();
    assert_eq!(refused, Some(SnapshotError::Version { has: 0 }));
}

/// A class without a limit of its own fails as often as it likes.
#[test]
fn more_failures_than_are_counted_are_no_failures_less() {
    let policy = strict().max_attempts(u32::MAX).build().unwrap();
    let clock = MockClock::new();
    let most = [(ATTEMPTS, &[0, 0, 1, 0][..]), (failures_of(TRANSIENT), &[255, 255])];
    let mut bytes = tampered(&after_one(&policy, &clock).bytes, &most);
    for _ in 0..3 {
        let mut retry = on(&policy, &clock);
        let mut steps = retry.resume(&bytes, clock.now(), None).unwrap().steps;
        steps.start().unwrap();
        assert_eq!(steps.fail(TRANSIENT), Decision::Retry { after: FIVE });
        bytes = steps.suspend().unwrap().bytes.to_vec();
    }
}

/// A call that names no deadline anew after a sleep has none, however far its clock is.
#[test]
fn a_resumed_call_may_have_no_deadline_of_its_own() {
    let policy = strict().build().unwrap();
    let clock = MockClock::new();
    clock.advance(secs(100));
    let call = after_one(&policy, &clock);
    for (deadline, remaining) in [(Duration::MAX, Duration::MAX), (secs(9), secs(9))] {
        let mut retry = on(&policy, &clock).deadline(deadline);
        let resumed = retry.resume(&call.bytes, clock.now(), None).unwrap();
        assert_eq!(resumed.steps.call().remaining(resumed.due), remaining);
    }
}

/// An observer learns of a suspended call what has happened to it, and not that it ends.
#[test]
fn a_delay_that_fits_is_suspended_without_a_further_event() {
    let policy = strict().build().unwrap();
    let clock = MockClock::new();
    let mut recorder = Recorder::<4>::new();
    let mut retry = on(&policy, &clock).observer(&mut recorder);
    let mut steps = retry.begin().unwrap();
    steps.start().unwrap();
    steps.fail(TRANSIENT);
    steps.suspend().unwrap();
    drop(steps);
    assert_eq!(recorder.kinds(), [EventKind::Retry]);
}

/// A breaker that was opened for ever, and one whose clock is at its end.
#[test]
fn what_never_comes_does_not_come_sooner_by_a_restart() {
    const FOREVER: BreakerConfig<FailureRule> =
        BreakerConfig::failures(1, secs(60)).recovery_timeout(Duration::MAX);
    const MINUTE: BreakerConfig<FailureRule> =
        BreakerConfig::failures(1, secs(60)).recovery_timeout(secs(60));
    type One = Breaker<FailureTimes<1>>;
    let late = Instant::MAX.saturating_sub(secs(1));
    for (config, now, off, left) in [
        (&FOREVER, Instant::ZERO, Some(secs(9)), Duration::MAX),
        (&FOREVER, Instant::ZERO, None, Duration::MAX),
        (&MINUTE, Instant::ZERO, Some(secs(9)), secs(46)),
        (&MINUTE, late, Some(secs(9)), secs(1)),
        (&MINUTE, late, None, secs(1)),
    ] {
        let mut breaker = One::new(config).unwrap();
        let permit = breaker.admit_closed().unwrap();
        breaker.settle(permit, CallResult::Failure(TRANSIENT), Instant::ZERO);
        let mut bytes = [0; One::BYTES];
        breaker.snapshot(Instant::ZERO.saturating_add(FIVE), &mut bytes).unwrap();
        let mut restored = One::new(config).unwrap();
        restored.restore(&bytes, now, off).unwrap();
        assert_eq!(restored.state(), CircuitState::Open);
        let rejected = restored.check(now).unwrap_err();
        assert_eq!(rejected.retry_after, Some(left), "{off:?}");
    }
}

/// An attempt of which nothing was learned is counted all the same, as far as numbers go.
#[test]
fn the_number_of_attempts_does_not_begin_anew() {
    let policy = strict().max_attempts(u32::MAX).build().unwrap();
    let clock = MockClock::new();
    let last = (u32::MAX - 1).to_le_bytes();
    let bytes = tampered(&after_one(&policy, &clock).bytes, &[(ATTEMPTS, &last)]);
    let mut retry = on(&policy, &clock);
    let mut steps = retry.resume(&bytes, clock.now(), None).unwrap().steps;
    for _ in 0..3 {
        assert_eq!(steps.start().unwrap().number, u32::MAX);
    }
    assert_eq!(steps.fail(TRANSIENT), Decision::Stop(StopReason::MaxAttemptsGlobal));
}
