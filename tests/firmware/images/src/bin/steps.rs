//! One of each step of a call under the full policy, to be traced: each is a function of
//! its own name, called by `walk` alone.

#![no_std]
#![no_main]

use board::{interrupts, stack};
use firmware::check::Checks;
use firmware::full::{BREAKER, BUDGET, Calls, FAILURES, FullRetry, RETRIES, Time, retry};
use firmware::image;
use redress::driver::{Decision, Steps};
use redress::event::CircuitState;
use redress::random::FromFn;
use redress::{Attempt, CircuitOpen, Duration, ErrorClass, Shared, StopReason};

use firmware::full::{Retries, Upstream};

type FullSteps<'r> = Steps<
    'r,
    'static,
    (Time, FromFn<fn() -> u32>, &'static Upstream, &'static Retries, (), (), Calls),
>;

#[unsafe(no_mangle)]
#[inline(never)]
fn step_begin(retry: &mut FullRetry) -> Result<FullSteps<'_>, CircuitOpen> {
    retry.begin()
}

#[unsafe(no_mangle)]
#[inline(never)]
fn step_reject(retry: &mut FullRetry) -> bool {
    retry.begin().is_err()
}

#[unsafe(no_mangle)]
#[inline(never)]
fn step_start(steps: &mut FullSteps<'_>) -> Result<Attempt, StopReason> {
    steps.start()
}

#[unsafe(no_mangle)]
#[inline(never)]
fn step_fail(steps: &mut FullSteps<'_>) -> Decision {
    steps.fail(ErrorClass::Transient)
}

#[unsafe(no_mangle)]
#[inline(never)]
fn step_stop(steps: &mut FullSteps<'_>) -> Decision {
    steps.fail(ErrorClass::Permanent)
}

#[unsafe(no_mangle)]
#[inline(never)]
fn step_succeed(steps: &mut FullSteps<'_>) {
    steps.succeed();
}

/// A whole call that succeeds at once through the closed breaker.
#[unsafe(no_mangle)]
#[inline(never)]
fn step_success(retry: &mut FullRetry) -> bool {
    retry.call(|_| Ok::<(), ErrorClass>(())).is_ok()
}

/// A whole call whose attempts all fail, by the same steps.
fn failure(retry: &mut FullRetry) -> bool {
    let Ok(mut steps) = step_begin(retry) else { return false };
    loop {
        if step_start(&mut steps).is_err() {
            return false;
        }
        match step_fail(&mut steps) {
            Decision::Retry { after } => Time.pass(after),
            Decision::TooLong { .. } | Decision::Stop(_) => return true,
        }
        if steps.on_wake().is_err() {
            return false;
        }
    }
}

#[unsafe(no_mangle)]
#[inline(never)]
fn walk(retry: &mut FullRetry) -> (bool, usize) {
    let mut fine = step_success(retry);
    let mut deepest = 0;
    if let Ok(mut steps) = step_begin(retry) {
        fine &= step_start(&mut steps).is_ok();
        let painted = stack::paint();
        fine &= matches!(step_fail(&mut steps), Decision::Retry { .. });
        deepest = painted.used();
        fine &= steps.on_wake().is_ok() && step_start(&mut steps).is_ok();
        step_succeed(&mut steps);
    }
    if let Ok(mut steps) = step_begin(retry) {
        fine &= step_start(&mut steps).is_ok();
        fine &= matches!(step_stop(&mut steps), Decision::Stop(_));
    }
    // Until the window is full; the budget is empty by then.
    for _ in 0..FAILURES {
        fine &= failure(retry);
    }
    fine &= BREAKER.with(|breaker| breaker.state()) == Some(CircuitState::Open);
    (fine & step_reject(retry), deepest)
}

/// Another operation under the same policy, by its blocking driver.
#[cfg(feature = "second-operation")]
#[inline(never)]
fn second_operation(retry: &mut FullRetry) -> bool {
    BREAKER.with(|breaker| breaker.reset());
    retry.call(|_| Err::<(), _>(ErrorClass::Transient)).is_err()
}

fn main() -> bool {
    // None comes; but where none may come, none is masked.
    interrupts::start(|_| {}, || {});
    Time.pass(Duration::from_secs(1));
    let (fine, deepest) = walk(&mut retry());
    #[cfg(feature = "second-operation")]
    let fine = fine & second_operation(&mut retry());
    let mut checks = Checks::default();
    checks.check("the steps went as they should", fine, fine);
    checks.check("bytes of stack of a decision", deepest < 512, deepest);
    let state = size_of_val(&BREAKER) + size_of_val(&BUDGET);
    // At most 10 bytes for each failure and each retry that is remembered.
    let longer = 10 * (usize::from(FAILURES) - 5 + usize::from(RETRIES) - 16);
    checks.check("bytes of breaker and budget with their locks", state <= 224 + longer, state);
    checks.close()
}

image!(main);
