//! Observers that report to a telemetry system: set one with
//! [`Upstream::observer`](crate::Upstream::observer).
//!
//! The names are those of the npm package.
//!
//! | name | kind | labels |
//! | --- | --- | --- |
//! | `redress.retries` | counter: attempts that failed and are followed by another | `operation`, `class` |
//! | `redress.success_after_retries` | counter: calls that succeeded after a retry | `operation` |
//! | `redress.retry.duration` | histogram in seconds: a whole call, delays included | `operation`, `event` |
//! | `redress.circuit.state` | gauge: 0 closed, 1 half-open, 2 open | `operation` |
//!
//! An operation is a label, so its name should have few values: `GET /orders/:id`, not
//! `GET /orders/17`. The state is that of the breaker that the operation's last change was of.

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "opentelemetry")]
mod opentelemetry;
#[cfg(feature = "tracing")]
mod tracing;

#[cfg(feature = "metrics")]
pub use self::metrics::Metrics;
#[cfg(feature = "opentelemetry")]
pub use self::opentelemetry::OpenTelemetry;
#[cfg(feature = "tracing")]
pub use self::tracing::Tracing;

use redress::EventKind;
use redress::event::{CircuitState, Event};

/// Whether this event says how its call ended.
fn ends_call(event: &Event<'_>) -> bool {
    event.stop_reason.is_some()
        || matches!(event.kind, EventKind::Success | EventKind::CircuitRejected)
}

/// Whether this event belongs to a call that has ended: its breaker changes after the last event
/// of the call.
fn follows_call(event: &Event<'_>) -> bool {
    matches!(event.kind, EventKind::CircuitOpened | EventKind::CircuitClosed)
}

/// The value of the gauge.
fn state_number(state: CircuitState) -> u8 {
    match state {
        CircuitState::Closed => 0,
        CircuitState::HalfOpen => 1,
        CircuitState::Open => 2,
    }
}
