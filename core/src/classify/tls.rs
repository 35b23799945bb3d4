//! TLS: the codes of invalid certificates.

use crate::class::ErrorClass;

/// The codes that [`tls_code`] knows.
pub const TLS_CODES: &[&str] = &[
    "CERT_HAS_EXPIRED",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
];

/// The class of an error by its symbolic code, or `None` for an unknown code: those of
/// [`TLS_CODES`] are PERMANENT: the next attempt gets the same certificate.
///
/// Source: *X509 certificate error codes* of Node.js, which come from OpenSSL's
/// `X509_STORE_CTX_get_error`; *Errors* of Node.js.
pub fn tls_code(code: &str) -> Option<ErrorClass> {
    TLS_CODES.contains(&code).then_some(ErrorClass::Permanent)
}
