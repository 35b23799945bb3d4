//! SQL Server and Azure SQL: the numbers of their errors, and the codes of the client for
//! Node.js.

use crate::class::ErrorClass;
use crate::classify::Verdict;

/// The class of an error by its number, or `None` for an unknown number.
///
/// | class | errors |
/// | --- | --- |
/// | CONCURRENCY | 1205 deadlock, 1222 lock time-out, 3960 snapshot conflict |
/// | `RATE_LIMIT` | 10928, 10929, 40501, 49918, 49919, 49920: throttled |
/// | TRANSIENT | 40197, 40613, 4060: the database moves (4060 is also a wrong name, which costs the attempts); 10053, 10054, 10060, 233, 64 network; -2 time-out |
/// | `SERVER_ERROR` | 701, 802, 8645 out of memory, 9002 log full |
/// | AUTH | 18456 |
/// | PERMISSION | 229, 230, 262, 297, 300 |
/// | PERMANENT | 2601, 2627, 547, 515 constraints; 102, 207, 208 syntax, no such object |
///
/// Source: *Database Engine events and errors* of SQL Server; *Troubleshoot transient
/// connection errors in Azure SQL Database*; `SqlException.Number` for -2.
pub const fn mssql_code(number: i32) -> Option<ErrorClass> {
    Some(match number {
        1205 | 1222 | 3960 => ErrorClass::Concurrency,
        10928 | 10929 | 40501 | 49918 | 49919 | 49920 => ErrorClass::RateLimit,
        40197 | 40613 | 4060 | 10053 | 10054 | 10060 | 233 | 64 | -2 => ErrorClass::Transient,
        701 | 802 | 8645 | 9002 => ErrorClass::ServerError,
        18456 => ErrorClass::Auth,
        229 | 230 | 262 | 297 | 300 => ErrorClass::Permission,
        2601 | 2627 | 547 | 515 | 102 | 207 | 208 => ErrorClass::Permanent,
        _ => return None,
    })
}

/// The verdict on an error of the client by its symbolic code, or `None` for an unknown code:
/// `ETIMEOUT`, `ESOCKET` and `ECONNCLOSED` TRANSIENT; `ELOGIN` AUTH; `ECANCEL`, with which the
/// program itself cancelled, [`Verdict::Abort`]. If the error also has a number, use that first.
///
/// Source: the error codes of node-mssql.
pub fn mssql_name(name: &str) -> Option<Verdict> {
    Some(match name {
        "ETIMEOUT" | "ESOCKET" | "ECONNCLOSED" => ErrorClass::Transient.into(),
        "ELOGIN" => ErrorClass::Auth.into(),
        "ECANCEL" => Verdict::Abort,
        _ => return None,
    })
}
