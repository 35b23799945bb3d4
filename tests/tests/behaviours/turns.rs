//! Calls that ask a rate limiter before each attempt.

use std::cell::RefCell;

use redress::breaker::{FailureRule, FailureTimes};
use redress::budget::{Limit, Limited, LimiterConfig, NotBefore, Pool, Turn, WhenLimited};
use redress::random::NoRandom;
use redress::snapshot::Progress;
use redress::testing::{MockClock, Recorder};
use redress::time::Sleep;
use redress::{
    Breaker, BreakerConfig, Clock, Duration, ErrorClass, EventKind, Instant, Keyed, Policy,
    RateLimiter, StopReason, by_key,
};

use crate::{block_on, each_second, on};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const TRANSIENT: ErrorClass = ErrorClass::Transient;
/// Three attempts a minute.
static THREE: LimiterConfig = LimiterConfig::new().window(3, secs(60));
type Limiter = RateLimiter<4>;

fn limiter() -> RefCell<Limiter> {
    RefCell::new(Limiter::new(&THREE).unwrap())
}

/// A first attempt is limited as a retry is, and waits for its turn by default.
#[test]
fn an_attempt_waits_for_its_turn() {
    const ONCE: Policy = Policy::once();
    for asynchronous in [false, true] {
        let (clock, limiter) = (MockClock::new(), limiter());
        let mut sent = Vec::new();
        for _ in 0..5 {
            let mut retry = on(&ONCE, &clock).limiter(&limiter);
            let mut send = || {
                sent.push(clock.elapsed());
                Ok::<_, ErrorClass>(())
            };
            let done = if asynchronous {
                block_on(retry.call_async(async |_| send()))
            } else {
                retry.call(|_| send())
            };
            assert_eq!(done, Ok(()));
            clock.advance(secs(1));
        }
        assert_eq!(sent, [0, 1, 2, 60, 61].map(secs));
    }
    // Retries come out of the same windows.
    let (clock, limiter) = (MockClock::new(), limiter());
    let policy = each_second().no_deadline().max_attempts(5).build().unwrap();
    let outcome = on(&policy, &clock).limiter(&limiter).execute(|_| Err::<(), _>(TRANSIENT));
    assert_eq!((outcome.attempts, outcome.elapsed), (5, secs(61)));
}

/// A wait that does not fit before the deadline is not waited for.
#[test]
fn a_turn_that_comes_after_the_deadline_stops_the_call() {
    let policy = each_second().deadline(secs(30)).max_attempts(5).build().unwrap();
    for driver in 0..3 {
        let (clock, limiter) = (MockClock::new(), limiter());
        let mut recorder = Recorder::<8>::new();
        let mut retry = on(&policy, &clock).limiter(&limiter).observer(&mut recorder);
        let outcome = match driver {
            0 => retry.execute(|_| Err::<(), _>(TRANSIENT)),
            1 => block_on(retry.execute_async(async |_| Err::<(), _>(TRANSIENT))),
            _ => block_on(retry.execute_future(|_| std::future::ready(Err::<(), _>(TRANSIENT)))),
        };
        drop(retry);
        assert_eq!((outcome.attempts, clock.elapsed()), (3, secs(3)));
        assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
        assert_eq!((outcome.next_sleep(), outcome.last_class()), (Some(secs(57)), Some(TRANSIENT)));
        assert_eq!(recorder.kinds().last(), Some(&EventKind::DeadlineExceeded));
    }
}

/// Deferred or rejected, as configured, with the time to come back.
#[test]
fn a_call_is_deferred_or_rejected_where_its_turn_has_not_come() {
    const ONCE: Policy = Policy::once();
    for (when, reason, event) in [
        (WhenLimited::Defer, StopReason::Scheduled, EventKind::Scheduled),
        (WhenLimited::Reject, StopReason::BudgetExhausted, EventKind::BudgetExhausted),
    ] {
        let (clock, limiter) = (MockClock::new(), limiter());
        let mut recorder = Recorder::<8>::new();
        let pool = Limited::new((), &limiter).cost(2).when_limited(when);
        let mut retry = on(&ONCE, &clock).budget(pool).observer(&mut recorder);
        assert_eq!(retry.call(|_| Ok::<_, ErrorClass>(())), Ok(()));
        clock.advance(secs(20));
        let outcome = retry.execute(|_| -> Result<(), ErrorClass> { panic!("it is not its turn") });
        assert_eq!((outcome.attempts, outcome.stop_reason()), (0, Some(reason)));
        assert_eq!(outcome.next_sleep(), Some(secs(40)));
        drop(retry);
        assert_eq!(recorder.kinds(), [EventKind::Success, event]);
    }
    // What never fits has no time to come back.
    let (clock, limiter) = (MockClock::new(), limiter());
    let pool = Limited::new((), &limiter).cost(4);
    let outcome = on(&ONCE, &clock).budget(pool).execute(|_| Ok::<_, ErrorClass>(()));
    assert_eq!(
        (outcome.stop_reason(), outcome.next_sleep()),
        (Some(StopReason::BudgetExhausted), None)
    );
}

/// A node sleeps through a long wait, before its first attempt, too.
#[test]
fn a_call_is_suspended_until_its_turn() {
    let policy = each_second().deadline(secs(30)).build().unwrap();
    for asynchronous in [false, true] {
        let (clock, limiter) = (MockClock::new(), limiter());
        let spent = Limited::new((), &limiter).cost(3);
        assert!(on(&policy, &clock).budget(spent).call(|_| Ok::<_, ErrorClass>(())).is_ok());
        let mut retry = on(&policy, &clock).limiter(&limiter);
        let progress = if asynchronous {
            block_on(retry.call_or_suspend_async(secs(10), async |_| Ok::<_, ErrorClass>(())))
        } else {
            retry.call_or_suspend(secs(10), |_| Ok::<_, ErrorClass>(()))
        };
        let Progress::Suspended(call) = progress else { panic!("a minute is longer than that") };
        assert_eq!(call.wake_after, secs(60));
        clock.advance(secs(60));
        let resumed = retry.resume(&call.bytes, clock.now(), Some(secs(60))).unwrap();
        let progress = resumed.call_or_suspend(secs(10), |attempt| {
            assert_eq!((attempt.number, attempt.remaining), (1, secs(30)));
            Ok::<_, ErrorClass>(())
        });
        assert!(matches!(progress, Progress::Over(outcome) if outcome.is_ok()));
    }
}

/// A wait for a turn is no delay of the policy: what jitter follows from is kept over it.
#[test]
fn a_suspended_turn_leaves_the_delay_before_it_alone() {
    let policy = each_second().deadline(secs(300)).build().unwrap();
    for asynchronous in [false, true] {
        let (clock, limiter) = (MockClock::new(), limiter());
        let spent = Limited::new((), &limiter).cost(2);
        assert!(on(&policy, &clock).budget(spent).call(|_| Ok::<_, ErrorClass>(())).is_ok());
        let mut retry = on(&policy, &clock).limiter(&limiter);
        let fails = Err::<(), _>(ErrorClass::Transient);
        let progress = if asynchronous {
            block_on(retry.call_or_suspend_async(secs(10), async |_| fails))
        } else {
            retry.call_or_suspend(secs(10), |_| fails)
        };
        let Progress::Suspended(call) = progress else { panic!("the turn comes in a minute") };
        assert_eq!(call.wake_after, secs(59));
        clock.advance(secs(59));
        let resumed = retry.resume(&call.bytes, clock.now(), Some(secs(59))).unwrap();
        assert_eq!(resumed.steps.call().previous(), secs(1));
    }
    // Step by step, too.
    let (clock, limiter) = (MockClock::new(), limiter());
    let spent = Limited::new((), &limiter).cost(3);
    assert!(on(&policy, &clock).budget(spent).call(|_| Ok::<_, ErrorClass>(())).is_ok());
    let mut retry = on(&policy, &clock).limiter(&limiter);
    let mut steps = retry.begin().unwrap();
    let wait = steps.turn().unwrap().unwrap();
    let call = steps.suspend_for(wait).unwrap();
    assert_eq!((wait, call.wake_after), (secs(60), secs(60)));
}

/// Step by step: the turn first, then the attempt; without asking, the call is deferred.
#[test]
fn a_step_asks_for_its_turn() {
    let policy = each_second().build().unwrap();
    let (clock, limiter) = (MockClock::new(), limiter());
    let mut retry = policy.on(&clock, NoRandom).limiter(&limiter);
    for _ in 0..3 {
        let mut steps = retry.begin().unwrap();
        assert_eq!(steps.turn(), Ok(None));
        // What is granted is spent once.
        assert_eq!(steps.start().unwrap().number, 1);
        steps.succeed();
    }
    let mut steps = retry.begin().unwrap();
    clock.jump_to(Instant::from_micros(1_000_000));
    // The call knows the instant of its beginning.
    assert_eq!(steps.turn(), Err(StopReason::DeadlineExceeded));
    drop(steps);
    let mut steps = retry.begin().unwrap();
    assert_eq!(steps.turn(), Ok(Some(secs(59))));
    clock.advance(secs(59));
    steps.on_wake().unwrap();
    assert_eq!(steps.turn(), Ok(None));
    assert!(steps.start().is_ok());
    steps.succeed();
    drop(steps);
    for _ in 0..2 {
        let mut steps = retry.begin().unwrap();
        assert!(steps.start().is_ok());
        steps.succeed();
    }
    let mut steps = retry.begin().unwrap();
    assert_eq!(steps.start(), Err(StopReason::DeadlineExceeded));
    drop(steps);
    let mut retry = retry.deadline(secs(100));
    let mut steps = retry.begin().unwrap();
    assert_eq!(steps.start(), Err(StopReason::Scheduled));
}

/// What never starts costs nothing, and what is over does not wait for its turn.
#[test]
fn an_attempt_that_may_not_start_takes_no_turn() {
    for asynchronous in [false, true] {
        let policy = each_second().build().unwrap();
        let (clock, limiter) = (MockClock::new(), limiter());
        let mut aborted = on(&policy, &clock).limiter(&limiter).abort_if(|| true);
        let mut stop = || {
            let outcome = if asynchronous {
                block_on(aborted.execute_async(async |_| Ok::<_, ErrorClass>(())))
            } else {
                aborted.execute(|_| Ok::<_, ErrorClass>(()))
            };
            assert_eq!((outcome.attempts, outcome.stop_reason()), (0, Some(StopReason::Aborted)));
        };
        for _ in 0..3 {
            stop();
        }
        let fits =
            |cost: u32| Limited::new((), &limiter).cost(cost).attempt(clock.now(), 1) == Turn::Now;
        assert!(fits(3));
        stop();
        assert_eq!(clock.slept(), Duration::ZERO);

        clock.advance(secs(60));
        const CONFIG: BreakerConfig<FailureRule> =
            BreakerConfig::failures(1, secs(60)).check_before_retry(true);
        let breaker = RefCell::new(Breaker::<FailureTimes<1>>::new(&CONFIG).unwrap());
        let mut retry = on(&policy, &clock).limiter(&limiter).breaker(&breaker);
        let run = || {
            breaker.borrow_mut().isolate();
            Err::<(), _>(TRANSIENT)
        };
        let outcome = if asynchronous {
            block_on(retry.execute_async(async |_| run()))
        } else {
            retry.execute(|_| run())
        };
        assert_eq!((outcome.attempts, outcome.stop_reason()), (1, Some(StopReason::CircuitOpen)));
        assert!(fits(2));
    }
}

/// A turn that is granted is not paid for again.
#[test]
fn a_turn_is_granted_once_for_an_attempt() {
    let policy = each_second().build().unwrap();
    let (clock, limiter) = (MockClock::new(), limiter());
    let mut retry = on(&policy, &clock).limiter(&limiter);
    let mut steps = retry.begin().unwrap();
    assert_eq!((steps.turn(), steps.turn()), (Ok(None), Ok(None)));
    assert!(steps.start().is_ok());
    assert!(Limited::new((), &limiter).cost(2).attempt(clock.now(), 1) == Turn::Now);
}

/// Grants every second time that it is asked, and says that it fits now.
struct EverySecond(bool);

impl Limit for EverySecond {
    fn acquire(&mut self, _: u32, _: Instant) -> Result<(), NotBefore> {
        self.0 = !self.0;
        if self.0 { Err(NotBefore { wait: Some(Duration::ZERO) }) } else { Ok(()) }
    }
}

/// A clock that cannot wait for no time.
struct Strict(MockClock);

impl Clock for Strict {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl Sleep for Strict {
    fn sleep(&mut self, span: Duration) {
        assert!(!span.is_zero());
        Sleep::sleep(&mut &self.0, span);
    }
}

/// A limiter that refuses without a time to wait is asked again, but not at the same instant.
#[test]
fn a_turn_is_never_waited_for_without_a_time() {
    const ONCE: Policy = Policy::once();
    let limiter = RefCell::new(EverySecond(false));
    let done = ONCE
        .on(Strict(MockClock::new()), NoRandom)
        .classify(|class: &ErrorClass| *class)
        .limiter(&limiter)
        .execute(|_| Ok::<_, ErrorClass>(()));
    assert_eq!((done.is_ok(), done.elapsed), (true, Duration::from_micros(1)));
}

/// Behind two limiters, of its key and of all, a call that waits for one does not pay the other
/// again and again.
#[test]
fn an_attempt_that_waits_for_one_limiter_pays_no_other() {
    static ONE: LimiterConfig = LimiterConfig::new().window(1, secs(60));
    const ONCE: Policy = Policy::once();
    let keys = || RefCell::new(Keyed::<u8, Limiter, 2>::new(Limiter::new(&THREE).unwrap()));
    let one = || RefCell::new(Limiter::new(&ONE).unwrap());
    let (key, all, clock) = (keys(), one(), MockClock::new());
    for sent in [0, 60, 120] {
        let mut retry = on(&ONCE, &clock).limiter(by_key(&key, 7)).limiter(&all);
        assert_eq!(retry.call(|_| Ok::<_, ErrorClass>(clock.elapsed())), Ok(secs(sent)));
    }
    // The other way round.
    let (key, all, clock) = (keys(), one(), MockClock::new());
    for _ in 0..4 {
        let _ =
            on(&ONCE, &clock).limiter(&all).limiter(by_key(&key, 7)).deadline(secs(9)).call(|_| {
                assert_eq!(clock.elapsed(), Duration::ZERO);
                Ok::<_, ErrorClass>(())
            });
    }
    assert_eq!(key.borrow().peek(&7).unwrap().available(clock.now()), 2);
    for _ in 0..3 {
        let turn = Limited::new(Limited::new((), by_key(&key, 7)), &all).attempt(clock.now(), 1);
        assert_eq!(turn, Turn::Wait(secs(60)));
    }
    assert_eq!(key.borrow().peek(&7).unwrap().available(clock.now()), 2);
}
