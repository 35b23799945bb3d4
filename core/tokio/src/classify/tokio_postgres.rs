//! tokio-postgres: the SQLSTATE of an error, or what became of the connection.

use std::io::ErrorKind;

use ::tokio_postgres::error::DbError;
use redress::ErrorClass;
use redress::classify::{Verdict, io_kind, sqlstate_code};

use super::sources;

/// The class of an error of tokio-postgres: by its SQLSTATE ([`sqlstate_code`]); otherwise of the
/// first of its sources with a class, such as a `std::io::Error`; otherwise that of the I/O error
/// which it describes.
///
/// | tokio-postgres' error | as |
/// | --- | --- |
/// | connection that is closed | `ErrorKind::BrokenPipe` |
/// | time-out of the client | `ErrorKind::TimedOut` |
/// | authentication, such as a missing password | SQLSTATE 28000 |
/// | settings, parameters, columns, rows, TLS that the server does not offer | `ErrorKind::InvalidInput` |
/// | message that cannot be read or is not expected | `ErrorKind::InvalidData` |
pub fn tokio_postgres(error: &::tokio_postgres::Error) -> Verdict {
    if let Some(code) = error.code() {
        return sqlstate_code(code.code()).unwrap_or(ErrorClass::Unknown).into();
    }
    if error.is_closed() {
        return io_kind(ErrorKind::BrokenPipe).into();
    }
    // The kind is private, its text is not.
    let text = error.to_string();
    let begins = |words: &[&str]| words.iter().any(|words| text.starts_with(words));
    let class = if begins(&["timeout waiting for server"]) {
        io_kind(ErrorKind::TimedOut)
    } else if begins(&["authentication error"]) {
        sqlstate_code("28000").unwrap_or(ErrorClass::Unknown)
    } else if let Some(verdict) = sources(error) {
        return verdict;
    } else if begins(&[
        "invalid c",
        "error performing TLS handshake",
        "error serializing",
        "error encoding",
        "expected ",
        "query returned an unexpected number",
    ]) {
        io_kind(ErrorKind::InvalidInput)
    } else if begins(&["error deserializing", "error parsing", "unexpected message"]) {
        io_kind(ErrorKind::InvalidData)
    } else {
        ErrorClass::Unknown
    };
    class.into()
}

/// The class of the server's own error, which is the source of the client's.
pub(super) fn server(error: &DbError) -> Verdict {
    sqlstate_code(error.code().code()).unwrap_or(ErrorClass::Unknown).into()
}
