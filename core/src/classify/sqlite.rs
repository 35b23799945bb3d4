//! `SQLite`: its result codes, by number and by name.

use crate::class::ErrorClass;
use crate::classify::Verdict;

/// The result codes by number, without their prefix.
///
/// Source: <https://sqlite.org/rescode.html>.
const NAMES: [&str; 27] = [
    "OK",
    "ERROR",
    "INTERNAL",
    "PERM",
    "ABORT",
    "BUSY",
    "LOCKED",
    "NOMEM",
    "READONLY",
    "INTERRUPT",
    "IOERR",
    "CORRUPT",
    "NOTFOUND",
    "FULL",
    "CANTOPEN",
    "PROTOCOL",
    "EMPTY",
    "SCHEMA",
    "TOOBIG",
    "CONSTRAINT",
    "MISMATCH",
    "MISUSE",
    "NOLFS",
    "AUTH",
    "FORMAT",
    "RANGE",
    "NOTADB",
];

/// The verdict on a result code, primary or extended, or `None` for a code that does not
/// determine a class.
///
/// | class | codes |
/// | --- | --- |
/// | CONCURRENCY | BUSY, LOCKED, PROTOCOL, SCHEMA |
/// | `SERVER_ERROR` | IOERR, FULL, NOMEM |
/// | PERMISSION | READONLY, PERM, AUTH |
/// | PERMANENT | CONSTRAINT, MISMATCH, RANGE, TOOBIG, ERROR, CORRUPT, NOTADB, CANTOPEN, MISUSE, NOLFS, FORMAT |
/// | [`Verdict::Abort`] | INTERRUPT: the program itself interrupted it |
///
/// Source: <https://sqlite.org/rescode.html>.
pub fn sqlite_code(code: i32) -> Option<Verdict> {
    // The primary code of an extended one is its lowest byte.
    let primary = match u32::try_from(code) {
        Ok(code) => code & 0xFF,
        Err(_) => return None,
    };
    Some(match primary {
        9 => Verdict::Abort,
        5 | 6 | 15 | 17 => ErrorClass::Concurrency.into(),
        7 | 10 | 13 => ErrorClass::ServerError.into(),
        3 | 8 | 23 => ErrorClass::Permission.into(),
        1 | 11 | 14 | 18..=22 | 24..=26 => ErrorClass::Permanent.into(),
        _ => return None,
    })
}

/// As [`sqlite_code`], by the name of a code, primary or extended, with or without its prefix:
/// `"SQLITE_BUSY_SNAPSHOT"`, `"BUSY"`.
pub fn sqlite_name(name: &str) -> Option<Verdict> {
    let name = name.strip_prefix("SQLITE_").unwrap_or(name);
    let primary = name.split(['_']).next().unwrap_or_default();
    let code = NAMES.iter().zip(0..).find(|(known, _)| **known == primary);
    code.and_then(|(_, code)| sqlite_code(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extended_code_is_as_its_primary_one_by_number_and_by_name() {
        for (name, code, verdict) in [
            ("SQLITE_BUSY", 5, Some(ErrorClass::Concurrency)),
            ("SQLITE_BUSY_SNAPSHOT", 517, Some(ErrorClass::Concurrency)),
            ("SQLITE_CONSTRAINT_UNIQUE", 2067, Some(ErrorClass::Permanent)),
            ("SQLITE_IOERR_NOMEM", 3082, Some(ErrorClass::ServerError)),
            ("SQLITE_READONLY_DBMOVED", 1032, Some(ErrorClass::Permission)),
            ("SQLITE_OK", 0, None),
            ("SQLITE_ROW", 100, None),
            ("SQLITE_BUSYBODY", -5, None),
        ] {
            let verdict = verdict.map(Verdict::from);
            assert_eq!((sqlite_name(name), sqlite_code(code)), (verdict, verdict), "{name}");
        }
        assert_eq!(sqlite_name("INTERRUPT"), Some(Verdict::Abort));
        assert_eq!(sqlite_code(i32::MIN), None);
    }
}
