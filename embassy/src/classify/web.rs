//! HTTP by reqwless.

use redress::{Classification, ErrorClass};

use super::{io, of};

/// A request of reqwless without an answer. For an answer take
/// [`http_response`](redress::classify::http_response) of the engine.
///
/// | class | errors |
/// | --- | --- |
/// | as [`io`] | `Network`, by its kind; of a refused connection reqwless makes `Other` |
/// | TRANSIENT | `Dns`, `ConnectionAborted` |
/// | PERMANENT | an address, a buffer or a use that is wrong, an answer that is none |
/// | UNKNOWN | TLS, and what comes later |
pub fn web(error: &reqwless::Error) -> Classification {
    use reqwless::Error;
    match error {
        Error::Dns => of(ErrorClass::Transient, "name not resolved"),
        Error::Network(kind) => io(kind),
        Error::ConnectionAborted => of(ErrorClass::Transient, "connection closed"),
        Error::Codec => of(ErrorClass::Permanent, "not an answer of HTTP"),
        Error::InvalidUrl(_) => of(ErrorClass::Permanent, "invalid address"),
        Error::BufferTooSmall => of(ErrorClass::Permanent, "buffer too small"),
        Error::AlreadySent => of(ErrorClass::Permanent, "sent already"),
        Error::IncorrectBodyWritten => of(ErrorClass::Permanent, "wrong length of the body"),
        // With TLS in reqwless there are more.
        #[allow(unreachable_patterns, reason = "its features add variants")]
        _ => of(ErrorClass::Unknown, "another web error"),
    }
}
