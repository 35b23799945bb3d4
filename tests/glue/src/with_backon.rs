//! The service with backon.

use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::Response;
use axum::routing::get;
use backon::{ExponentialBuilder, Retryable};
use metrics::counter;
use metrics_exporter_prometheus::PrometheusHandle;
use reqwest::Client;
use tracing::warn;

use crate::Ability;

/// backon has neither: they would be those of another library, for each host.
pub const LACKS: &[Ability] = &[Ability::Breaker, Ability::Budget];

// glue
/// The service.
///
/// # Errors
///
/// Of a client that cannot be built.
pub fn app(prometheus: PrometheusHandle) -> Result<Router, Box<dyn Error>> {
    let client = Client::builder().timeout(Duration::from_millis(500)).build()?;
    let routes = Router::new()
        .route("/order/{port}", get(order))
        .route("/metrics", get(async move || prometheus.render()));
    Ok(routes.with_state(client))
}

/// What makes an attempt fail: an error, or a response that may be different next time.
enum Failure {
    Error(reqwest::Error),
    Response(reqwest::Response),
}

async fn send(client: &Client, url: &str) -> Result<reqwest::Response, Failure> {
    let response = client.get(url).send().await.map_err(Failure::Error)?;
    if is_retried(response.status()) { Err(Failure::Response(response)) } else { Ok(response) }
}

fn is_retried(status: StatusCode) -> bool {
    status.is_server_error() || [408, 409, 421, 425, 429].contains(&status.as_u16())
}

fn may_retry(failure: &Failure) -> bool {
    match failure {
        Failure::Error(error) => error.is_timeout() || error.is_connect() || error.is_request(),
        Failure::Response(_) => true,
    }
}

fn retry_after(failure: &Failure, delay: Option<Duration>) -> Option<Duration> {
    let Failure::Response(response) = failure else { return delay };
    let hint =
        response.headers().get(RETRY_AFTER).and_then(|hint| hint.to_str().ok()?.parse().ok());
    delay.map(|delay| hint.map_or(delay, Duration::from_secs))
}

async fn call(client: &Client, url: &str) -> Result<reqwest::Response, Failure> {
    let delays = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(5))
        .with_max_delay(Duration::from_millis(50))
        .with_max_times(3)
        .with_jitter();
    (|| send(client, url))
        .retry(delays)
        .when(may_retry)
        .adjust(retry_after)
        .notify(|_, delay| {
            counter!("redress.retries").increment(1);
            warn!(?delay, "retry");
        })
        .await
}

async fn order(State(client): State<Client>, Path(port): Path<u16>) -> Response<Body> {
    let url = format!("http://127.0.0.1:{port}/orders");
    let limited = tokio::time::timeout(Duration::from_secs(3), call(&client, &url)).await;
    let status = match limited {
        Ok(Ok(response) | Err(Failure::Response(response))) => response.status(),
        Ok(Err(Failure::Error(_))) => StatusCode::BAD_GATEWAY,
        Err(_) => StatusCode::GATEWAY_TIMEOUT,
    };
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}
