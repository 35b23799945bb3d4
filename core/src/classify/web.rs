//! Errors of JavaScript platforms: `DOMException`s by their names, and failed connections by the
//! messages of `fetch`, which has no codes for them.

use crate::class::ErrorClass;

/// The beginnings of the messages that [`connection_message`] knows.
pub const CONNECTION_MESSAGES: &[&str] = &[
    // Node, by undici.
    "fetch failed",
    "terminated",
    // Deno, by reqwest and hyper.
    "client error",
    "error reading a body",
    "error sending request",
    "error trying to connect",
    "tcp connect error",
    // Bun.
    "The socket connection was closed",
    "Unable to connect",
    // workerd.
    "Network connection lost",
    "internal error",
    // Chromium.
    "Failed to fetch",
    "network error",
    // Firefox.
    "Error in input stream",
    "NetworkError",
    // Safari.
    "Load failed",
];

/// The names that [`dom_exception`] knows.
pub const DOM_EXCEPTIONS: &[(ErrorClass, &[&str])] = &[
    (ErrorClass::Transient, &["NetworkError", "NotReadableError", "TimeoutError"]),
    (
        ErrorClass::Permission,
        &["NoModificationAllowedError", "NotAllowedError", "ReadOnlyError", "SecurityError"],
    ),
    (ErrorClass::Concurrency, &["InUseAttributeError", "TransactionInactiveError"]),
    (ErrorClass::RateLimit, &["QuotaExceededError"]),
    (
        ErrorClass::Permanent,
        &[
            "ConstraintError",
            "DataCloneError",
            "DataError",
            "EncodingError",
            "InvalidAccessError",
            "InvalidCharacterError",
            "InvalidNodeTypeError",
            "InvalidStateError",
            "NamespaceError",
            "NotFoundError",
            "NotSupportedError",
            "SyntaxError",
            "URLMismatchError",
            "VersionError",
            "WrongDocumentError",
        ],
    ),
];

/// Whether a message of a `TypeError` or an `Error` means that a connection failed, in `fetch` or
/// while its body was read: in Node, Deno, Bun, workerd, Chromium, Firefox or Safari. Only the
/// beginning is compared, because the rest names the host.
///
/// Source: the messages of these runtimes when servers refuse, reset and break off; no
/// specification has them.
pub fn connection_message(message: &str) -> bool {
    CONNECTION_MESSAGES.iter().any(|words| message.starts_with(words))
}

/// The class of a `DOMException` by its name. `None` for a name that may mean anything, such as
/// `OperationError`, or that is not a failure, such as `AbortError`.
///
/// | class | names |
/// | --- | --- |
/// | TRANSIENT | `NetworkError`, `TimeoutError`, `NotReadableError` |
/// | PERMISSION | `NotAllowedError`, `SecurityError`, `NoModificationAllowedError`, `ReadOnlyError` |
/// | CONCURRENCY | `InUseAttributeError`, `TransactionInactiveError` |
/// | `RATE_LIMIT` | `QuotaExceededError` |
/// | PERMANENT | errors in the request itself: `NotFoundError`, `DataError`, `SyntaxError` and their like |
///
/// Source: <https://webidl.spec.whatwg.org/#idl-DOMException-error-names>.
pub fn dom_exception(name: &str) -> Option<ErrorClass> {
    DOM_EXCEPTIONS.iter().find(|(_, names)| names.contains(&name)).map(|&(class, _)| class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_told_by_how_it_begins() {
        for message in [
            "fetch failed",
            "error sending request for url (http://127.0.0.1:9/)",
            "NetworkError when attempting to fetch resource.",
            "Unable to connect. Is the computer able to access the url?",
        ] {
            assert!(connection_message(message), "{message}");
        }
        for message in ["", "fetch", "the fetch failed", "failed to fetch", "Invalid URL"] {
            assert!(!connection_message(message), "{message}");
        }
    }

    #[test]
    fn a_name_has_one_class_and_only_a_whole_name_has_one() {
        for (name, class) in [
            ("NetworkError", Some(ErrorClass::Transient)),
            ("SecurityError", Some(ErrorClass::Permission)),
            ("TransactionInactiveError", Some(ErrorClass::Concurrency)),
            ("QuotaExceededError", Some(ErrorClass::RateLimit)),
            ("NotFoundError", Some(ErrorClass::Permanent)),
            ("AbortError", None),
            ("OperationError", None),
            ("Error", None),
            ("", None),
        ] {
            assert_eq!(dom_exception(name), class, "{name}");
        }
        let all = || DOM_EXCEPTIONS.iter().flat_map(|(_, names)| names.iter());
        for name in all() {
            assert_eq!(all().filter(|other| *other == name).count(), 1, "{name}");
        }
    }
}
