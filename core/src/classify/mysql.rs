//! `MySQL` and `MariaDB`: the numbers of their errors, and the error names of their clients.

use crate::class::ErrorClass;
use crate::classify::{contains, sqlstate_code};

/// The class of an error by its number, otherwise by its SQLSTATE (empty if it has none); `None`
/// if neither determines a class.
///
/// | class | errors |
/// | --- | --- |
/// | CONCURRENCY | 1205 lock wait time-out, 1213 deadlock, 3572 NOWAIT; 1792, 1836 and, if the message says `read-only` or `read_only`, 1290: the primary has moved |
/// | `SERVER_ERROR` | 1040, 1203 too many connections; 1021, 1114 disk or table full |
/// | PERMISSION | 1044, 1142, 1143, 1227, 1370 access denied to an object; 1129, 1130 the host is blocked or not allowed |
/// | AUTH | 1045, 1698 |
/// | `RATE_LIMIT` | 1226 a user's resource limit |
/// | TRANSIENT | 1053, 1077, 1079 shutting down; 1158 to 1161, 1927, 2002, 2003, 2006, 2013, 2055, 4031 network; 1317, 1969, 3024 interrupted, execution time-out |
/// | PERMANENT | 1290 otherwise: an option of the server forbids the statement |
///
/// Other numbers are classified by the SQLSTATE ([`sqlstate_code`]): a duplicate key is 23000.
///
/// Source: *Server Error Message Reference* and *Client Error Message Reference* of `MySQL`;
/// *`MariaDB` Error Codes* for 1927 and 1969.
pub fn mysql_code(code: u16, state: &str, message: &str) -> Option<ErrorClass> {
    Some(match code {
        1205 | 1213 | 3572 | 1792 | 1836 => ErrorClass::Concurrency,
        1290 if contains(message, "read-only") || contains(message, "read_only") => {
            ErrorClass::Concurrency
        }
        1290 => ErrorClass::Permanent,
        1040 | 1203 | 1021 | 1114 => ErrorClass::ServerError,
        1044 | 1142 | 1143 | 1227 | 1370 | 1129 | 1130 => ErrorClass::Permission,
        1045 | 1698 => ErrorClass::Auth,
        1226 => ErrorClass::RateLimit,
        1053
        | 1077
        | 1079
        | 1158..=1161
        | 1317
        | 1927
        | 1969
        | 2002
        | 2003
        | 2006
        | 2013
        | 2055
        | 3024
        | 4031 => ErrorClass::Transient,
        _ => return sqlstate_code(state),
    })
}

/// The class of an error of a client by its symbolic code, or `None` for an unknown code:
/// `PROTOCOL_CONNECTION_LOST`, `ER_SOCKET_UNEXPECTED_CLOSE` and `ER_GET_CONNECTION_TIMEOUT`
/// TRANSIENT.
///
/// Source: mysql2 and the `MariaDB` connector for Node.js.
pub fn mysql_name(name: &str) -> Option<ErrorClass> {
    matches!(
        name,
        "PROTOCOL_CONNECTION_LOST" | "ER_SOCKET_UNEXPECTED_CLOSE" | "ER_GET_CONNECTION_TIMEOUT"
    )
    .then_some(ErrorClass::Transient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_forbids_is_permanent_unless_it_says_read_only() {
        let read_only = "The MySQL server is running with the --read-only option so it cannot ..";
        let super_only = "running with the --super_READ_ONLY option";
        let secure = "running with the --secure-file-priv option";
        assert_eq!(mysql_code(1290, "HY000", read_only), Some(ErrorClass::Concurrency));
        assert_eq!(mysql_code(1290, "HY000", super_only), Some(ErrorClass::Concurrency));
        assert_eq!(mysql_code(1290, "HY000", secure), Some(ErrorClass::Permanent));
    }

    #[test]
    fn a_number_goes_before_the_state_and_the_state_before_nothing() {
        assert_eq!(mysql_code(1205, "HY000", ""), Some(ErrorClass::Concurrency));
        assert_eq!(mysql_code(1045, "23000", ""), Some(ErrorClass::Auth));
        assert_eq!(mysql_code(1062, "23000", ""), Some(ErrorClass::Permanent));
        assert_eq!(mysql_code(1064, "", ""), None);
        assert_eq!(mysql_name("ER_SOMETHING"), None);
    }
}
