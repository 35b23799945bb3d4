//! The time of an attempt.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use redress::breaker::{FailureRule, FailureTimes};
use redress::config::{LongDelay, RetryConfig};
use redress::driver::{Call, Control, Decision};
use redress::event::{Cause, CircuitState};
use redress::random::NoRandom;
use redress::snapshot::Progress;
use redress::testing::{MockClock, Recorder};
use redress::time::{FnClock, Timer, Widened};
use redress::{
    Attempt, Backoff, Breaker, BreakerConfig, Classification, Clock, Duration, Error, ErrorClass,
    EventKind, Instant, Last, Policy, StopReason,
};

use crate::{block_on, each_second, on, yield_once};

const TRIPPED: BreakerConfig<FailureRule> = BreakerConfig::failures(1, SECOND);
type Small = Breaker<FailureTimes<1>>;

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
    for (takes, class) in [
        (2_999_999, ErrorClass::Concurrency),
        (3_000_000, ErrorClass::Concurrency),
        (3_000_001, TRANSIENT),
    ] {
        let clock = MockClock::new();
        let outcome = on(&policy, &clock).execute(|_| {
            clock.advance(Duration::from_micros(takes));
            Err::<(), _>(ErrorClass::Concurrency)
        });
        assert_eq!((outcome.attempts, outcome.last_class()), (3, Some(class)), "{takes}");
        // The caller's own error comes back all the same.
        assert_eq!(outcome.result.unwrap_err().into_error(), Some(ErrorClass::Concurrency));
    }
}

/// Line 107: what can never succeed is not retried because it came late, and does not trip a
/// breaker as TRANSIENT.
#[test]
fn a_final_class_after_the_timeout_stays_what_it_is() {
    let policy = timed().build().unwrap();
    for class in [ErrorClass::Auth, ErrorClass::Permission, ErrorClass::Permanent] {
        let clock = MockClock::new();
        let breaker = RefCell::new(Small::new(&TRIPPED).unwrap());
        let late = |_: Attempt| {
            clock.advance(Duration::from_secs(9));
            Err::<(), _>(class)
        };
        let mut retry = on(&policy, &clock).breaker(&breaker);
        for outcome in [
            retry.execute(late),
            block_on(retry.execute_async(async |attempt| late(attempt))),
            block_on(retry.execute_future(|attempt| std::future::ready(late(attempt)))),
        ] {
            assert_eq!((outcome.attempts, outcome.last_class()), (1, Some(class)));
            assert_eq!(outcome.stop_reason(), Some(StopReason::NonRetryableClass));
        }
        let mut steps = retry.begin().unwrap();
        steps.start().unwrap();
        clock.advance(Duration::from_secs(9));
        assert_eq!(steps.fail(class), Decision::Stop(StopReason::NonRetryableClass));
        drop(steps);
        assert_eq!(breaker.borrow().state(), CircuitState::Closed);
    }
}

/// Line 107: a value that counts as a failure is one of time, too; a good one stands.
#[test]
fn a_failing_value_after_the_timeout_is_transient_and_a_late_success_stands() {
    let policy = timed().build().unwrap();
    let clock = MockClock::new();
    let mut retry =
        on(&policy, &clock).classify_value(|bad: &bool| (*bad).then_some(ErrorClass::Concurrency));
    let late = |value| {
        clock.advance(Duration::from_secs(4));
        Ok(value)
    };
    let failed = retry.execute(|_| late(true));
    assert_eq!((failed.attempts, failed.last_class()), (3, Some(TRANSIENT)));
    assert_eq!(failed.cause(), Some(Cause::Result));
    assert_eq!(retry.call(|_| late(false)), Ok(false));
}

/// Counts how many attempts were dropped.
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
fn an_attempt_over_time_is_named_a_timeout_error() {
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
fn a_timer_is_cancelled_with_its_attempt() {
    let policy = timed().build().unwrap();
    for result in [Ok(1), Err(ErrorClass::Auth)] {
        let time = Counting::default();
        let mut retry = policy.on(time.clone(), NoRandom).classify(|class: &ErrorClass| *class);
        let done = block_on(retry.call_async(async |_| {
            assert_eq!(time.alive.get(), 0);
            yield_once().await;
            assert_eq!(time.alive.get(), 1);
            result
        }));
        assert_eq!(done.is_ok(), result.is_ok());
        assert_eq!((time.made.borrow().len(), time.alive.get()), (1, 0));
    }
}

/// Lines 108, 128: an operation that is ready at once costs no timer, whatever the limits.
#[test]
fn no_timer_is_made_for_an_operation_that_is_ready() {
    for config in [timed(), each_second()] {
        let policy = config.build().unwrap();
        let time = Counting::default();
        let mut retry = policy.on(time.clone(), NoRandom).classify(|class: &ErrorClass| *class);
        let done = block_on(retry.call_async(async |_| Ok::<_, ErrorClass>(1)));
        assert_eq!((done, time.made.borrow().len()), (Ok(1), 0));
    }
}

/// Lines 108, 128: without attempt timeout and deadline there is none for any.
#[test]
fn without_a_limit_no_timer_is_made() {
    let policy = each_second().no_deadline().build().unwrap();
    let time = Counting::default();
    let mut retry = policy.on(time.clone(), NoRandom).classify(|class: &ErrorClass| *class);
    let done = block_on(retry.call_async(async |attempt| {
        assert_eq!(attempt.timeout, Duration::MAX);
        yield_once().await;
        Ok::<_, ErrorClass>(1)
    }));
    assert_eq!((done, time.made.borrow().len()), (Ok(1), 0));
}

/// Line 109: what the operation took before it had to wait counts.
#[test]
fn a_timer_made_late_is_for_what_is_left() {
    let policy = timed().build().unwrap();
    let time = Counting::default();
    let mut retry = policy.on(time.clone(), NoRandom).classify(|class: &ErrorClass| *class);
    let done = block_on(retry.call_async(async |_| {
        time.clock.set(1_000_000);
        yield_once().await;
        Ok::<_, ErrorClass>(1)
    }));
    assert_eq!((done, time.made.borrow()[0]), (Ok(1), Duration::from_secs(2)));
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
        (plain.deadline(secs(7)), &[(secs(7), secs(7)), (secs(3), secs(3))]),
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
    let deadline = Duration::from_secs(5);
    // Three seconds, one of sleep, and the one that was left; or all of it.
    for (config, attempts) in
        [(timed().deadline(deadline), 2), (each_second().deadline(deadline), 1)]
    {
        let policy = config.build().unwrap();
        for by_future in [false, true] {
            let clock = MockClock::new();
            let breaker = RefCell::new(Small::new(&TRIPPED).unwrap());
            let hangs = async |_| std::future::pending::<Result<(), ErrorClass>>().await;
            let mut retry = on(&policy, &clock).breaker(&breaker);
            let outcome = if by_future {
                block_on(retry.execute_future(|_| std::future::pending()))
            } else {
                block_on(retry.execute_async(hangs))
            };
            assert_eq!((outcome.attempts, outcome.elapsed), (attempts, deadline));
            assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
            assert_eq!(outcome.last_class(), Some(TRANSIENT));
            let Err(Error::Exhausted(stopped)) = outcome.result else { panic!() };
            assert_eq!((stopped.last, stopped.next_sleep), (Some(Last::Timeout), None));
            // The breaker counts it.
            assert_eq!(breaker.borrow().state(), CircuitState::Open);
        }
    }
}

/// Line 109: a limit on TRANSIENT or a missing strategy does not change why it stopped.
#[test]
fn an_attempt_that_the_deadline_ends_stops_for_the_deadline() {
    let only = Policy::builder().backoff_for(ErrorClass::Auth, Backoff::constant(SECOND));
    for config in
        [only, each_second().max_attempts_for(TRANSIENT, 0), each_second().max_attempts(1)]
    {
        let policy = config.deadline(SECOND).build().unwrap();
        let clock = MockClock::new();
        let mut retry = on(&policy, &clock);
        let outcome = block_on(
            retry.execute_async(async |_| std::future::pending::<Result<(), ErrorClass>>().await),
        );
        assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
        let mut steps = retry.begin().unwrap();
        steps.start().unwrap();
        clock.advance(SECOND);
        assert_eq!(steps.cut(), Decision::Stop(StopReason::DeadlineExceeded));
    }
}

/// Line 109: a caller who waits for less than the policy allows learned nothing of the
/// upstream, so the breaker does not count the call; by the policy's deadline it does.
#[test]
fn a_shorter_deadline_of_one_call_blames_nobody_else() {
    let policy = each_second().deadline(Duration::from_secs(5)).build().unwrap();
    for (own, ends, state) in [
        (Duration::from_secs(2), 2, CircuitState::Closed),
        (Duration::from_secs(5), 5, CircuitState::Open),
        (Duration::from_secs(7), 7, CircuitState::Open),
    ] {
        let clock = MockClock::new();
        let breaker = RefCell::new(Small::new(&TRIPPED).unwrap());
        let mut retry = on(&policy, &clock).breaker(&breaker).deadline(own);
        let outcome = block_on(
            retry.execute_async(async |_| std::future::pending::<Result<(), ErrorClass>>().await),
        );
        assert_eq!(outcome.elapsed, Duration::from_secs(ends));
        assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
        assert_eq!(breaker.borrow().state(), state, "{own}");
    }
    // A failure of its own counts as ever.
    let clock = MockClock::new();
    let breaker = RefCell::new(Small::new(&TRIPPED).unwrap());
    let mut retry = on(&policy, &clock).breaker(&breaker).deadline(SECOND);
    let outcome = retry.execute(|_| Err::<(), _>(TRANSIENT));
    assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
    assert_eq!(breaker.borrow().state(), CircuitState::Open);
}

/// Lines 109, 138: at the deadline itself one more attempt learns that nothing is left.
#[test]
fn an_attempt_at_the_deadline_learns_that_nothing_is_left() {
    let policy = timed().deadline(SECOND).long_delay(LongDelay::Cut).build().unwrap();
    let clock = MockClock::new();
    let mut seen = Vec::new();
    let outcome = on(&policy, &clock).execute(|attempt| {
        seen.push((attempt.remaining, attempt.timeout));
        Err::<(), _>(TRANSIENT)
    });
    assert_eq!(seen, [(SECOND, SECOND), (Duration::ZERO, Duration::ZERO)]);
    assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
}

/// A clock of 32 bits that begins anew, or one that is set back, does not make a call endless.
#[test]
fn a_clock_that_begins_anew_does_not_lose_the_deadline() {
    let policy = each_second().max_attempts(u32::MAX).deadline(Duration::from_secs(10));
    let policy = policy.build().unwrap();
    const WRAP: u64 = 1 << 32;
    for start in [WRAP - 1, WRAP - 4_500_000, WRAP - 9_999_999] {
        // The real time, of which the counter shows the lower 32 bits.
        let real = Cell::new(start);
        let clock = FnClock(|| real.get() % WRAP);
        let mut retry = policy.on(clock, NoRandom).classify(|class: &ErrorClass| *class);
        let mut steps = retry.begin().unwrap();
        let reason = loop {
            steps.start().unwrap();
            match steps.fail(TRANSIENT) {
                Decision::Retry { after } => real.set(real.get() + after.as_micros()),
                Decision::TooLong { .. } => break StopReason::DeadlineExceeded,
                Decision::Stop(reason) => break reason,
            }
            steps.on_wake().unwrap();
        };
        assert_eq!(reason, StopReason::DeadlineExceeded);
        // The interval in which the counter began anew is lost, no more.
        assert!(real.get() - start <= 11_000_000, "{}", real.get() - start);
    }
}

/// A counter of 32 bits that is widened loses nothing at its wraps.
#[test]
fn a_widened_counter_keeps_the_deadline_over_any_wrap() {
    let policy = each_second().max_attempts(u32::MAX).deadline(Duration::from_secs(10));
    let policy = policy.build().unwrap();
    // The real time, of which the counter of milliseconds shows the lower 32 bits.
    let real = Cell::new(0_u64);
    let clock = Widened::new(|| real.get() as u32, 1_000);
    for start in [7, (1 << 32) - 1, (2 << 32) - 4_500, (3 << 32) - 9_999] {
        real.set(start);
        let mut retry = policy.on(&clock, NoRandom).classify(|class: &ErrorClass| *class);
        let mut steps = retry.begin().unwrap();
        let attempts = loop {
            let attempt = steps.start().unwrap();
            match steps.fail(TRANSIENT) {
                Decision::Retry { after } => real.set(real.get() + after.as_millis()),
                _ => break attempt.number,
            }
            steps.on_wake().unwrap();
        };
        assert_eq!((attempts, real.get() - start), (10, 9_000));
        assert_eq!(clock.now().as_micros(), real.get() * 1_000);
    }
}

/// Line 128: an outer time-out gets its turn between attempts that have no delay between them.
#[test]
fn attempts_without_a_delay_let_other_tasks_run() {
    let config = Policy::builder().max_attempts(1_000_000).no_deadline();
    let policy = config.backoff(Backoff::constant(Duration::ZERO)).build().unwrap();
    let clock = MockClock::new();
    let attempts = Cell::new(0);
    let mut retry = on(&policy, &clock);
    let call = retry.call_async(async |attempt| {
        attempts.set(attempt.number);
        Err::<(), _>(TRANSIENT)
    });
    let mut call = std::pin::pin!(call);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for polls in 1..=5 {
        assert!(call.as_mut().poll(&mut context).is_pending());
        assert_eq!(attempts.get(), polls);
    }
}

/// Gives a deadline without saying that it may.
struct Silent;

impl Control for Silent {
    fn deadline(&self) -> Option<Duration> {
        Some(SECOND)
    }
}

/// A control that says that it gives no deadline is not asked for one.
#[test]
fn a_control_that_gives_no_deadline_is_not_asked_for_one() {
    let policy = each_second().no_deadline().build().unwrap();
    let clock = MockClock::new();
    clock.advance(Duration::from_secs(3600));
    let mut retry = on(&policy, &clock).control(Silent);
    let done = retry.call(|attempt| if attempt.number < 3 { Err(TRANSIENT) } else { Ok(()) });
    assert_eq!(done, Ok(()));
    let Progress::Suspended(call) = retry.call_or_suspend(SECOND, |_| Err::<(), _>(TRANSIENT))
    else {
        panic!("a second is as long as the limit")
    };
    let resumed = retry.resume(&call.bytes, clock.now(), Some(SECOND)).unwrap();
    let progress = resumed.call_or_suspend(Duration::MAX, |attempt| {
        assert_eq!(attempt.remaining, Duration::MAX);
        Ok::<_, ErrorClass>(())
    });
    assert!(matches!(progress, Progress::Over(outcome) if outcome.is_ok()));
}

/// An attempt that is ended without a deadline is retried.
#[test]
fn an_attempt_that_is_cut_without_a_deadline_is_retried() {
    let policy = each_second().no_deadline().build().unwrap();
    let clock = MockClock::new();
    let mut retry = on(&policy, &clock);
    let mut steps = retry.begin().unwrap();
    steps.start().unwrap();
    assert_eq!(steps.cut(), Decision::Retry { after: SECOND });
    assert_eq!(steps.call().last(), Some((TRANSIENT, Cause::Exception)));
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
