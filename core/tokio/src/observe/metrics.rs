//! Counters, gauges and histograms of the crate metrics: [`Metrics`].

use ::metrics::{counter, gauge, histogram};
use redress::event::{Event, EventKind, Observer};

use super::{ends_call, state_number};

/// Records the metrics of [`observe`](super) in the recorder of the crate metrics, as
/// `metrics-exporter-prometheus` installs one. Prometheus has underscores in place of the dots.
///
/// ```
/// # use redress::Policy;
/// use redress_tokio::observe::Metrics;
/// use redress_tokio::Upstream;
/// # fn example(policy: Policy) {
/// let upstream = Upstream::new(policy).observer(Metrics);
/// # let _ = upstream;
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Metrics;

impl Observer for Metrics {
    fn event(&mut self, event: &Event<'_>) {
        let operation = || event.operation.to_owned();
        if let Some(state) = event.state {
            gauge!("redress.circuit.state", "operation" => operation())
                .set(f64::from(state_number(state)));
        }
        if event.kind == EventKind::Retry {
            let class = event.class.map_or("", |class| class.as_str());
            counter!("redress.retries", "operation" => operation(), "class" => class).increment(1);
        }
        if event.kind == EventKind::Success && event.attempt > 1 {
            counter!("redress.success_after_retries", "operation" => operation()).increment(1);
        }
        if ends_call(event) {
            let event_name = event.kind.as_str();
            histogram!("redress.retry.duration", "operation" => operation(), "event" => event_name)
                .record(std::time::Duration::from(event.elapsed).as_secs_f64());
        }
    }
}
