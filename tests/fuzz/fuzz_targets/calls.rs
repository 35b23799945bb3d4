//! Calls under any policy, with any results, hints and hooks and a clock that shows anything,
//! by each kind of driver: attempts are bounded, nothing starts, waits or sleeps beyond the
//! deadline, each call ends with one event, and no permit is lost.

#![no_main]

use std::cell::RefCell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use redress::breaker::FailureRule;
use redress::budget::{Limited, LimiterConfig, Pool, RollingConfig, WhenLimited};
use redress::event::CircuitState;
use redress::snapshot::{Progress, Snapshot};
use redress::{
    Attempt, BreakerConfig, Classification, Duration, ErrorClass, Instant, Last, Outcome, Policy,
};
use redress_fuzz::breakers::{Of, Settings};
use redress_fuzz::budgets::{Rolling, RollingSettings};
use redress_fuzz::limiter::{self, Limiter};
use redress_fuzz::policies::policy;
use redress_fuzz::rules::{Counts, Failures};
use redress_fuzz::world::World;
use redress_fuzz::{Input, at};

type Circuit<'c> = RefCell<Of<'c, Failures>>;

/// Polls it to its end, which a clock that shows anything must not keep away.
fn finished<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..100_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
    panic!("it never ends");
}

fn check(world: &World<'_>, outcome: &Outcome<u8, Classification, u8>) {
    assert_eq!(outcome.attempts, world.starts.get());
    let how = match &outcome.result {
        Ok(_) => Ok(()),
        Err(error) => Err(error.stop_reason()),
    };
    world.ended(Some(how));
}

/// The breaker over the time that a call is suspended.
fn restart(circuit: &mut Of<'_, Failures>, now: Instant, off: Option<Duration>) {
    let mut bytes = [0; 256];
    let written = circuit.snapshot(now, &mut bytes).expect("there is room");
    circuit.restore(&bytes[..written], now, off).expect("its own");
}

/// Calls one after the other; says whether one was suspended and did not come back.
fn calls<U: Pool>(
    world: &World<'_>,
    policy: &Policy,
    circuit: Option<&Circuit<'_>>,
    budget: U,
) -> bool {
    let blocking =
        |attempt: Attempt| world.attempt(attempt).unwrap_or(Err(ErrorClass::Transient.into()));
    let mut retry = policy
        .on(world, world)
        .classifier(world)
        .before_retry(|_, _: &Last<Classification, u8>| world.before_retry())
        .breaker(circuit)
        .budget(budget)
        .observer(world)
        .control(world);
    let mut is_lost = false;
    for _ in 0..8 {
        if world.input.borrow().is_over() {
            break;
        }
        let is_closed =
            circuit.is_none_or(|circuit| circuit.borrow().state() == CircuitState::Closed);
        world.begin(if is_closed { 1 } else { 2 });
        let which = world.input.borrow_mut().below(3);
        match which {
            0 => check(world, &retry.execute(blocking)),
            1 if !world.is_set_back => {
                let operation = async |attempt: Attempt| match world.attempt(attempt) {
                    Some(result) => result,
                    None => core::future::pending().await,
                };
                check(world, &finished(retry.execute_async(operation)));
            }
            _ => {
                let limit = world.input.borrow_mut().span();
                let mut progress = retry.call_or_suspend(limit, blocking);
                loop {
                    let suspended = match progress {
                        Progress::Over(outcome) => {
                            check(world, &outcome);
                            break;
                        }
                        Progress::Suspended(suspended) => suspended,
                    };
                    world.ended(None);
                    let is_over = world.input.borrow().is_over();
                    is_lost |= is_over;
                    if is_over {
                        break;
                    }
                    let off = world.input.borrow_mut().one_in(2).then_some(suspended.wake_after);
                    if let Some(circuit) = circuit {
                        restart(&mut circuit.borrow_mut(), suspended.at, off);
                    }
                    let resumed = retry.resume(&suspended.bytes, suspended.at, off);
                    world.resume();
                    progress = resumed.expect("its own").call_or_suspend(limit, blocking);
                }
            }
        }
    }
    is_lost
}

/// Right settings for a breaker, or none.
fn circuit(input: &mut Input<'_>) -> Option<BreakerConfig<FailureRule>> {
    let settings = Settings::any(input);
    let (config, are_right) = Failures::any(input, &settings);
    are_right.then_some(config)
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let Some((policy, limits)) = policy(&mut input) else { return };
    let breaker = circuit(&mut input);
    let breaker = breaker.as_ref().map(|config| RefCell::new(Failures::breaker(config).unwrap()));
    let rolling = RollingSettings::any(&mut input);
    let rolling_config: RollingConfig = rolling.config();
    let rolling = rolling.budget(&rolling_config).map(RefCell::new);
    let rolling: Option<&RefCell<Rolling<'_>>> = rolling.as_ref();
    let limiter = limiter::Settings::any(&mut input);
    let limiter_config: LimiterConfig = limiter.config;
    let limiter = limiter.limiter(&limiter_config).map(RefCell::new);
    let when = input.of(&[WhenLimited::Wait, WhenLimited::Defer, WhenLimited::Reject]);
    let world = World::new(input, limits);
    let is_lost = match &limiter {
        Some(limiter) => {
            let limiter: &RefCell<Limiter<'_>> = limiter;
            let limited = Limited::new(rolling, limiter).when_limited(when);
            calls(&world, &policy, breaker.as_ref(), limited)
        }
        None => calls(&world, &policy, breaker.as_ref(), rolling),
    };
    // Each permit was given back: what is half-open has room. After a clock that was set back
    // there is room a lease later.
    if let Some(breaker) = &breaker
        && breaker.borrow().state() == CircuitState::HalfOpen
        && !is_lost
        && !world.is_set_back
    {
        let now = at(world.now.get());
        assert!(breaker.borrow().check(now).is_ok(), "a permit is lost: {breaker:?}");
    }
});
