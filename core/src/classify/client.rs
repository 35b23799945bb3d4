//! Clients for JavaScript that have words of their own for a connection that failed, for a pool
//! without a free connection and for time that is up.

use crate::class::ErrorClass;

/// The codes that [`client_code`] knows.
pub const CLIENT_CODES: &[(ErrorClass, &[&str])] = &[
    (
        ErrorClass::Transient,
        &[
            // postgres.js.
            "CONNECTION_CLOSED",
            "CONNECTION_DESTROYED",
            "CONNECTION_ENDED",
            "CONNECT_TIMEOUT",
            // mysql2 and mariadb.
            "ER_CMD_CONNECTION_CLOSED",
            "ER_CONNECTION_TIMEOUT",
            "ER_GET_CONNECTION_TIMEOUT",
            "ER_SOCKET_TIMEOUT",
            "ER_SOCKET_UNEXPECTED_CLOSE",
            "PROTOCOL_CONNECTION_LOST",
            "PROTOCOL_SEQUENCE_TIMEOUT",
            // nodemailer.
            "ECONNECTION",
            "EDNS",
            "ESOCKET",
        ],
    ),
    (
        ErrorClass::Auth,
        &[
            // nodemailer.
            "EAUTH", "ENOAUTH",
        ],
    ),
    (
        ErrorClass::Permanent,
        &[
            // nodemailer.
            "EENVELOPE",
            "EMESSAGE",
        ],
    ),
];

/// The beginnings of the messages that [`client_message`] knows.
pub const CLIENT_MESSAGES: &[(ErrorClass, &[&str])] = &[
    (
        ErrorClass::Transient,
        &[
            // pg and its pool.
            "Client has encountered a connection error",
            "Connection terminated",
            "Query read timeout",
            "timeout expired",
            "timeout exceeded when trying to connect",
            // Knex.
            "Knex: Timeout acquiring a connection",
            // ioredis and node-redis.
            "Connection is closed",
            "Reached the max retries per request limit",
            "Socket closed unexpectedly",
            "Connection timeout",
            "Socket timeout timeout",
            "The client is offline",
            "All the root nodes are unavailable",
            // amqplib.
            "Channel closed",
            "Channel ended",
            "Connection closed",
            "Heartbeat timeout",
            "Socket closed abruptly",
            "Unexpected close",
            // mqtt.
            "client disconnecting",
            "connack timeout",
            "No connection to broker",
            // openai and @anthropic-ai/sdk.
            "Request timed out",
        ],
    ),
    (
        ErrorClass::Permanent,
        &[
            // node-redis: a client that was closed stays closed.
            "The client is closed",
            // amqplib, if a virtual host is closed to the user.
            "Expected ConnectionOpenOk",
        ],
    ),
];

/// The class of an error by its symbolic code, or `None` for an unknown code.
///
/// | class | codes |
/// | --- | --- |
/// | TRANSIENT | `CONNECTION_CLOSED`, `PROTOCOL_CONNECTION_LOST`, `ECONNECTION` and their like |
/// | AUTH | `EAUTH`, `ENOAUTH` of nodemailer |
/// | PERMANENT | `EENVELOPE`, `EMESSAGE` of nodemailer |
///
/// Source: the errors of postgres.js, mysql2, mariadb and nodemailer when servers end,
/// refuse and do not answer.
pub fn client_code(code: &str) -> Option<ErrorClass> {
    CLIENT_CODES.iter().find(|(_, codes)| codes.contains(&code)).map(|&(class, _)| class)
}

/// The class of an error that has no code by its message, or `None` for any other. Only the
/// beginning is compared.
///
/// Source: the errors of pg, Knex, ioredis, node-redis, amqplib and mqtt when servers end and do
/// not answer.
pub fn client_message(message: &str) -> Option<ErrorClass> {
    let begins =
        |(_, words): &&(ErrorClass, &[&str])| words.iter().any(|words| message.starts_with(words));
    CLIENT_MESSAGES.iter().find(begins).map(|&(class, _)| class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_told_by_how_it_begins_and_a_code_by_the_whole() {
        let transient = Some(ErrorClass::Transient);
        assert_eq!(client_message("Connection terminated unexpectedly"), transient);
        assert_eq!(client_message("the Connection terminated"), None);
        assert_eq!(client_code("PROTOCOL_CONNECTION_LOST"), transient);
        assert_eq!(client_code("PROTOCOL"), None);
        assert_eq!(client_code("EAUTH"), Some(ErrorClass::Auth));
    }

    #[test]
    fn no_code_has_two_classes() {
        let all = || CLIENT_CODES.iter().flat_map(|(_, codes)| codes.iter());
        for code in all() {
            assert_eq!(all().filter(|other| *other == code).count(), 1, "{code}");
        }
    }
}
