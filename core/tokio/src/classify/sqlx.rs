//! sqlx: what a database, a pool or a connection returns.

use std::io::ErrorKind;

use ::sqlx::Error;
use ::sqlx::error::DatabaseError;
use redress::ErrorClass;
use redress::classify::{Verdict, io_kind, mysql_code, sqlite_code, sqlstate_code};

use super::sources;

/// The verdict on an error of sqlx.
///
/// | sqlx's error | as |
/// | --- | --- |
/// | `Database` of `PostgreSQL` | its SQLSTATE ([`sqlstate_code`]) |
/// | `Database` of `MySQL` and `MariaDB` | its number, SQLSTATE and message ([`mysql_code`]) |
/// | `Database` of `SQLite` | its result code ([`sqlite_code`]) |
/// | `Io` | its `std::io::Error` |
/// | `Tls` | the first of its sources with a class, otherwise `ErrorKind::Unsupported` |
/// | `PoolTimedOut` | `ErrorKind::TimedOut` |
/// | `PoolClosed` | [`Verdict::Abort`]: the program itself closed the pool |
/// | `WorkerCrashed` | `ErrorKind::BrokenPipe` |
/// | `RowNotFound` | `ErrorKind::NotFound` |
/// | `Protocol`, and values and columns that do not fit | `ErrorKind::InvalidData` |
/// | `Configuration` and arguments | `ErrorKind::InvalidInput` |
///
/// Any other has the class of the first of its sources that has one; UNKNOWN if none has.
pub fn sqlx(error: &Error) -> Verdict {
    let kind = match error {
        Error::Database(error) => return database(error.as_ref()),
        Error::Io(error) => return super::error(error),
        Error::PoolClosed => return Verdict::Abort,
        Error::Tls(_) => match sources(error) {
            Some(verdict) => return verdict,
            None => ErrorKind::Unsupported,
        },
        Error::PoolTimedOut => ErrorKind::TimedOut,
        Error::WorkerCrashed => ErrorKind::BrokenPipe,
        Error::RowNotFound => ErrorKind::NotFound,
        Error::Protocol(_)
        | Error::TypeNotFound { .. }
        | Error::ColumnIndexOutOfBounds { .. }
        | Error::ColumnNotFound(_)
        | Error::ColumnDecode { .. }
        | Error::Decode(_)
        | Error::AnyDriverError(_) => ErrorKind::InvalidData,
        Error::Configuration(_)
        | Error::InvalidArgument(_)
        | Error::Encode(_)
        | Error::InvalidSavePointStatement => ErrorKind::InvalidInput,
        _ => return sources(error).unwrap_or(ErrorClass::Unknown.into()),
    };
    io_kind(kind).into()
}

/// By the code, whose form says whose it is: an SQLSTATE has five characters, a result code of
/// `SQLite` has at most four digits. An error of `MySQL` has its number only in its text,
/// `1213 (40001): Deadlock found ..`.
fn database(error: &dyn DatabaseError) -> Verdict {
    let code = error.code().unwrap_or_default();
    let verdict = if let Some(number) = mysql_number(error, &code) {
        mysql_code(number, &code, error.message()).map(Verdict::from)
    } else if code.len() == 5 {
        sqlstate_code(&code).map(Verdict::from)
    } else {
        code.parse().ok().and_then(sqlite_code)
    };
    verdict.unwrap_or(ErrorClass::Unknown.into())
}

fn mysql_number(error: &dyn DatabaseError, state: &str) -> Option<u16> {
    let text = error.to_string();
    let (number, rest) = text.split_once([' ', ':'])?;
    let number = number.parse().ok()?;
    // Without an SQLSTATE the text is `2013: ..`.
    let of_mysql = match state {
        "" => text.get(..text.len() - rest.len())?.ends_with(':'),
        state => rest.strip_prefix('(')?.strip_prefix(state)?.starts_with("):"),
    };
    of_mysql.then_some(number)
}
