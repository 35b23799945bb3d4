//! One service in three versions: it asks an upstream for an order, with retries, a breaker and a
//! budget for each host, Retry-After, tracing and Prometheus. What a version lacks is in its
//! `LACKS`, and tests/glue.rs tries all the rest.

pub mod ours;
pub mod with_backon;
pub mod with_tower;

/// What the service is to do besides answering; a version that does not is lacking it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    /// Waits as long as a Retry-After says.
    RetryAfter,
    /// Stops asking a host that is down, and answers 503 with Retry-After meanwhile.
    Breaker,
    /// Limits the retries of each host.
    Budget,
    /// Limits the time of the whole call.
    Deadline,
    /// Tells tracing of each retry.
    Tracing,
    /// Counts retries for Prometheus.
    Metrics,
}
