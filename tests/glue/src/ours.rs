//! The service with redress-tokio.

use std::error::Error;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use redress::budget::RatioConfig;
use redress::{Backoff, BreakerConfig, Duration, Policy};
use redress_tokio::observe::{Metrics, Tracing};
use redress_tokio::reqwest::{SendError, SendWith};
use redress_tokio::{Upstream, http};
use reqwest::Client;

use crate::Ability;

/// Nothing.
pub const LACKS: &[Ability] = &[];

// glue
type App = (Client, Upstream<(Tracing, Metrics)>);
const DELAYS: Backoff = Backoff::full_jitter(Duration::from_millis(5), Duration::from_millis(50));

/// The service.
///
/// # Errors
///
/// Of a setting that is out of its range.
pub fn app(prometheus: PrometheusHandle) -> Result<Router, Box<dyn Error>> {
    let policy = Policy::builder().max_attempts(4).deadline(Duration::from_secs(3));
    let policy = policy.attempt_timeout(Duration::from_millis(500));
    let policy = policy.backoff(Backoff::retry_after_or(&DELAYS, Duration::ZERO)).build()?;
    let upstream = Upstream::new(policy)
        .breaker(BreakerConfig::failures(20, Duration::from_secs(60)))?
        .budget_by_key(RatioConfig::new(100).initial(10))?
        .observer((Tracing::new(), Metrics::new()));
    let routes = Router::new()
        .route("/order/{port}", get(order))
        .route("/metrics", get(async move || prometheus.render()));
    Ok(routes.with_state((Client::new(), upstream)))
}

async fn order(State(app): State<App>, Path(port): Path<u16>) -> Response<Body> {
    let url = format!("http://127.0.0.1:{port}/orders");
    match app.0.get(url).send_with(&app.1).await {
        Ok(response) => {
            let mut answer = Response::new(Body::empty());
            *answer.status_mut() = response.status();
            answer
        }
        Err(SendError::Call(error)) => http::failure(&error),
        Err(error) => {
            let mut answer = Response::new(Body::from(error.to_string()));
            *answer.status_mut() = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
            answer
        }
    }
}
