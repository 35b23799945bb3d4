//! reqwest through an upstream: [`SendWith`].

use std::fmt;
use std::future::Future;

use ::http::StatusCode;
use ::reqwest::{RequestBuilder, Response};
use redress::classify::Classify;
use redress::event::Observers;
use redress::{CircuitOpen, Error, StopReason};

use crate::Upstream;
use crate::classify::status_and_headers;
use crate::http::{self, last_response, may_repeat};

/// Sends requests of reqwest through an [`Upstream`].
pub trait SendWith {
    /// As `send`, through `upstream`: with its retries, and the breaker of the URL's host.
    ///
    /// A response whose status is 400 or above is a failure of its class, whatever the classifier of
    /// the upstream says of errors. Its Retry-After is followed if the policy's strategy does
    /// ([`Backoff::retry_after`](redress::Backoff::retry_after)). When the policy stops, the last response is returned
    /// whatever its status, as `send` does: check it, or call `error_for_status`. Its extensions say
    /// why the policy stopped: [`Stopped`](crate::http::Stopped).
    /// Attempt timeout and deadline end when the headers are there; reading the body is not part
    /// of the call.
    ///
    /// A request whose method is not idempotent and that has no `Idempotency-Key` is sent once.
    /// Events carry its method and host.
    ///
    /// ```no_run
    /// use redress_tokio::reqwest::{SendError, SendWith};
    /// use redress_tokio::Upstream;
    ///
    /// async fn orders(client: &reqwest::Client, upstream: &Upstream) -> Result<String, SendError> {
    ///     let response = client.get("http://orders.internal/orders").send_with(upstream).await?;
    ///     Ok(response.text().await?)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SendError::Body`] before anything is sent, if the body cannot be sent twice although the
    /// policy may retry; [`SendError::Request`] if there is no such request; else
    /// [`SendError::Call`].
    fn send_with<O, K>(
        self,
        upstream: &Upstream<O, K>,
    ) -> impl Future<Output = Result<Response, SendError>> + Send
    where
        O: Observers + Clone + Send,
        K: Classify<Response, ::reqwest::Error> + Clone + Send;
}

impl SendWith for RequestBuilder {
    fn send_with<O, K>(
        self,
        upstream: &Upstream<O, K>,
    ) -> impl Future<Output = Result<Response, SendError>> + Send
    where
        O: Observers + Clone + Send,
        K: Classify<Response, ::reqwest::Error> + Clone + Send,
    {
        let upstream = upstream.clone();
        async move {
            let (client, request) = self.build_split();
            let request = request.map_err(SendError::Request)?;
            let repeats = may_repeat(request.method(), request.headers());
            let mut first = Some(request);
            // A copy for every further attempt.
            let kept = first.as_ref().and_then(::reqwest::Request::try_clone);
            let may_retry = repeats && upstream.policy().max_attempts() > 1;
            if may_retry && kept.is_none() {
                return Err(SendError::Body);
            }
            let (host, operation) = first.as_ref().map(names).unwrap_or_default();
            let retry = if may_retry { upstream.at(&host) } else { upstream.once_at(&host) };
            let classify =
                |response: &Response| status_and_headers(response.status(), response.headers());
            let mut retry = retry.operation(&operation).classify_value(classify);
            let result = retry.call_future(|attempt| {
                let mut request = first.take().or_else(|| kept.as_ref()?.try_clone());
                if let Some(request) = request.as_mut().filter(|_| upstream.forwards_deadline) {
                    http::set_deadline(request.headers_mut(), attempt, false);
                }
                let client = &client;
                async move {
                    match request {
                        Some(request) => client.execute(request).await,
                        None => unreachable!("what is sent twice can be cloned"),
                    }
                }
            });
            let last = |error| last_response(error, Response::extensions_mut);
            result.await.or_else(last).map_err(SendError::Call)
        }
    }
}

/// The host with its port, and method and host.
fn names(request: &::reqwest::Request) -> (String, String) {
    let url = request.url();
    let host = match (url.host_str().unwrap_or_default(), url.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_owned(),
    };
    let operation = format!("{} {host}", request.method());
    (host, operation)
}

/// Why there is no response.
#[derive(Debug)]
#[non_exhaustive]
pub enum SendError {
    /// The body of the request cannot be cloned, as a stream cannot, but the policy may retry.
    /// Nothing was sent.
    Body,
    /// The request could not be built, or the body of the response could not be read.
    Request(::reqwest::Error),
    /// The breaker rejected the call, or retrying stopped.
    Call(Error<::reqwest::Error>),
}

impl SendError {
    /// The rejection, if the breaker rejected the call.
    pub fn circuit_open(&self) -> Option<&CircuitOpen> {
        match self {
            Self::Call(Error::CircuitOpen(rejection)) => Some(rejection),
            _ => None,
        }
    }

    /// The response by which a server says that this request has failed: that of
    /// [`http::failure`] for a call; 500 if nothing could be sent, 502 if the
    /// response could not be read.
    pub fn failure<B: From<&'static str>>(&self) -> ::http::Response<B> {
        let (status, sentence) = match self {
            Self::Call(error) => return http::failure(error),
            Self::Request(error) if !error.is_builder() => {
                (StatusCode::BAD_GATEWAY, "a service has failed")
            }
            Self::Request(_) | Self::Body => {
                (StatusCode::INTERNAL_SERVER_ERROR, "the request could not be sent")
            }
        };
        let mut response = ::http::Response::new(B::from(sentence));
        *response.status_mut() = status;
        response
    }

    /// Why retrying stopped, if it did.
    pub fn stop_reason(&self) -> Option<StopReason> {
        match self {
            Self::Call(error) => error.stop_reason(),
            _ => None,
        }
    }
}

impl From<::reqwest::Error> for SendError {
    fn from(error: ::reqwest::Error) -> Self {
        Self::Request(error)
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => f.write_str(
                "the body cannot be cloned, and the policy may retry: send bytes in place of a \
                 stream, or use a policy with one attempt",
            ),
            Self::Request(error) => error.fmt(f),
            Self::Call(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SendError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Body => None,
            Self::Request(error) => error.source(),
            Self::Call(error) => error.source(),
        }
    }
}
