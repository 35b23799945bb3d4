//! AWS: the error codes of its services.

use crate::class::{Classification, ErrorClass};
use crate::classify::facts::{Facts, Library};
use crate::classify::rules;

/// The class of an AWS error code, or `None` for a code whose meaning depends on the service.
///
/// | class | codes |
/// | --- | --- |
/// | `RATE_LIMIT` | the throttling codes of the SDKs' standard retry mode |
/// | PERMISSION | `AccessDenied` and its like |
/// | AUTH | missing, wrong and expired credentials and signatures |
/// | CONCURRENCY | conflicts, failed conditions and transactions in progress |
/// | TRANSIENT | `RequestTimeout` and `RequestTimeoutException` |
/// | `SERVER_ERROR` | internal failures and unavailable services |
///
/// Source: *Retry behavior* of the AWS SDKs and Tools Reference Guide, and the common
/// errors of the services' API references.
pub fn aws_code(code: &str) -> Option<ErrorClass> {
    Some(match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "LimitExceededException"
        | "OverLimit"
        | "SlowDown"
        | "PriorRequestNotComplete"
        | "EC2ThrottledException" => ErrorClass::RateLimit,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized" => {
            ErrorClass::Permission
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "AuthFailure"
        | "Unauthorized"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "RequestExpired" => ErrorClass::Auth,
        "ConditionalCheckFailedException"
        | "ConflictException"
        | "DependencyViolation"
        | "OperationAborted"
        | "ResourceInUseException"
        | "TransactionConflictException"
        | "TransactionInProgressException" => ErrorClass::Concurrency,
        "RequestTimeout" | "RequestTimeoutException" => ErrorClass::Transient,
        "InternalError"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalServerException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => ErrorClass::ServerError,
        _ => return None,
    })
}

/// Classifies an AWS error. Types of a broken connection are TRANSIENT. Client errors are
/// classified by their code ([`aws_code`]), otherwise by their status: 429 `RATE_LIMIT`, 401
/// AUTH, 403 PERMISSION, 500 to 599 `SERVER_ERROR`, 408 TRANSIENT and 409 CONCURRENCY (both only
/// if the error has no code), other 400 to 499 PERMANENT, otherwise UNKNOWN. Errors of other libraries are
/// classified by [`default`](super::default).
pub fn aws(facts: &Facts<'_>) -> Classification {
    const BROKEN: [&str; 4] = [
        "EndpointConnectionError",
        "ConnectionClosedError",
        "ReadTimeoutError",
        "ConnectTimeoutError",
    ];
    if facts.library == Library::Aws && BROKEN.iter().any(|name| facts.is_a(name)) {
        return ErrorClass::Transient.into();
    }
    let Some(error) = facts.aws else { return rules::default(facts) };
    if let Some(class) = aws_code(error.code) {
        return class.into();
    }
    let class = match error.status {
        Some(429) => ErrorClass::RateLimit,
        Some(401) => ErrorClass::Auth,
        Some(403) => ErrorClass::Permission,
        Some(500..=599) => ErrorClass::ServerError,
        Some(408) if error.code.is_empty() => ErrorClass::Transient,
        Some(409) if error.code.is_empty() => ErrorClass::Concurrency,
        Some(400..=499) => ErrorClass::Permanent,
        _ => ErrorClass::Unknown,
    };
    class.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::facts::AwsError;

    #[test]
    fn a_documented_code_wins_over_the_status() {
        let of = |code, status| aws(&Facts { aws: Some(AwsError { code, status }), ..Facts::NONE });
        for (code, status, class) in [
            ("AuthFailure", Some(500), ErrorClass::Auth),
            ("BandwidthLimitExceeded", Some(400), ErrorClass::RateLimit),
            ("ConflictException", Some(412), ErrorClass::Concurrency),
            ("InternalError", Some(301), ErrorClass::ServerError),
            ("RequestTimeout", Some(409), ErrorClass::Transient),
            ("", Some(408), ErrorClass::Transient),
            ("", Some(409), ErrorClass::Concurrency),
            ("NoSuchKey", Some(404), ErrorClass::Permanent),
            ("BucketAlreadyExists", Some(409), ErrorClass::Permanent),
            ("", None, ErrorClass::Unknown),
        ] {
            assert_eq!(of(code, status).class, class, "{code} {status:?}");
        }
    }
}
