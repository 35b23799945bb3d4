//! What failures of clients mean: [`Auto`] looks through an error and its sources for one that it
//! knows; each client whose feature is on has a function of its own besides.
//!
//! An adapter only takes the code, the status and the headers out of an error. What they mean is
//! in the tables of [`redress::classify`].

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "http")]
mod response;
#[cfg(feature = "sqlx")]
mod sqlx;
#[cfg(feature = "tokio-postgres")]
mod tokio_postgres;
#[cfg(feature = "tonic")]
mod tonic;

#[cfg(feature = "aws")]
pub use aws::{Aws, aws, aws_in};
#[cfg(feature = "hyper")]
pub use hyper::{h2, hyper};
#[cfg(feature = "redis")]
pub use redis::redis;
#[cfg(feature = "reqwest")]
pub use reqwest::{reqwest, reqwest_response};
#[cfg(feature = "http")]
pub use response::{response, status_and_headers};
#[cfg(feature = "sqlx")]
pub use sqlx::sqlx;
#[cfg(feature = "tokio-postgres")]
pub use tokio_postgres::tokio_postgres;
#[cfg(feature = "tonic")]
pub use tonic::tonic;

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::sync::Arc;

use redress::ErrorClass;
use redress::classify::{Classify, Verdict, io_error, io_kind};

/// At most so many errors are looked at, each the source of the one before.
const DEPTH: usize = 16;

/// The default classifier of an [`Upstream`](crate::Upstream): [`error`] for every error that
/// implements [`std::error::Error`].
///
/// For `anyhow::Error` and boxed errors, which do not implement it, see [`Boxed`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Auto;

#[diagnostic::do_not_recommend]
impl<T, E: Error + 'static> Classify<T, E> for Auto {
    type Rejected = Infallible;

    fn error(&mut self, error: &E) -> Verdict {
        self::error(error)
    }
}

/// As [`Auto`], for `anyhow::Error` and `Box<dyn Error + Send + Sync>`.
///
/// ```
/// use redress::{Backoff, Duration, Policy};
/// use redress_tokio::Upstream;
/// use redress_tokio::classify::Boxed;
///
/// type Failure = Box<dyn std::error::Error + Send + Sync>;
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = Policy::builder().backoff(Backoff::constant(Duration::from_secs(1))).build()?;
/// let upstream = Upstream::new(policy).classifier(Boxed);
/// let read = upstream.call(|_| async { Ok::<_, Failure>(tokio::fs::read("missing").await?) });
/// assert_eq!(read.await.unwrap_err().to_string(), "NON_RETRYABLE_CLASS after 1 attempt, last PERMANENT");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Boxed;

impl<T, E: AsRef<dyn Error + Send + Sync>> Classify<T, E> for Boxed {
    type Rejected = Infallible;

    fn error(&mut self, error: &E) -> Verdict {
        self::error(error.as_ref())
    }
}

/// The class of an error: of the first in the chain of its sources that a client's classifier
/// knows; UNKNOWN if none does.
///
/// | errors | feature | classified by |
/// | --- | --- | --- |
/// | `std::io::Error` | | [`io_error`] |
/// | tokio's `Elapsed` | | [`io_kind`], as `TimedOut` |
/// | `hyper::Error`, `h2::Error` | `hyper` | `hyper`, `h2` |
/// | `reqwest::Error` | `reqwest` | `reqwest` |
/// | `tonic::Status`, `tonic::TimeoutExpired` | `tonic` | `tonic` |
/// | `sqlx::Error` | `sqlx` | `sqlx` |
/// | `tokio_postgres::Error`, its `DbError` | `tokio-postgres` | `tokio_postgres` |
/// | `redis::RedisError`, `redis::ServerError` | `redis` | `redis` |
/// | `ConnectorError`, `CredentialsError` and `ErrorMetadata` of aws-sdk-rust; not its `SdkError`, which has a type for each operation | `aws` | `aws` |
pub fn error(error: &(dyn Error + 'static)) -> Verdict {
    first(Some(error)).unwrap_or(ErrorClass::Unknown.into())
}

/// The class of the first of the sources of an error that has one.
#[cfg(any(
    feature = "hyper",
    feature = "tonic",
    feature = "sqlx",
    feature = "tokio-postgres",
    feature = "redis",
    feature = "aws"
))]
fn sources(error: &(dyn Error + 'static)) -> Option<Verdict> {
    first(error.source()).filter(|verdict| *verdict != ErrorClass::Unknown.into())
}

/// The class of the first error that has one, of this error and its sources.
fn first(mut link: Option<&(dyn Error + 'static)>) -> Option<Verdict> {
    for _ in 0..DEPTH {
        let error = link?;
        if let Some(verdict) = known(error) {
            return Some(verdict);
        }
        link = error.source();
    }
    None
}

/// The class of this error itself, if its type and value determine one.
fn known(error: &(dyn Error + 'static)) -> Option<Verdict> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return match io_error(error) {
            // What is in it is not its source, but takes its place.
            ErrorClass::Unknown => error.get_ref().map(|inner| self::error(inner)),
            class => Some(class.into()),
        };
    }
    if let Some(shared) = error.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        return first(Some(shared.as_ref()));
    }
    if error.is::<tokio::time::error::Elapsed>() {
        return Some(io_kind(io::ErrorKind::TimedOut).into());
    }
    of_client(error)
}

/// As [`known`], of the clients whose features are on.
fn of_client(error: &(dyn Error + 'static)) -> Option<Verdict> {
    #[cfg(feature = "hyper")]
    {
        if let Some(error) = error.downcast_ref() {
            return Some(hyper(error));
        }
        if let Some(error) = error.downcast_ref() {
            return Some(h2(error));
        }
    }
    #[cfg(feature = "reqwest")]
    if let Some(error) = error.downcast_ref() {
        return Some(reqwest(error));
    }
    #[cfg(feature = "tonic")]
    {
        if let Some(status) = error.downcast_ref() {
            return Some(tonic(status));
        }
        if error.is::<::tonic::TimeoutExpired>() {
            return Some(io_kind(io::ErrorKind::TimedOut).into());
        }
    }
    #[cfg(feature = "sqlx")]
    if let Some(error) = error.downcast_ref() {
        return Some(sqlx(error));
    }
    #[cfg(feature = "tokio-postgres")]
    {
        if let Some(error) = error.downcast_ref() {
            return Some(tokio_postgres(error));
        }
        if let Some(error) = error.downcast_ref() {
            return Some(tokio_postgres::server(error));
        }
    }
    #[cfg(feature = "redis")]
    {
        if let Some(error) = error.downcast_ref() {
            return Some(redis(error));
        }
        if let Some(error) = error.downcast_ref() {
            return Some(redis::server(error));
        }
    }
    #[cfg(feature = "aws")]
    {
        if let Some(error) = error.downcast_ref() {
            return Some(aws::connector(error));
        }
        if let Some(error) = error.downcast_ref() {
            return Some(aws::credentials(error));
        }
        if let Some(error) = error.downcast_ref() {
            return aws::metadata(error);
        }
    }
    let _ = error;
    None
}
