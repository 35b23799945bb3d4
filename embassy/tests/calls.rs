//! Calls on the clock of embassy: delays, timeouts, signals, slices.

use core::cell::Cell;
use core::future::pending;
use core::pin::pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use embassy_time::MockDriver;
use redress::breaker::{FailureRule, FailureTimes};
use redress::event::CircuitState;
use redress::random::NoRandom;
use redress::time::Timer;
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, Policy, Shared, StopReason,
    checked, policy,
};
use redress_embassy::{Cancelled, EmbassyTime, Locked, Sliced, cancel_on, signaled};

type Circuit = Breaker<FailureTimes<2>>;
type Abort = Signal<CriticalSectionRawMutex, u8>;

const POLICY: Policy = policy! {
    Policy::builder()
        .max_attempts(3)
        .attempt_timeout(Duration::from_millis(50))
        .backoff(Backoff::constant(Duration::from_secs(1)))
};

const RULE: BreakerConfig<FailureRule> =
    BreakerConfig::failures(1, Duration::from_secs(60)).recovery_timeout(Duration::from_secs(30));

/// The driver is one for all: tests take turns, each from time zero.
fn time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    MockDriver::get().reset();
    turn
}

fn advance(micros: u64) {
    MockDriver::get().advance(embassy_time::Duration::from_micros(micros));
}

/// Moves the time microsecond by microsecond; when the future is done, or `None`.
fn run<F: Future>(future: F, most: u64) -> Option<(F::Output, u64)> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for now in 0..=most {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some((output, now));
        }
        advance(1);
    }
    None
}

#[test]
fn an_attempt_is_dropped_to_the_tick_of_its_timeout_and_retried_after_its_delay() {
    let _turn = time();
    let starts = std::cell::RefCell::new(Vec::new());
    let mut retry = POLICY.on(EmbassyTime, NoRandom).classify(|(): &()| ErrorClass::Transient);
    let call = retry.execute_async(async |_| {
        starts.borrow_mut().push(EmbassyTime.now().as_micros());
        pending::<Result<(), ()>>().await
    });
    let (outcome, ended) = run(call, 3_000_000).expect("three attempts take 2.15 s");
    assert_eq!(*starts.borrow(), [0, 1_050_000, 2_100_000]);
    assert_eq!(ended, 2_150_000);
    assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttemptsGlobal));
}

#[test]
fn a_signal_drops_a_call_in_its_attempt_and_frees_the_place_of_its_probe() {
    static BREAKER: Locked<CriticalSectionRawMutex, Circuit> =
        Locked::new(checked!(Circuit::new(&RULE)));

    let _turn = time();
    let signal = Abort::new();
    let mut retry = POLICY
        .on(EmbassyTime, NoRandom)
        .classify(|(): &()| ErrorClass::Transient)
        .breaker(&BREAKER);
    let failing = retry.call_async(async |_| Err::<(), _>(()));
    run(failing, 3_000_000).expect("it gives up").0.unwrap_err();
    assert_eq!(BREAKER.with(|breaker| breaker.state()), Some(CircuitState::Open));
    advance(30_000_000);

    let probe = cancel_on(&signal, retry.call_async(async |_| pending::<Result<(), ()>>().await));
    {
        let mut probe = pin!(probe);
        let mut context = Context::from_waker(Waker::noop());
        assert!(probe.as_mut().poll(&mut context).is_pending());
        assert_eq!(BREAKER.with(|breaker| breaker.state()), Some(CircuitState::HalfOpen));
        signal.signal(7);
        let Poll::Ready(cancelled) = probe.poll(&mut context) else { panic!("still running") };
        assert_eq!(cancelled.unwrap_err(), Cancelled(7));
    }
    assert!(!signal.signaled(), "the signal is taken");
    // The place is free: the next call is a probe, and closes the breaker.
    let (result, _) = run(retry.call_async(async |_| Ok::<_, ()>(21)), 10).unwrap();
    assert_eq!(result.unwrap(), 21);
    assert_eq!(BREAKER.with(|breaker| breaker.state()), Some(CircuitState::Closed));
}

#[test]
fn a_call_that_has_its_result_wins_over_the_signal_which_stays_set() {
    let _turn = time();
    let signal = Abort::new();
    signal.signal(1);
    let mut retry = POLICY.on(EmbassyTime, NoRandom).classify(|(): &()| ErrorClass::Transient);
    let call = cancel_on(&signal, retry.call_async(async |_| Ok::<_, ()>(3)));
    assert_eq!(run(call, 10).unwrap().0.unwrap().unwrap(), 3);
    assert!(signal.signaled());
}

#[test]
fn a_predicate_ends_the_call_before_its_next_delay_with_reason_and_last_error() {
    let _turn = time();
    let signal = Abort::new();
    let attempts = Cell::new(0);
    let mut retry = POLICY
        .on(EmbassyTime, NoRandom)
        .classify(|_: &&str| ErrorClass::Transient)
        .abort_if(signaled(&signal));
    let call = retry.execute_async(async |attempt| {
        attempts.set(attempt.number);
        if attempt.number == 2 {
            signal.signal(0);
        }
        Err::<(), _>("no answer")
    });
    let (outcome, ended) = run(call, 3_000_000).unwrap();
    assert_eq!((attempts.get(), ended), (2, 1_000_000));
    let error = outcome.result.unwrap_err();
    assert!(error.is_aborted());
    assert_eq!(error.into_error(), Some("no answer"));
    assert!(signal.signaled(), "others may hear it, too");
}

#[test]
fn a_long_delay_feeds_the_watchdog_in_every_slice_and_ends_to_the_tick() {
    let _turn = time();
    let fed = std::cell::RefCell::new(Vec::new());
    let mut sliced = Sliced::new(EmbassyTime, Duration::from_millis(300), || {
        fed.borrow_mut().push(EmbassyTime.now().as_micros());
    });
    let slept = run(sliced.sleep(Duration::from_secs(1)), 2_000_000);
    assert_eq!(slept, Some(((), 1_000_000)));
    assert_eq!(*fed.borrow(), [0, 300_000, 600_000, 900_000, 1_000_000]);
}

#[test]
fn slices_of_zero_still_come_to_an_end() {
    let _turn = time();
    let mut sliced = Sliced::new(EmbassyTime, Duration::ZERO, || {});
    assert_eq!(run(sliced.sleep(Duration::from_micros(20)), 100), Some(((), 20)));
}

#[test]
fn a_delay_that_no_clock_reaches_neither_panics_nor_ends() {
    let _turn = time();
    advance(5);
    assert!(run(EmbassyTime.sleep(Duration::MAX), 100).is_none());
}

#[test]
fn a_state_that_is_lent_already_is_not_lent_again() {
    let count: Locked<CriticalSectionRawMutex, u32> = Locked::new(1);
    let inner = count.with(|outer| {
        *outer += 1;
        count.with(|inner| *inner)
    });
    assert_eq!((inner, count.with(|count| *count)), (Some(None), Some(2)));
}

/// Whether it was woken since it was last polled.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn more_delays_than_a_queue_of_fixed_size_holds_end_to_the_tick() {
    let _turn = time();
    // The queue of this driver holds eight.
    let span = |nth: u64| 100 + 7 * nth;
    let mut waiting: Vec<_> = (0..30)
        .map(|nth| {
            let sleep = async move { EmbassyTime.sleep(Duration::from_micros(span(nth))).await };
            (nth, Box::pin(sleep), Arc::new(Woken(AtomicBool::new(true))))
        })
        .collect();
    for now in 0..400 {
        waiting.retain_mut(|(nth, sleep, woken)| {
            let waker = Waker::from(woken.clone());
            let polled = woken.0.swap(false, Ordering::Relaxed)
                && sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
            assert!(!polled || now == span(*nth), "delay {nth} ended at {now} us");
            !polled
        });
        advance(1);
    }
    assert!(waiting.is_empty(), "{} delays never end", waiting.len());
}
