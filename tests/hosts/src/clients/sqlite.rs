//! sqlx on `SQLite`.

use std::path::Path;
use std::time::Duration;

use redress_tokio::classify;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Error, Executor};

use crate::Failure;
use crate::rows::{CONCURRENCY, PERMANENT, PERMISSION, Rows, SERVER_ERROR};
use crate::servers::Folder;

const NAME: &str = "sqlx, SQLite";

/// More rows than a few pages hold.
const FILL: &str = "
    pragma max_page_count = 4;
    insert into item (id)
    with recursive many (n) as (select 100 union all select n + 1 from many where n < 9000)
    select n from many
";

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(file).busy_timeout(Duration::ZERO)
}

async fn open(file: &Path) -> Result<SqliteConnection, Error> {
    SqliteConnection::connect_with(&options(file)).await
}

async fn run(session: &mut SqliteConnection, sql: &'static str) -> Result<(), Error> {
    session.execute(sqlx::raw_sql(sql)).await.map(drop)
}

pub(crate) async fn rows(rows: &mut Rows, folder: &Folder) -> Result<(), Failure> {
    let folder = folder.of("sqlite")?;
    let file = folder.join("items");
    let mut row = |fault: &str, want, result: Result<(), Error>| {
        rows.error(NAME, fault, want, result, classify::sqlx);
    };
    let new = options(&file).create_if_missing(true);
    let mut session = SqliteConnection::connect_with(&new).await?;
    run(&mut session, "create table item (id int primary key, n int not null default 0); insert into item (id) values (1)").await?;
    for (fault, sql) in [
        ("syntax error", "selct 1"),
        ("no such table", "select * from missing"),
        ("duplicate key", "insert into item (id) values (1)"),
        ("not null", "insert into item values (2, null)"),
    ] {
        row(fault, PERMANENT, run(&mut session, sql).await);
    }
    let mut other = open(&file).await?;
    run(&mut other, "begin immediate").await?;
    row("locked", CONCURRENCY, run(&mut session, "delete from item").await);
    run(&mut other, "rollback; pragma journal_mode = wal").await?;
    run(&mut session, "begin; select * from item").await?;
    run(&mut other, "update item set n = n + 1").await?;
    let stale = run(&mut session, "update item set n = n + 1").await;
    row("serialisation failure", CONCURRENCY, stale);
    run(&mut session, "rollback").await?;
    row("full", SERVER_ERROR, run(&mut session, FILL).await);
    let read_only = options(&file).read_only(true);
    let mut read_only = SqliteConnection::connect_with(&read_only).await?;
    row("read only", PERMISSION, run(&mut read_only, "delete from item").await);
    row("no such file", PERMANENT, open(&folder.join("missing")).await.map(drop));
    let other = folder.join("text");
    std::fs::write(&other, "this is a text and no database, and longer than its header".repeat(9))?;
    let opened = async { run(&mut open(&other).await?, "select * from item").await };
    row("no database", PERMANENT, opened.await);
    Ok(())
}
