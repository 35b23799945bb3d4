//! sqlx on `PostgreSQL`.

use redress::classify::Verdict;
use redress_tokio::classify;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions, PgSslMode};
use sqlx::{AssertSqlSafe, Connection, Error, Executor, Row};

use super::SHORT;
use super::postgres::{Login, Session as PostgresSession};
use crate::Failure;
use crate::rows::{ABORT, AUTH, PERMANENT, Rows, TRANSIENT, Want};
use crate::servers::postgres::Postgres;
use crate::servers::sockets::{Answer, Refusing, Socket};

/// A connection without a pool.
pub(crate) struct Session(PgConnection);

fn options(login: &Login) -> PgConnectOptions {
    PgConnectOptions::new()
        .host(&login.host)
        .port(login.port)
        .database(login.database)
        .username(login.user)
        .password(login.password)
        .ssl_mode(PgSslMode::Disable)
}

impl PostgresSession for Session {
    const NAME: &'static str = "sqlx";
    // It takes the first bytes for a length, and misses the rest.
    const OTHER_SERVER: Want = TRANSIENT;
    type Error = Error;

    async fn open(login: &Login) -> Result<Self, Error> {
        PgConnection::connect_with(&options(login)).await.map(Self)
    }

    async fn run(&mut self, sql: &str) -> Result<(), Error> {
        self.0.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.map(drop)
    }

    fn verdict(error: &Error) -> Verdict {
        classify::sqlx(error)
    }
}

const NAME: &str = <Session as PostgresSession>::NAME;

/// What only this client has.
pub(crate) async fn rows(rows: &mut Rows, server: &Postgres) -> Result<(), Failure> {
    let login = Login::admin("127.0.0.1", server.port);
    let mut row = |fault: &str, want, result: Result<(), Error>| {
        rows.error(NAME, fault, want, result, classify::sqlx);
    };
    let mut session = Session::open(&login).await?.0;
    let none = sqlx::query("select 1 where false").fetch_one(&mut session).await.map(drop);
    row("no row", PERMANENT, none);
    let text = sqlx::query("select 'text'").fetch_one(&mut session).await?;
    row("column of another type", PERMANENT, text.try_get::<i32, _>(0).map(drop));
    row("no such column", PERMANENT, text.try_get::<i32, _>("other").map(drop));
    row("no such index of a column", PERMANENT, text.try_get::<i32, _>(7).map(drop));
    let twice = sqlx::query("insert into item values (1)").execute(&mut session).await;
    row("duplicate key, prepared", PERMANENT, twice.map(drop));
    let secure = options(&login).ssl_mode(PgSslMode::Require);
    row("TLS that is not there", PERMANENT, PgConnection::connect_with(&secure).await.map(drop));
    let url = "postgres://localhost:none/".parse::<PgConnectOptions>();
    row("settings that cannot be read", PERMANENT, url.map(drop));
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(SHORT);
    let pool = pool.connect_with(options(&login)).await?;
    let only = pool.acquire().await?;
    row("pool exhausted", TRANSIENT, pool.acquire().await.map(drop));
    drop(only);
    pool.close().await;
    row("pool that the program has closed", ABORT, pool.acquire().await.map(drop));
    let wrong = Login { password: "wrong", ..login };
    let pool = PgPoolOptions::new().acquire_timeout(SHORT * 4);
    row("pool: wrong password", AUTH, pool.connect_with(options(&wrong)).await.map(drop));
    let refusing = Refusing::new()?;
    let to = Login::admin("127.0.0.1", refusing.address.port());
    let pool = PgPoolOptions::new().acquire_timeout(SHORT).connect_with(options(&to)).await;
    row("pool: refused", TRANSIENT, pool.map(drop));
    let hang = Socket::start(Answer::Hang).await?;
    let to = Login::admin("127.0.0.1", hang.port());
    let pool = PgPoolOptions::new().acquire_timeout(SHORT).connect_with(options(&to)).await;
    row("pool: hang in the handshake", TRANSIENT, pool.map(drop));
    Ok(())
}
