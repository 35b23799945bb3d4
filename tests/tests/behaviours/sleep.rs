//! Sleeping, putting a retry off, and who does the waiting.

use std::cell::{Cell, RefCell};

use redress::backoff::BackoffContext;
use redress::breaker::{FailureRule, FailureTimes};
use redress::driver::{Control, Decision, SleepDecision};
use redress::event::{Cause, CircuitState};
use redress::random::NoRandom;
use redress::testing::{MockClock, Recorder, Script};
use redress::time::{Sleep, Timer};
use redress::{
    Backoff, Breaker, BreakerConfig, Classification, Clock, Duration, ErrorClass, EventKind,
    Instant, Policy, StopReason,
};

use crate::{block_on, each_second, on};

const SECOND: Duration = Duration::from_secs(1);
const TRANSIENT: ErrorClass = ErrorClass::Transient;

/// Lines 101, 102, 103, 104: blocking and async.
#[test]
fn a_handler_sleeps_defers_or_aborts() {
    let policy = each_second().max_attempts(3).build().unwrap();
    let retry_event = EventKind::Retry;
    for (choice, reason, attempts, slept, events) in [
        (
            SleepDecision::Sleep,
            StopReason::MaxAttemptsGlobal,
            3,
            2,
            &[retry_event, retry_event, EventKind::MaxAttemptsExceeded][..],
        ),
        (SleepDecision::Defer, StopReason::Scheduled, 1, 0, &[retry_event, EventKind::Scheduled]),
        (SleepDecision::Abort, StopReason::Aborted, 1, 0, &[retry_event, EventKind::Aborted]),
    ] {
        for blocking in [true, false] {
            let clock = MockClock::new();
            let mut recorder = Recorder::<8>::new();
            let mut retry =
                on(&policy, &clock).sleep_handler(|_, _| choice).observer(&mut recorder);
            let outcome = if blocking {
                retry.execute(|_| Err::<(), _>(TRANSIENT))
            } else {
                block_on(retry.execute_async(async |_| Err::<(), _>(TRANSIENT)))
            };
            drop(retry);
            assert_eq!((outcome.stop_reason(), outcome.attempts), (Some(reason), attempts));
            assert_eq!(clock.slept().as_secs(), slept, "{choice:?}");
            assert_eq!(recorder.kinds(), events, "{choice:?}");
        }
    }
}

/// Line 101: it may tell cases apart by everything that a strategy sees.
#[test]
fn a_handler_sees_the_context_and_the_delay() {
    let policy = each_second().deadline(Duration::from_secs(9)).build().unwrap();
    let clock = MockClock::new();
    let mut seen = Vec::new();
    let hinted = Classification::new(TRANSIENT).retry_after(Duration::from_secs(7));
    let mut retry = policy
        .on(&clock, NoRandom)
        .classify(|error: &Classification| *error)
        .sleep_handler(|context: &BackoffContext, delay| {
            let hint = context.classification.retry_after;
            seen.push((context.attempt, hint, context.cause, context.remaining, delay));
            if context.attempt < 2 { SleepDecision::Sleep } else { SleepDecision::Defer }
        });
    let stopped = retry.execute(|_| Err::<(), _>(hinted));
    assert_eq!(stopped.stop_reason(), Some(StopReason::Scheduled));
    drop(retry);
    let (hint, cause) = (Some(Duration::from_secs(7)), Cause::Exception);
    assert_eq!(
        seen,
        [
            (1, hint, cause, Duration::from_secs(9), SECOND),
            (2, hint, cause, Duration::from_secs(8), SECOND),
        ]
    );
}

/// Line 102.
#[test]
fn a_deferred_call_says_when_to_come_back_and_keeps_its_error() {
    const DELAYS: [Duration; 2] = [SECOND, Duration::from_secs(40)];
    let policy = Policy::builder().backoff(Backoff::sequence(&DELAYS)).build().unwrap();
    let clock = MockClock::new();
    let mut events = Vec::new();
    let outcome =
        on(&policy, &clock)
            .sleep_handler(|_, delay| {
                if delay == SECOND { SleepDecision::Sleep } else { SleepDecision::Defer }
            })
            .on_event(|event| events.push((event.kind, event.attempt, event.delay)))
            .execute(|_| Err::<(), _>(TRANSIENT));
    assert_eq!(outcome.next_sleep(), Some(Duration::from_secs(40)));
    assert_eq!((outcome.attempts, clock.slept()), (2, SECOND));
    let error = outcome.result.unwrap_err();
    assert_eq!(error.stop_reason(), Some(StopReason::Scheduled));
    assert_eq!(error.into_error(), Some(TRANSIENT));
    let (forty, scheduled) = (Duration::from_secs(40), EventKind::Scheduled);
    assert_eq!(events[1..], [(EventKind::Retry, 2, forty), (scheduled, 2, forty)]);
}

/// Lines 101, 102, 103: the step form.
#[test]
fn a_scheduler_of_ones_own_chooses_as_a_handler_does() {
    let policy = each_second().build().unwrap();
    for (choice, decision) in [
        (SleepDecision::Sleep, Decision::Retry { after: SECOND }),
        (SleepDecision::Defer, Decision::Stop(StopReason::Scheduled)),
        (SleepDecision::Abort, Decision::Stop(StopReason::Aborted)),
    ] {
        let clock = MockClock::new();
        let mut retry = on(&policy, &clock);
        let mut steps = retry.begin().unwrap();
        steps.start().unwrap();
        assert_eq!(steps.fail(TRANSIENT), Decision::Retry { after: SECOND });
        assert_eq!(steps.on_sleep_decision(choice), decision);
    }
}

/// Line 103.
#[test]
fn a_call_aborted_by_its_handler_says_so() {
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let mut retry = on(&policy, &clock).sleep_handler(|_, _| SleepDecision::Abort);
    let error = retry.call(|_| Err::<(), _>(TRANSIENT)).unwrap_err();
    assert!(error.is_aborted());
    assert_eq!(error.into_error(), Some(TRANSIENT));
}

/// Lines 102, 103: a breaker learns of a deferred failure, and of an abort nothing.
#[test]
fn a_deferred_probe_fails_and_an_aborted_one_is_free_again() {
    const CONFIG: BreakerConfig<FailureRule> = BreakerConfig::failures(1, SECOND);
    let policy = each_second().build().unwrap();
    for (choice, state) in
        [(SleepDecision::Defer, CircuitState::Open), (SleepDecision::Abort, CircuitState::HalfOpen)]
    {
        let clock = MockClock::new();
        let breaker = RefCell::new(Breaker::<FailureTimes<1>>::new(&CONFIG).unwrap());
        let mut retry = on(&policy, &clock).breaker(&breaker).sleep_handler(|_, _| choice);
        let _ = on(&policy, &clock).breaker(&breaker).call(|_| Err::<(), _>(TRANSIENT));
        clock.advance(Duration::from_secs(30));
        let _ = retry.call(|_| Err::<(), _>(TRANSIENT));
        assert_eq!(breaker.borrow().state(), state, "{choice:?}");
    }
}

/// Notes each sleep and lets no time pass, or too much of it.
struct Own<'c> {
    clock: &'c MockClock,
    oversleep: Duration,
    sleeps: Vec<Duration>,
}

impl Clock for Own<'_> {
    fn now(&self) -> Instant {
        self.clock.now()
    }
}

impl Sleep for Own<'_> {
    fn sleep(&mut self, span: Duration) {
        self.sleeps.push(span);
        self.clock.advance(self.oversleep);
    }
}

impl Timer for Own<'_> {
    async fn sleep(&mut self, span: Duration) {
        Sleep::sleep(self, span);
    }
}

/// Line 106: and one that sleeps past the deadline ends the call.
#[test]
fn a_sleeper_of_ones_own_does_the_waiting() {
    let policy = each_second().deadline(Duration::from_secs(5)).build().unwrap();
    for (oversleep, sleeps, reason) in [
        (Duration::ZERO, 5, StopReason::MaxAttemptsGlobal),
        (Duration::from_secs(6), 1, StopReason::DeadlineExceeded),
    ] {
        for blocking in [true, false] {
            let clock = MockClock::new();
            let mut own = Own { clock: &clock, oversleep, sleeps: Vec::new() };
            let mut retry = policy.on(&mut own, NoRandom).classify(|class: &ErrorClass| *class);
            let result = if blocking {
                retry.call(|_| Err::<(), _>(TRANSIENT))
            } else {
                block_on(retry.call_async(async |_| Err::<(), _>(TRANSIENT)))
            };
            assert_eq!(result.unwrap_err().stop_reason(), Some(reason));
            assert_eq!(own.sleeps, vec![SECOND; sleeps]);
            assert_eq!(clock.slept(), Duration::ZERO);
        }
    }
}

/// Line 106.
#[test]
fn before_sleep_hears_of_actual_sleeps_alone() {
    let policy = each_second().max_attempts(3).build().unwrap();
    for (choice, told) in
        [(SleepDecision::Sleep, 2), (SleepDecision::Defer, 0), (SleepDecision::Abort, 0)]
    {
        for blocking in [true, false] {
            let clock = MockClock::new();
            let mut delays = Vec::new();
            let mut retry = on(&policy, &clock)
                .before_sleep(|context: &BackoffContext, delay| {
                    assert_eq!(clock.slept().as_secs() + 1, u64::from(context.attempt));
                    delays.push(delay);
                })
                .sleep_handler(|_, _| choice);
            if blocking {
                let _ = retry.call(|_| Err::<(), _>(TRANSIENT));
            } else {
                let _ = block_on(retry.call_async(async |_| Err::<(), _>(TRANSIENT)));
            }
            drop(retry);
            assert_eq!(delays, vec![SECOND; told], "{choice:?}");
        }
    }
}

/// Line 106: a success, a final failure and the last attempt have no sleep.
#[test]
fn before_sleep_is_silent_where_nothing_follows() {
    let policy = each_second().max_attempts(2).build().unwrap();
    for (script, told) in [
        ([Ok(()); 2], 0),
        ([Err(ErrorClass::Auth); 2], 0),
        ([Err(TRANSIENT), Ok(())], 1),
        ([Err(TRANSIENT); 2], 1),
    ] {
        let clock = MockClock::new();
        let calls = Cell::new(0);
        let mut operation = Script::new(script);
        let _ = on(&policy, &clock)
            .before_sleep(|_, _| calls.set(calls.get() + 1))
            .call(|_| operation.next());
        assert_eq!(calls.get(), told);
    }
}

/// Line 106: a delay of zero is no sleep.
#[test]
fn before_sleep_is_silent_where_the_delay_is_zero() {
    let policy = Policy::builder().backoff(Backoff::constant(Duration::ZERO)).build().unwrap();
    let clock = MockClock::new();
    let calls = Cell::new(0);
    let _ = on(&policy, &clock)
        .before_sleep(|_, _| calls.set(calls.get() + 1))
        .call(|_| Err::<(), _>(TRANSIENT));
    assert_eq!(calls.get(), 0);
}

/// Line 105: a control of one's own decides all of it in one place.
#[test]
fn a_control_of_ones_own_replaces_predicate_handler_and_hook() {
    #[derive(Default)]
    struct Mine {
        asked: u32,
        chosen: u32,
        told: u32,
    }
    impl Control for &mut Mine {
        fn aborted(&mut self) -> bool {
            self.asked += 1;
            false
        }
        fn sleep_decision(&mut self, _: &BackoffContext, _: Duration) -> SleepDecision {
            self.chosen += 1;
            SleepDecision::Sleep
        }
        fn before_sleep(&mut self, _: &BackoffContext, _: Duration) {
            self.told += 1;
        }
    }
    let policy = each_second().max_attempts(3).build().unwrap();
    let clock = MockClock::new();
    let mut mine = Mine::default();
    let _ = on(&policy, &clock).control(&mut mine).call(|_| Err::<(), _>(TRANSIENT));
    // Before, after and at the sleep of two attempts, before and after the last one.
    assert_eq!((mine.asked, mine.chosen, mine.told), (8, 2, 2));
}

/// Line 137: blocking, in both async forms, in steps.
#[test]
fn a_retry_after_is_heeded_by_every_driver() {
    const NEVER: Backoff = Backoff::constant(Duration::from_secs(1));
    let heeding = Backoff::retry_after_or(&NEVER, Duration::ZERO);
    let policy = Policy::builder().backoff(heeding).build().unwrap();
    let busy = Classification::new(ErrorClass::RateLimit).retry_after(Duration::from_secs(7));
    let operation = || Script::new([Err(busy), Err(TRANSIENT.into()), Ok(())]);
    for driver in 0..4 {
        let clock = MockClock::new();
        let mut script = operation();
        let mut retry = policy.on(&clock, NoRandom).classify(|error: &Classification| *error);
        match driver {
            0 => retry.call(|_| script.next()).unwrap(),
            1 => block_on(retry.call_async(async |_| script.next())).unwrap(),
            2 => block_on(retry.call_future(|_| std::future::ready(script.next()))).unwrap(),
            _ => {
                let mut steps = retry.begin().unwrap();
                while let Err(failure) = script.next() {
                    let Decision::Retry { after } = steps.fail(failure) else { panic!() };
                    clock.advance(after);
                    steps.on_wake().unwrap();
                }
                steps.succeed();
            }
        }
        // Seven seconds that were asked for, one that was not.
        assert_eq!(clock.elapsed(), Duration::from_secs(8), "driver {driver}");
    }
}

/// Line 128.
#[test]
fn a_delay_of_zero_makes_no_timer_and_asks_no_sleeper() {
    let policy = Policy::builder().backoff(Backoff::constant(Duration::ZERO)).build().unwrap();
    for blocking in [true, false] {
        let clock = MockClock::new();
        let mut own = Own { clock: &clock, oversleep: Duration::ZERO, sleeps: Vec::new() };
        let mut retry = policy.on(&mut own, NoRandom).classify(|class: &ErrorClass| *class);
        let outcome = if blocking {
            retry.execute(|_| Err::<(), _>(TRANSIENT))
        } else {
            block_on(retry.execute_async(async |_| Err::<(), _>(TRANSIENT)))
        };
        assert_eq!(outcome.attempts, 6);
        assert!(own.sleeps.is_empty());
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
