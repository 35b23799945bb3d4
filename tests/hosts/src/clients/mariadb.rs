//! sqlx on `MariaDB`.

use redress_tokio::classify;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{Connection, Error, Executor};

use super::NO_HOST;
use crate::Failure;
use crate::rows::{
    AUTH, CONCURRENCY, PERMANENT, PERMISSION, RATE_LIMIT, Rows, SERVER_ERROR, TRANSIENT, Want,
};
use crate::servers::mariadb::Mariadb;
use crate::servers::reached;
use crate::servers::sockets::Refusing;

const NAME: &str = "sqlx, MySQL";

/// Statements, of which the last fails.
const STATEMENTS: &[(&str, Want, &str)] = &[
    ("syntax error", PERMANENT, "selct 1"),
    ("no such table", PERMANENT, "select * from missing"),
    ("duplicate key", PERMANENT, "insert into item (id) values (1)"),
    ("not null", PERMANENT, "insert into item values (null, 1)"),
    ("statement time-out", TRANSIENT, "set max_statement_time = 0.02; select sleep(60)"),
    ("read-only transaction", CONCURRENCY, "start transaction read only; delete from item"),
    ("raised by a function", PERMANENT, "signal sqlstate '44000' set message_text = 'no'"),
    ("locked, NOWAIT", CONCURRENCY, "select * from item where id = 4 for update nowait"),
    ("lock time-out", CONCURRENCY, "update item set n = 1 where id = 4"),
];

fn options(user: &str, password: &str, port: u16) -> MySqlConnectOptions {
    let options = MySqlConnectOptions::new().host("127.0.0.1").port(port).database("lab");
    options.username(user).password(password).ssl_mode(MySqlSslMode::Disabled)
}

async fn open(user: &str, password: &str, port: u16) -> Result<MySqlConnection, Error> {
    MySqlConnection::connect_with(&options(user, password, port)).await
}

async fn run(session: &mut MySqlConnection, sql: &'static str) -> Result<(), Error> {
    session.execute(sqlx::raw_sql(sql)).await.map(drop)
}

pub(crate) async fn rows(rows: &mut Rows, server: &mut Mariadb) -> Result<(), Failure> {
    let port = server.port;
    let mut row = |fault: &str, want, result: Result<(), Error>| {
        rows.error(NAME, fault, want, result, classify::sqlx);
    };
    let mut locks = open("admin", "admin", port).await?;
    run(&mut locks, "begin; update item set n = 1 where id = 4").await?;
    for &(fault, want, sql) in STATEMENTS {
        row(fault, want, run(&mut open("admin", "admin", port).await?, sql).await);
    }
    drop(locks);
    let mut visitor = open("visitor", "visitor", port).await?;
    row("no permission", PERMISSION, run(&mut visitor, "select * from secret").await);
    row("wrong password", AUTH, open("admin", "wrong", port).await.map(drop));
    let other = options("visitor", "visitor", port).database("missing");
    let other = MySqlConnection::connect_with(&other).await.map(drop);
    row("database without permission", PERMISSION, other);
    let other = options("admin", "admin", port).database("missing");
    row("no such database", PERMANENT, MySqlConnection::connect_with(&other).await.map(drop));
    let mut limited = open("limited", "limited", port).await;
    let limit = match &mut limited {
        Ok(limited) => run(limited, "select 1; select 1; select 1").await,
        Err(_) => limited.map(drop),
    };
    row("limit of a user's statements", RATE_LIMIT, limit);
    row("deadlock", CONCURRENCY, deadlock(port).await?);
    row("read-only server", CONCURRENCY, {
        server.admin("set global read_only = 1").await?;
        let written = run(&mut visitor, "update item set n = 1").await;
        server.admin("set global read_only = 0").await?;
        written
    });
    let mut all = Vec::new();
    let refused = loop {
        match open("visitor", "visitor", port).await {
            Ok(session) if all.len() < 64 => all.push(session),
            refused => break refused.map(drop),
        }
    };
    row("too many connections", SERVER_ERROR, refused);
    drop(all);
    let refusing = Refusing::new()?;
    row("refused", TRANSIENT, open("admin", "admin", refusing.address.port()).await.map(drop));
    let unknown = options("admin", "admin", port).host(NO_HOST);
    row("DNS: no such name", TRANSIENT, MySqlConnection::connect_with(&unknown).await.map(drop));
    for (fault, restarts) in [("killed in a statement", false), ("restart in a statement", true)] {
        let mut session = open("admin", "admin", port).await?;
        let (slept, done) = tokio::join!(run(&mut session, "select sleep(60)"), async {
            reached("a statement that sleeps", async || server.sleeps().await.unwrap_or(false))
                .await?;
            if restarts {
                server.restart().await
            } else {
                server.admin("kill user admin@'127.0.0.1'").await.map(drop).map_err(Failure::from)
            }
        });
        done?;
        row(fault, TRANSIENT, slept);
        let fault = format!("{fault}: the next statement");
        row(&fault, TRANSIENT, run(&mut session, "select 1").await);
    }
    Ok(())
}

/// Both wait for the other; one of them is ended.
async fn deadlock(port: u16) -> Result<Result<(), Error>, Failure> {
    let mut first = open("admin", "admin", port).await?;
    let mut second = open("admin", "admin", port).await?;
    run(&mut first, "begin; update item set n = n + 1 where id = 1").await?;
    run(&mut second, "begin; update item set n = n + 1 where id = 2").await?;
    let (first, second) = tokio::join!(
        run(&mut first, "update item set n = n + 1 where id = 2; commit"),
        run(&mut second, "update item set n = n + 1 where id = 1; commit"),
    );
    Ok(if first.is_err() { first } else { second })
}
