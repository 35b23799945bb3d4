//! Symbolic codes of the operating system, and of libraries for connections.

use crate::class::ErrorClass;

/// The codes that [`connection_code`] knows.
pub const CONNECTION_CODES: &[&str] = &[
    // Of the operating system, and of its resolver.
    "EAI_AGAIN",
    "ECONNABORTED",
    "ECONNREFUSED",
    "ECONNRESET",
    "EHOSTDOWN",
    "EHOSTUNREACH",
    "ENETDOWN",
    "ENETRESET",
    "ENETUNREACH",
    "ENOTFOUND",
    "EPIPE",
    "ETIMEDOUT",
    // Of axios, Node and undici.
    "ERR_NETWORK",
    "ERR_STREAM_PREMATURE_CLOSE",
    "UND_ERR_BODY_TIMEOUT",
    "UND_ERR_CONNECT_TIMEOUT",
    "UND_ERR_HEADERS_TIMEOUT",
    "UND_ERR_SOCKET",
    // Of Bun.
    "ConnectionClosed",
    "ConnectionRefused",
    "ConnectionReset",
    "FailedToOpenSocket",
];

/// The codes that [`system_code`] knows in addition to [`CONNECTION_CODES`].
pub const SYSTEM_CODES: &[(ErrorClass, &[&str])] = &[
    (ErrorClass::Transient, &["EADDRNOTAVAIL", "EAGAIN", "EINTR", "ENOTCONN", "EWOULDBLOCK"]),
    (ErrorClass::Permission, &["EACCES", "EPERM", "EROFS"]),
    (ErrorClass::Concurrency, &["EADDRINUSE", "EBUSY", "EDEADLK", "EEXIST", "ESTALE", "ETXTBSY"]),
    (ErrorClass::RateLimit, &["EDQUOT"]),
    (ErrorClass::ServerError, &["ENOMEM", "ENOSPC"]),
    (
        ErrorClass::Permanent,
        &[
            "E2BIG",
            "EFBIG",
            "EINVAL",
            "EISDIR",
            "EMLINK",
            "ENAMETOOLONG",
            "ENOENT",
            "ENOSYS",
            "ENOTDIR",
            "ENOTEMPTY",
            "ENOTSUP",
            "EOPNOTSUPP",
            "ESPIPE",
            "EXDEV",
        ],
    ),
];

/// Whether a symbolic code means that a connection failed: a code of the operating system
/// (`ECONNRESET`), or of axios (`ERR_NETWORK`), Node (`ERR_STREAM_PREMATURE_CLOSE`), undici
/// (`UND_ERR_SOCKET`) or Bun (`ConnectionRefused`).
///
/// Source: `errno.h` and `netdb.h` of POSIX.1-2024; *Errors* in the documentation of
/// Node and of undici; `AxiosError` of axios; the errors of Bun's `fetch`.
pub fn connection_code(code: &str) -> bool {
    CONNECTION_CODES.contains(&code)
}

/// The class of an error of the operating system by its symbolic code (`"ENOENT"`), or `None` for
/// an unknown code. Case matters.
///
/// | class | codes |
/// | --- | --- |
/// | TRANSIENT | the codes of [`connection_code`], `EADDRNOTAVAIL`, `EINTR`, `ENOTCONN`; `EAGAIN` and `EWOULDBLOCK`, the time-out of a socket |
/// | PERMISSION | `EACCES`, `EPERM`, `EROFS` |
/// | CONCURRENCY | `EADDRINUSE`, `EBUSY`, `EDEADLK`, `EEXIST`, `ESTALE`, `ETXTBSY` |
/// | `RATE_LIMIT` | `EDQUOT` |
/// | `SERVER_ERROR` | `ENOMEM`, `ENOSPC` |
/// | PERMANENT | errors in the request itself: `ENOENT`, `EINVAL`, `EISDIR` and their like |
///
/// The classes are the same as in `io_kind`, for systems whose errors come as a `std::io::Error`.
///
/// Source: `errno.h` of POSIX.1-2024, and of Linux for `EHOSTDOWN`.
pub fn system_code(code: &str) -> Option<ErrorClass> {
    if connection_code(code) {
        return Some(ErrorClass::Transient);
    }
    SYSTEM_CODES.iter().find(|(_, codes)| codes.contains(&code)).map(|&(class, _)| class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_codes_of_connections_are_transient_and_others_have_no_class() {
        for code in ["UND_ERR_SOCKET", "ERR_NETWORK", "ConnectionRefused", "EAI_AGAIN"] {
            assert!(connection_code(code), "{code}");
            assert_eq!(system_code(code), Some(ErrorClass::Transient), "{code}");
        }
        for code in ["", "E", "ECONN", "ECONNRESETS", "econnreset", "ENOSUCH", "ERR_NETWORKS"] {
            assert!(!connection_code(code), "{code}");
            assert_eq!(system_code(code), None, "{code}");
        }
        assert!(!connection_code("ENOENT"));
    }

    #[test]
    fn no_code_has_two_classes() {
        let by_class = SYSTEM_CODES.iter().flat_map(|(_, codes)| codes.iter());
        let all = || CONNECTION_CODES.iter().chain(by_class.clone());
        for code in all() {
            assert_eq!(all().filter(|other| *other == code).count(), 1, "{code}");
        }
    }

    /// The kinds of `std::io` for these codes, as std has them for every Unix.
    #[cfg(feature = "std")]
    #[test]
    fn a_code_has_the_class_of_its_kind_in_std() {
        use std::io::ErrorKind;

        use crate::classify::io_kind;

        let kinds = [
            ("E2BIG", ErrorKind::ArgumentListTooLong),
            ("EACCES", ErrorKind::PermissionDenied),
            ("EADDRINUSE", ErrorKind::AddrInUse),
            ("EADDRNOTAVAIL", ErrorKind::AddrNotAvailable),
            ("EAGAIN", ErrorKind::WouldBlock),
            ("EBUSY", ErrorKind::ResourceBusy),
            ("ECONNABORTED", ErrorKind::ConnectionAborted),
            ("ECONNREFUSED", ErrorKind::ConnectionRefused),
            ("ECONNRESET", ErrorKind::ConnectionReset),
            ("EDEADLK", ErrorKind::Deadlock),
            ("EDQUOT", ErrorKind::QuotaExceeded),
            ("EEXIST", ErrorKind::AlreadyExists),
            ("EFBIG", ErrorKind::FileTooLarge),
            ("EHOSTUNREACH", ErrorKind::HostUnreachable),
            ("EINTR", ErrorKind::Interrupted),
            ("EINVAL", ErrorKind::InvalidInput),
            ("EISDIR", ErrorKind::IsADirectory),
            ("EMLINK", ErrorKind::TooManyLinks),
            ("ENAMETOOLONG", ErrorKind::InvalidFilename),
            ("ENETDOWN", ErrorKind::NetworkDown),
            ("ENETUNREACH", ErrorKind::NetworkUnreachable),
            ("ENOENT", ErrorKind::NotFound),
            ("ENOMEM", ErrorKind::OutOfMemory),
            ("ENOSPC", ErrorKind::StorageFull),
            ("ENOSYS", ErrorKind::Unsupported),
            ("ENOTCONN", ErrorKind::NotConnected),
            ("ENOTDIR", ErrorKind::NotADirectory),
            ("ENOTEMPTY", ErrorKind::DirectoryNotEmpty),
            ("ENOTSUP", ErrorKind::Unsupported),
            ("EOPNOTSUPP", ErrorKind::Unsupported),
            ("EPERM", ErrorKind::PermissionDenied),
            ("EPIPE", ErrorKind::BrokenPipe),
            ("EROFS", ErrorKind::ReadOnlyFilesystem),
            ("ESPIPE", ErrorKind::NotSeekable),
            ("ESTALE", ErrorKind::StaleNetworkFileHandle),
            ("ETIMEDOUT", ErrorKind::TimedOut),
            ("ETXTBSY", ErrorKind::ExecutableFileBusy),
            ("EWOULDBLOCK", ErrorKind::WouldBlock),
            ("EXDEV", ErrorKind::CrossesDevices),
        ];
        for (code, kind) in kinds {
            assert_eq!(system_code(code), Some(io_kind(kind)), "{code} is {kind:?}");
        }
        // Two numbers of the system have no kind; the codes of its resolver, such as ENOTFOUND or
        // those with an underscore, and of libraries are no numbers.
        let no_kind =
            |code| ["EHOSTDOWN", "ENETRESET", "ENOTFOUND"].contains(&code) || code.contains('_');
        let known = SYSTEM_CODES.iter().flat_map(|(_, codes)| codes.iter());
        for &code in known.chain(CONNECTION_CODES).filter(|code| code.starts_with('E')) {
            assert!(no_kind(code) || kinds.iter().any(|(name, _)| *name == code), "{code}");
        }
    }
}
