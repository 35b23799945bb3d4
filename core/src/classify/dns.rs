//! DNS: the codes and messages of resolvers.

use crate::class::ErrorClass;

/// The codes that [`dns_code`] knows.
pub const DNS_CODES: &[(ErrorClass, &[&str])] = &[
    (ErrorClass::Transient, &["EAI_AGAIN", "ESERVFAIL", "ETIMEOUT", "ENOTFOUND"]),
    (ErrorClass::Permanent, &["ENODATA"]),
];

/// The class of a resolver's error by its symbolic code, or `None` for an unknown code:
/// `EAI_AGAIN`, `ESERVFAIL`, `ETIMEOUT` and `ENOTFOUND` TRANSIENT; `ENODATA` PERMANENT, because
/// the name exists and the record does not.
///
/// `ENOTFOUND` is TRANSIENT because a name server that cannot be reached looks like a name that
/// does not exist. A wrong name therefore costs all attempts.
///
/// Source: `netdb.h` of POSIX.1-2024; *Error codes* of `node:dns`, which are those of c-ares.
pub fn dns_code(code: &str) -> Option<ErrorClass> {
    DNS_CODES.iter().find(|(_, codes)| codes.contains(&code)).map(|&(class, _)| class)
}

/// Whether a message means that a name was not resolved. `std` has no error kind for this; its
/// message is `failed to lookup address information: ..`.
///
/// Source: the standard library of Rust, which adds the text of `gai_strerror`.
pub fn dns_message(message: &str) -> bool {
    super::contains(message, "failed to lookup address")
}
