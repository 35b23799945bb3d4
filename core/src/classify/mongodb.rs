//! `MongoDB`: the codes of its server, and the labels and names of its drivers' errors.

use crate::class::ErrorClass;

/// The class of an error of the server by its code, or `None` for an unknown code.
///
/// | class | codes |
/// | --- | --- |
/// | CONCURRENCY | 24 lock time-out, 112 write conflict, 117 conflicting operation, 251 no such transaction |
/// | TRANSIENT | 6, 7, 63, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436: network, stepping down; 50 time limit |
/// | PERMANENT | 11000, 11001 duplicate key; 2, 9, 14, 20, 26, 59, 121: bad value, syntax, validation |
/// | PERMISSION | 13 |
/// | AUTH | 18; 8000 (Atlas) |
/// | `RATE_LIMIT` | 16500 request rate too large (Cosmos DB) |
///
/// Source: `error_codes.yml` of the server; the drivers' specification *Retryable Reads*.
pub const fn mongodb_code(code: i32) -> Option<ErrorClass> {
    Some(match code {
        24 | 112 | 117 | 251 => ErrorClass::Concurrency,
        6 | 7 | 50 | 63 | 89 | 91 | 134 | 189 | 262 | 9001 | 10107 | 11600 | 11602 | 13435
        | 13436 => ErrorClass::Transient,
        2 | 9 | 14 | 20 | 26 | 59 | 121 | 11000 | 11001 => ErrorClass::Permanent,
        13 => ErrorClass::Permission,
        18 | 8000 => ErrorClass::Auth,
        16500 => ErrorClass::RateLimit,
        _ => return None,
    })
}

/// The class of an error by one of its labels, or `None` for a label that determines no class:
/// `SystemOverloadedError` `RATE_LIMIT`, `RetryableWriteError` and `TransientTransactionError`
/// TRANSIENT.
///
/// Source: the drivers' specifications *Retryable Writes*, *Transactions* and *Client
/// Backpressure*.
pub fn mongodb_label(label: &str) -> Option<ErrorClass> {
    Some(match label {
        "SystemOverloadedError" => ErrorClass::RateLimit,
        "RetryableWriteError" | "TransientTransactionError" => ErrorClass::Transient,
        _ => return None,
    })
}

/// The class of an error of a driver by its type's name, or `None` for an unknown name:
/// `MongoServerSelectionError`, `MongoNetworkError`, `MongoNetworkTimeoutError`,
/// `MongoPoolClearedError` and `MongoWaitQueueTimeoutError` TRANSIENT.
///
/// Source: the errors of the driver for Node.js.
pub fn mongodb_name(name: &str) -> Option<ErrorClass> {
    matches!(
        name,
        "MongoServerSelectionError"
            | "MongoNetworkError"
            | "MongoNetworkTimeoutError"
            | "MongoPoolClearedError"
            | "MongoWaitQueueTimeoutError"
    )
    .then_some(ErrorClass::Transient)
}

/// The class of an error by its code, if that is known, otherwise by its labels, otherwise by its
/// type's name. The label `SystemOverloadedError` takes precedence over other labels. A write
/// conflict (112) carries the label `TransientTransactionError` and is CONCURRENCY.
pub fn mongodb_error<'l, L>(code: Option<i32>, labels: L, name: &str) -> Option<ErrorClass>
where
    L: IntoIterator<Item = &'l str>,
{
    if let Some(class) = code.and_then(mongodb_code) {
        return Some(class);
    }
    let mut found = None;
    for class in labels.into_iter().filter_map(mongodb_label) {
        found = Some(class);
        if class == ErrorClass::RateLimit {
            break;
        }
    }
    found.or_else(|| mongodb_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_code_goes_before_a_label_and_a_label_before_the_name() {
        let labels = ["RetryableWriteError", "SystemOverloadedError", "TransientTransactionError"];
        for (code, labels, name, class) in [
            (Some(112), &labels[2..], "MongoServerError", Some(ErrorClass::Concurrency)),
            (Some(11000), &labels[..], "MongoServerError", Some(ErrorClass::Permanent)),
            (Some(4242), &labels[..1], "MongoServerError", Some(ErrorClass::Transient)),
            (None, &labels[..], "MongoServerError", Some(ErrorClass::RateLimit)),
            (None, &[], "MongoNetworkError", Some(ErrorClass::Transient)),
            (None, &["ResumableChangeStreamError"], "MongoServerError", None),
        ] {
            let labels = labels.iter().copied();
            assert_eq!(mongodb_error(code, labels, name), class, "{code:?} {name}");
        }
    }
}
