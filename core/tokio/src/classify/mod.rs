//! What failures of clients mean: [`Auto`] looks through an error and its sources for one that it
//! knows; each client whose feature is on has a function of its own besides.
//!
//! An adapter only takes the code, the status and the headers out of an error. What they mean is
//! in the tables of [`redress::classify`].

#[cfg(feature = "http")]
mod response;

#[cfg(feature = "http")]
pub use response::{response, status_and_headers};

use std::convert::Infallible;
use std::error::Error;
use std::io;

use redress::ErrorClass;
use redress::classify::{Classify, Verdict, io_error};

/// At most so many errors are looked at, each the source of the one before.
const DEPTH: usize = 16;

/// The default classifier of an [`Upstream`](crate::Upstream): [`error`] for every error that
/// implements [`std::error::Error`].
///
/// For `anyhow::Error` and boxed errors, which do not implement it, see [`Boxed`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Auto;

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
/// | errors | feature |
/// | --- | --- |
/// | `std::io::Error`, tokio's `Elapsed` | |
pub fn error(error: &(dyn Error + 'static)) -> Verdict {
    let mut link = Some(error);
    for _ in 0..DEPTH {
        let Some(error) = link else { break };
        if let Some(verdict) = known(error) {
            return verdict;
        }
        link = error.source();
    }
    ErrorClass::Unknown.into()
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
    if error.is::<tokio::time::error::Elapsed>() {
        return Some(ErrorClass::Transient.into());
    }
    None
}
