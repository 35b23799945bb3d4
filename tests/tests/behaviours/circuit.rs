//! Breakers by hand, their probes, and what may open them.

use std::cell::{Cell, RefCell};

use redress::breaker::{
    CallResult, FailureRule, FailureTimes, LastOutcomes, OutcomeRule, TimeSlices,
};
use redress::budget::{Pool, Withdraw};
use redress::classify::ClassSet;
use redress::driver::{Control, Decision};
use redress::event::{AttemptDecision, CircuitState};
use redress::random::from_fn;
use redress::testing::{MockClock, Recorder};
use redress::{
    Breaker, BreakerConfig, Classification, Clock, Duration, ErrorClass, Event, EventKind, Instant,
    Keyed, Observer, Policy, StopReason, by_key,
};

use crate::faults::{ARMED, at, panics};
use crate::{block_on, each_second, on};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const TRANSIENT: ErrorClass = ErrorClass::Transient;
const ONCE: Policy = Policy::once();
const CONFIG: BreakerConfig<FailureRule> = BreakerConfig::failures(1, secs(60));
type Small<'c> = Breaker<FailureTimes<1>, 1, &'c BreakerConfig<FailureRule>>;

fn breaker(config: &BreakerConfig<FailureRule>) -> RefCell<Small<'_>> {
    RefCell::new(Small::new(config).unwrap())
}

/// A breaker by hand says what it became, and an observer is notified of it without a class.
#[test]
fn a_breaker_is_opened_and_closed_by_hand() {
    use CircuitState::{Closed, Open};
    let (clock, breaker) = (MockClock::new(), breaker(&CONFIG));
    let mut events = Vec::new();
    let mut retry = on(&ONCE, &clock).breaker(&breaker).operation("op").on_event(|event| {
        events.push((event.kind, event.state, event.class, event.operation.to_owned()));
    });
    assert_eq!((retry.trip(), retry.trip()), (Some(Open), None));
    assert_eq!((retry.reset(), retry.reset()), (Some(Closed), None));
    assert_eq!((retry.isolate(), retry.isolate(), retry.trip()), (Some(Open), None, None));
    assert_eq!((retry.reset(), retry.trip(), retry.isolate()), (Some(Closed), Some(Open), None));
    drop(retry);
    let opened = (EventKind::CircuitOpened, Some(Open), None, "op".to_owned());
    let closed = (EventKind::CircuitClosed, Some(Closed), None, "op".to_owned());
    assert_eq!(events, [&opened, &closed, &opened, &closed, &opened].map(Clone::clone));
}

/// Tripped, it recovers as usual; isolated, it never does, and says that it does not know when.
#[test]
fn a_tripped_breaker_recovers_and_an_isolated_one_does_not() {
    let (clock, breaker) = (MockClock::new(), breaker(&CONFIG));
    let mut retry = on(&ONCE, &clock).breaker(&breaker);
    retry.trip();
    let rejected = retry.execute(|_| Ok::<_, ErrorClass>(())).rejection().unwrap();
    assert_eq!(rejected.retry_after, Some(secs(30)));
    // Tripped again, the recovery time begins anew.
    clock.advance(secs(20));
    retry.trip();
    clock.advance(secs(29));
    assert!(retry.call(|_| Ok::<_, ErrorClass>(())).is_err());
    clock.advance(secs(1));
    assert_eq!(retry.call(|_| Ok::<_, ErrorClass>(())), Ok(()));
    assert_eq!(breaker.borrow().state(), CircuitState::Closed);

    retry.isolate();
    clock.advance(Duration::MAX);
    let rejected = retry.execute(|_| Ok::<_, ErrorClass>(())).rejection().unwrap();
    assert_eq!((rejected.state, rejected.retry_after), (CircuitState::Open, None));
    assert_eq!(rejected.to_string(), "circuit is open, isolated until it is reset");
}

/// So does one of a key.
#[test]
fn a_breaker_of_a_key_is_opened_by_hand() {
    let clock = MockClock::new();
    let hosts = Keyed::<u8, Small<'_>, 4>::new(Small::new(&CONFIG).unwrap());
    let hosts = RefCell::new(hosts);
    let mut one = on(&ONCE, &clock).breaker(by_key(&hosts, 1));
    assert_eq!(one.trip(), Some(CircuitState::Open));
    assert!(one.call(|_| Ok::<_, ErrorClass>(())).is_err());
    assert!(on(&ONCE, &clock).breaker(by_key(&hosts, 2)).call(|_| Ok::<_, ErrorClass>(())).is_ok());
    assert_eq!(one.reset(), Some(CircuitState::Closed));
    assert!(one.call(|_| Ok::<_, ErrorClass>(())).is_ok());
}

/// A 404 of a probe shows that the upstream is alive.
#[test]
fn a_probe_opens_anew_only_on_the_classes_that_are_set() {
    let alive = CONFIG.half_open_on(ClassSet::of(&[TRANSIENT, ErrorClass::ServerError]));
    for (config, class, state) in [
        (CONFIG, ErrorClass::Permanent, CircuitState::Open),
        (alive, ErrorClass::Permanent, CircuitState::Closed),
        (alive, ErrorClass::ServerError, CircuitState::Open),
    ] {
        let (clock, breaker) = (MockClock::new(), breaker(&config));
        let mut retry = on(&ONCE, &clock).breaker(&breaker);
        retry.trip();
        clock.advance(secs(30));
        assert!(retry.call(|_| Err::<(), _>(class)).is_err());
        assert_eq!(breaker.borrow().state(), state, "{class}");
    }
}

/// Many clients of one upstream do not probe it together; no number is drawn without jitter.
#[test]
fn the_recovery_time_has_jitter_where_it_is_configured() {
    for (config, draw, wait) in [
        (CONFIG, u32::MAX, 30_000_000),
        (CONFIG.recovery_jitter(secs(10)), 0, 30_000_000),
        (CONFIG.recovery_jitter(secs(10)), 1 << 31, 35_000_000),
        (CONFIG.recovery_jitter(secs(10)), u32::MAX, 39_999_999),
    ] {
        let (clock, breaker, drawn) = (MockClock::new(), breaker(&config), Cell::new(0));
        let random = from_fn(|| {
            drawn.set(drawn.get() + 1);
            draw
        });
        let mut retry =
            ONCE.on(&clock, random).classify(|class: &ErrorClass| *class).breaker(&breaker);
        assert_eq!(retry.call(|_| Ok::<_, ErrorClass>(1)), Ok(1));
        assert!(retry.call(|_| Err::<(), _>(TRANSIENT)).is_err());
        assert_eq!(drawn.get(), u32::from(config != CONFIG), "only a failure draws");
        let rejected = breaker.borrow().check(clock.now()).unwrap_err();
        assert_eq!(rejected.retry_after, Some(Duration::from_micros(wait)));
        clock.advance(Duration::from_micros(wait - 1));
        assert!(breaker.borrow_mut().admit(clock.now()).is_err());
        clock.advance(Duration::from_micros(1));
        assert!(breaker.borrow_mut().admit(clock.now()).is_ok());
    }
}

/// A rate window opens also when a success fills it.
#[test]
fn a_success_that_fills_a_rate_window_opens_it() {
    let outcomes = BreakerConfig::outcomes(10, 500, 10);
    let mut last = Breaker::<LastOutcomes<1>, 1, _>::new(&outcomes).unwrap();
    let slices = BreakerConfig::slices(secs(1), 500, 10).slow_calls(secs(1), 1000);
    let mut times = Breaker::<TimeSlices<4>, 1, _>::new(&slices).unwrap();
    let now = MockClock::new().now();
    for nth in 0..10 {
        let result = if nth < 9 { CallResult::Failure(TRANSIENT) } else { CallResult::Success };
        let opens = (nth == 9).then_some(CircuitState::Open);
        let permit = last.admit_closed().unwrap();
        assert_eq!(last.settle(permit, result, now), opens);
        let permit = times.admit_closed().unwrap();
        assert_eq!(times.settle(permit, result, now), opens);
    }
}

/// A call that waits for its retry finds the breaker open by then, and ends.
#[test]
fn a_call_asks_the_breaker_before_each_retry_where_it_is_configured() {
    let policy = each_second().max_attempts(4).build().unwrap();
    for (checks, attempts, reason) in
        [(false, 4, StopReason::MaxAttemptsGlobal), (true, 2, StopReason::CircuitOpen)]
    {
        let config = CONFIG.check_before_retry(checks);
        let (clock, breaker) = (MockClock::new(), breaker(&config));
        for driver in 0..2 {
            let mut recorder = Recorder::<8>::new();
            let mut retry = on(&policy, &clock).breaker(&breaker).observer(&mut recorder);
            let run = |attempt: redress::Attempt| {
                if attempt.number == 2 {
                    breaker.borrow_mut().trip(clock.now());
                }
                Err::<(), _>(ErrorClass::RateLimit)
            };
            let outcome = match driver {
                0 => retry.execute(run),
                _ => block_on(retry.execute_async(async |attempt| run(attempt))),
            };
            drop(retry);
            assert_eq!((outcome.attempts, outcome.stop_reason()), (attempts, Some(reason)));
            assert_eq!(outcome.result.unwrap_err().into_error(), Some(ErrorClass::RateLimit));
            let last = recorder.kinds().last().copied();
            assert_eq!(last, Some(reason.event()));
            // Its result is that of a period that is over.
            assert_eq!(breaker.borrow().state(), CircuitState::Open);
            breaker.borrow_mut().reset();
        }
        // A probe never asks.
        breaker.borrow_mut().trip(clock.now());
        clock.advance(secs(30));
        let outcome =
            on(&policy, &clock).breaker(&breaker).execute(|_| Err::<(), _>(ErrorClass::RateLimit));
        assert_eq!(outcome.attempts, 4);
    }
}

/// Ten callers do not each send a request of their own into a Retry-After of thirty seconds.
#[test]
fn a_hint_keeps_other_callers_away() {
    let busy = Classification::new(ErrorClass::RateLimit).retry_after(secs(30));
    for (longest, sent, wait) in
        [(Duration::ZERO, 10, None), (secs(60), 1, Some(30)), (secs(20), 1, Some(20))]
    {
        let config = CONFIG.open_for_hint(longest);
        let (clock, breaker) = (MockClock::new(), breaker(&config));
        let mut requests = 0;
        let mut opened = Vec::new();
        for _ in 0..10 {
            let _ = ONCE
                .on(&clock, redress::random::NoRandom)
                .classify(|_: &()| busy)
                .breaker(&breaker)
                .on_event(|event: &Event<'_>| {
                    if event.kind == EventKind::CircuitOpened {
                        opened.push((event.class, event.state));
                    }
                })
                .call(|_| {
                    requests += 1;
                    Err::<(), _>(())
                });
        }
        assert_eq!(requests, sent);
        let event = (Some(ErrorClass::RateLimit), Some(CircuitState::Open));
        assert_eq!(opened, vec![event; usize::from(wait.is_some())]);
        let rejected = breaker.borrow().check(clock.now()).err();
        assert_eq!(rejected.and_then(|open| open.retry_after), wait.map(secs));
        // Then it recovers as usual.
        clock.advance(secs(30));
        assert!(on(&ONCE, &clock).breaker(&breaker).call(|_| Ok::<_, ErrorClass>(())).is_ok());
        assert_eq!(breaker.borrow().state(), CircuitState::Closed);
    }
}

/// Of a key alone; other classes and failures without a hint do not hold a breaker.
#[test]
fn a_hint_holds_the_breaker_of_its_key() {
    let config = CONFIG.open_for_hint(secs(60));
    let clock = MockClock::new();
    let hosts = RefCell::new(Keyed::<u8, Small<'_>, 4>::new(Small::new(&config).unwrap()));
    let fail = |key, failure: Classification| {
        let mut retry = ONCE
            .on(&clock, redress::random::NoRandom)
            .classify(move |_: &()| failure)
            .breaker(by_key(&hosts, key));
        let _ = retry.call(|_| Err::<(), _>(()));
        hosts.borrow().peek(&key).unwrap().state()
    };
    let with = |class| Classification::new(class).retry_after(secs(30));
    assert_eq!(fail(1, with(ErrorClass::Concurrency)), CircuitState::Closed);
    assert_eq!(fail(1, ErrorClass::RateLimit.into()), CircuitState::Closed);
    assert_eq!(fail(2, with(ErrorClass::ServerError)), CircuitState::Open);
    assert_eq!(hosts.borrow().peek(&1).unwrap().state(), CircuitState::Closed);
}

/// A longer hint of a call that was admitted before keeps it open for longer; a probe that is
/// rejected with a hint opens it for the longer of hint and recovery time.
#[test]
fn a_further_hint_never_shortens_how_long_it_is_open() {
    let config = CONFIG.open_for_hint(secs(600));
    let (clock, breaker) = (MockClock::new(), breaker(&config));
    let now = clock.now();
    let mut breaker = breaker.borrow_mut();
    let (first, second) = (breaker.admit_closed().unwrap(), breaker.admit_closed().unwrap());
    assert_eq!(breaker.hold(first, secs(100), now), Some(CircuitState::Open));
    for (hint, wait) in [(50, 100), (200, 200), (9_999, 600)] {
        assert_eq!(breaker.hold(second, secs(hint), now), None);
        assert_eq!(breaker.check(now).unwrap_err().retry_after, Some(secs(wait)));
    }
    assert_eq!(breaker.settle(first, CallResult::Failure(TRANSIENT), now), None);
    for (hint, wait) in [(1, 30), (100, 100)] {
        breaker.trip(clock.now());
        clock.advance(secs(30));
        let probe = breaker.admit(clock.now()).unwrap().permit;
        assert_eq!(breaker.hold(probe, secs(hint), clock.now()), Some(CircuitState::Open));
        assert_eq!(breaker.check(clock.now()).unwrap_err().retry_after, Some(secs(wait)));
    }
}

/// Callers read the clock before they take the lock: an instant that is a little earlier takes
/// nothing from a probe, and a clock that was set back does not wedge the breaker.
#[test]
fn a_stale_instant_takes_nothing_from_a_probe() {
    let lease = secs(60);
    for back in [1, 30_000_000, 59_999_999] {
        let (clock, breaker) = (MockClock::new(), breaker(&CONFIG));
        let mut breaker = breaker.borrow_mut();
        clock.advance(secs(1_000));
        breaker.trip(clock.now());
        clock.advance(secs(100));
        let probe = breaker.admit(clock.now()).unwrap().permit;
        let stale = clock.now().saturating_sub(Duration::from_micros(back));
        let rejected = breaker.admit(stale).unwrap_err();
        assert_eq!(rejected.retry_after, Some(secs(30)));
        let closed = breaker.settle(probe, CallResult::Success, stale);
        assert_eq!(closed, Some(CircuitState::Closed), "{back}");
    }
    // Set back by a lease and more, the place of a lost probe is free after two leases.
    for back in [60, 61, 1_000] {
        let (clock, breaker) = (MockClock::new(), breaker(&CONFIG));
        let mut breaker = breaker.borrow_mut();
        clock.advance(secs(2_000));
        breaker.trip(clock.now());
        clock.advance(secs(100));
        let _lost = breaker.admit(clock.now()).unwrap();
        let set_back = clock.now().saturating_sub(secs(back));
        assert!(breaker.admit(set_back).is_err());
        let later = set_back.saturating_add(lease).saturating_add(lease);
        assert!(breaker.admit(later).is_ok(), "{back}");
    }
}

/// A call that is dropped is aborted for observers, too, so that a gauge of calls in flight
/// comes back to zero.
#[test]
fn a_dropped_call_is_observed() {
    #[derive(Default)]
    struct Gauge {
        attempts: i32,
        ended: Vec<(EventKind, Option<StopReason>, u32)>,
        decisions: Vec<AttemptDecision>,
    }
    impl Observer for Gauge {
        fn event(&mut self, event: &Event<'_>) {
            if event.stop_reason.is_some() || event.kind == EventKind::Success {
                self.ended.push((event.kind, event.stop_reason, event.attempt));
            }
        }
        fn attempt_start(&mut self, _: &redress::event::AttemptContext<'_>) {
            self.attempts += 1;
        }
        fn attempt_end(&mut self, attempt: &redress::event::AttemptContext<'_>) {
            self.attempts -= 1;
            self.decisions.extend(attempt.decision);
        }
    }
    let policy = each_second().no_deadline().build().unwrap();
    let clock = MockClock::new();
    let aborted = |attempt| vec![(EventKind::Aborted, Some(StopReason::Aborted), attempt)];

    // In flight.
    let mut gauge = Gauge::default();
    let mut retry = on(&policy, &clock).observer(&mut gauge);
    {
        let call =
            retry.call_async(async |_| std::future::pending::<Result<(), ErrorClass>>().await);
        let mut call = std::pin::pin!(call);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(call.as_mut().poll(&mut context).is_pending());
    }
    drop(retry);
    assert_eq!((gauge.attempts, &gauge.ended), (0, &aborted(1)));
    assert_eq!(gauge.decisions, [AttemptDecision::Aborted]);

    // Between two attempts, and by a panic of the operation.
    let mut gauge = Gauge::default();
    let mut retry = on(&policy, &clock).observer(&mut gauge);
    let mut steps = retry.begin().unwrap();
    steps.start().unwrap();
    let _ = steps.fail(TRANSIENT);
    drop(steps);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        retry.call(|_| -> Result<(), ErrorClass> { panic!("of the operation") })
    }));
    assert!(panicked.is_err());
    drop(retry);
    assert_eq!((gauge.attempts, &gauge.ended), (0, &[aborted(1), aborted(1)].concat()));
    assert_eq!(gauge.decisions, [AttemptDecision::Retry, AttemptDecision::Aborted]);

    // What ended by itself is not aborted as well.
    let mut gauge = Gauge::default();
    let _ = on(&policy, &clock).observer(&mut gauge).call(|_| Ok::<_, ErrorClass>(()));
    assert_eq!(gauge.ended, [(EventKind::Success, None, 1)]);
}

/// An observer that panics is not notified once more while the stack unwinds.
#[test]
fn an_observer_that_panics_is_left_alone() {
    struct Panics(u32);
    impl Observer for Panics {
        fn event(&mut self, _: &Event<'_>) {
            self.0 += 1;
            panic!("of the observer");
        }
    }
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    for result in [Ok(()), Err(TRANSIENT)] {
        let mut observer = Panics(0);
        let mut retry = on(&policy, &clock).observer(&mut observer);
        let call = std::panic::AssertUnwindSafe(|| retry.call(|_| result));
        assert!(std::panic::catch_unwind(call).is_err());
        drop(retry);
        assert_eq!(observer.0, 1);
    }
}

/// What is closed admits, so a call goes on although it was forgotten what it began with: the
/// breaker was reset, or has made room for another key and come back.
#[test]
fn a_call_goes_on_behind_a_breaker_that_is_closed() {
    let policy = each_second().build().unwrap();
    let config = CONFIG.check_before_retry(true);
    let (clock, closed) = (MockClock::new(), breaker(&config));
    let outcome = on(&policy, &clock).breaker(&closed).execute(|attempt| {
        closed.borrow_mut().reset();
        if attempt.number == 1 { Err(ErrorClass::RateLimit) } else { Ok(()) }
    });
    assert_eq!((outcome.attempts, outcome.is_ok()), (2, true));

    let hosts = Keyed::<u8, Small<'_>, 1>::new(Small::new(&config).unwrap());
    let hosts = RefCell::new(hosts);
    let outcome = on(&policy, &clock).breaker(by_key(&hosts, 1)).execute(|attempt| {
        for key in [2, 1] {
            hosts.borrow_mut().entry(&key);
        }
        if attempt.number == 1 { Err(ErrorClass::RateLimit) } else { Ok(()) }
    });
    assert_eq!((outcome.attempts, outcome.is_ok()), (2, true));
}

/// A breaker that a success opens has jitter, too: one that fills a window, or a slow probe.
#[test]
fn a_success_that_opens_a_breaker_has_jitter_too() {
    let outcomes = BreakerConfig::outcomes(2, 500, 2).recovery_jitter(secs(10));
    let breaker = RefCell::new(Breaker::<LastOutcomes<1>, 1, _>::new(&outcomes).unwrap());
    let clock = MockClock::new();
    let mut retry = ONCE
        .on(&clock, from_fn(|| 1 << 31))
        .classify(|class: &ErrorClass| *class)
        .breaker(&breaker);
    assert!(retry.call(|_| Err::<(), _>(TRANSIENT)).is_err());
    assert!(retry.call(|_| Ok::<_, ErrorClass>(())).is_ok());
    let rejected = breaker.borrow().check(clock.now()).unwrap_err();
    assert_eq!(rejected.retry_after, Some(secs(35)));

    let slices =
        BreakerConfig::slices(secs(1), 500, 10).slow_calls(secs(1), 1000).recovery_jitter(secs(10));
    let breaker = RefCell::new(Breaker::<TimeSlices<4>, 1, _>::new(&slices).unwrap());
    let mut retry = retry.breaker(&breaker);
    retry.trip();
    clock.advance(secs(30));
    let slow = retry.call(|_| {
        clock.advance(secs(1));
        Ok::<_, ErrorClass>(())
    });
    assert!(slow.is_ok());
    let rejected = breaker.borrow().check(clock.now()).unwrap_err();
    assert_eq!(rejected.retry_after, Some(secs(35)));
}

/// A breaker that nothing is known of is closed: to reset it takes the place of no other.
#[test]
fn the_reset_of_a_key_without_a_breaker_makes_no_room() {
    let clock = MockClock::new();
    let hosts = Keyed::<u8, Small<'_>, 1>::new(Small::new(&CONFIG).unwrap());
    let hosts = RefCell::new(hosts);
    hosts.borrow_mut().entry(&1);
    assert_eq!(on(&ONCE, &clock).breaker(by_key(&hosts, 2)).reset(), None);
    assert!(hosts.borrow().peek(&1).is_some());
}

/// A control that may panic where it gives a deadline.
struct Hesitant;

impl Control for Hesitant {
    const HAS_DEADLINE: bool = true;

    fn deadline(&self) -> Option<Duration> {
        at("deadline");
        None
    }
}

/// A budget that may panic when a call begins.
struct Clumsy;

impl Withdraw for Clumsy {
    fn withdraw(&self, _: Instant) -> bool {
        true
    }
}

impl Pool for Clumsy {
    fn deposit(&self) {
        at("deposit");
    }
}

/// What panics before a probe is under way, or when its result is in, leaves its place free.
#[test]
fn a_panic_at_either_end_of_a_call_leaves_the_place_of_a_probe_free() {
    let config = CONFIG.recovery_jitter(secs(1));
    for place in ["deadline", "deposit", "jitter"] {
        let clock = MockClock::new();
        let breaker = RefCell::new(Breaker::<FailureTimes<1>, 1, _>::new(&config).unwrap());
        let draws = from_fn(|| {
            at("jitter");
            0
        });
        let mut retry = ONCE
            .on(&clock, draws)
            .classify(|class: &ErrorClass| *class)
            .breaker(&breaker)
            .budget(Clumsy)
            .control(Hesitant);
        retry.trip();
        clock.advance(secs(30));
        ARMED.set(place);
        assert!(panics(|| retry.call(|_| Err::<(), _>(TRANSIENT))), "{place}");
        assert_eq!(breaker.borrow().check(clock.now()), Ok(()), "{place}");
    }
}

/// A call whose own hint opens the breaker is rejected before its retry, if it asks: the linter
/// finds such settings.
#[test]
fn a_call_whose_own_hint_opens_the_breaker_is_rejected_before_its_retry() {
    let policy = each_second().build().unwrap();
    let busy = Classification::new(ErrorClass::RateLimit).retry_after(secs(1));
    for (asks, attempts, reason) in [(false, 2, None), (true, 1, Some(StopReason::CircuitOpen))] {
        let config = CONFIG.open_for_hint(secs(60)).check_before_retry(asks);
        let (clock, breaker) = (MockClock::new(), breaker(&config));
        let mut retry =
            on(&policy, &clock).classify(|hint: &Classification| *hint).breaker(&breaker);
        let outcome = retry.execute(|attempt| if attempt.number == 1 { Err(busy) } else { Ok(()) });
        assert_eq!((outcome.attempts, outcome.stop_reason()), (attempts, reason));
        assert_eq!(clock.elapsed(), secs(1));
    }
}

/// A breaker that a configuration may leave out does all that one does which is always there.
#[test]
fn an_optional_breaker_is_asked_for_everything() {
    const HELD: BreakerConfig<OutcomeRule> = BreakerConfig::outcomes(64, 1000, 64)
        .open_for_hint(Duration::from_secs(30))
        .check_before_retry(true);
    type Held = Breaker<LastOutcomes<2>>;
    let policy = each_second().build().unwrap();
    let busy = Classification::new(ErrorClass::RateLimit).retry_after(Duration::from_secs(10));
    for is_there in [true, false] {
        let (clock, breaker) = (MockClock::new(), RefCell::new(Held::new(&HELD).unwrap()));
        let gate = is_there.then_some(&breaker);
        let mut retry =
            policy.on(&clock, redress::random::NoRandom).classify(|_: &()| busy).breaker(gate);
        let outcome = retry.execute(|attempt| if attempt.number == 1 { Err(()) } else { Ok(()) });
        let reason = outcome.result.as_ref().err().and_then(redress::Error::stop_reason);
        let state = breaker.borrow().state();
        if is_there {
            assert_eq!((reason, state), (Some(StopReason::CircuitOpen), CircuitState::Open));
        } else {
            assert_eq!((reason, state), (None, CircuitState::Closed));
        }
        // By hand, and over a deep sleep with a permit or without one.
        assert_eq!(retry.reset(), is_there.then_some(CircuitState::Closed));
        let mut steps = retry.begin().unwrap();
        steps.start().unwrap();
        assert!(matches!(steps.fail(TRANSIENT), Decision::Retry { .. }));
        let call = steps.suspend().unwrap();
        drop(steps);
        assert!(retry.resume(&call.bytes, call.at, None).is_ok());
    }
}
