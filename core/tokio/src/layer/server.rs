//! The deadline of each request that a server handles: [`DeadlineLayer`].

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode};
use redress::Duration;
use tower_layer::Layer;
use tower_service::Service;

use crate::{deadline, http as rules};

/// A layer for a server: a request that brings a deadline (`x-request-deadline`, `grpc-timeout`)
/// is handled within it, and so is every call of an [`Upstream`](crate::Upstream) that is made
/// for it.
///
/// | the request | status |
/// | --- | --- |
/// | has a deadline that cannot be read | 400; the request is not handled |
/// | is not handled before its deadline | 504; the handler is dropped, and its calls are cancelled |
///
/// ```
/// use redress::Duration;
/// use redress_tokio::layer::DeadlineLayer;
///
/// // No request is handled for more than half a minute.
/// let layer = DeadlineLayer::new().at_most(Duration::from_secs(30));
/// # let _ = layer;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct DeadlineLayer {
    most: Option<Duration>,
}

impl DeadlineLayer {
    /// A layer that sets the deadlines that requests bring.
    pub const fn new() -> Self {
        Self { most: None }
    }

    /// The most time for every request, also for one that brings no deadline; no limit by
    /// default.
    pub const fn at_most(self, limit: Duration) -> Self {
        Self { most: Some(limit) }
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> DeadlineService<S> {
        DeadlineService { inner, most: self.most }
    }
}

/// A server with deadlines; see [`DeadlineLayer`].
#[derive(Clone, Copy, Debug)]
pub struct DeadlineService<S> {
    inner: S,
    most: Option<Duration>,
}

impl<S, B, R> Service<Request<B>> for DeadlineService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    R: From<String> + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let limit = match rules::deadline(request.headers()) {
            Ok(limit) => match (limit, self.most) {
                (Some(limit), Some(most)) => Some(limit.min(most)),
                (limit, most) => limit.or(most),
            },
            Err(wrong) => {
                let response = answer(StatusCode::BAD_REQUEST, wrong.to_string());
                return Box::pin(async { Ok(response) });
            }
        };
        let handled = self.inner.call(request);
        let Some(limit) = limit else { return Box::pin(handled) };
        Box::pin(async move {
            let handled = deadline::within(limit, handled);
            let late = || answer(StatusCode::GATEWAY_TIMEOUT, "the request took too long".into());
            let handled = tokio::time::timeout(limit.into(), handled).await;
            handled.unwrap_or_else(|_| Ok(late()))
        })
    }
}

fn answer<R: From<String>>(status: StatusCode, sentence: String) -> Response<R> {
    let mut response = Response::new(R::from(sentence));
    *response.status_mut() = status;
    response
}
