//! Spans and instruments of OpenTelemetry: [`OpenTelemetry`].

use std::sync::Arc;
use std::time::SystemTime;

use ::opentelemetry::KeyValue;
use ::opentelemetry::global::{self, BoxedSpan, BoxedTracer};
use ::opentelemetry::metrics::{Counter, Gauge, Histogram, Meter};
use ::opentelemetry::trace::{Span, SpanKind, Status, Tracer};
use redress::event::{AttemptContext, CallTarget, Event, EventKind, Observer};

use super::{ends_call, follows_call, state_number};

/// A span for each call with an event for each attempt that failed, and the metrics of
/// [`observe`](super), by the global providers of OpenTelemetry.
///
/// The span is a child of the current context, is named `redress.call`, and has the attributes
/// `upstream` and `key`, if the call has them, `operation`, `retry.attempts` and `error.class`. Make it after the providers are set.
///
/// ```
/// # use redress::Policy;
/// use redress_tokio::observe::OpenTelemetry;
/// use redress_tokio::Upstream;
/// # fn example(policy: Policy) {
/// let upstream = Upstream::new(policy).observer(OpenTelemetry::new());
/// # let _ = upstream;
/// # }
/// ```
#[derive(Debug)]
pub struct OpenTelemetry {
    instruments: Instruments,
    /// The span of the latest call.
    span: Option<BoxedSpan>,
    /// When that call has ended. Its span is open until the next call begins, for the change of
    /// the breaker that may follow.
    ended: Option<SystemTime>,
    labels_key: bool,
    upstream: Arc<str>,
    key: Arc<str>,
}

#[derive(Clone, Debug)]
struct Instruments {
    retries: Counter<u64>,
    recovered: Counter<u64>,
    duration: Histogram<f64>,
    state: Gauge<u64>,
}

impl OpenTelemetry {
    /// An observer that reports to the global providers.
    pub fn new() -> Self {
        Self::with_meter(&global::meter("redress"))
    }

    /// As [`new`](Self::new), with instruments of this meter.
    pub fn with_meter(meter: &Meter) -> Self {
        let instruments = Instruments {
            retries: meter
                .u64_counter("redress.retries")
                .with_description("Attempts that failed and are followed by another")
                .build(),
            recovered: meter
                .u64_counter("redress.success_after_retries")
                .with_description("Calls that succeeded after a retry")
                .build(),
            duration: meter
                .f64_histogram("redress.retry.duration")
                .with_unit("s")
                .with_description("A whole call, delays included")
                .build(),
            state: meter
                .u64_gauge("redress.circuit.state")
                .with_description("0 closed, 1 half-open, 2 open")
                .build(),
        };
        Self::of(instruments, false)
    }

    fn of(instruments: Instruments, labels_key: bool) -> Self {
        let (upstream, key) = <(Arc<str>, Arc<str>)>::default();
        Self { instruments, span: None, ended: None, labels_key, upstream, key }
    }

    /// Adds the attribute `key` to counters and to the histogram, too. Each key is a time series
    /// of its own then, in each of them: for keys of few values.
    pub fn label_key(self) -> Self {
        Self::of(self.instruments.clone(), true)
    }

    /// The upstream, and the key if `has_key`, as far as the call has them.
    fn target(&self, has_key: bool) -> Vec<KeyValue> {
        let name = ("upstream", &self.upstream, true);
        let parts = [name, ("key", &self.key, has_key)].into_iter();
        let parts = parts.filter(|(_, value, is_wanted)| *is_wanted && !value.is_empty());
        parts.map(|(name, value, _)| KeyValue::new(name, value.clone())).collect()
    }

    /// The span of the call that runs, a new one if there is none.
    fn span(&mut self, operation: &str) -> &mut BoxedSpan {
        if self.ended.is_some() {
            self.end_span();
        }
        let mut attributes = self.target(true);
        self.span.get_or_insert_with(|| {
            let tracer: BoxedTracer = global::tracer("redress");
            let builder = tracer.span_builder("redress.call").with_kind(SpanKind::Internal);
            attributes.push(KeyValue::new("operation", operation.to_owned()));
            tracer.build(builder.with_attributes(attributes))
        })
    }
}

impl OpenTelemetry {
    /// Ends the span, when its call ended.
    fn end_span(&mut self) {
        if let Some(mut span) = self.span.take() {
            match self.ended.take() {
                Some(ended) => span.end_with_timestamp(ended),
                None => span.end(),
            }
        }
    }
}

impl Drop for OpenTelemetry {
    fn drop(&mut self) {
        self.end_span();
    }
}

impl Default for OpenTelemetry {
    fn default() -> Self {
        Self::new()
    }
}

/// Observes calls of its own, with the same instruments.
impl Clone for OpenTelemetry {
    fn clone(&self) -> Self {
        Self::of(self.instruments.clone(), self.labels_key)
    }
}

impl Observer for OpenTelemetry {
    fn event(&mut self, event: &Event<'_>) {
        let operation = KeyValue::new("operation", event.operation.to_owned());
        let class = event.class.map(|class| KeyValue::new("error.class", class.as_str()));
        let mut labels = self.target(self.labels_key);
        labels.push(operation.clone());
        if let Some(state) = event.state {
            let mut labels = self.target(true);
            if self.key.is_empty() {
                labels.push(operation.clone());
            }
            self.instruments.state.record(state_number(state).into(), &labels);
        }
        if event.kind == EventKind::Retry {
            let class = event.class.map_or("", |class| class.as_str());
            let class = [KeyValue::new("class", class)];
            self.instruments.retries.add(1, &[&labels[..], &class].concat());
        }
        if event.kind == EventKind::Success && event.attempt > 1 {
            self.instruments.recovered.add(1, &labels);
        }
        let span = match &mut self.span {
            Some(span) if follows_call(event) => span,
            _ => self.span(event.operation),
        };
        let mut attributes = vec![
            KeyValue::new("retry.attempt", i64::from(event.attempt)),
            KeyValue::new("retry.delay_ms", event.delay.as_millis().cast_signed()),
        ];
        attributes.extend(class.clone());
        span.add_event(event.kind.as_str(), attributes);
        if !ends_call(event) {
            return;
        }
        span.set_attribute(KeyValue::new("retry.attempts", i64::from(event.attempt)));
        if let Some(class) = class {
            span.set_attribute(class);
        }
        if event.kind != EventKind::Success {
            span.set_status(Status::error(event.kind.as_str()));
        }
        self.ended = Some(SystemTime::now());
        labels.push(KeyValue::new("event", event.kind.as_str()));
        let secs = std::time::Duration::from(event.elapsed).as_secs_f64();
        self.instruments.duration.record(secs, &labels);
    }

    fn attempt_start(&mut self, attempt: &AttemptContext<'_>) {
        self.span(attempt.operation);
    }

    fn call_target(&mut self, target: &CallTarget<'_>) {
        self.upstream = target.upstream.into();
        self.key = target.key.into();
    }
}
