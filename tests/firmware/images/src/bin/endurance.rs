//! A million calls: the stack goes no deeper than in the first thousand, no time is lost
//! or won, and breaker and budget come back to where they began.

#![no_std]
#![no_main]

use board::stack;
use firmware::check::Checks;
use firmware::full::{BREAKER, BUDGET, FullRetry, Time, random, retry};
use firmware::image;
use redress::budget::Budget;
use redress::event::CircuitState;
use redress::{Clock, Duration, ErrorClass, Shared};

const CALLS: u32 = 1_000_000;
/// After so many the stack has been as deep as it will be.
const FIRST: u32 = 1_000;

/// What came of the calls.
#[derive(Default)]
struct Sums {
    succeeded: u32,
    stopped: u32,
    rejected: u32,
    /// What the calls say that they took, and what passed in between.
    micros: u64,
}

/// One call; in an outage every attempt fails.
fn call(retry: &mut FullRetry, outage: bool, sums: &mut Sums) {
    let pause = Duration::from_micros(u64::from(random() & 0x3F_FFFF));
    Time.pass(pause);
    let outcome = retry.execute(|_| {
        Time.pass(Duration::from_micros(1_500));
        match random() % 16 {
            _ if outage => Err(ErrorClass::Transient),
            0..=5 => Err(ErrorClass::Transient),
            6 => Err(ErrorClass::RateLimit),
            7 => Err(ErrorClass::Permanent),
            _ => Ok(()),
        }
    });
    sums.micros += pause.as_micros() + outcome.elapsed.as_micros();
    if outcome.rejection().is_some() {
        sums.rejected += 1;
    } else if outcome.stop_reason().is_some() {
        sums.stopped += 1;
    } else {
        sums.succeeded += 1;
    }
}

fn main() -> bool {
    let (mut retry, mut sums) = (retry(), Sums::default());
    let painted = stack::paint();
    // One call in eight is in an outage, eight of them in a row.
    let outage = |nth: u32| nth & 0x38 == 0x38;
    for nth in 0..FIRST {
        call(&mut retry, outage(nth), &mut sums);
    }
    let first = painted.used();
    let rejected = sums.rejected;
    for nth in FIRST..CALLS {
        call(&mut retry, outage(nth), &mut sums);
    }
    let deepest = painted.used();

    let mut checks = Checks::default();
    let calls = sums.succeeded + sums.stopped + sums.rejected;
    checks.check("calls", calls == CALLS, calls);
    checks.check("calls that succeeded", sums.succeeded > 0, sums.succeeded);
    checks.check("calls that stopped", sums.stopped > 0, sums.stopped);
    checks.check("calls that the breaker rejected", sums.rejected > 0, sums.rejected);
    checks.check("of them in the first thousand", rejected > 0, rejected);
    checks.check("bytes of stack, as after a thousand calls", deepest == first, deepest);
    let clock = Time.now().as_micros();
    checks.check("microseconds, as the calls add up", clock == sums.micros, clock);
    Time.pass(Duration::from_secs(60));
    let left = BUDGET.with(|budget| budget.remaining(Time.now()));
    checks.check("tokens of the budget after a quiet minute", left == Some(16), left.unwrap_or(0));
    while retry.call(|_| Ok::<_, ErrorClass>(())).is_err() {
        Time.pass(Duration::from_secs(30));
    }
    let state = BREAKER.with(|breaker| breaker.state());
    checks.check(
        "state of the breaker after a success",
        state == Some(CircuitState::Closed),
        state.map_or("", CircuitState::as_str),
    );
    checks.close()
}

image!(main);
