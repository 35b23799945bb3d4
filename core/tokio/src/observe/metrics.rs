//! Counters, gauges and histograms of the crate metrics: [`Metrics`].

use std::sync::Arc;

use ::metrics::{Label, counter, gauge, histogram};
use redress::event::{CallTarget, Event, EventKind, Observer};

use super::{ends_call, state_number};

/// Records the metrics of [`observe`](super) in the recorder of the crate metrics, as
/// `metrics-exporter-prometheus` installs one.
///
/// ```
/// # use redress::Policy;
/// use redress_tokio::observe::Metrics;
/// use redress_tokio::Upstream;
/// # fn example(policy: Policy) {
/// let upstream = Upstream::new(policy).named("orders").observer(Metrics::new());
/// # let _ = upstream;
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    labels_key: bool,
    upstream: Arc<str>,
    key: Arc<str>,
}

impl Metrics {
    /// An observer that reports to the recorder that is installed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the label `key` to counters and to the histogram, too. Each key is a time series
    /// of its own then, in each of them: for keys of few values.
    pub fn label_key(self) -> Self {
        Self { labels_key: true, ..self }
    }

    /// The labels of what an event counts.
    fn labels(&self, event: &Event<'_>) -> Vec<Label> {
        let mut labels = self.of_upstream();
        if self.labels_key && !self.key.is_empty() {
            labels.push(Label::new("key", self.key.clone()));
        }
        labels.push(Label::new("operation", event.operation.to_owned()));
        labels
    }

    /// The labels of the breaker of a call.
    fn labels_of_breaker(&self, event: &Event<'_>) -> Vec<Label> {
        let mut labels = self.of_upstream();
        labels.push(if self.key.is_empty() {
            Label::new("operation", event.operation.to_owned())
        } else {
            Label::new("key", self.key.clone())
        });
        labels
    }

    fn of_upstream(&self) -> Vec<Label> {
        let mut labels = Vec::with_capacity(4);
        if !self.upstream.is_empty() {
            labels.push(Label::new("upstream", self.upstream.clone()));
        }
        labels
    }
}

impl Observer for Metrics {
    fn event(&mut self, event: &Event<'_>) {
        if let Some(state) = event.state {
            gauge!("redress.circuit.state", self.labels_of_breaker(event))
                .set(f64::from(state_number(state)));
        }
        if event.kind == EventKind::Retry {
            let mut labels = self.labels(event);
            labels.push(Label::new("class", event.class.map_or("", |class| class.as_str())));
            counter!("redress.retries", labels).increment(1);
        }
        if event.kind == EventKind::Success && event.attempt > 1 {
            counter!("redress.success_after_retries", self.labels(event)).increment(1);
        }
        if ends_call(event) {
            let mut labels = self.labels(event);
            labels.push(Label::new("event", event.kind.as_str()));
            histogram!("redress.retry.duration", labels)
                .record(std::time::Duration::from(event.elapsed).as_secs_f64());
        }
    }

    fn call_target(&mut self, target: &CallTarget<'_>) {
        self.upstream = target.upstream.into();
        self.key = target.key.into();
    }
}
