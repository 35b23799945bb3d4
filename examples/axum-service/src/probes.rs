//! `/healthz`, `/readyz` and `/metrics`: what asks whether the service is well.

use std::fmt::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::App;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(async |State(app): State<App>| app.prometheus.render()))
}

/// Ready until it is stopped, with the state of each breaker. A breaker that is open takes no
/// instance out of service: all of them call the same upstream.
async fn ready(State(app): State<App>) -> (StatusCode, String) {
    let (status, mut text) = if app.is_stopping.load(Ordering::Relaxed) {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned())
    } else {
        (StatusCode::OK, "ready\n".to_owned())
    };
    for (name, upstream) in app.upstreams.all() {
        for (key, breaker) in upstream.breakers() {
            let _ = writeln!(text, "{name} {key} {}", breaker.state().as_str());
        }
    }
    (status, text)
}

/// Lets the recorder summarise what has come since.
pub(crate) async fn upkeep(prometheus: PrometheusHandle) {
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    loop {
        ticks.tick().await;
        prometheus.run_upkeep();
    }
}
