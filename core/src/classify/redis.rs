//! Redis: the types of its clients' errors, and the error replies of its protocol.

use crate::class::{Classification, ErrorClass};
use crate::classify::facts::{Facts, Library};
use crate::classify::rules;

/// Classifies an error of a Redis client by the name of its type or an ancestor, in this order:
///
/// | class | types |
/// | --- | --- |
/// | CONCURRENCY | `ReadOnlyError` |
/// | AUTH | `AuthenticationError` |
/// | PERMISSION | `AuthorizationError` |
/// | TRANSIENT | `TimeoutError`, `ConnectionError`, `BusyLoadingError` |
/// | TRANSIENT | `MasterDownError`, `ClusterDownError` |
/// | CONCURRENCY | `TryAgainError` |
/// | PERMANENT | `AskError`, `MovedError`, `NoScriptError`, `ClusterCrossSlotError` |
/// | `SERVER_ERROR` | `OutOfMemoryError` |
///
/// Other errors of a Redis client are classified by [`default`](super::default), and if the
/// result is UNKNOWN, by the reply in their message ([`redis_message`]). Errors of other
/// libraries are classified by [`default`](super::default).
///
/// Source: the exceptions of redis-py, which have the reply's prefix as their type.
pub fn redis(facts: &Facts<'_>) -> Classification {
    const TYPES: [(&str, ErrorClass); 14] = [
        ("ReadOnlyError", ErrorClass::Concurrency),
        ("AuthenticationError", ErrorClass::Auth),
        ("AuthorizationError", ErrorClass::Permission),
        ("TimeoutError", ErrorClass::Transient),
        ("ConnectionError", ErrorClass::Transient),
        ("BusyLoadingError", ErrorClass::Transient),
        ("MasterDownError", ErrorClass::Transient),
        ("ClusterDownError", ErrorClass::Transient),
        ("TryAgainError", ErrorClass::Concurrency),
        ("AskError", ErrorClass::Permanent),
        ("MovedError", ErrorClass::Permanent),
        ("NoScriptError", ErrorClass::Permanent),
        ("ClusterCrossSlotError", ErrorClass::Permanent),
        ("OutOfMemoryError", ErrorClass::ServerError),
    ];
    if facts.library != Library::Redis {
        return rules::default(facts);
    }
    if let Some((_, class)) = TYPES.iter().find(|(name, _)| facts.is_a(name)) {
        return (*class).into();
    }
    let found = rules::default(facts);
    match redis_message(facts.message) {
        Some(class) if found.class == ErrorClass::Unknown => class.into(),
        _ => found,
    }
}

/// The class of an error reply by its prefix, the first word (`"LOADING Redis is loading .."`
/// is TRANSIENT), and of a reply `ERR ..` by what follows; `None` for any other. The `-` that
/// RESP puts before an error may be there or not.
///
/// | class | replies |
/// | --- | --- |
/// | AUTH | NOAUTH, WRONGPASS; `ERR Protocol error: unauthenticated`, which a long command gets before a login |
/// | PERMISSION | NOPERM; DENIED (protected mode) |
/// | CONCURRENCY | READONLY (the primary has moved), TRYAGAIN (resharding) |
/// | TRANSIENT | LOADING, BUSY (a script runs), MASTERDOWN, CLUSTERDOWN, NOREPLICAS |
/// | `SERVER_ERROR` | OOM, MISCONF; `ERR max number of clients` |
/// | PERMANENT | WRONGTYPE, NOSCRIPT, CROSSSLOT, BUSYGROUP, BUSYKEY, NOGROUP; MOVED and ASK, which a client that does not follow them gets again and again; `ERR unknown command`, `ERR wrong number of arguments`, `ERR syntax error` |
///
/// EXECABORT has no class of its own: see [`redis_exec`].
///
/// Source: <https://redis.io/docs/latest/develop/reference/protocol-spec/>; the cluster
/// specification for MOVED, ASK, TRYAGAIN and CLUSTERDOWN; *ACL* for NOPERM and WRONGPASS;
/// the source of Redis for the others.
pub fn redis_message(message: &str) -> Option<ErrorClass> {
    let message = message.strip_prefix('-').unwrap_or(message);
    let prefix = message.split([' ', '\r', '\n']).next().unwrap_or_default();
    Some(match prefix {
        "NOAUTH" | "WRONGPASS" => ErrorClass::Auth,
        "NOPERM" | "DENIED" => ErrorClass::Permission,
        "READONLY" | "TRYAGAIN" => ErrorClass::Concurrency,
        "LOADING" | "BUSY" | "MASTERDOWN" | "CLUSTERDOWN" | "NOREPLICAS" => ErrorClass::Transient,
        "OOM" | "MISCONF" => ErrorClass::ServerError,
        "WRONGTYPE" | "NOSCRIPT" | "CROSSSLOT" | "BUSYGROUP" | "BUSYKEY" | "NOGROUP" | "MOVED"
        | "ASK" => ErrorClass::Permanent,
        "ERR" => {
            let text = message.strip_prefix("ERR ").unwrap_or_default();
            let begins = |words: &[&str]| words.iter().any(|words| text.starts_with(words));
            if begins(&["Protocol error: unauthenticated"]) {
                ErrorClass::Auth
            } else if begins(&["max number of clients"]) {
                ErrorClass::ServerError
            } else if begins(&["unknown command", "wrong number of arguments", "syntax error"]) {
                ErrorClass::Permanent
            } else {
                return None;
            }
        }
        _ => return None,
    })
}

/// The class of an error reply to EXEC. The class of an EXECABORT is that of `first_previous`,
/// the first error among the replies to the queued commands (empty if the client keeps none),
/// which is why the transaction failed. Any other reply is classified by [`redis_message`].
///
/// Source: <https://redis.io/docs/latest/develop/using-commands/transactions/>.
pub fn redis_exec(message: &str, first_previous: &str) -> Option<ErrorClass> {
    let reply = message.strip_prefix('-').unwrap_or(message);
    match reply.strip_prefix("EXECABORT") {
        Some("") => redis_message(first_previous),
        Some(rest) if rest.starts_with([' ', '\r', '\n']) => redis_message(first_previous),
        _ => redis_message(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_types_decides_over_the_order_of_ancestors() {
        let ancestors = &["ConnectionError", "RedisError"];
        let facts = Facts { name: "AuthenticationError", ancestors, ..Facts::NONE };
        let of_redis = Facts { library: Library::Redis, ..facts };
        assert_eq!(redis(&of_redis).class, ErrorClass::Auth);
        assert_eq!(redis(&Facts { name: "ReadOnlyError", ..facts }).class, ErrorClass::Unknown);
    }

    #[test]
    fn a_reply_is_told_by_its_first_word() {
        for (reply, class) in [
            ("-LOADING Redis is loading", Some(ErrorClass::Transient)),
            ("BUSY Redis is busy running a script.", Some(ErrorClass::Transient)),
            ("BUSYGROUP Consumer Group name already exists", Some(ErrorClass::Permanent)),
            ("NOAUTH Authentication required.", Some(ErrorClass::Auth)),
            ("ERR max number of clients reached", Some(ErrorClass::ServerError)),
            ("-ERR unknown command 'NOAUTH'", Some(ErrorClass::Permanent)),
            ("ERR no such key", None),
            ("ERR", None),
            ("EXECABORT Transaction discarded", None),
            ("LOADINGS", None),
            ("", None),
        ] {
            assert_eq!(redis_message(reply), class, "{reply}");
        }
    }

    #[test]
    fn an_execabort_has_the_class_of_the_reply_that_broke_the_transaction() {
        let aborted = "EXECABORT Transaction discarded because of previous errors.";
        assert_eq!(redis_exec(aborted, "-OOM command not allowed"), Some(ErrorClass::ServerError));
        assert_eq!(redis_exec(aborted, ""), None);
        assert_eq!(redis_exec("EXECABORT", "LOADING"), Some(ErrorClass::Transient));
        assert_eq!(redis_exec("EXECABORTS", "LOADING"), None);
        assert_eq!(redis_exec("READONLY You can't write", "OOM"), Some(ErrorClass::Concurrency));
    }

    #[test]
    fn a_type_that_says_nothing_leaves_the_word_to_the_reply_and_only_in_redis() {
        let facts = Facts { name: "ReplyError", message: "OOM no", ..Facts::NONE };
        assert_eq!(redis(&facts).class, ErrorClass::Unknown);
        let facts = Facts { library: Library::Redis, ..facts };
        assert_eq!(redis(&facts).class, ErrorClass::ServerError);
        let named = Facts { name: "NoPermissionError", ..facts };
        assert_eq!(redis(&named).class, ErrorClass::Permission);
    }
}
