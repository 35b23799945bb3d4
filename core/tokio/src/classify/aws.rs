//! aws-sdk-rust: the error of any service.

use std::any::Any;
use std::convert::Infallible;
use std::error::Error;
use std::io::ErrorKind;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::ErrorKind as RetryKind;
use redress::classify::{
    self, AwsError, Classification, Classify, Facts, Limits, Verdict, header, io_kind, retry_after,
};
use redress::{Duration, ErrorClass};

/// Classifies the errors of the operations of any service with [`aws`].
///
/// ```
/// use redress::{Backoff, Duration, Policy};
/// use redress_tokio::Upstream;
/// use redress_tokio::classify::Aws;
/// # use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
/// # use aws_smithy_runtime_api::client::result::SdkError;
/// # use aws_smithy_types::error::ErrorMetadata;
/// # async fn send() -> Result<(), SdkError<ErrorMetadata, HttpResponse>> {
/// #     Err(SdkError::timeout_error("slow"))
/// # }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = Policy::builder().backoff(Backoff::constant(Duration::from_secs(1))).build()?;
/// let queue = Upstream::new(policy).classifier(Aws);
/// // In place of `send()`: `client.send_message().queue_url(url).message_body(text).send()`.
/// let failed = queue.call(|_| send()).await.unwrap_err();
/// assert_eq!(failed.to_string(), "MAX_ATTEMPTS_GLOBAL after 6 attempts, last TRANSIENT");
/// # Ok(())
/// # }
/// ```
///
/// The SDK retries by itself, three attempts in all: switch that off, or both multiply
/// (`RetryConfig::disabled()` in the configuration of the client).
#[derive(Clone, Copy, Debug, Default)]
pub struct Aws;

impl<T, E, R> Classify<T, SdkError<E, R>> for Aws
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    type Rejected = Infallible;

    fn error(&mut self, error: &SdkError<E, R>) -> Verdict {
        aws(error)
    }
}

/// The class of an error of a service.
///
/// | `SdkError` | as |
/// | --- | --- |
/// | `ServiceError` | its code, otherwise the status ([`redress::classify::aws`]); a body without a code whose status is none of a failure, `ErrorKind::InvalidData` |
/// | `ResponseError` | a status of 400 or above; otherwise the first of its sources with a class, or `ErrorKind::InvalidData` |
/// | `TimeoutError` | `ErrorKind::TimedOut` |
/// | `DispatchFailure` | the first of its sources with a class, otherwise what the connector says; without credentials `MissingAuthenticationToken` |
/// | `ConstructionFailure` | the first of its sources with a class, otherwise `ErrorKind::InvalidInput` |
///
/// The hint is that of `x-amz-retry-after` (milliseconds), `retry-after-ms` or Retry-After, unless
/// the class is final.
///
/// The type of an `SdkError` names the operation's error, so [`error`](super::error()) cannot find
/// it in a chain. It does find what is in it: broken connections, time-outs of the
/// connector, and the codes of errors that the service's model does not have. For all others
/// use [`Aws`], this function, or [`aws_in`].
pub fn aws<E, R>(error: &SdkError<E, R>) -> Verdict
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let response = error.raw_response().and_then(|raw| (raw as &dyn Any).downcast_ref());
    let status = response.map(|raw: &HttpResponse| raw.status().as_u16());
    let class = match error {
        // The SDK takes a page of a proxy for an error, whatever its status.
        SdkError::ServiceError(service) => match service.err().code() {
            None if status.is_some_and(|status| status < 400) => io_kind(ErrorKind::InvalidData),
            code => by_code(code.unwrap_or_default(), status),
        },
        SdkError::TimeoutError(_) => io_kind(ErrorKind::TimedOut),
        SdkError::ResponseError(_) if status.is_some_and(|status| status >= 400) => {
            by_code("", status)
        }
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            Some(failure) => return connector(failure),
            None => ErrorClass::Unknown,
        },
        SdkError::ResponseError(_) => match super::sources(error) {
            Some(verdict) => return verdict,
            None => io_kind(ErrorKind::InvalidData),
        },
        SdkError::ConstructionFailure(_) => match super::sources(error) {
            Some(verdict) => return verdict,
            None => io_kind(ErrorKind::InvalidInput),
        },
        _ => ErrorClass::Unknown,
    };
    let hint = response.filter(|_| !class.is_final()).and_then(hint);
    Classification { retry_after: hint, ..class.into() }.into()
}

/// As [`aws`], for an `SdkError<E>` that is this error or one of its sources; `None` if none is:
///
/// ```
/// use std::error::Error;
/// use redress::classify::{ByError, Verdict};
/// use redress_tokio::classify::{self, aws_in};
/// # type SendMessageError = aws_smithy_types::error::ErrorMetadata;
///
/// fn class(error: &Box<dyn Error + Send + Sync>) -> Verdict {
///     aws_in::<SendMessageError>(error.as_ref()).unwrap_or_else(|| classify::error(error.as_ref()))
/// }
/// # let policy = redress::Policy::builder().backoff(redress::Backoff::constant(redress::Duration::from_secs(1))).build()?;
/// let upstream = redress_tokio::Upstream::new(policy).classifier(ByError(class));
/// # Ok::<(), redress::config::ConfigError>(())
/// ```
pub fn aws_in<E>(error: &(dyn Error + 'static)) -> Option<Verdict>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let mut link = Some(error);
    for _ in 0..super::DEPTH {
        let error = link?;
        if let Some(error) = error.downcast_ref::<SdkError<E, HttpResponse>>() {
            return Some(aws(error));
        }
        link = match error.downcast_ref::<std::io::Error>() {
            // What is in it is not its source, but takes its place.
            Some(error) => error.get_ref().map(|inner| inner as _),
            None => error.source(),
        };
    }
    None
}

fn by_code(code: &str, status: Option<u16>) -> ErrorClass {
    let status = status.map(i64::from);
    classify::aws(&Facts { aws: Some(AwsError { code, status }), ..Facts::NONE }).class
}

/// The class of an error of a provider of credentials: without credentials as
/// `MissingAuthenticationToken`, otherwise of the first of its sources with a class.
pub(super) fn credentials(error: &CredentialsError) -> Verdict {
    let class = match error {
        CredentialsError::CredentialsNotLoaded(_) => missing_credentials(),
        CredentialsError::ProviderTimedOut(_) => io_kind(ErrorKind::TimedOut),
        CredentialsError::InvalidConfiguration(_) => io_kind(ErrorKind::InvalidInput),
        _ => return super::sources(error).unwrap_or(ErrorClass::Unknown.into()),
    };
    class.into()
}

fn missing_credentials() -> ErrorClass {
    by_code("MissingAuthenticationToken", None)
}

/// The class of the connector's error, which is the source of a dispatch failure.
pub(super) fn connector(error: &ConnectorError) -> Verdict {
    if error.is_timeout() {
        return io_kind(ErrorKind::TimedOut).into();
    }
    if let Some(verdict) = super::sources(error) {
        return verdict;
    }
    let class = match error.as_other() {
        _ if error.is_io() => io_kind(ErrorKind::NotConnected),
        _ if error.is_user() => io_kind(ErrorKind::InvalidInput),
        Some(RetryKind::ThrottlingError) => by_code("Throttling", None),
        Some(RetryKind::ServerError) => by_code("InternalError", None),
        Some(RetryKind::TransientError) => io_kind(ErrorKind::NotConnected),
        _ if has_no_identity(error) => missing_credentials(),
        _ => ErrorClass::Unknown,
    };
    class.into()
}

/// Whether the client has no provider of credentials. The error for this has no public type.
fn has_no_identity(error: &ConnectorError) -> bool {
    error.source().is_some_and(|source| source.to_string().contains("no identity resolver"))
}

/// By the code alone: the source of an error that the service's model does not have.
pub(super) fn metadata(error: &ErrorMetadata) -> Option<Verdict> {
    classify::aws_code(error.code()?).map(Verdict::from)
}

fn hint(response: &HttpResponse) -> Option<Duration> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let of_aws = response.headers().get("x-amz-retry-after").and_then(|text| text.parse().ok());
    let headers: Vec<(&str, &str)> = response.headers().iter().collect();
    let headers = || headers.iter().copied();
    let of_limits = || Limits::of(headers(), now).retry_after;
    let plain = || retry_after::parse(header(headers(), "Retry-After")?, now);
    of_aws.map(Duration::from_millis).or_else(of_limits).or_else(plain)
}
