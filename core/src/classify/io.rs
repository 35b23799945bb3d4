//! `std::io::Error`, by its kind, or by the error inside if the kind does not determine a class.

use std::io::{Error, ErrorKind};
use std::string::ToString;

use crate::class::ErrorClass;
use crate::classify::dns::dns_message;
use crate::classify::facts::{Describe, Facts};

/// The class of an I/O error's kind.
///
/// | class | kinds |
/// | --- | --- |
/// | TRANSIENT | refused, reset, aborted, broken or missing connections, timeouts, unreachable hosts and networks, interruptions, an early end; `WouldBlock`, the time-out of a socket on Unix |
/// | PERMISSION | `PermissionDenied`, `ReadOnlyFilesystem` |
/// | CONCURRENCY | `ResourceBusy`, `ExecutableFileBusy`, `Deadlock`, `AlreadyExists`, `AddrInUse`, `StaleNetworkFileHandle` |
/// | RATE_LIMIT | `QuotaExceeded` |
/// | SERVER_ERROR | `StorageFull`, `OutOfMemory` |
/// | PERMANENT | errors in the request itself: not found, invalid, unsupported, too large |
/// | UNKNOWN | any other |
pub fn io_kind(kind: ErrorKind) -> ErrorClass {
    match kind {
        ErrorKind::ConnectionRefused
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::NotConnected
        | ErrorKind::BrokenPipe
        | ErrorKind::TimedOut
        | ErrorKind::WouldBlock
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable
        | ErrorKind::Interrupted
        | ErrorKind::UnexpectedEof
        | ErrorKind::WriteZero => ErrorClass::Transient,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => ErrorClass::Permission,
        ErrorKind::ResourceBusy
        | ErrorKind::ExecutableFileBusy
        | ErrorKind::Deadlock
        | ErrorKind::AlreadyExists
        | ErrorKind::AddrInUse
        | ErrorKind::StaleNetworkFileHandle => ErrorClass::Concurrency,
        ErrorKind::QuotaExceeded => ErrorClass::RateLimit,
        ErrorKind::StorageFull | ErrorKind::OutOfMemory => ErrorClass::ServerError,
        ErrorKind::NotFound
        | ErrorKind::InvalidInput
        | ErrorKind::InvalidData
        | ErrorKind::InvalidFilename
        | ErrorKind::Unsupported
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::DirectoryNotEmpty
        | ErrorKind::NotSeekable
        | ErrorKind::FileTooLarge
        | ErrorKind::TooManyLinks
        | ErrorKind::CrossesDevices
        | ErrorKind::ArgumentListTooLong => ErrorClass::Permanent,
        _ => ErrorClass::Unknown,
    }
}

/// At most so many errors are looked at, each the source of the one before.
const DEPTH: usize = 16;

/// The class of an I/O error by its kind ([`io_kind`]). If the kind does not determine a class,
/// such as `Other`, the wrapped error and the chain of its sources decide: the first of them
/// that is an I/O error with a class, or whose message is about a name that was not resolved
/// ([`dns_message`](super::dns_message), which gives the class).
///
/// ```
/// use std::io::{Error, ErrorKind};
/// use redress::{classify, ErrorClass};
/// let wrapped = Error::other(Error::from(ErrorKind::ConnectionReset));
/// assert_eq!(classify::io_error(&wrapped), ErrorClass::Transient);
/// ```
pub fn io_error(error: &Error) -> ErrorClass {
    let class = io_kind(error.kind());
    let mut inner: Option<&(dyn std::error::Error + 'static)> = match error.get_ref() {
        Some(inner) if class == ErrorClass::Unknown => Some(inner),
        _ => return class,
    };
    for _ in 0..DEPTH {
        let Some(source) = inner else { break };
        inner = match source.downcast_ref::<Error>() {
            Some(error) => match io_kind(error.kind()) {
                // The source of an I/O error is that of the error in it.
                ErrorClass::Unknown => error.get_ref().map(|inner| inner as _),
                class => return class,
            },
            None if dns_message(&source.to_string()) => return ErrorClass::Transient,
            None => source.source(),
        };
    }
    class
}

impl Describe for Error {
    fn facts(&self) -> Facts<'_> {
        Facts { class: Some(io_error(self)), ..Facts::NONE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify;

    #[test]
    fn the_default_rules_know_real_io_errors() {
        let missing = std::fs::File::open("no such file").unwrap_err();
        assert_eq!(classify::default(&missing.facts()).class, ErrorClass::Permanent);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let refused = std::net::TcpStream::connect(address).unwrap_err();
        assert_eq!(classify::default(&refused.facts()).class, ErrorClass::Transient);
    }

    /// An error that wraps another one, or itself.
    #[derive(Debug)]
    struct Wrapper(Option<Error>);

    impl std::fmt::Display for Wrapper {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("wrapped")
        }
    }

    impl std::error::Error for Wrapper {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            match &self.0 {
                Some(inner) => Some(inner),
                None => Some(self),
            }
        }
    }

    #[test]
    fn a_kind_that_says_nothing_leaves_the_word_to_what_is_in_it() {
        let reset = || Error::from(ErrorKind::ConnectionReset);
        let wrap = |inner| Error::other(Wrapper(Some(inner)));
        for (error, class) in [
            (Error::other(reset()), ErrorClass::Transient),
            (wrap(reset()), ErrorClass::Transient),
            (wrap(wrap(Error::other(reset()))), ErrorClass::Transient),
            (wrap(Error::from(ErrorKind::NotFound)), ErrorClass::Permanent),
            (Error::other("failed to lookup address information"), ErrorClass::Transient),
            (wrap(Error::other("failed to lookup address")), ErrorClass::Transient),
            (Error::new(ErrorKind::InvalidData, reset()), ErrorClass::Permanent),
            (Error::other("connection reset"), ErrorClass::Unknown),
            (Error::from(ErrorKind::Other), ErrorClass::Unknown),
            // A chain that ends nowhere ends here.
            (Error::other(Wrapper(None)), ErrorClass::Unknown),
        ] {
            assert_eq!(io_error(&error), class, "{error:?}");
        }
    }
}
