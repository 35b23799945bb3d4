//! The clients: for each, what has it fail, and the class that its errors are to have.
//!
//! The wanted classes are those of tests/vectors/classes.tsv; for errors without a code, those of
//! the I/O errors that they describe.

mod aws;
mod hyper;
mod mariadb;
mod postgres;
mod redis;
mod reqwest;
mod sqlite;
mod sqlx;
mod tokio_postgres;
mod tonic;

use std::time::Duration;

use crate::Failure;
use crate::rows::{
    AUTH, CONCURRENCY, PERMANENT, PERMISSION, RATE_LIMIT, Rows, SERVER_ERROR, TRANSIENT, Want,
};
use crate::servers::Folder;
use crate::servers::mariadb::Mariadb;
use crate::servers::postgres::Postgres;

/// The time-out of a client whose server hangs.
const SHORT: Duration = Duration::from_millis(150);

/// A name that is never resolved (RFC 6761, section 6.4).
const NO_HOST: &str = "missing.invalid";

pub(crate) async fn run(rows: &mut Rows) -> Result<(), Failure> {
    hyper::rows(rows).await?;
    reqwest::rows(rows).await?;
    tonic::rows(rows).await?;
    aws::rows(rows).await?;
    let folder = Folder::new()?;
    let mut server = Postgres::start(&folder).await?;
    postgres::rows::<tokio_postgres::Session>(rows, &mut server).await?;
    tokio_postgres::rows(rows, &server).await?;
    postgres::rows::<sqlx::Session>(rows, &mut server).await?;
    sqlx::rows(rows, &server).await?;
    drop(server);
    let mut server = Mariadb::start(&folder).await?;
    mariadb::rows(rows, &mut server).await?;
    drop(server);
    sqlite::rows(rows, &folder).await?;
    redis::rows(rows, &folder).await
}

/// The statuses that a server may send, with the query of the URL that has its headers.
const STATUSES: &[(u16, &str, Want)] = &[
    (400, "", PERMANENT),
    (401, "", AUTH),
    (402, "", PERMANENT),
    (403, "", PERMISSION),
    (403, "Retry-After=7", RATE_LIMIT.after_secs(7)),
    (403, "X-RateLimit-Remaining=0", RATE_LIMIT),
    (404, "", PERMANENT),
    (404, "Retry-After=7", PERMANENT),
    (405, "", PERMANENT),
    (406, "", PERMANENT),
    (407, "", AUTH),
    (408, "", TRANSIENT),
    (409, "", CONCURRENCY),
    (409, "Retry-After=7", CONCURRENCY.after_secs(7)),
    (410, "", PERMANENT),
    (411, "", PERMANENT),
    (412, "", PERMANENT),
    (413, "", PERMANENT),
    (413, "Retry-After=7", RATE_LIMIT.after_secs(7)),
    (414, "", PERMANENT),
    (415, "", PERMANENT),
    (416, "", PERMANENT),
    (417, "", PERMANENT),
    (418, "", PERMANENT),
    (421, "", TRANSIENT),
    (422, "", PERMANENT),
    (423, "", CONCURRENCY),
    (424, "", PERMANENT),
    (425, "", TRANSIENT),
    (426, "", PERMANENT),
    (428, "", PERMANENT),
    (429, "", RATE_LIMIT),
    (429, "Retry-After=7", RATE_LIMIT.after_secs(7)),
    (429, "retry-after-ms=250", RATE_LIMIT.after_millis(250)),
    (431, "", PERMANENT),
    (449, "", CONCURRENCY),
    (451, "", PERMANENT),
    (499, "", PERMANENT),
    (500, "", SERVER_ERROR),
    (500, "Retry-After=7", SERVER_ERROR.after_secs(7)),
    (501, "", SERVER_ERROR),
    (502, "", SERVER_ERROR),
    (503, "", SERVER_ERROR),
    (503, "Retry-After=7", SERVER_ERROR.after_secs(7)),
    (503, "Retry-After=soon", SERVER_ERROR),
    (504, "", SERVER_ERROR),
    (507, "", SERVER_ERROR),
    (529, "", SERVER_ERROR),
    (599, "", SERVER_ERROR),
];

/// The name of a row for a status.
fn status_fault(status: u16, query: &str) -> String {
    let header = query.replace('=', ": ");
    if header.is_empty() { status.to_string() } else { format!("{status} with {header}") }
}
