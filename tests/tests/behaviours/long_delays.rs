//! Delays that do not fit before the deadline, and the bounds of hints.

use std::cell::RefCell;

use redress::backoff::BackoffContext;
use redress::budget::{Budget, RollingConfig};
use redress::config::{LongDelay, RetryConfig};
use redress::driver::{Decision, SleepDecision};
use redress::random::{NoRandom, from_fn};
use redress::snapshot::{Progress, Suspended};
use redress::testing::{MockClock, Recorder};
use redress::{
    Backoff, Classification, Clock, Duration, ErrorClass, EventKind, Instant, Policy,
    RollingBudget, StopReason,
};

use crate::{block_on, each_second, on};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const HOUR: Duration = secs(3600);
const TRANSIENT: ErrorClass = ErrorClass::Transient;
const FALLBACK: Backoff = Backoff::constant(secs(1));

/// Ten seconds for a call that follows hints.
fn hinted() -> RetryConfig {
    Policy::builder().deadline(secs(10)).backoff(Backoff::retry_after_or(&FALLBACK, Duration::ZERO))
}

/// A server that asks to come back in an hour.
const BUSY: Classification = Classification::new(ErrorClass::RateLimit).retry_after(HOUR);

type Retries = RollingBudget<2>;
static TWO: RollingConfig = RollingConfig::new(2, secs(86_400));

fn retries() -> RefCell<Retries> {
    RefCell::new(Retries::new(&TWO).unwrap())
}

/// Line 10: nothing is waited for in vain.
#[test]
fn a_delay_that_does_not_fit_stops_the_call_at_once() {
    let policy = hinted().build().unwrap();
    for driver in 0..4 {
        let (clock, budget) = (MockClock::new(), retries());
        let mut recorder = Recorder::<4>::new();
        let mut retry = policy
            .on(&clock, NoRandom)
            .classify(|_: &()| BUSY)
            .budget(&budget)
            .observer(&mut recorder);
        let outcome = match driver {
            0 => retry.execute(|_| Err::<(), _>(())),
            1 => block_on(retry.execute_async(async |_| Err::<(), _>(()))),
            2 => block_on(retry.execute_future(|_| std::future::ready(Err::<(), _>(())))),
            _ => {
                let mut handled = retry.sleep_handler(|_, delay| {
                    assert_eq!(delay, HOUR);
                    SleepDecision::Sleep
                });
                handled.execute(|_| Err::<(), _>(()))
            }
        };
        assert_eq!((outcome.attempts, outcome.elapsed, clock.slept()), (1, secs(0), secs(0)));
        assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
        assert_eq!(outcome.next_sleep(), Some(HOUR));
        assert_eq!(outcome.last_class(), Some(ErrorClass::RateLimit));
        assert_eq!(budget.borrow().remaining(clock.now()), 2);
        assert_eq!(recorder.kinds(), [EventKind::DeadlineExceeded]);
    }
}

/// Line 10: as long as what remains is too long; a microsecond less fits.
#[test]
fn a_delay_fits_if_it_ends_before_the_deadline() {
    for (delay, attempts) in [(9_999_999, 2), (10_000_000, 1), (10_000_001, 1)] {
        let backoff = Backoff::constant(Duration::from_micros(delay));
        let policy = Policy::builder().deadline(secs(10)).backoff(backoff).build().unwrap();
        let clock = MockClock::new();
        let outcome = on(&policy, &clock).execute(|_| Err::<(), _>(TRANSIENT));
        assert_eq!(outcome.attempts, attempts, "{delay}");
    }
    // Without a deadline every delay fits.
    let policy = Policy::builder().no_deadline().max_attempts(2);
    let policy = policy.backoff(Backoff::constant(Duration::MAX)).build().unwrap();
    let clock = MockClock::new();
    assert_eq!(on(&policy, &clock).execute(|_| Err::<(), _>(TRANSIENT)).attempts, 2);
}

/// Lines 101 to 103: a queue takes the call over, with the whole delay and for one token.
#[test]
fn a_handler_may_defer_a_delay_that_does_not_fit() {
    let policy = hinted().build().unwrap();
    let (clock, budget) = (MockClock::new(), retries());
    let decide = |choice| {
        let mut recorder = Recorder::<4>::new();
        let outcome = policy
            .on(&clock, NoRandom)
            .classify(|_: &()| BUSY)
            .budget(&budget)
            .observer(&mut recorder)
            .sleep_handler(|_: &BackoffContext, delay| {
                assert_eq!(delay, HOUR);
                choice
            })
            .execute(|_| Err::<(), _>(()));
        let left = budget.borrow().remaining(clock.now());
        (outcome.stop_reason().unwrap(), outcome.next_sleep(), left, recorder.kinds().to_vec())
    };
    let aborted = (StopReason::Aborted, None, 2, vec![EventKind::Aborted]);
    assert_eq!(decide(SleepDecision::Abort), aborted);
    for left in [1, 0] {
        let deferred = (StopReason::Scheduled, Some(HOUR), left, vec![EventKind::Scheduled]);
        assert_eq!(decide(SleepDecision::Defer), deferred);
    }
    // The third finds no token.
    let refused = (StopReason::BudgetExhausted, None, 0, vec![EventKind::BudgetExhausted]);
    assert_eq!(decide(SleepDecision::Defer), refused);
}

/// The consumer of a queue, which makes a call anew when its delay is over.
#[test]
fn a_deferred_call_is_made_by_the_consumer_of_a_queue() {
    let policy = hinted().build().unwrap();
    let clock = MockClock::new();
    let mut queue = std::collections::BinaryHeap::from([std::cmp::Reverse((0_u64, 0_u32))]);
    let mut sends = Vec::new();
    while let Some(std::cmp::Reverse((due, number))) = queue.pop() {
        clock.jump_to(Instant::from_micros(due));
        let outcome = policy
            .on(&clock, NoRandom)
            .classify(|_: &()| BUSY)
            .sleep_handler(|_, _| SleepDecision::Defer)
            .execute(|_| {
                sends.push(clock.elapsed());
                if number < 2 { Err(()) } else { Ok(()) }
            });
        if let Some(delay) = outcome.next_sleep() {
            let due = clock.now().saturating_add(delay).as_micros();
            queue.push(std::cmp::Reverse((due, number + 1)));
        }
    }
    assert_eq!(sends, [secs(0), HOUR, secs(7200)]);
}

fn suspended(progress: Progress<(), ()>) -> Suspended {
    match progress {
        Progress::Suspended(call) => call,
        Progress::Over(outcome) => panic!("{outcome:?}"),
    }
}

/// Through a deep sleep: the delay is suspended whole, whatever the limit, for one token.
#[test]
fn a_delay_that_does_not_fit_is_suspended_whole() {
    let policy = hinted().build().unwrap();
    for asynchronous in [false, true] {
        let (clock, budget) = (MockClock::new(), retries());
        let mut recorder = Recorder::<4>::new();
        let mut retry = policy
            .on(&clock, NoRandom)
            .classify(|_: &()| BUSY)
            .budget(&budget)
            .observer(&mut recorder);
        let fails = |_| {
            clock.advance(secs(4));
            Err::<(), _>(())
        };
        let progress = if asynchronous {
            block_on(retry.call_or_suspend_async(Duration::MAX, async |attempt| fails(attempt)))
        } else {
            retry.call_or_suspend(Duration::MAX, fails)
        };
        let call = suspended(progress);
        drop(retry);
        assert_eq!((call.wake_after, budget.borrow().remaining(clock.now())), (HOUR, 1));
        assert_eq!(recorder.kinds(), [EventKind::Scheduled]);

        // After it the call has the six seconds that were left.
        for (takes, fits) in [(secs(4), true), (secs(7), false)] {
            let clock = MockClock::new();
            let mut retry = policy.on(&clock, NoRandom).classify(|_: &()| TRANSIENT);
            let resumed = retry.resume(&call.bytes, Instant::ZERO, Some(HOUR)).unwrap();
            let Progress::Over(outcome) = resumed.call_or_suspend(Duration::MAX, |attempt| {
                if attempt.number == 2 {
                    assert_eq!(attempt.remaining, secs(6));
                    clock.advance(takes);
                    return Err(());
                }
                Ok(())
            }) else {
                panic!("every delay fits")
            };
            let reason = (!fits).then_some(StopReason::DeadlineExceeded);
            assert_eq!(outcome.stop_reason(), reason);
        }
        // A new deadline, if one is named.
        let clock = MockClock::new();
        let mut retry = policy.on(&clock, NoRandom).classify(|_: &()| TRANSIENT).deadline(secs(20));
        let resumed = retry.resume(&call.bytes, Instant::ZERO, Some(HOUR)).unwrap();
        let progress = resumed.call_or_suspend(Duration::MAX, |attempt| {
            assert_eq!(attempt.remaining, secs(20));
            Ok::<_, ()>(())
        });
        assert!(matches!(progress, Progress::Over(outcome) if outcome.is_ok()));
        // Woken too early, it waits for the rest of its delay before that begins.
        let resumed = retry.resume(&call.bytes, clock.now(), Some(secs(3599))).unwrap();
        let progress = resumed.call_or_suspend(secs(2), |attempt| {
            assert_eq!((attempt.remaining, clock.slept()), (secs(20), secs(1)));
            Ok::<_, ()>(())
        });
        assert!(matches!(progress, Progress::Over(outcome) if outcome.is_ok()));
    }
}

/// A node that is woken again and again before its delay is over does not gain time by it.
#[test]
fn a_call_of_which_nothing_was_left_gets_no_new_deadline_however_often_it_is_suspended() {
    let policy = hinted().build().unwrap();
    let clock = MockClock::new();
    let mut retry = policy.on(&clock, NoRandom).classify(|_: &()| BUSY);
    let mut steps = retry.begin().unwrap();
    steps.start().unwrap();
    assert_eq!(steps.fail(BUSY), Decision::TooLong { after: HOUR });
    // The deadline passes before the call is written down.
    clock.advance(secs(10));
    let mut call = steps.suspend().unwrap();
    drop(steps);
    let quarter = secs(900);
    for woken in 1..=3 {
        let resumed = retry.resume(&call.bytes, Instant::ZERO, Some(quarter)).unwrap();
        assert_eq!(resumed.steps.call().remaining(resumed.due), Duration::ZERO, "{woken}");
        clock.jump_to(Instant::ZERO);
        call = suspended(resumed.call_or_suspend(secs(1), |_| Ok(())));
    }
    let resumed = retry.resume(&call.bytes, Instant::ZERO, Some(quarter)).unwrap();
    let progress = resumed.call_or_suspend(secs(1), |_| Ok(()));
    let Progress::Over(outcome) = progress else { panic!("{progress:?}") };
    assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
}

/// A delay that did not fit and finds no token ends the call.
#[test]
fn a_delay_that_does_not_fit_is_not_suspended_without_a_token() {
    let policy = hinted().build().unwrap();
    let (clock, budget) = (MockClock::new(), retries());
    assert!(budget.borrow_mut().consume(2, clock.now()));
    let mut retry = policy.on(&clock, NoRandom).classify(|_: &()| BUSY).budget(&budget);
    let progress = retry.call_or_suspend(secs(1), |_| Err::<(), _>(()));
    let Progress::Over(outcome) = progress else { panic!("there is no token") };
    assert_eq!(outcome.stop_reason(), Some(StopReason::BudgetExhausted));
    let mut steps = retry.begin().unwrap();
    steps.start().unwrap();
    assert_eq!(steps.fail(BUSY), Decision::TooLong { after: HOUR });
    assert_eq!(steps.suspend().err(), Some(StopReason::BudgetExhausted));
}

/// Step by step the caller decides.
#[test]
fn a_step_says_that_a_delay_does_not_fit() {
    let policy = hinted().build().unwrap();
    for (choice, reason, left) in [
        (SleepDecision::Sleep, StopReason::DeadlineExceeded, 2),
        (SleepDecision::Defer, StopReason::Scheduled, 1),
        (SleepDecision::Abort, StopReason::Aborted, 2),
    ] {
        let (clock, budget) = (MockClock::new(), retries());
        let mut retry = policy.on(&clock, NoRandom).budget(&budget);
        let mut steps = retry.begin().unwrap();
        steps.start().unwrap();
        assert_eq!(steps.fail(BUSY), Decision::TooLong { after: HOUR });
        assert_eq!(steps.on_sleep_decision(choice), Decision::Stop(reason));
        assert_eq!(budget.borrow().remaining(clock.now()), left);
    }
}

/// The reference's rule stays selectable: the delay is cut, and one more attempt is made.
#[test]
fn the_reference_cuts_a_delay_that_does_not_fit() {
    let policy = hinted().long_delay(LongDelay::Cut).max_attempts(3).build().unwrap();
    let clock = MockClock::new();
    let outcome = policy.on(&clock, NoRandom).classify(|_: &()| BUSY).execute(|_| Err::<(), _>(()));
    assert_eq!((outcome.attempts, outcome.elapsed), (2, secs(10)));
    assert_eq!(
        (outcome.stop_reason(), outcome.next_sleep()),
        (Some(StopReason::DeadlineExceeded), None)
    );
}

/// Line 30: a hint of zero does not make a retry without a pause, nor one of a day a pause.
#[test]
fn hints_have_bounds() {
    let backoff = Backoff::retry_after_or(&FALLBACK, secs(2)).at_least(secs(3)).at_most(secs(60));
    for cut in [LongDelay::Stop, LongDelay::Cut] {
        let policy =
            Policy::builder().no_deadline().max_attempts(2).long_delay(cut).backoff(backoff);
        let policy = policy.build().unwrap();
        for (hint, slept) in [
            (Some(Duration::ZERO), Some(secs(4))),
            (Some(secs(2)), Some(secs(4))),
            (Some(secs(30)), Some(secs(31))),
            (Some(secs(60)), Some(secs(61))),
            (None, Some(secs(1))),
            (Some(Duration::from_micros(60_000_001)), None),
            (Some(Duration::MAX), None),
        ] {
            let clock = MockClock::new();
            let mut failure = Classification::new(ErrorClass::RateLimit);
            failure.retry_after = hint;
            let outcome = policy
                .on(&clock, from_fn(|| 1 << 31))
                .classify(|_: &()| failure)
                .execute(|_| Err::<(), _>(()));
            match slept {
                Some(slept) => assert_eq!((outcome.attempts, clock.slept()), (2, slept)),
                None => {
                    assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
                    assert_eq!((outcome.attempts, clock.slept()), (1, Duration::ZERO));
                    let whole = hint.unwrap().saturating_add(secs(1));
                    assert_eq!(outcome.next_sleep(), Some(whole));
                }
            }
        }
    }
}

/// A delay that fits, and a call that does not follow hints, are as ever.
#[test]
fn other_strategies_have_no_bounds_of_hints() {
    let backoff = Backoff::constant(secs(1)).at_least(secs(5)).at_most(Duration::ZERO);
    let policy = each_second().backoff(backoff).max_attempts(2).build().unwrap();
    let clock = MockClock::new();
    let outcome = policy.on(&clock, NoRandom).classify(|_: &()| BUSY).execute(|_| Err::<(), _>(()));
    assert_eq!((outcome.attempts, clock.slept()), (2, secs(1)));
}

/// The maximum of one strategy's hints holds for its class alone, in any order.
#[test]
fn a_maximum_of_hints_is_of_its_own_class() {
    const SLOW: Backoff = Backoff::constant(Duration::from_secs(1));
    let short = Backoff::retry_after_or(&SLOW, Duration::ZERO).at_most(Duration::from_secs(5));
    let any = Backoff::retry_after_or(&SLOW, Duration::ZERO);
    let first = Policy::builder()
        .backoff(any)
        .backoff_for(ErrorClass::RateLimit, short)
        .backoff_for(ErrorClass::ServerError, any);
    let last = Policy::builder()
        .backoff(any)
        .backoff_for(ErrorClass::ServerError, any)
        .backoff_for(ErrorClass::RateLimit, short);
    let default = Policy::builder().backoff(short).backoff_for(ErrorClass::ServerError, any);
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
