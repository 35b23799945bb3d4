//! Prisma: the codes of its client's errors.

use crate::class::ErrorClass;
use crate::classify::{mysql_code, sqlstate_code};

/// The class of an error by its code, or `None` if the code does not begin with `P1` or `P2`. For
/// P2010, a raw query that failed, `database_code` is the code of the database, `meta.code`
/// (empty if there is none): an SQLSTATE or a number of `MySQL`. For another database, use the
/// table of that database.
///
/// | class | codes |
/// | --- | --- |
/// | TRANSIENT | P1001, P1002 not reached; P1008 time-out; P1017 closed; P2024 pool; P2028 transaction API |
/// | CONCURRENCY | P2034 write conflict or deadlock |
/// | AUTH | P1000 |
/// | PERMISSION | P1010 |
/// | `SERVER_ERROR` | P2037 too many connections |
/// | PERMANENT | any other P1 and P2: constraint, not found, value, wrong address |
///
/// Source: *Error message reference* of Prisma.
pub fn prisma_code(code: &str, database_code: &str) -> Option<ErrorClass> {
    Some(match code {
        "P1001" | "P1002" | "P1008" | "P1017" | "P2024" | "P2028" => ErrorClass::Transient,
        "P2034" => ErrorClass::Concurrency,
        "P1000" => ErrorClass::Auth,
        "P1010" => ErrorClass::Permission,
        "P2037" => ErrorClass::ServerError,
        "P2010" => return by_database(database_code),
        _ => match code.as_bytes() {
            [b'P', b'1' | b'2', number @ ..]
                if number.len() == 3 && number.iter().all(u8::is_ascii_digit) =>
            {
                ErrorClass::Permanent
            }
            _ => return None,
        },
    })
}

fn by_database(code: &str) -> Option<ErrorClass> {
    match sqlstate_code(code) {
        // An SQLSTATE has five characters, a number of MySQL four digits.
        Some(class) if code.len() == 5 => Some(class),
        _ => mysql_code(code.parse().ok()?, "", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_query_goes_by_the_database_s_own_code() {
        for (code, class) in [
            ("40001", Some(ErrorClass::Concurrency)),
            ("23505", Some(ErrorClass::Permanent)),
            ("1213", Some(ErrorClass::Concurrency)),
            ("2006", Some(ErrorClass::Transient)),
            ("HY000", None),
            ("", None),
            ("-1", None),
        ] {
            assert_eq!(prisma_code("P2010", code), class, "{code}");
        }
        assert_eq!(prisma_code("P2034", "23505"), Some(ErrorClass::Concurrency));
    }

    #[test]
    fn only_the_client_s_codes_are_known() {
        for code in ["", "P", "P3000", "P0001", "P200", "P20020", "P2xxx", "p2002"] {
            assert_eq!(prisma_code(code, ""), None, "{code}");
        }
    }
}
