//! DNS: the codes of resolvers, and what they say.

use crate::class::ErrorClass;

/// The class of a resolver's error by its code in letters, or `None` for one that is not
/// known: `EAI_AGAIN`, `ESERVFAIL`, `ETIMEOUT` and `ENOTFOUND` TRANSIENT, `ENODATA` PERMANENT,
/// as the name is there and the record is not.
///
/// `ENOTFOUND` is TRANSIENT because a name server that cannot be reached looks like a name that
/// is not there; a name that is wrong costs the attempts.
///
/// Source: `netdb.h` of POSIX.1-2024; *Error codes* of `node:dns`, which are those of c-ares.
pub fn dns_code(code: &str) -> Option<ErrorClass> {
    Some(match code {
        "EAI_AGAIN" | "ESERVFAIL" | "ETIMEOUT" | "ENOTFOUND" => ErrorClass::Transient,
        "ENODATA" => ErrorClass::Permanent,
        _ => return None,
    })
}

/// Whether a message is that of a name that was not resolved: `std` has no kind for it, and
/// says `failed to lookup address information: ..`.
///
/// Source: the standard library of Rust, which adds the text of `gai_strerror`.
pub fn dns_message(message: &str) -> bool {
    super::contains(message, "failed to lookup address")
}
