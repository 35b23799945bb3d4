//! Redis: the types of its clients' errors, and the error replies of its protocol.

use crate::classify::facts::{Facts, Library};
use crate::classify::rules;
use crate::{Classification, ErrorClass};

/// An error of a Redis client by its type or an ancestor's: `ReadOnlyError`
/// CONCURRENCY, `AuthenticationError` AUTH, `AuthorizationError` PERMISSION,
/// `TimeoutError`, `ConnectionError` and `BusyLoadingError` TRANSIENT, in this order;
/// anything else as [`default`](super::default).
pub fn redis(facts: &Facts<'_>) -> Classification {
    const TYPES: [(&str, ErrorClass); 6] = [
        ("ReadOnlyError", ErrorClass::Concurrency),
        ("AuthenticationError", ErrorClass::Auth),
        ("AuthorizationError", ErrorClass::Permission),
        ("TimeoutError", ErrorClass::Transient),
        ("ConnectionError", ErrorClass::Transient),
        ("BusyLoadingError", ErrorClass::Transient),
    ];
    if facts.library == Library::Redis
        && let Some((_, class)) = TYPES.iter().find(|(name, _)| facts.is_a(name))
    {
        return (*class).into();
    }
    rules::default(facts)
}

/// An error reply by its prefix, the first word: `"LOADING Redis is loading .."` is
/// TRANSIENT.
///
/// NOAUTH and WRONGPASS AUTH; NOPERM PERMISSION; READONLY, TRYAGAIN, BUSYKEY and
/// BUSYGROUP CONCURRENCY; LOADING, BUSY, MASTERDOWN, CLUSTERDOWN and NOREPLICAS
/// TRANSIENT; OOM and MISCONF `SERVER_ERROR`; WRONGTYPE, NOSCRIPT and CROSSSLOT
/// PERMANENT; any other UNKNOWN. So is EXECABORT: the earlier reply that broke the
/// transaction says why. The `-` that RESP puts before an error may be there or not.
///
/// Source: <https://redis.io/docs/latest/develop/reference/protocol-spec/>.
pub fn redis_message(message: &str) -> ErrorClass {
    let message = message.strip_prefix('-').unwrap_or(message);
    match message.split([' ', '\r', '\n']).next().unwrap_or_default() {
        "NOAUTH" | "WRONGPASS" => ErrorClass::Auth,
        "NOPERM" => ErrorClass::Permission,
        "READONLY" | "TRYAGAIN" | "BUSYKEY" | "BUSYGROUP" => ErrorClass::Concurrency,
        "LOADING" | "BUSY" | "MASTERDOWN" | "CLUSTERDOWN" | "NOREPLICAS" => ErrorClass::Transient,
        "OOM" | "MISCONF" => ErrorClass::ServerError,
        "WRONGTYPE" | "NOSCRIPT" | "CROSSSLOT" => ErrorClass::Permanent,
        _ => ErrorClass::Unknown,
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
    fn replies_are_told_by_their_first_word() {
        assert_eq!(redis_message("-LOADING Redis is loading"), ErrorClass::Transient);
        assert_eq!(redis_message("NOAUTH Authentication required."), ErrorClass::Auth);
        assert_eq!(redis_message("ERR unknown command 'NOAUTH'"), ErrorClass::Unknown);
        assert_eq!(redis_message("EXECABORT Transaction discarded"), ErrorClass::Unknown);
        assert_eq!(redis_message("LOADINGS"), ErrorClass::Unknown);
        assert_eq!(redis_message(""), ErrorClass::Unknown);
    }
}
