//! What has `PostgreSQL` fail, the same for each client.

use std::error::Error;

use redress::classify::Verdict;

use super::{NO_HOST, SHORT};
use crate::Failure;
use crate::rows::{AUTH, CONCURRENCY, PERMANENT, PERMISSION, Rows, SERVER_ERROR, TRANSIENT, Want};
use crate::servers::postgres::Postgres;
use crate::servers::reached;
use crate::servers::sockets::{Answer, Refusing, Socket};

/// Where and as whom a client connects.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: &'static str,
    pub(crate) password: &'static str,
    pub(crate) database: &'static str,
}

impl Login {
    pub(crate) fn admin(host: &str, port: u16) -> Self {
        let (user, password, database) = ("admin", "admin", "postgres");
        Self { host: host.into(), port, user, password, database }
    }
}

/// A connection of one client.
pub(crate) trait Session: Sized + 'static {
    const NAME: &'static str;
    /// What it makes of a server that does not speak the protocol.
    const OTHER_SERVER: Want;
    type Error: Error + 'static;

    async fn open(login: &Login) -> Result<Self, Self::Error>;
    /// Runs one or more statements, and reads their rows.
    async fn run(&mut self, sql: &str) -> Result<(), Self::Error>;
    fn verdict(error: &Self::Error) -> Verdict;
}

/// A statement that fails by itself.
const STATEMENTS: &[(&str, Want, &str)] = &[
    ("syntax error", PERMANENT, "selct 1"),
    ("no such table", PERMANENT, "select * from missing"),
    ("no such function", PERMANENT, "select missing()"),
    ("duplicate key", PERMANENT, "insert into item values (1)"),
    ("foreign key", PERMANENT, "insert into part values (99)"),
    ("not null", PERMANENT, "insert into item values (null)"),
    ("check", PERMANENT, "insert into item values (-1)"),
    ("division by zero", PERMANENT, "select 1 / 0"),
    ("text that is no number", PERMANENT, "select 'x'::int"),
    ("more rows than one", PERMANENT, "select (select id from item)"),
    (
        "feature that is not supported",
        PERMANENT,
        "select 1 from item union select 2 from item for update",
    ),
    ("raised by a function", PERMANENT, "do $$ begin raise exception 'no'; end $$"),
    (
        "table in use",
        CONCURRENCY,
        "begin; declare open cursor for select * from item; fetch open; truncate item cascade",
    ),
    ("statement time-out", TRANSIENT, "set statement_timeout = '20ms'; select pg_sleep(60)"),
    ("read only", CONCURRENCY, "begin read only; update item set n = 1"),
    ("too little memory for a lock", SERVER_ERROR, "do $$ begin raise sqlstate '53200'; end $$"),
    ("snapshot too old", CONCURRENCY, "do $$ begin raise sqlstate '72000'; end $$"),
    ("internal error", SERVER_ERROR, "do $$ begin raise sqlstate 'XX000'; end $$"),
    ("corrupted index", PERMANENT, "do $$ begin raise sqlstate 'XX002'; end $$"),
];

pub(crate) async fn rows<S: Session>(
    rows: &mut Rows,
    server: &mut Postgres,
) -> Result<(), Failure> {
    let login = Login::admin("127.0.0.1", server.port);
    statements::<S>(rows, &login).await?;
    logins::<S>(rows, &login).await;
    locks::<S>(rows, &login).await?;
    sockets::<S>(rows).await?;
    ends::<S>(rows, &login, server).await
}

async fn statements<S: Session>(rows: &mut Rows, login: &Login) -> Result<(), Failure> {
    for &(fault, want, sql) in STATEMENTS {
        let mut session = S::open(login).await?;
        rows.error(S::NAME, fault, want, session.run(sql).await, S::verdict);
    }
    let mut session = S::open(login).await?;
    let first = session.run("begin; select 1 / 0").await;
    let fault = "statement in a transaction that has failed";
    let second = first.or(session.run("select 1").await);
    rows.error(S::NAME, fault, PERMANENT, second, S::verdict);
    let visitor = Login { user: "visitor", password: "visitor", ..login.clone() };
    let mut session = S::open(&visitor).await?;
    let denied = session.run("select * from secret").await;
    rows.error(S::NAME, "no permission", PERMISSION, denied, S::verdict);
    Ok(())
}

async fn logins<S: Session>(rows: &mut Rows, login: &Login) {
    for (fault, want, user, password, database) in [
        ("wrong password", AUTH, "admin", "wrong", "postgres"),
        ("no such user", AUTH, "missing", "wrong", "postgres"),
        ("no such database", PERMANENT, "admin", "admin", "missing"),
        ("too many connections of a user", SERVER_ERROR, "limited", "limited", "postgres"),
    ] {
        let opened = S::open(&Login { user, password, database, ..login.clone() }).await;
        rows.error(S::NAME, fault, want, opened, S::verdict);
    }
    let visitor = Login { user: "visitor", password: "visitor", ..login.clone() };
    let mut open = Vec::new();
    let refused = loop {
        match S::open(&visitor).await {
            Ok(session) if open.len() < 64 => open.push(session),
            refused => break refused,
        }
    };
    rows.error(S::NAME, "too many connections", SERVER_ERROR, refused, S::verdict);
}

async fn locks<S: Session>(rows: &mut Rows, login: &Login) -> Result<(), Failure> {
    let mut other = S::open(login).await?;
    other.run("begin; update item set n = n + 1 where id = 1").await?;
    for (fault, sql) in [
        ("locked, NOWAIT", "select * from item where id = 1 for update nowait"),
        ("lock time-out", "set lock_timeout = '20ms'; update item set n = 0 where id = 1"),
    ] {
        let mut session = S::open(login).await?;
        rows.error(S::NAME, fault, CONCURRENCY, session.run(sql).await, S::verdict);
    }
    // Both wait for the other; one of them is ended.
    let mut session = S::open(login).await?;
    session.run("begin; update item set n = n + 1 where id = 2").await?;
    let (first, second) = tokio::join!(
        other.run("update item set n = n + 1 where id = 2; commit"),
        session.run("update item set n = n + 1 where id = 1; commit"),
    );
    let ended = if first.is_err() { first } else { second };
    rows.error(S::NAME, "deadlock", CONCURRENCY, ended, S::verdict);
    let mut serial = S::open(login).await?;
    serial.run("begin isolation level serializable; select sum(n) from item").await?;
    let mut other = S::open(login).await?;
    other.run("update item set n = n + 1 where id = 3").await?;
    let failed = serial.run("update item set n = 0 where id = 3").await;
    rows.error(S::NAME, "serialisation failure", CONCURRENCY, failed, S::verdict);
    Ok(())
}

async fn sockets<S: Session>(rows: &mut Rows) -> Result<(), Failure> {
    let refusing = Refusing::new()?;
    let refused = S::open(&Login::admin("127.0.0.1", refusing.address.port())).await;
    rows.error(S::NAME, "refused", TRANSIENT, refused, S::verdict);
    let unknown = S::open(&Login::admin(NO_HOST, 5432)).await;
    rows.error(S::NAME, "DNS: no such name", TRANSIENT, unknown, S::verdict);
    for (fault, want, answer) in [
        ("reset in the handshake", TRANSIENT, Answer::Reset),
        ("closed in the handshake", TRANSIENT, Answer::Close),
        (
            "no PostgreSQL",
            S::OTHER_SERVER,
            Answer::Bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ),
    ] {
        let socket = Socket::start(answer).await?;
        let opened = S::open(&Login::admin("127.0.0.1", socket.port())).await;
        rows.error(S::NAME, fault, want, opened, S::verdict);
    }
    let hang = Socket::start(Answer::Hang).await?;
    let login = Login::admin("127.0.0.1", hang.port());
    let late = tokio::time::timeout(SHORT, S::open(&login)).await.map(drop);
    let fault = "hang in the handshake, with tokio's time-out";
    rows.error(S::NAME, fault, TRANSIENT, late, |late| redress_tokio::classify::error(late));
    Ok(())
}

/// Waits until a statement of a session is under way.
async fn sleeps(server: &Postgres) -> Result<(), Failure> {
    reached("a statement that sleeps", async || {
        let count = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";
        server.admin(count).await.is_ok_and(|count| count.as_deref() == Some("1"))
    })
    .await
}

const SLEEP: &str = "select pg_sleep(60)";

async fn ends<S: Session>(
    rows: &mut Rows,
    login: &Login,
    server: &mut Postgres,
) -> Result<(), Failure> {
    let of_sleeper = "from pg_stat_activity where wait_event = 'PgSleep'";
    for (fault, function) in [
        ("ended by the administrator in a statement", "pg_terminate_backend"),
        ("statement that was cancelled", "pg_cancel_backend"),
    ] {
        let mut session = S::open(login).await?;
        let admin = format!("select {function}(pid) {of_sleeper}");
        let (slept, done) = tokio::join!(session.run(SLEEP), async {
            sleeps(server).await?;
            server.admin(&admin).await.map_err(Failure::from)
        });
        done?;
        rows.error(S::NAME, fault, TRANSIENT, slept, S::verdict);
        if function == "pg_terminate_backend" {
            let next = session.run("select 1").await;
            rows.error(S::NAME, "statement after that", TRANSIENT, next, S::verdict);
        }
    }
    for (fault, settings) in [
        ("idle for too long", "set idle_session_timeout = '20ms'"),
        ("idle in a transaction", "set idle_in_transaction_session_timeout = '20ms'; begin"),
    ] {
        let mut session = S::open(login).await?;
        session.run(settings).await?;
        alone(server).await?;
        rows.error(S::NAME, fault, TRANSIENT, session.run("select 1").await, S::verdict);
    }
    let mut session = S::open(login).await?;
    let (slept, restarted) = tokio::join!(session.run(SLEEP), async {
        sleeps(server).await?;
        server.restart().await
    });
    restarted?;
    rows.error(S::NAME, "restart in a statement", TRANSIENT, slept, S::verdict);
    let next = session.run("select 1").await;
    rows.error(S::NAME, "statement after the restart", TRANSIENT, next, S::verdict);
    Ok(())
}

/// Waits until no session is left but that of the administrator, who looks.
async fn alone(server: &Postgres) -> Result<(), Failure> {
    reached("sessions that end", async || {
        let count = "select count(*) from pg_stat_activity where backend_type = 'client backend'";
        server.admin(count).await.is_ok_and(|count| count.as_deref() == Some("1"))
    })
    .await
}
