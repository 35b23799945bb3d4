//! Observers, with the real subscribers, recorders and SDKs.
#![cfg(all(feature = "tracing", feature = "metrics", feature = "opentelemetry"))]

use std::future::ready;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use redress::{Backoff, BreakerConfig, Duration, Policy};
use redress_tokio::Upstream;
use redress_tokio::observe::{Metrics, OpenTelemetry, Tracing};

fn upstream() -> Upstream {
    let backoff = Backoff::constant(Duration::from_millis(10));
    let policy = Policy::builder().max_attempts(2).backoff(backoff).build().unwrap();
    let breaker = BreakerConfig::failures(1, Duration::from_secs(60));
    Upstream::new(policy).named("orders").breaker(breaker).unwrap()
}

/// A call that recovers, one that fails and opens the breaker, and one that is rejected.
async fn calls<O: redress::event::Observers + Clone>(upstream: &Upstream<O>) {
    let reset = || io::Error::from(io::ErrorKind::ConnectionReset);
    let call = || upstream.at("shelf").operation("GET /orders");
    let mut recovers = call();
    let recovered = recovers
        .call_future(|attempt| ready(if attempt.number == 1 { Err(reset()) } else { Ok(()) }));
    recovered.await.unwrap();
    for _ in 0..2 {
        let failed = call().call_future(|_| ready(Err::<(), _>(reset()))).await;
        assert!(failed.is_err());
    }
}

/// A writer that several share.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn tracing_gets_a_span_for_each_call_and_an_event_for_each_decision() {
    let buffer = Buffer::default();
    let written = buffer.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || buffer.clone())
        .with_ansi(false)
        .without_time()
        .with_max_level(::tracing::Level::DEBUG)
        .with_target(false)
        .finish();
    let guard = ::tracing::subscriber::set_default(subscriber);
    calls(&upstream().observer(Tracing::new())).await;
    drop(guard);
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let call = "redress.call{upstream=\"orders\" key=\"shelf\" operation=\"GET /orders\"}:";
    let ended = "redress.call{upstream=\"orders\" key=\"shelf\" operation=\"GET /orders\" attempts=2 \
                 event=\"max_attempts_exceeded\" class=\"TRANSIENT\"}:";
    assert_eq!(
        lines,
        [
            format!("WARN {call} retry attempt=1 class=\"TRANSIENT\" delay_ms=10"),
            format!("DEBUG {call} success attempt=2 elapsed_ms=10"),
            format!("WARN {call} retry attempt=1 class=\"TRANSIENT\" delay_ms=10"),
            format!(
                "WARN {call} max_attempts_exceeded attempt=2 class=\"TRANSIENT\" reason=\"MAX_ATTEMPTS_GLOBAL\" elapsed_ms=10"
            ),
            format!("WARN {ended} circuit_opened state=\"open\" class=\"TRANSIENT\""),
            format!("WARN {call} circuit_rejected attempt=0 elapsed_ms=0"),
        ]
    );
}

/// What an observer of the crate metrics records of these calls: name, labels, value.
fn recorded(observer: Metrics) -> Vec<String> {
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    ::metrics::with_local_recorder(&recorder, || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let upstream = upstream().observer(observer);
            calls(&upstream).await;
            // Calls of no key have a breaker of their own.
            upstream.call(|_| ready(Ok::<_, io::Error>(()))).await.unwrap();
            upstream.trip("");
        });
    });
    let mut seen: Vec<_> = snapshotter
        .snapshot()
        .into_vec()
        .into_iter()
        .map(|(key, _, _, value)| {
            let labels =
                key.key().labels().map(|label| format!("{}={}", label.key(), label.value()));
            let labels: Vec<_> = labels.collect();
            let value = match value {
                DebugValue::Counter(count) => f64::from(u32::try_from(count).unwrap()),
                DebugValue::Gauge(value) => value.into_inner(),
                DebugValue::Histogram(values) => {
                    values.iter().map(|value| value.into_inner()).sum()
                }
            };
            format!("{} {} {value}", key.key().name(), labels.join(","))
        })
        .collect();
    seen.sort();
    seen
}

#[test]
fn metrics_are_recorded_under_their_names() {
    assert_eq!(
        recorded(Metrics::new()),
        [
            "redress.circuit.state upstream=orders,key=shelf 2",
            "redress.circuit.state upstream=orders,operation= 2",
            "redress.retries upstream=orders,operation=GET /orders,class=TRANSIENT 2",
            "redress.retry.duration upstream=orders,operation=,event=success 0",
            "redress.retry.duration upstream=orders,operation=GET /orders,event=circuit_rejected 0",
            "redress.retry.duration upstream=orders,operation=GET /orders,event=max_attempts_exceeded 0.01",
            "redress.retry.duration upstream=orders,operation=GET /orders,event=success 0.01",
            "redress.success_after_retries upstream=orders,operation=GET /orders 1",
        ]
    );
    let by_key = recorded(Metrics::new().label_key());
    assert!(
        by_key.contains(
            &"redress.success_after_retries upstream=orders,key=shelf,operation=GET /orders 1"
                .to_owned()
        ),
        "{by_key:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn opentelemetry_gets_a_span_for_each_call_and_the_metrics() {
    use opentelemetry::global;
    use opentelemetry_sdk::metrics::data::{ResourceMetrics, ScopeMetrics};
    use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

    let spans = InMemorySpanExporter::default();
    let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    global::set_tracer_provider(tracers.clone());
    let metrics = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(metrics.clone()).build();
    let meters = SdkMeterProvider::builder().with_reader(reader).build();
    global::set_meter_provider(meters.clone());

    calls(&upstream().observer(OpenTelemetry::new())).await;
    meters.force_flush().unwrap();
    let spans = spans.get_finished_spans().unwrap();
    let mut seen: Vec<_> = spans
        .iter()
        .map(|span| {
            let events: Vec<_> = span.events.iter().map(|event| event.name.to_string()).collect();
            format!("{} {:?} {}", span.name, span.status, events.join(" "))
        })
        .collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            "redress.call Error { description: \"circuit_rejected\" } circuit_rejected",
            "redress.call Error { description: \"max_attempts_exceeded\" } retry \
             max_attempts_exceeded circuit_opened",
            "redress.call Unset retry success",
        ]
    );
    for (name, value) in [("upstream", "orders"), ("key", "shelf"), ("operation", "GET /orders")] {
        assert!(spans.iter().all(|span| {
            let mut attributes = span.attributes.iter();
            attributes.any(|one| one.key.as_str() == name && one.value.as_str() == value)
        }));
    }
    let names: Vec<_> = metrics
        .get_finished_metrics()
        .unwrap()
        .iter()
        .flat_map(ResourceMetrics::scope_metrics)
        .flat_map(ScopeMetrics::metrics)
        .map(|metric| metric.name().to_owned())
        .collect();
    for name in [
        "redress.circuit.state",
        "redress.retries",
        "redress.retry.duration",
        "redress.success_after_retries",
    ] {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
}
