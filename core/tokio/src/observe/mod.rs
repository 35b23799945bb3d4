//! Observers that report to a telemetry system: set one with
//! [`Upstream::observer`](crate::Upstream::observer).
//!
//! | name | in Prometheus | kind | labels |
//! | --- | --- | --- | --- |
//! | `redress.retries` | `redress_retries` | counter: attempts that failed and are followed by another | `upstream`, `operation`, `class` |
//! | `redress.success_after_retries` | `redress_success_after_retries` | counter: calls that succeeded after a retry | `upstream`, `operation` |
//! | `redress.retry.duration` | `redress_retry_duration` | histogram in seconds: a whole call from its first attempt to its end, delays included; one for each call, so its count counts calls | `upstream`, `operation`, `event` |
//! | `redress.circuit.state` | `redress_circuit_state` | gauge: 0 closed, 1 half-open, 2 open | `upstream`, `key` |
//!
//! * `upstream` is the name that [`Upstream::named`](crate::Upstream::named) gives; without one the label is
//!   left out. `key` is that of [`Upstream::at`](crate::Upstream::at); a call that names no key has `operation`
//!   in its place. With `label_key()` the other metrics have a `key`, too.
//! * `operation` should have few values: `GET /orders/:id`, not `GET /orders/17`.
//! * `event` is how the call ended: the name of an [`EventKind`], such as `success`,
//!   `max_attempts_exceeded`, `deadline_exceeded`, `circuit_rejected`.
//! * `metrics-exporter-prometheus` shows a histogram as a summary with quantiles, unless it is told its
//!   buckets: `set_buckets_for_metric(Matcher::Full("redress_retry_duration".into()), &[0.01, 0.1, 1.0, 10.0])`.

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
