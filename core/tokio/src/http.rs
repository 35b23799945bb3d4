//! What clients and servers of HTTP have in common: which requests may be sent twice
//! ([`may_repeat`]), the deadline that a request brings ([`deadline`]), why a call ended with a
//! response that is a failure ([`Stopped`]), and the response that a failed call becomes
//! ([`failure`]).

use std::fmt;

use ::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use ::http::{Method, Response, StatusCode};
use redress::{Duration, Error, ErrorClass, StopReason};
#[cfg(any(feature = "reqwest", feature = "tower"))]
use {::http::Extensions, redress::Attempt, redress::RetryExhausted};

/// The header by which a client says how many milliseconds it still waits for the response.
pub const REQUEST_DEADLINE: HeaderName = HeaderName::from_static("x-request-deadline");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Whether a request may be sent twice: its method is idempotent (RFC 9110, section 9.2.2), or it
/// has an `Idempotency-Key`.
pub fn may_repeat(method: &Method, headers: &HeaderMap) -> bool {
    let is_idempotent =
        [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE, Method::PUT, Method::DELETE];
    is_idempotent.contains(method) || headers.contains_key(IDEMPOTENCY_KEY)
}

/// A deadline header that cannot be read: its name and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrongDeadline {
    /// The name of the header.
    pub header: HeaderName,
    /// Its value.
    pub value: HeaderValue,
}

impl fmt::Display for WrongDeadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected = if self.header == GRPC_TIMEOUT {
            "1 to 8 digits and one of H, M, S, m, u and n"
        } else {
            "a whole number of milliseconds"
        };
        write!(f, "{}: {:?} is not {expected}", self.header, self.value)
    }
}

impl std::error::Error for WrongDeadline {}

/// How long the sender of a request still waits for its response, by `x-request-deadline` (whole
/// milliseconds) or `grpc-timeout`; the shorter of both, `None` without either.
///
/// The time is a span and not an instant, because the clocks of two machines differ.
///
/// # Errors
///
/// [`WrongDeadline`] if a header cannot be read.
pub fn deadline(headers: &HeaderMap) -> Result<Option<Duration>, WrongDeadline> {
    let read = |header: HeaderName, parse: fn(&str) -> Option<Duration>| {
        let Some(value) = headers.get(&header) else { return Ok(None) };
        match value.to_str().ok().and_then(parse) {
            Some(limit) => Ok(Some(limit)),
            None => Err(WrongDeadline { header, value: value.clone() }),
        }
    };
    let millis = read(REQUEST_DEADLINE, |text| Some(Duration::from_millis(digits(text)?)))?;
    let grpc = read(GRPC_TIMEOUT, grpc_timeout)?;
    Ok(match (millis, grpc) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    })
}

/// A whole number of ASCII digits.
fn digits(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// Source: "gRPC over HTTP/2", `Timeout`.
fn grpc_timeout(text: &str) -> Option<Duration> {
    let (unit, number) = (text.chars().last()?, text.get(..text.len().checked_sub(1)?)?);
    let number = digits(number).filter(|_| number.len() <= 8)?;
    Some(match unit {
        'H' => Duration::from_secs(number * 3_600),
        'M' => Duration::from_secs(number * 60),
        'S' => Duration::from_secs(number),
        'm' => Duration::from_millis(number),
        'u' => Duration::from_micros(number),
        'n' => Duration::from_micros(number.div_ceil(1_000)),
        _ => return None,
    })
}

/// Writes into the headers of a request how long its sender waits for it.
///
/// That is the attempt timeout or what is left of the call's deadline, whichever is shorter, in whole
/// milliseconds, rounded down. Without either the headers stay as they are.
#[cfg(any(feature = "reqwest", feature = "tower"))]
pub(crate) fn set_deadline(headers: &mut HeaderMap, attempt: Attempt, is_grpc: bool) {
    if attempt.timeout == Duration::MAX {
        return;
    }
    let millis = attempt.timeout.as_millis();
    if !is_grpc {
        headers.insert(REQUEST_DEADLINE, millis.into());
        return;
    }
    // At most eight digits.
    let text = if millis < 100_000_000 {
        format!("{millis}m")
    } else {
        format!("{}S", (millis / 1_000).min(99_999_999))
    };
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(GRPC_TIMEOUT, value);
    }
}

/// Why a call ended with a response that is a failure of its class: an extension of the last
/// response, which the caller gets when the policy stops.
///
/// ```
/// use redress_tokio::http::Stopped;
///
/// fn log<B>(response: &http::Response<B>) {
///     if let Some(stopped) = response.extensions().get::<Stopped>() {
///         eprintln!("{} after {} attempts", stopped.reason, stopped.attempts);
///     }
/// }
/// # log(&http::Response::new(()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Why there was no further attempt.
    pub reason: StopReason,
    /// How many attempts were made.
    pub attempts: u32,
    /// The class of the response.
    pub class: Option<ErrorClass>,
    /// The delay that would have come next, if it is known.
    pub next_sleep: Option<Duration>,
}

/// The last response of a call that failed, if there is one, with [`Stopped`] in its extensions.
#[cfg(any(feature = "reqwest", feature = "tower"))]
pub(crate) fn last_response<R, E>(
    error: Error<E, R>,
    extensions: impl FnOnce(&mut R) -> &mut Extensions,
) -> Result<R, Error<E>> {
    let stopped = match &error {
        Error::Exhausted(RetryExhausted {
            stop_reason, attempts, last_class, next_sleep, ..
        }) => Some(Stopped {
            reason: *stop_reason,
            attempts: *attempts,
            class: *last_class,
            next_sleep: *next_sleep,
        }),
        Error::CircuitOpen(_) => None,
    };
    let mut response = error.into_value()?;
    if let Some(stopped) = stopped {
        extensions(&mut response).insert(stopped);
    }
    Ok(response)
}

/// The response by which a server says that a call of its own has failed.
///
/// | the call | status |
/// | --- | --- |
/// | was rejected by a breaker, or had no retry left in its budget | 503, with Retry-After if it is known |
/// | ran out of time | 504 |
/// | failed in any other way | 502 |
///
/// The body is a sentence without the text of the error, which may hold what is not for the
/// client.
pub fn failure<E, V, B: From<&'static str>>(error: &Error<E, V>) -> Response<B> {
    let (status, sentence, wait) = match error {
        Error::CircuitOpen(rejection) => {
            (StatusCode::SERVICE_UNAVAILABLE, "the service is not available", rejection.retry_after)
        }
        Error::Exhausted(stopped) => match stopped.stop_reason {
            StopReason::CircuitOpen | StopReason::BudgetExhausted => {
                let sentence = "the service is not available";
                (StatusCode::SERVICE_UNAVAILABLE, sentence, stopped.next_sleep)
            }
            StopReason::DeadlineExceeded => {
                (StatusCode::GATEWAY_TIMEOUT, "the request took too long", None)
            }
            _ => (StatusCode::BAD_GATEWAY, "a service has failed", None),
        },
    };
    let mut response = Response::new(B::from(sentence));
    *response.status_mut() = status;
    if let Some(wait) = wait {
        let secs = wait.as_micros().div_ceil(1_000_000);
        response.headers_mut().insert(RETRY_AFTER, secs.into());
    }
    response
}
