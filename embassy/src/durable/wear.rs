//! How often state is written: [`Transitions`] says when, [`writes_a_day`] how often at most.

use core::cell::Cell;

use redress::{Duration, Event, EventKind, Observer};

/// An observer that notes when a breaker changed: then it is time to save.
///
/// Time alone changes no saved state, as what is saved are the times that remain. A failure
/// that opens nothing is not noted either: after a reset a breaker may need that failure once
/// more, which is cheaper than a write for each.
///
/// ```
/// # use redress_embassy::durable::Transitions;
/// let transitions = Transitions::new();
/// // policy.on(..).observer(&transitions) .. call ..
/// if transitions.take() {
///     // durable.save(..)
/// }
/// ```
#[derive(Debug, Default)]
pub struct Transitions(Cell<bool>);

impl Transitions {
    /// None yet.
    pub const fn new() -> Self {
        Self(Cell::new(false))
    }

    /// Whether there was one since the last time.
    pub fn take(&self) -> bool {
        self.0.take()
    }
}

impl Observer for &Transitions {
    fn event(&mut self, event: &Event<'_>) {
        if matches!(
            event.kind,
            EventKind::CircuitOpened | EventKind::CircuitHalfOpen | EventKind::CircuitClosed
        ) {
            self.0.set(true);
        }
    }
}

/// How many writes a day can be caused at most, by breakers with these recovery timeouts and
/// by calls that are saved before delays of `long` or more.
///
/// A breaker is written when it opens, when it lets a probe through and when it closes, and
/// between two openings lies its recovery time: three writes in each. A call is written
/// before its long delay and once more when it is over: two in each. Both bounds take
/// everything to fail all day long. Divide the endurance of the storage by half of it (there
/// are two slots) to get the days that it lasts.
///
/// ```
/// use redress::Duration;
/// use redress_embassy::durable::writes_a_day;
///
/// // One breaker that recovers after a minute, calls saved before ten minutes.
/// let writes = writes_a_day(&[Duration::from_secs(60)], Duration::from_secs(600));
/// assert_eq!(writes, 3 * 1441 + 2 * 145);
/// // An EEPROM of a million cycles a page:
/// assert_eq!(1_000_000 / (writes / 2), 433); // days of failing without end
/// ```
pub fn writes_a_day(recovery_timeouts: &[Duration], long: Duration) -> u64 {
    let breakers = recovery_timeouts.iter().map(|recovery| times(*recovery).saturating_mul(3));
    breakers.fold(times(long).saturating_mul(2), u64::saturating_add)
}

/// How often a day something happens that is `apart`, both ends included.
fn times(apart: Duration) -> u64 {
    const DAY: u64 = 86_400_000_000;
    DAY.checked_div(apart.as_micros()).map_or(u64::MAX, |times| times + 1)
}
