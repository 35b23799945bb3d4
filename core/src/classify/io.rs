//! `std::io::Error`, by its kind.

use std::io::{Error, ErrorKind};

use crate::ErrorClass;
use crate::classify::facts::{Describe, Facts};

/// The class of an I/O error's kind.
///
/// | class | kinds |
/// | --- | --- |
/// | TRANSIENT | refused, reset, aborted, broken or missing connections, timeouts, unreachable hosts and networks, interruptions, an early end |
/// | PERMISSION | `PermissionDenied`, `ReadOnlyFilesystem` |
/// | CONCURRENCY | `WouldBlock`, `ResourceBusy`, `ExecutableFileBusy`, `Deadlock`, `AlreadyExists`, `AddrInUse`, `StaleNetworkFileHandle` |
/// | RATE_LIMIT | `QuotaExceeded` |
/// | SERVER_ERROR | `StorageFull`, `OutOfMemory` |
/// | PERMANENT | what the request itself has wrong: not found, invalid, unsupported, too large |
/// | UNKNOWN | any other |
pub fn io_kind(kind: ErrorKind) -> ErrorClass {
    match kind {
        ErrorKind::ConnectionRefused
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::NotConnected
        | ErrorKind::BrokenPipe
        | ErrorKind::TimedOut
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable
        | ErrorKind::Interrupted
        | ErrorKind::UnexpectedEof
        | ErrorKind::WriteZero => ErrorClass::Transient,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => ErrorClass::Permission,
        ErrorKind::WouldBlock
        | ErrorKind::ResourceBusy
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

impl Describe for Error {
    fn facts(&self) -> Facts<'_> {
        Facts { class: Some(io_kind(self.kind())), ..Facts::NONE }
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
}
