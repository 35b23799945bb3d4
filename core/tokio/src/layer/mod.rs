//! Layers of tower: [`Upstream::layer`] for clients of HTTP and gRPC, [`DeadlineLayer`] for
//! servers.

mod body;
mod server;

pub use body::{MOST_KEPT, ReplayBody};
pub use server::{DeadlineLayer, DeadlineService};

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Buf;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use redress::classify::{Classification, Classify, grpc_code};
use redress::event::Observers;
use redress::{Error, ErrorClass};
use tower_layer::Layer;
use tower_service::Service;

use crate::Upstream;
use crate::classify::status_and_headers;
use crate::http::{last_response, may_repeat, set_deadline};

/// A layer that sends the requests of a client through an upstream; [`Upstream::layer`] makes it.
#[derive(Clone, Debug)]
pub struct UpstreamLayer<O, K> {
    upstream: Upstream<O, K>,
    key: Option<Arc<str>>,
}

impl<O, K> Upstream<O, K> {
    /// A layer for a client of HTTP or gRPC: `hyper_util`'s client, a `tonic` channel, or any
    /// service that takes an [`http::Request`] with a [`ReplayBody`].
    ///
    /// A response whose status is 400 or above, and a gRPC response whose `grpc-status` is in its
    /// headers, are failures of their class. When the policy stops, the caller gets the last
    /// response whatever its status, with [`Stopped`](crate::http::Stopped) in its extensions, and an
    /// [`Error`] if the last attempt had none.
    ///
    /// A request is sent once if its method is not idempotent and it has no `Idempotency-Key`, or
    /// if its body is a stream or longer than [`MOST_KEPT`]. Requests of gRPC are all `POST`, so their
    /// method says nothing: they are repeated by the class of their status, unless they are streams.
    /// For methods of gRPC that must not be repeated, use an upstream with one attempt.
    ///
    /// The key of the breaker is the host of the URI with its port, or [`UpstreamLayer::key`].
    /// Events carry method and host, or the path of a gRPC method.
    ///
    /// ```
    /// use redress::{Backoff, Duration, Policy};
    /// use redress_tokio::Upstream;
    /// # use tower_layer::Layer;
    /// # fn example<S>(client: S) -> Result<(), redress::config::ConfigError> {
    /// let policy = Policy::builder()
    ///     .backoff(Backoff::full_jitter(Duration::from_millis(50), Duration::from_secs(2)))
    ///     .build()?;
    /// let client = Upstream::new(policy).layer().layer(client);
    /// # let _ = client;
    /// # Ok(())
    /// # }
    /// ```
    pub fn layer(self) -> UpstreamLayer<O, K> {
        UpstreamLayer { upstream: self, key: None }
    }
}

impl<O, K> UpstreamLayer<O, K> {
    /// Uses this key for all requests, in place of their hosts.
    pub fn key(self, key: &str) -> Self {
        Self { key: Some(key.into()), ..self }
    }
}

impl<S, O, K> Layer<S> for UpstreamLayer<O, K>
where
    Upstream<O, K>: Clone,
{
    type Service = UpstreamService<S, O, K>;

    fn layer(&self, inner: S) -> Self::Service {
        UpstreamService { inner, upstream: self.upstream.clone(), key: self.key.clone() }
    }
}

/// A client behind an upstream; see [`Upstream::layer`].
#[derive(Clone, Debug)]
pub struct UpstreamService<S, O, K> {
    inner: S,
    upstream: Upstream<O, K>,
    key: Option<Arc<str>>,
}

impl<S, B, R, O, K> Service<Request<B>> for UpstreamService<S, O, K>
where
    S: Service<Request<ReplayBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send + 'static,
    R: Send + 'static,
    B: Body<Data: Buf, Error: Unpin + Send> + Unpin + Send + 'static,
    O: Observers + Clone + Send + 'static,
    K: Classify<Response<R>, S::Error> + Clone + Send + 'static,
{
    type Response = Response<R>;
    type Error = Error<S::Error>;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, Error<S::Error>>> + Send>>;

    /// Always ready: each attempt waits until the service beneath is, within its timeout.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self { inner, upstream, key } = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let is_grpc = is_grpc(&parts.headers);
            let body = ReplayBody::read(body).await;
            let repeats = is_grpc || may_repeat(&parts.method, &parts.headers);
            let host = parts.uri.authority().map_or("", |authority| authority.as_str());
            let operation = operation(is_grpc, &parts.method, parts.uri.path(), host);
            let key = key.as_deref().unwrap_or(host);
            let mut requests = match body.copy() {
                Some(_) if repeats => Requests::Many(parts.clone(), body),
                _ => Requests::One(Some(Request::from_parts(parts.clone(), body))),
            };
            let retry = match requests {
                Requests::Many(..) => upstream.at(key),
                Requests::One(_) => upstream.once_at(key),
            };
            let mut retry = retry.operation(&operation).classify_value(classify::<R>);
            let forwards = upstream.forwards_deadline;
            let result = retry.call_future(move |attempt| {
                let (mut inner, mut request) = (inner.clone(), requests.next());
                if let Some(request) = request.as_mut().filter(|_| forwards) {
                    set_deadline(request.headers_mut(), attempt, is_grpc);
                }
                async move {
                    poll_fn(|context| inner.poll_ready(context)).await?;
                    match request {
                        Some(request) => inner.call(request).await,
                        None => unreachable!("a call with one attempt makes one"),
                    }
                }
            });
            result.await.or_else(|error| last_response(error, Response::extensions_mut))
        })
    }
}

/// The requests of a call.
enum Requests<B: Body> {
    Many(http::request::Parts, ReplayBody<B>),
    One(Option<Request<ReplayBody<B>>>),
}

impl<B: Body<Data: Buf> + Unpin> Requests<B> {
    fn next(&mut self) -> Option<Request<ReplayBody<B>>> {
        match self {
            Self::Many(parts, body) => Some(Request::from_parts(parts.clone(), body.copy()?)),
            Self::One(request) => request.take(),
        }
    }
}

fn operation(is_grpc: bool, method: &Method, path: &str, host: &str) -> String {
    if is_grpc { path.trim_start_matches('/').to_owned() } else { format!("{method} {host}") }
}

fn is_grpc(headers: &http::HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// The class of a response, of HTTP or of gRPC.
fn classify<R>(response: &Response<R>) -> Option<Classification> {
    let headers = response.headers();
    if response.status() != StatusCode::OK || !is_grpc(headers) {
        return status_and_headers(response.status(), headers);
    }
    let code = headers.get("grpc-status")?.to_str().ok()?.parse().ok()?;
    if code == 0 {
        return None;
    }
    let message = headers.get("grpc-message").and_then(|message| message.to_str().ok());
    let class = grpc_code(code, message.unwrap_or_default()).unwrap_or(ErrorClass::Unknown);
    Some(class.into())
}
