//! What calls, and JavaScript, ask of any breaker.

use redress::CircuitOpen;
use redress::breaker::Admitted;
use redress::event::CircuitState;

use crate::breaker_slot::at;
use crate::table;

/// The outcome of asking a breaker for a permit, for JavaScript.
pub(crate) fn admit(slot: u32, now: f64) -> Option<Admitted> {
    answer(at(slot).admit(table::instant(now)))
}

/// Puts a rejection into the table: state and milliseconds until the next probe, NaN if that
/// is not known.
pub(crate) fn answer<A>(asked: Result<A, CircuitOpen>) -> Option<A> {
    match asked {
        Ok(answered) => Some(answered),
        Err(rejection) => {
            table::set(0, rejection.state as u32 as f64);
            table::set(1, rejection.retry_after.map_or(f64::NAN, table::millis));
            None
        }
    }
}

/// What is answered where there is no memory, in place of an address and flags.
pub(crate) const OUT_OF_MEMORY: u32 = 4;

/// The new state plus 1, 0 if it is the old one.
pub(crate) fn changed(state: Option<CircuitState>) -> u32 {
    state.map_or(0, |state| state as u32 + 1)
}
