//! The breaker around calls.

use std::cell::RefCell;
use std::sync::{Barrier, Mutex};

use redress::breaker::{
    CallResult, FailureRule, FailureTimes, LastOutcomes, SliceRule, TimeSlices,
};
use redress::event::CircuitState;
use redress::testing::MockClock;
use redress::{
    Breaker, BreakerConfig, Clock, Duration, ErrorClass, EventKind, Instant, Policy, StopReason,
};

use crate::{block_on, each_second, on};

const SECOND: Duration = Duration::from_secs(1);
const CONFIG: BreakerConfig<FailureRule> = BreakerConfig::failures(2, Duration::from_secs(60));
type Small = Breaker<FailureTimes<2>>;

/// Lines 48, 49, 50, 51, 90.
#[test]
fn a_call_counts_once_and_a_rejected_one_is_not_made() {
    let policy = each_second().max_attempts(3).build().unwrap();
    let clock = MockClock::new();
    let breaker = RefCell::new(Small::new(&CONFIG).unwrap());
    let mut events = Vec::new();
    let mut retry = on(&policy, &clock).breaker(&breaker).operation("op").on_event(|event| {
        if let Some(state) = event.state {
            events.push((event.kind, state, event.attempt, event.operation.to_owned()));
        }
    });
    for _ in 0..2 {
        assert_eq!(retry.execute(|_| Err::<(), _>(ErrorClass::Transient)).attempts, 3);
    }
    for _ in 0..5 {
        let outcome = retry.execute(|_| -> Result<(), ErrorClass> { panic!("it is open") });
        assert_eq!(outcome.attempts, 0);
        assert_eq!(outcome.rejection().unwrap().state, CircuitState::Open);
    }
    drop(retry);
    let rejected = breaker.borrow().check(clock.now()).unwrap_err();
    assert_eq!(rejected.retry_after, Some(Duration::from_secs(30)));
    let opened = (EventKind::CircuitOpened, CircuitState::Open, 0, "op".to_owned());
    let rejected = (EventKind::CircuitRejected, CircuitState::Open, 0, "op".to_owned());
    assert_eq!(events[0], opened);
    assert_eq!(events[1..], vec![rejected; 5]);
}

/// Lines 40, 41: and in half-open any class opens anew.
#[test]
fn a_class_that_does_not_trip_is_ignored_until_half_open() {
    const ONCE: Policy = Policy::once();
    let clock = MockClock::new();
    let breaker = RefCell::new(Small::new(&CONFIG).unwrap());
    let mut retry = on(&ONCE, &clock).breaker(&breaker);
    let mut fail = |class| retry.execute(|_| Err::<(), _>(class));
    for _ in 0..9 {
        fail(ErrorClass::Permanent);
    }
    assert_eq!(breaker.borrow().state(), CircuitState::Closed);
    fail(ErrorClass::ServerError);
    fail(ErrorClass::Transient);
    assert_eq!(breaker.borrow().state(), CircuitState::Open);
    clock.advance(Duration::from_secs(30));
    fail(ErrorClass::Permanent);
    assert_eq!(breaker.borrow().state(), CircuitState::Open);
}

/// Line 54.
#[test]
fn settings_out_of_range_are_refused_by_name() {
    let failures = BreakerConfig::failures(1, SECOND);
    for (config, field) in [
        (BreakerConfig::failures(0, SECOND), "breaker.failure_threshold"),
        (BreakerConfig::failures(1, Duration::ZERO), "breaker.window"),
        (BreakerConfig::failures(3, SECOND), "breaker.thresholds"),
        (failures.recovery_timeout(Duration::ZERO), "breaker.recovery_timeout"),
        (failures.recovery_growth_to(SECOND), "breaker.recovery_growth_to"),
        (failures.lease(Duration::ZERO), "breaker.lease"),
        (failures.half_open_permits(0), "breaker.half_open_permits"),
        (failures.half_open_permits(2), "breaker.half_open_permits"),
        (failures.successes_to_close(0), "breaker.successes_to_close"),
        (failures.successes_to_close(16), "breaker.successes_to_close"),
    ] {
        let refused = Breaker::<FailureTimes<2>, 1, _>::new(&config).unwrap_err();
        assert_eq!(refused.field(), field);
    }
    for (size, rate, min) in [(0, 500, 1), (33, 500, 1), (9, 0, 1), (9, 1001, 1), (9, 500, 10)] {
        let config = BreakerConfig::outcomes(size, rate, min);
        assert!(Breaker::<LastOutcomes<1>, 1, _>::new(&config).is_err());
    }
    let config = BreakerConfig::slices(Duration::ZERO, 500, 1);
    assert!(Breaker::<TimeSlices<2>, 1, _>::new(&config).is_err());
}

/// Lines 45, 131.
#[test]
fn of_fifty_threads_that_ask_at_once_one_is_the_probe() {
    const THREADS: usize = if cfg!(miri) { 8 } else { 50 };
    for permits in [1, 3] {
        let config = CONFIG.half_open_permits(permits);
        let breaker = Breaker::<FailureTimes<2>, 3, _>::new(&config).unwrap();
        let breaker = Mutex::new(breaker);
        for _ in 0..2 {
            let mut locked = breaker.lock().unwrap();
            let permit = locked.admit_closed().unwrap();
            locked.settle(permit, CallResult::Failure(ErrorClass::Transient), Instant::ZERO);
        }
        let later = Instant::ZERO.saturating_add(Duration::from_secs(30));
        let barrier = Barrier::new(THREADS);
        let ask = || {
            barrier.wait();
            breaker.lock().unwrap().admit(later).is_ok()
        };
        let admitted = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().filter(|_| true).map(|t| t.join().unwrap()).filter(|ok| *ok).count()
        });
        assert_eq!(admitted, usize::from(permits));
    }
}

/// Lines 47, 98, 130, 132: the future is dropped while the probe waits.
#[test]
fn a_dropped_probe_gives_its_place_back() {
    // The mock clock's timers fire at once.
    let policy = each_second().no_deadline().build().unwrap();
    let clock = MockClock::new();
    let breaker = RefCell::new(Small::new(&CONFIG).unwrap());
    for _ in 0..2 {
        let mut breaker = breaker.borrow_mut();
        let permit = breaker.admit_closed().unwrap();
        breaker.settle(permit, CallResult::Failure(ErrorClass::Transient), clock.now());
    }
    clock.advance(Duration::from_secs(30));
    let mut retry = on(&policy, &clock).breaker(&breaker);
    {
        let call =
            retry.call_async(async |_| std::future::pending::<Result<(), ErrorClass>>().await);
        let mut call = std::pin::pin!(call);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(call.as_mut().poll(&mut context).is_pending());
        assert!(breaker.borrow_mut().admit(clock.now()).is_err());
    }
    assert_eq!(breaker.borrow().state(), CircuitState::HalfOpen);
    assert_eq!(block_on(retry.call_async(async |_| Ok(1))), Ok(1));
    assert_eq!(breaker.borrow().state(), CircuitState::Closed);
}

/// Line 134: an event after a month of silence is handled like any other.
#[test]
fn a_month_of_silence_is_no_work() {
    let config = BreakerConfig::slices(Duration::from_micros(1), 500, 2);
    let mut breaker = Breaker::<TimeSlices<8>, 1, _>::new(&config).unwrap();
    let mut now = Instant::ZERO;
    // A month is 2.6 * 10^12 of these slices: a loop over them would not end.
    for _ in 0..if cfg!(miri) { 50 } else { 10_000 } {
        let permit = breaker.admit_closed().unwrap();
        assert_eq!(breaker.settle(permit, CallResult::Failure(ErrorClass::Transient), now), None);
        now = now.saturating_add(Duration::from_secs(2_592_000));
    }
}

/// Lines 14, 87.
#[test]
fn a_stop_for_any_reason_is_one_failure_of_the_last_class() {
    let policy = each_second().max_attempts_for(ErrorClass::Transient, 0).build().unwrap();
    let clock = MockClock::new();
    let breaker = RefCell::new(Small::new(&CONFIG).unwrap());
    let mut retry = on(&policy, &clock).breaker(&breaker);
    for _ in 0..2 {
        let outcome = retry.execute(|_| Err::<(), _>(ErrorClass::Transient));
        assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttemptsPerClass));
    }
    assert_eq!(breaker.borrow().state(), CircuitState::Open);
}

/// A slow call opens a breaker that asks for it; its delays do not count.
#[test]
fn slow_attempts_open_and_sleeps_do_not_count() {
    let config = BreakerConfig::slices(Duration::from_secs(60), 1000, 2)
        .slow_calls(Duration::from_secs(5), 1000);
    let policy = Policy::builder()
        .backoff(redress::Backoff::constant(Duration::from_secs(9)))
        .build()
        .unwrap();
    for (takes, state) in [(4, CircuitState::Closed), (5, CircuitState::Open)] {
        let breaker = RefCell::new(Breaker::<TimeSlices<4>, 1, _>::new(&config).unwrap());
        let clock = MockClock::new();
        let mut retry = on(&policy, &clock).breaker(&breaker);
        for _ in 0..2 {
            let outcome = retry.execute(|attempt| {
                clock.advance(Duration::from_secs(takes));
                if attempt.number == 1 { Err(ErrorClass::Transient) } else { Ok(()) }
            });
            assert!(outcome.is_ok());
        }
        assert_eq!(breaker.borrow().state(), state, "{takes}");
    }
}

/// A slice that is full forgets half of its calls and keeps its shares.
#[test]
fn a_full_slice_keeps_its_shares() {
    const HALF: BreakerConfig<SliceRule> =
        BreakerConfig::slices(Duration::from_secs(3600), 500, 10);
    let mut breaker = Breaker::<TimeSlices<1>>::new(&HALF).unwrap();
    let permit = breaker.admit_closed().unwrap();
    // Of three calls one fails, for longer than a slice can count.
    let (calls, counted) = if cfg!(miri) { (300, 300) } else { (70_000_u32, 37_233) };
    for nth in 0..calls {
        let failed = nth % 3 == 0;
        let result =
            if failed { CallResult::Failure(ErrorClass::Transient) } else { CallResult::Success };
        assert_eq!(breaker.settle(permit, result, Instant::ZERO), None, "{nth}");
    }
    // Of those that are counted a third are failures: as many again open it.
    let mut failures = 0_u32;
    while breaker
        .settle(permit, CallResult::Failure(ErrorClass::Transient), Instant::ZERO)
        .is_none()
    {
        failures += 1;
    }
    assert!(failures.abs_diff(counted / 3) < 20, "{failures}");
}
