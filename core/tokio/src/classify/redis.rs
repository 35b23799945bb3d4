//! redis: error replies, and what became of the connection.

use std::io::ErrorKind as Io;

use ::redis::{ErrorKind, RedisError, ServerError, ServerErrorKind};
use redress::ErrorClass;
use redress::classify::{Verdict, io_kind, redis_exec, redis_message};

use super::sources;

/// The class of an error of redis: by the reply ([`redis_message`]), of a pipeline by the first that
/// is an error, of a transaction that was discarded by the reply that broke it ([`redis_exec`]);
/// without a reply that of the `std::io::Error` in it, or of the one which it describes.
///
/// | redis' error | as |
/// | --- | --- |
/// | `AuthenticationFailed` without the reply | NOAUTH |
/// | `Io` without an I/O error; a connection that is gone | `ErrorKind::BrokenPipe` |
/// | sentinels without a master or replica, a cluster without the node | `ErrorKind::NotConnected` |
/// | reply that cannot be read, or of another type than the program wants | `ErrorKind::InvalidData` |
/// | settings, commands and certificates that the client refuses | `ErrorKind::InvalidInput` |
/// | a server without RESP3 | `ErrorKind::Unsupported` |
pub fn redis(error: &RedisError) -> Verdict {
    if let Some(verdict) = reply(error) {
        return verdict;
    }
    if let Some(verdict) = sources(error) {
        return verdict;
    }
    let class = match error.kind() {
        ErrorKind::AuthenticationFailed => redis_message("NOAUTH").unwrap_or(ErrorClass::Unknown),
        ErrorKind::Io => io_kind(Io::BrokenPipe),
        ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::NoValidReplicasFoundBySentinel
        | ErrorKind::ClusterConnectionNotFound => io_kind(Io::NotConnected),
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => io_kind(Io::InvalidData),
        ErrorKind::InvalidClientConfig | ErrorKind::EmptySentinelList | ErrorKind::Client => {
            io_kind(Io::InvalidInput)
        }
        ErrorKind::RESP3NotSupported => io_kind(Io::Unsupported),
        _ => ErrorClass::Unknown,
    };
    class.into()
}

/// By the reply, if there is one.
fn reply(error: &RedisError) -> Option<Verdict> {
    if let ErrorKind::Server(kind) = error.kind() {
        let replies = error.clone().into_server_errors();
        let first = replies.as_deref().and_then(|all| all.first()).map(|(_, error)| error);
        let class = match (kind, first) {
            (ServerErrorKind::ExecAbort, first) => {
                redis_exec("EXECABORT", &first.map(text).unwrap_or_default())
            }
            (_, Some(first)) => redis_message(&text(first)),
            // The client's own sentence: a database that cannot be selected, for instance.
            (_, None) => {
                let detail = error.detail().unwrap_or_default();
                redis_message(&format!("{} {detail}", error.code().unwrap_or_default()))
            }
        };
        return Some(class.unwrap_or(ErrorClass::Unknown).into());
    }
    let replies = error.clone().into_server_errors()?;
    let (_, first) = replies.first()?;
    Some(server(first))
}

/// The class of an error reply.
pub(super) fn server(error: &ServerError) -> Verdict {
    redis_message(&text(error)).unwrap_or(ErrorClass::Unknown).into()
}

/// The reply as the server sent it.
fn text(error: &ServerError) -> String {
    format!("{} {}", error.code(), error.details().unwrap_or_default())
}
