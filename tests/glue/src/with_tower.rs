//! The service with the layers of tower.

use std::collections::HashMap;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::Response;
use axum::routing::get;
use metrics::counter;
use metrics_exporter_prometheus::PrometheusHandle;
use reqwest::{Client, Request};
use tower::retry::backoff::{Backoff, ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff};
use tower::retry::budget::{Budget, TpsBudget};
use tower::util::rng::HasherRng;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tracing::warn;

use crate::Ability;

/// tower has no breaker.
pub const LACKS: &[Ability] = &[Ability::Breaker];

// glue
#[derive(Clone)]
struct App {
    client: Client,
    budgets: Arc<Mutex<HashMap<u16, Arc<TpsBudget>>>>,
    delays: ExponentialBackoffMaker,
}

/// The service.
///
/// # Errors
///
/// Of a client that cannot be built, or delays that are out of range.
pub fn app(prometheus: PrometheusHandle) -> Result<Router, Box<dyn Error>> {
    let client = Client::builder().timeout(Duration::from_millis(500)).build()?;
    let (least, most) = (Duration::from_millis(5), Duration::from_millis(50));
    let delays = ExponentialBackoffMaker::new(least, most, 1.0, HasherRng::default())?;
    let routes = Router::new()
        .route("/order/{port}", get(order))
        .route("/metrics", get(async move || prometheus.render()));
    Ok(routes.with_state(App { client, budgets: Arc::default(), delays }))
}

/// Retries what may be different next time, out of the budget of a host.
#[derive(Clone)]
struct Retries {
    left: u32,
    budget: Arc<TpsBudget>,
    delays: ExponentialBackoff,
}

type Sent = Result<reqwest::Response, reqwest::Error>;

impl tower::retry::Policy<Request, reqwest::Response, reqwest::Error> for Retries {
    type Future = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn retry(&mut self, _: &mut Request, result: &mut Sent) -> Option<Self::Future> {
        if !may_retry(result) {
            self.budget.deposit();
            return None;
        }
        self.left = self.left.checked_sub(1).filter(|_| self.budget.withdraw())?;
        counter!("redress.retries").increment(1);
        warn!("retry");
        match retry_after(result) {
            Some(hint) => Some(Box::pin(tokio::time::sleep(hint))),
            None => Some(Box::pin(self.delays.next_backoff())),
        }
    }

    fn clone_request(&mut self, request: &Request) -> Option<Request> {
        request.try_clone()
    }
}

fn may_retry(result: &Sent) -> bool {
    match result {
        Ok(response) => {
            response.status().is_server_error()
                || [408, 409, 421, 425, 429].contains(&response.status().as_u16())
        }
        Err(error) => error.is_timeout() || error.is_connect() || error.is_request(),
    }
}

fn retry_after(result: &Sent) -> Option<Duration> {
    let hint = result.as_ref().ok()?.headers().get(RETRY_AFTER)?;
    Some(Duration::from_secs(hint.to_str().ok()?.parse().ok()?))
}

impl App {
    fn budget(&self, host: u16) -> Arc<TpsBudget> {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(TpsBudget::new(Duration::from_secs(10), 1, 0.1));
        budgets.entry(host).or_insert_with(new).clone()
    }
}

async fn order(State(app): State<App>, Path(port): Path<u16>) -> Response<Body> {
    let url = format!("http://127.0.0.1:{port}/orders");
    let status = match app.client.get(url).build() {
        Ok(request) => {
            let retries = Retries {
                left: 3,
                budget: app.budget(port),
                delays: app.delays.clone().make_backoff(),
            };
            let service = service_fn(|request| app.client.execute(request));
            let service = ServiceBuilder::new().retry(retries).service(service);
            let call = service.oneshot(request);
            match tokio::time::timeout(Duration::from_secs(3), call).await {
                Ok(Ok(response)) => response.status(),
                Ok(Err(_)) => StatusCode::BAD_GATEWAY,
                Err(_) => StatusCode::GATEWAY_TIMEOUT,
            }
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}
