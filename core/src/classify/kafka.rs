//! Kafka: the errors of its protocol, and whether a client calls them retriable.

use crate::class::ErrorClass;

/// The class of an error by its name in the protocol (`"TOPIC_AUTHORIZATION_FAILED"`) or its
/// type, and by the client's flag `retriable`; `None` if neither determines a class.
///
/// A name with `SASL` in it is AUTH, a name that ends in `_AUTHORIZATION_FAILED` PERMISSION, both
/// whatever the flag is. Otherwise a retriable error is TRANSIENT, and an error that is not
/// retriable PERMANENT.
///
/// Clients wrap errors, in `KafkaJSNumberOfRetriesExceeded` for instance. Take the name and the
/// flag from the innermost error; those of the wrapper differ.
///
/// Source: *Error Codes* in the Kafka protocol guide; `KafkaJSError.retriable`.
pub fn kafka_name(name: &str, retriable: Option<bool>) -> Option<ErrorClass> {
    if super::contains(name, "sasl") {
        Some(ErrorClass::Auth)
    } else if name.ends_with("_AUTHORIZATION_FAILED") {
        Some(ErrorClass::Permission)
    } else {
        by_word(retriable)
    }
}

/// As [`kafka_name`], by the number of the error in the protocol: 33, 34 and 58 AUTH; 29, 30,
/// 31, 53 and 65 PERMISSION.
pub fn kafka_code(code: i16, retriable: Option<bool>) -> Option<ErrorClass> {
    match code {
        33 | 34 | 58 => Some(ErrorClass::Auth),
        29 | 30 | 31 | 53 | 65 => Some(ErrorClass::Permission),
        _ => by_word(retriable),
    }
}

fn by_word(retriable: Option<bool>) -> Option<ErrorClass> {
    retriable.map(|yes| if yes { ErrorClass::Transient } else { ErrorClass::Permanent })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree_and_go_before_the_client_s_word() {
        for (name, code, class) in [
            ("UNSUPPORTED_SASL_MECHANISM", 33, ErrorClass::Auth),
            ("ILLEGAL_SASL_STATE", 34, ErrorClass::Auth),
            ("SASL_AUTHENTICATION_FAILED", 58, ErrorClass::Auth),
            ("TOPIC_AUTHORIZATION_FAILED", 29, ErrorClass::Permission),
            ("GROUP_AUTHORIZATION_FAILED", 30, ErrorClass::Permission),
            ("CLUSTER_AUTHORIZATION_FAILED", 31, ErrorClass::Permission),
            ("TRANSACTIONAL_ID_AUTHORIZATION_FAILED", 53, ErrorClass::Permission),
            ("DELEGATION_TOKEN_AUTHORIZATION_FAILED", 65, ErrorClass::Permission),
        ] {
            for word in [None, Some(false), Some(true)] {
                assert_eq!(kafka_name(name, word), Some(class), "{name}");
                assert_eq!(kafka_code(code, word), Some(class), "{code}");
            }
        }
        let name = "KafkaJSSASLAuthenticationError";
        assert_eq!(kafka_name(name, Some(false)), Some(ErrorClass::Auth));
        assert_eq!(kafka_name("NOT_LEADER_OR_FOLLOWER", None), None);
        assert_eq!(kafka_code(6, Some(true)), Some(ErrorClass::Transient));
        assert_eq!(kafka_code(10, Some(false)), Some(ErrorClass::Permanent));
    }
}
