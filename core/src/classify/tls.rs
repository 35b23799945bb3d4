//! TLS: the codes of invalid certificates.

use crate::class::ErrorClass;

/// The class of an error by its symbolic code, or `None` for an unknown code: `CERT_HAS_EXPIRED`,
/// `DEPTH_ZERO_SELF_SIGNED_CERT`, `ERR_TLS_CERT_ALTNAME_INVALID` and
/// `UNABLE_TO_VERIFY_LEAF_SIGNATURE` PERMANENT: the next attempt gets the same certificate.
///
/// Source: *X509 certificate error codes* of Node.js, which come from OpenSSL's
/// `X509_STORE_CTX_get_error`; *Errors* of Node.js.
pub fn tls_code(code: &str) -> Option<ErrorClass> {
    matches!(
        code,
        "CERT_HAS_EXPIRED"
            | "DEPTH_ZERO_SELF_SIGNED_CERT"
            | "ERR_TLS_CERT_ALTNAME_INVALID"
            | "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
    )
    .then_some(ErrorClass::Permanent)
}
