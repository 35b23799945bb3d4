//! The decisions of a call, asked directly, and what a caller's controls do to them.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;

use redress::backoff::{BackoffContext, Strategy};
use redress::breaker::{SliceRule, TimeSlices};
use redress::budget::{Limited, LimiterConfig, Pool, Turn, Withdraw};
use redress::driver::{Call, Decision, SleepDecision};
use redress::event::CircuitState;
use redress::random::{Draw, NoRandom};
use redress::snapshot::Progress;
use redress::testing::{MockClock, Recorder, outcome};
use redress::{
    Backoff, Breaker, BreakerConfig, Classification, Clock, Duration, ErrorClass, EventKind,
    Instant, Last, Outcome, Policy, RateLimiter, StopReason,
};

use crate::{block_on, each_second, on};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn at_secs(at: u64) -> Instant {
    Instant::from_micros(at * 1_000_000)
}

const HOUR: Duration = secs(3600);
const TRANSIENT: ErrorClass = ErrorClass::Transient;
const CONFLICT: ErrorClass = ErrorClass::Concurrency;

/// Neither a deadline nor a timeout: the policy itself needs no time.
fn untimed() -> Policy {
    each_second().no_deadline().build().unwrap()
}

/// What a strategy has recorded: failures and successes.
struct Counting([AtomicU32; 2]);

impl Counting {
    const fn new() -> Self {
        Self([const { AtomicU32::new(0) }; 2])
    }

    fn taken(&self) -> [u32; 2] {
        [0, 1].map(|of| self.0[of].swap(0, Ordering::Relaxed))
    }
}

impl Strategy for Counting {
    fn delay(&self, _: &BackoffContext, _: &mut dyn Draw) -> Option<Duration> {
        Some(Duration::ZERO)
    }

    fn record(&self, _: Instant, success: bool) {
        self.0[usize::from(success)].fetch_add(1, Ordering::Relaxed);
    }
}

/// A success at once is one of every class; one after a failure, of the class that failed.
#[test]
fn each_strategy_learns_of_the_outcomes_that_it_serves() {
    static OF_CLASS: [Counting; 8] = [const { Counting::new() }; 8];
    static OTHERS: Counting = Counting::new();
    let retried = [CONFLICT, ErrorClass::RateLimit, ErrorClass::ServerError, ErrorClass::Unknown];
    let mut config = Policy::builder().backoff(Backoff::own(&OTHERS));
    for class in retried {
        config = config.backoff_for(class, Backoff::own(&OF_CLASS[class as usize]));
    }
    let policy = config.build().unwrap();
    let clock = MockClock::new();
    let of_all = || ErrorClass::ALL.map(|class| OF_CLASS[class as usize].taken());
    let once = |class: ErrorClass| [0, u32::from(retried.contains(&class))];
    assert!(on(&policy, &clock).call(|_| Ok(())).is_ok());
    assert_eq!((of_all(), OTHERS.taken()), (ErrorClass::ALL.map(once), [0, 1]));
    for failed in retried {
        let result = on(&policy, &clock)
            .call(|attempt| if attempt.number == 1 { Err(failed) } else { Ok(attempt.number) });
        assert_eq!(result, Ok(2));
        let both = |class| if class == failed { [1, 1] } else { [0, 0] };
        assert_eq!((of_all(), OTHERS.taken()), (ErrorClass::ALL.map(both), [0, 0]));
    }
    // The same where no driver is between.
    let mut call = Call::begin(&policy, at_secs(5));
    call.start(&policy);
    call.succeed(&policy, at_secs(7));
    assert_eq!((of_all(), OTHERS.taken()), (ErrorClass::ALL.map(once), [0, 1]));
    assert_eq!((call.elapsed(at_secs(7)), call.elapsed(at_secs(9))), (secs(2), secs(4)));
    // An instant that was read before the latest step adds nothing and takes nothing away.
    assert_eq!((call.elapsed(at_secs(6)), call.remaining(at_secs(6))), (secs(2), secs(58)));
}

/// An attempt that its own short deadline has ended says nothing of the other side.
#[test]
fn an_attempt_that_is_cut_at_the_deadline_ends_the_call() {
    let policy = each_second().attempt_timeout(secs(10)).build().unwrap();
    for (deadline, took, stops, counted) in [
        (secs(5), 5, true, None),
        (secs(60), 10, false, Some(TRANSIENT)),
        // The deadline is the policy's: the other side took it all.
        (secs(10), 10, true, None),
    ] {
        let mut call = Call::begin_within(&policy, deadline, at_secs(0));
        call.start(&policy);
        let decision = call.cut(&policy, at_secs(took), &mut NoRandom, &());
        let reason = StopReason::DeadlineExceeded;
        assert_eq!(decision == Decision::Stop(reason), stops, "{deadline}");
        assert_eq!(call.counted_failure(reason), counted, "{deadline}");
        assert_eq!(call.last().map(|(class, _)| class), Some(TRANSIENT));
    }
}

/// Also where an attempt ended without a result.
#[test]
fn attempts_beyond_the_last_one_are_not_retried() {
    let policy = each_second().max_attempts(2).build().unwrap();
    let clock = MockClock::new();
    let mut retry = on(&policy, &clock);
    let mut steps = retry.begin().unwrap();
    for number in 1..=3 {
        assert_eq!(steps.start().unwrap().number, number);
    }
    assert_eq!(steps.fail(TRANSIENT), Decision::Stop(StopReason::MaxAttemptsGlobal));
}

/// What follows an attempt is not what followed the one before it.
#[test]
fn a_further_attempt_has_no_delay_that_is_too_long_yet() {
    let policy = Policy::builder().deadline(secs(10)).backoff(Backoff::constant(HOUR));
    let policy = policy.build().unwrap();
    let mut call = Call::begin(&policy, at_secs(0));
    call.start(&policy);
    let failed = Classification::new(TRANSIENT);
    let cause = redress::event::Cause::Exception;
    let decision = call.fail(&policy, at_secs(1), &failed, cause, &mut NoRandom, &());
    assert_eq!((decision, call.is_too_long()), (Decision::TooLong { after: HOUR }, true));
    call.start(&policy);
    assert!(!call.is_too_long());
    assert_eq!(call.next_sleep(StopReason::DeadlineExceeded), None);
}

/// A deadline of thousands of years is one.
#[test]
fn a_very_long_deadline_is_counted_down() {
    let long = Duration::from_micros(1 << 62);
    let policy = each_second().deadline(long).build().unwrap();
    let clock = MockClock::new();
    let mut retry = on(&policy, &clock);
    let mut steps = retry.begin().unwrap();
    assert_eq!(steps.start().unwrap().remaining, long);
}

/// A clock that is set back while an attempt runs makes it no longer, and no shorter.
#[test]
fn a_clock_that_is_set_back_takes_no_time_from_an_attempt() {
    let policy = each_second().attempt_timeout(secs(5)).build().unwrap();
    let clock = MockClock::new();
    clock.jump_to(at_secs(1000));
    let outcome: Outcome<(), _> = on(&policy, &clock).execute(|attempt| {
        clock.jump_to(at_secs(500 - u64::from(attempt.number) * 10));
        Err(CONFLICT)
    });
    assert_eq!((outcome.attempts, outcome.last_class()), (6, Some(CONFLICT)));
    // While it is waited for it has all of its time.
    clock.jump_to(at_secs(1000));
    let once = each_second().attempt_timeout(secs(5)).max_attempts(1).build().unwrap();
    let outcome = block_on(on(&once, &clock).execute_async(async |_| {
        clock.jump_to(at_secs(500));
        std::future::pending::<Result<(), ErrorClass>>().await
    }));
    assert_eq!((outcome.last_class(), clock.now()), (Some(TRANSIENT), at_secs(505)));
}

/// An executor may come back to an attempt when its time is over long since.
#[test]
fn an_attempt_whose_time_was_over_before_it_waits_is_ended_at_once() {
    let policy = each_second().attempt_timeout(secs(5)).build().unwrap();
    let clock = MockClock::new();
    let outcome = block_on(on(&policy, &clock).execute_async(async |attempt| {
        if attempt.number == 1 {
            clock.advance(secs(7));
            std::future::pending::<()>().await;
        }
        Ok::<_, ErrorClass>(attempt.number)
    }));
    assert_eq!((outcome.result, outcome.elapsed, clock.slept()), (Ok(2), secs(8), secs(1)));
}

/// A policy that needs no time has it where anything else does, whatever the clock shows.
#[test]
fn an_untimed_policy_is_timed_where_a_caller_needs_it() {
    let policy = untimed();
    let clock = MockClock::new();
    clock.jump_to(at_secs(1000));
    // A deadline of the call.
    let result = on(&policy, &clock).deadline(secs(3)).call(|_| Err::<(), _>(TRANSIENT));
    assert_eq!((outcome(result).attempts, clock.slept()), (3, secs(2)));
    let hangs = async |_| poll_fn(|_| Poll::<Result<(), ErrorClass>>::Pending).await;
    let ended = block_on(on(&policy, &clock).deadline(secs(3)).execute_async(hangs));
    assert_eq!(ended.stop_reason(), Some(StopReason::DeadlineExceeded));
    assert_eq!((ended.attempts, ended.elapsed), (1, secs(3)));
    // A timeout of attempts.
    let timed = each_second().no_deadline().attempt_timeout(secs(5)).build().unwrap();
    let result = on(&timed, &clock).call(|_| {
        clock.advance(secs(1));
        Err::<(), _>(CONFLICT)
    });
    assert_eq!(outcome(result).last_class(), Some(CONFLICT));
    // An observer.
    let mut recorder = Recorder::<4>::new();
    let mut retry = on(&policy, &clock).observer(&mut recorder);
    retry
        .call(|_| {
            clock.advance(secs(3));
            Ok::<_, ErrorClass>(())
        })
        .unwrap();
    drop(retry);
    assert_eq!(recorder.events()[0].elapsed, secs(3));
    // A breaker that counts slow calls.
    const SLOW: BreakerConfig<SliceRule> =
        BreakerConfig::slices(secs(60), 1000, 1).slow_calls(secs(5), 1000);
    for (takes, state) in [(1, CircuitState::Closed), (5, CircuitState::Open)] {
        let breaker = RefCell::new(Breaker::<TimeSlices<1>>::new(&SLOW).unwrap());
        let done = on(&policy, &clock).breaker(&breaker).call(|_| {
            clock.advance(secs(takes));
            Ok::<_, ErrorClass>(())
        });
        assert!(done.is_ok());
        assert_eq!(breaker.borrow().state(), state, "{takes}");
    }
}

/// Each control is asked, in whatever order they were set.
#[test]
fn controls_pass_on_what_they_do_not_decide() {
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let (asked, hooked) = (Cell::new(0), Cell::new(0));
    let no = || {
        asked.set(asked.get() + 1);
        false
    };
    let hook = |_: &BackoffContext, _| hooked.set(hooked.get() + 1);
    let defer = |_: &BackoffContext, _| SleepDecision::Defer;
    let fails = |_| Err::<(), _>(TRANSIENT);
    let deferred = on(&policy, &clock).sleep_handler(defer).abort_if(no).execute(fails);
    assert_eq!(deferred.stop_reason(), Some(StopReason::Scheduled));
    assert_eq!(asked.replace(0), 3);
    let deferred = on(&policy, &clock)
        .sleep_handler(defer)
        .before_sleep(hook)
        .deadline(secs(9))
        .execute(fails);
    assert_eq!((deferred.stop_reason(), hooked.get()), (Some(StopReason::Scheduled), 0));
    let slept = |outcome: &Outcome<(), _>| {
        assert_eq!(outcome.attempts, 6);
        hooked.replace(0)
    };
    let outcome = on(&policy, &clock).before_sleep(hook).abort_if(no).execute(fails);
    assert_eq!(slept(&outcome), 5);
    let outcome = on(&policy, &clock).before_sleep(hook).before_sleep(hook).execute(fails);
    assert_eq!(slept(&outcome), 10);
    let sleeps = |_: &BackoffContext, _| SleepDecision::Sleep;
    let outcome = on(&policy, &clock).before_sleep(hook).sleep_handler(sleeps).execute(fails);
    assert_eq!(slept(&outcome), 5);
    let outcome = on(&policy, &clock).before_sleep(hook).deadline(HOUR).execute(fails);
    assert_eq!(slept(&outcome), 5);
    // Of two predicates either aborts, also behind a deadline, a handler and a hook.
    for (first, second) in [(true, false), (false, true)] {
        let retry = on(&policy, &clock).abort_if(move || first).abort_if(move || second);
        let mut retry = retry.deadline(HOUR).sleep_handler(sleeps).before_sleep(hook);
        let outcome = retry.execute(|_| -> Result<(), ErrorClass> { panic!("it is aborted") });
        assert_eq!((outcome.stop_reason(), outcome.attempts), (Some(StopReason::Aborted), 0));
        assert_eq!(outcome.result.unwrap_err().to_string(), "ABORTED after 0 attempts");
    }
    // A deadline is known behind all of them.
    let retry = on(&policy, &clock).deadline(secs(7)).abort_if(|| false);
    let mut retry = retry.sleep_handler(sleeps).before_sleep(hook);
    assert_eq!(retry.call(|attempt| Ok(attempt.remaining)), Ok(secs(7)));
}

/// A hook before a retry leaves it to what was set before it which values are failures.
#[test]
fn a_hook_before_a_retry_changes_nothing_of_what_a_failure_is() {
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let hooked = Cell::new(0);
    let mut retry = on(&policy, &clock)
        .classify_value(|value: &u32| (*value < 3).then_some(TRANSIENT))
        .before_retry_async(async |_, _: &Last<_, u32>| {
            hooked.set(hooked.get() + 1);
            ControlFlow::Continue(())
        });
    let done = block_on(retry.call_async(async |attempt| Ok::<_, ErrorClass>(attempt.number)));
    assert_eq!((done, hooked.get()), (Ok(3), 2));
}

/// A call is over once.
#[test]
fn the_end_of_a_call_is_observed_once() {
    let policy = each_second().deadline(secs(10)).build().unwrap();
    let clock = MockClock::new();
    let mut recorder = Recorder::<8>::new();
    let mut retry = on(&policy, &clock).observer(&mut recorder);
    let mut steps = retry.begin().unwrap();
    steps.start().unwrap();
    assert_eq!((steps.abort(), steps.abort()), (StopReason::Aborted, StopReason::Aborted));
    drop(steps);
    drop(retry);
    assert_eq!(recorder.kinds(), [EventKind::Aborted]);
    let hint = Classification::new(ErrorClass::RateLimit).retry_after(HOUR);
    const FALLBACK: Backoff = Backoff::constant(secs(1));
    let follows = Backoff::retry_after_or(&FALLBACK, Duration::ZERO);
    let policy = Policy::builder().deadline(secs(10)).backoff(follows).build().unwrap();
    let mut recorder = Recorder::<8>::new();
    let mut retry = on(&policy, &clock).observer(&mut recorder);
    let mut steps = retry.begin().unwrap();
    steps.start().unwrap();
    assert_eq!(steps.fail(hint), Decision::TooLong { after: HOUR });
    assert_eq!(steps.on_sleep_decision(SleepDecision::Abort), Decision::Stop(StopReason::Aborted));
    // What is over is not suspended, either.
    let _ = steps.suspend();
    drop(steps);
    drop(retry);
    assert_eq!(recorder.kinds(), [EventKind::Aborted]);
}

/// A result that draws a random number for its breaker settles its call as any other.
#[test]
fn a_call_whose_breaker_draws_a_random_number_is_settled_once() {
    const ONCE: Policy = Policy::once();
    const JITTER: BreakerConfig<redress::breaker::FailureRule> =
        BreakerConfig::failures(1, secs(60)).recovery_jitter(secs(1));
    let breaker = RefCell::new(Breaker::<redress::breaker::FailureTimes<1>>::new(&JITTER).unwrap());
    let clock = MockClock::new();
    let mut recorder = Recorder::<8>::new();
    let mut retry = on(&ONCE, &clock).breaker(&breaker).observer(&mut recorder);
    assert!(retry.call(|_| Err::<(), _>(TRANSIENT)).is_err());
    drop(retry);
    assert_eq!(recorder.kinds(), [EventKind::MaxAttemptsExceeded, EventKind::CircuitOpened]);
}

/// A limiter of your own that is asked for an attempt by its number.
struct Asked(RefCell<Vec<u32>>, Turn);

impl Withdraw for Asked {
    fn withdraw(&self, _: Instant) -> bool {
        true
    }
}

impl Pool for Asked {
    const LIMITS: bool = true;

    fn deposit(&self) {}

    fn attempt(&self, _: Instant, number: u32) -> Turn {
        self.0.borrow_mut().push(number);
        self.1
    }
}

#[test]
fn each_attempt_asks_for_its_own_turn_by_its_number() {
    let policy = each_second().no_deadline().max_attempts(3).build().unwrap();
    let clock = MockClock::new();
    let mut retry = on(&policy, &clock).budget(Asked(RefCell::default(), Turn::Now));
    let mut steps = retry.begin().unwrap();
    for _ in 0..3 {
        // Asked for beforehand, or not: once for each.
        assert_eq!(steps.turn(), Ok(None));
        assert_eq!(steps.turn(), Ok(None));
        steps.start().unwrap();
        steps.fail(TRANSIENT);
    }
    drop(steps);
    let limiter = RateLimiter::<3, _>::new(&THREE).unwrap();
    let limiter = RefCell::new(limiter);
    let numbers = RefCell::new(Vec::new());
    let pool = Limited::new((), &limiter).cost(|number| {
        numbers.borrow_mut().push(number);
        1
    });
    let outcome: Outcome<(), _> = on(&policy, &clock).budget(pool).execute(|_| Err(TRANSIENT));
    assert_eq!((outcome.attempts, numbers.take()), (3, vec![1, 2, 3]));
    // Without asking first, the fourth attempt is deferred.
    let mut retry = on(&policy, &clock).limiter(&limiter);
    let mut steps = retry.begin().unwrap();
    assert_eq!(steps.start().err(), Some(StopReason::Scheduled));
    drop(steps);
    clock.advance(HOUR);
    let mut steps = retry.begin().unwrap();
    for started in [true, true, true, false] {
        assert_eq!(steps.start().is_ok(), started);
    }
}

static THREE: LimiterConfig = LimiterConfig::new().window(3, HOUR);

/// A turn that never comes is waited for where nothing bounds the call.
#[test]
fn a_wait_without_end_fits_a_call_without_a_deadline() {
    let clock = MockClock::new();
    for (policy, waits) in [(untimed(), true), (each_second().build().unwrap(), false)] {
        let endless = Asked(RefCell::default(), Turn::Wait(Duration::MAX));
        let mut retry = on(&policy, &clock).budget(endless);
        let mut steps = retry.begin().unwrap();
        let turn = steps.turn();
        let refused = Err(StopReason::DeadlineExceeded);
        assert_eq!(turn, if waits { Ok(Some(Duration::MAX)) } else { refused });
    }
}

/// The first attempt of an admitted call is made, whatever other calls do to the breaker meanwhile.
#[test]
fn a_breaker_that_opens_before_the_first_attempt_does_not_stop_it() {
    const CHECKED: BreakerConfig<redress::breaker::FailureRule> =
        BreakerConfig::failures(1, secs(60)).check_before_retry(true);
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let breaker =
        RefCell::new(Breaker::<redress::breaker::FailureTimes<1>>::new(&CHECKED).unwrap());
    let mut retry = on(&policy, &clock).breaker(&breaker);
    let mut steps = retry.begin().unwrap();
    breaker.borrow_mut().trip(clock.now());
    steps.start().unwrap();
    steps.fail(TRANSIENT);
    assert_eq!(steps.start().err(), Some(StopReason::CircuitOpen));
}

/// What an observer learns where a call is put aside for a turn that does not fit.
#[test]
fn a_turn_that_does_not_fit_is_observed_where_the_call_is_suspended() {
    let policy = each_second().deadline(secs(30)).build().unwrap();
    let clock = MockClock::new();
    let limiter = RefCell::new(RateLimiter::<3, _>::new(&THREE).unwrap());
    let all = Limited::new((), &limiter).cost(3);
    assert!(on(&policy, &clock).budget(all).call(|_| Ok(())).is_ok());
    let mut recorder = Recorder::<4>::new();
    let mut retry = on(&policy, &clock).limiter(&limiter).observer(&mut recorder);
    let progress = retry.call_or_suspend(secs(10), |_| Ok(()));
    let Progress::Suspended(call) = progress else { panic!("it waits for an hour") };
    assert_eq!(call.wake_after, HOUR);
    let resumed = retry.resume(&call.bytes, clock.now(), None).unwrap();
    assert!(format!("{resumed:?}").contains("due: Instant(3600000000)"), "{resumed:?}");
    drop(resumed);
    drop(retry);
    assert_eq!(recorder.kinds()[0], EventKind::Scheduled);
}
