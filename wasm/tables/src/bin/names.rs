//! Prints the core's names, by their numbers, as a module of JavaScript: classes, reasons, states,
//! the events that go with them, and what is wrong with a snapshot.

use redress::ErrorClass;
use redress::event::{CircuitState, StopReason};
use redress::snapshot::SnapshotError;

fn main() {
    let states = [CircuitState::Closed, CircuitState::Open, CircuitState::HalfOpen];
    names("ERROR_CLASSES", &ErrorClass::ALL.map(ErrorClass::as_str));
    names("STOP_REASONS", &StopReason::ALL.map(StopReason::as_str));
    names("STATES", &states.map(CircuitState::as_str));
    names("STOP_EVENTS", &StopReason::ALL.map(|reason| reason.event().as_str()));
    names("STATE_EVENTS", &states.map(|state| state.event().as_str()));
    // By the numbers of `snapshot_load`, from 2 on. The package looks at the version itself, so that another
    // one in the bytes is damage.
    let errors = [
        SnapshotError::Kind,
        SnapshotError::Damaged,
        SnapshotError::Fingerprint,
        SnapshotError::Damaged,
        SnapshotError::Value,
    ];
    println!("export const SNAPSHOT_ERRORS = {:?};", errors.map(|error| error.to_string()));
}

/// An array, as the text that takes the fewest bytes.
fn names(name: &str, all: &[&str]) {
    println!("export const {name} = /* @__PURE__ */ \"{}\".split(\" \");", all.join(" "));
}
