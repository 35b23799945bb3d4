//! Breakers that count failures, and what JavaScript asks any breaker.

use redress::breaker::{Admitted, ByHand, CallResult, FailureTimes, Permit};
use redress::event::CircuitState;
use redress::{Breaker, BreakerConfig, CircuitOpen, Duration, ErrorClass};

use crate::breaker::{Head, at, build};
use crate::memory::{place, release};
use crate::table;

/// A breaker of the settings in the table: its kind, which is another module's business
/// unless it is 0; failures and milliseconds of their window; one that is left out; classes
/// that trip as bits, recovery time, its longest growth, lease, probes at once, successes
/// to close, thresholds by class (eight, 0 for none), two that are left out; classes of a
/// failed probe that open anew as bits, jitter of the recovery time, whether calls check
/// before a retry, the longest hint that opens. 0 if one is out of its range.
#[unsafe(no_mangle)]
extern "C" fn breaker_new() -> *mut Head {
    let threshold = table::get(1) as u8;
    let mut config = BreakerConfig::failures(threshold, table::duration(table::get(2)));
    let mut needs = usize::from(threshold);
    for (index, class) in ErrorClass::ALL.into_iter().enumerate() {
        let own = table::get(10 + index) as u8;
        config = config.class_threshold(class, own);
        needs += usize::from(own.saturating_sub(1));
    }
    if needs <= 8 {
        build(0, config, Breaker::<FailureTimes<8>, _>::new)
    } else {
        build(1, config, Breaker::<FailureTimes<255>, _>::new)
    }
}

/// The state: 0 closed, 1 open, 2 half-open.
#[unsafe(no_mangle)]
extern "C" fn breaker_state(slot: u32) -> u32 {
    // SAFETY: the package hands in a breaker that it has not given back.
    unsafe { at(slot) }.state() as u32
}

/// By hand: 0 closes it, 1 opens it until that, 2 opens it as failures would. The new state
/// plus 1, 0 if it is the old one.
#[unsafe(no_mangle)]
extern "C" fn breaker_switch(slot: u32, how: u32, now: f64) -> u32 {
    let by_hand = match how {
        0 => ByHand::Reset,
        1 => ByHand::Isolate,
        _ => ByHand::Trip,
    };
    // SAFETY: as above.
    changed(unsafe { at(slot) }.set(by_hand, table::instant(now)))
}

/// Whether it would admit a call, which changes nothing; a rejection is in the table.
#[unsafe(no_mangle)]
extern "C" fn breaker_check(slot: u32, now: f64) -> bool {
    // SAFETY: as above.
    answer(unsafe { at(slot) }.check(table::instant(now))).is_some()
}

/// The outcome of asking a breaker for a permit, for JavaScript.
pub(crate) fn admit(slot: u32, now: f64) -> Option<Admitted> {
    // SAFETY: as above.
    answer(unsafe { at(slot) }.admit(table::instant(now)))
}

/// Puts a rejection into the table: state and milliseconds until the next probe, NaN if that
/// is not known.
fn answer<A>(asked: Result<A, CircuitOpen>) -> Option<A> {
    match asked {
        Ok(answered) => Some(answered),
        Err(rejection) => {
            table::set(0, rejection.state as u32 as f64);
            table::set(1, rejection.retry_after.map_or(f64::NAN, table::millis));
            None
        }
    }
}

/// A permit in a slot of its own, for callers who drive a breaker themselves: its lowest
/// bit says that the breaker has become half-open. 0 for a rejection.
#[unsafe(no_mangle)]
extern "C" fn breaker_admit(slot: u32, now: f64) -> usize {
    let Some(admitted) = admit(slot, now) else { return 0 };
    place(admitted.permit) as usize | usize::from(admitted.half_opened)
}

/// Takes such a permit back: result 0 for success, 1 for cancelled, 2 and up for
/// the class of a failure, with a random number for the jitter of the recovery time. The new
/// state plus 1, 0 if it is the old one.
#[unsafe(no_mangle)]
extern "C" fn breaker_settle(
    slot: u32,
    permit: *mut Permit,
    result: u32,
    random: u32,
    now: f64,
) -> u32 {
    let result = match result {
        0 => CallResult::Success,
        1 => CallResult::Cancelled,
        class => CallResult::Failure(table::class(class - 2)),
    };
    // SAFETY: the package hands in a permit that it was given and has not handed back.
    let held = unsafe { permit.read() };
    release(permit.cast());
    // SAFETY: as above.
    let breaker = unsafe { at(slot) };
    changed(breaker.settle(held, result, Duration::ZERO, random, table::instant(now)))
}

/// The new state plus 1, 0 if it is the old one.
pub(crate) fn changed(state: Option<CircuitState>) -> u32 {
    state.map_or(0, |state| state as u32 + 1)
}
