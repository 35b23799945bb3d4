//! workers-rs.

use redress::ErrorClass;
use redress::classify::{Classification, Facts, Marker, Verdict, default, io_error};
use worker::kv::KvError;
use worker::{Error, Response};

use super::response::by_headers;

/// The class of an error of workers-rs: by [`js`](super::js) if JavaScript threw it; by
/// `std::io`'s kind; by the status of an error of JSON; by what the variant says, for the limits
/// and failures of Cloudflare's services. Any other is UNKNOWN.
pub fn worker_error(error: &Error) -> Verdict {
    let marked = |marker| default(&Facts { marker: Some(marker), ..Facts::NONE }).into();
    match error {
        Error::UnknownJsError { original: thrown, .. }
        | Error::Internal(thrown)
        | Error::KvError(KvError::JavaScript(thrown)) => super::js(thrown),
        Error::Io(error) => io_error(error).into(),
        Error::Json((_, status)) => {
            default(&Facts { status: Some(i64::from(*status)), ..Facts::NONE }).into()
        }
        Error::RateLimitExceeded(_) | Error::DailyLimitExceeded(_) => marked(Marker::RateLimit),
        Error::InternalError(_) => marked(Marker::ServerError),
        Error::EmailRecipientSuppressed(_) | Error::EmailRecipientNotAllowed(_) => {
            marked(Marker::Permanent)
        }
        _ => ErrorClass::Unknown.into(),
    }
}

/// As `classify::response`, for a response of workers-rs.
pub fn worker_response(response: &Response) -> Option<Classification> {
    by_headers(response.status_code(), || response.headers().entries().collect::<Vec<_>>())
}
