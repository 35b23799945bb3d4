//! Finds the class of an error: tables for protocols, databases, brokers and systems, and default
//! rules for any error that can be described.
//!
//! An adapter puts the name, status and headers of an error into [`Facts`]; the rules here find
//! the class, the same on every platform.
//!
//! If you have a code, call its table directly. Each table is a function such as [`mysql_code`].
//! It takes plain codes or text, depends on no client library, and is linked only if used. It
//! returns `None` for a code that does not determine a class; then try the next table or the
//! [`default`](default()) rules. A table with codes that can mean that the program itself
//! cancelled returns a [`Verdict`].
//!
//! | family | tables |
//! | --- | --- |
//! | HTTP | [`http_status`], [`http_response`], [`http_response_headers`] with [`Limits`]; [`http2_reset`], [`http2_goaway`] |
//! | gRPC, `CoAP`, SMTP | [`grpc_code`], [`grpc_name`], [`grpc_pushback`]; [`coap_code`]; [`smtp_code`] |
//! | databases | [`sqlstate_code`]; [`mysql_code`], [`mysql_name`]; [`mssql_code`], [`mssql_name`]; [`sqlite_code`], [`sqlite_name`]; [`mongodb_code`], [`mongodb_label`], [`mongodb_name`], [`mongodb_error`]; [`prisma_code`]; [`redis_message`], [`redis_exec`] |
//! | brokers | [`kafka_code`], [`kafka_name`]; [`amqp_code`]; [`nats_code`]; [`mqtt5_code`], [`mqtt3_code`] |
//! | services | [`aws_code`], [`llm_code`] |
//! | systems | [`system_code`], [`connection_code`], [`connection_message`], [`dom_exception`]; [`dns_code`], [`dns_message`]; [`tls_code`] |
//! | clients of JavaScript | [`client_code`], [`client_message`] |
//! | cancellations | [`abort_name`] |
//!
//! The rules come from redress for Python, an older library. These tables have more classes: if a
//! standard or the vendor documents what a failure means, they have its class where the Python
//! rules have UNKNOWN. Other deliberate differences from redress for Python:
//!
//! * a Retry-After counts with every class that is not final, not only with 429, may have
//!   decimals, and makes 403 and 413 `RATE_LIMIT` ([`http_retry_after`], [`http_response`]);
//! * the seconds of a Retry-After are plain ASCII digits: `+5` and `1_000` are no
//!   hint ([`retry_after::parse`]);
//! * the date of a Retry-After is in exactly one of the three forms of RFC 9110
//!   ([`retry_after::parse`]);
//! * in a message, a word like `ERROR` or a bare number is no SQLSTATE
//!   ([`sqlstate`]);
//! * the documented codes of AWS have a class, as have 408 and 409 without a code ([`aws`],
//!   [`aws_code`]).
//!
//! ```
//! use redress::{classify, Duration, ErrorClass};
//! let busy = classify::http_response(429, Some("120"), 0).unwrap();
//! assert_eq!((busy.class, busy.retry_after), (ErrorClass::RateLimit, Some(Duration::from_secs(120))));
//! assert_eq!(classify::http_response(200, None, 0), None);
//! ```

mod abort;
mod amqp;
mod attempt;
mod aws;
mod classifier;
mod client;
mod coap;
mod dns;
mod facts;
mod grpc;
mod hook;
mod http;
mod http2;
#[cfg(feature = "std")]
mod io;
mod kafka;
mod limits;
mod llm;
mod mongodb;
mod mqtt3;
mod mqtt5;
mod mssql;
mod mysql;
mod nats;
mod prisma;
mod redis;
pub mod retry_after;
mod rules;
mod smtp;
mod sqlite;
mod sqlstate;
mod system;
mod text;
mod tls;
mod web;

pub use abort::{ABORT_NAMES, abort_name};
pub use amqp::amqp_code;
pub use attempt::Classifier;
pub(crate) use attempt::ClassifyAttempt;
pub use aws::{aws, aws_code};
pub use classifier::{ByDescription, ByError, ByValue, Classify, Verdict};
pub use client::{CLIENT_CODES, CLIENT_MESSAGES, client_code, client_message};
pub use coap::coap_code;
pub use dns::{DNS_CODES, dns_code, dns_message};
pub use facts::{AwsError, Describe, Facts, Library, Marker, RetryAfter, header};
pub use grpc::{grpc, grpc_code, grpc_name, grpc_pushback};
pub(crate) use hook::Hook;
pub use hook::{BeforeRetry, BeforeRetryAsync};
pub use http::{http, http_response, http_response_headers, http_retry_after, http_status};
pub use http2::{http2_goaway, http2_reset};
#[cfg(feature = "std")]
pub use io::{io_error, io_kind};
pub use kafka::{kafka_code, kafka_name};
pub use limits::Limits;
pub use llm::llm_code;
pub use mongodb::{mongodb_code, mongodb_error, mongodb_label, mongodb_name};
pub use mqtt3::mqtt3_code;
pub use mqtt5::mqtt5_code;
pub use mssql::{mssql_code, mssql_name};
pub use mysql::{mysql_code, mysql_name};
pub use nats::nats_code;
pub use prisma::prisma_code;
pub use redis::{redis, redis_exec, redis_message};
pub use rules::{default, strict};
pub use smtp::smtp_code;
pub use sqlite::{sqlite_code, sqlite_name};
pub use sqlstate::{odbc, sqlstate, sqlstate_code};
pub use system::{CONNECTION_CODES, SYSTEM_CODES, connection_code, system_code};
pub use text::{Debugged, Shown, WrittenBy};
pub(crate) use text::{ErrorText, NoText};
pub use tls::{TLS_CODES, tls_code};
pub use web::{CONNECTION_MESSAGES, DOM_EXCEPTIONS, connection_message, dom_exception};

pub use crate::class::{ClassSet, Classification, ErrorClass};

/// Whether two texts are equal but for ASCII case.
fn same_word(a: &[u8], b: &[u8]) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// Whether `text` contains `part` in any ASCII case; `part` is not empty.
fn contains(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    text.windows(part.len().max(1)).any(|window| same_word(window, part))
}
