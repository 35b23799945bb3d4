//! tokio-postgres.

use std::time::Duration;

use redress::classify::Verdict;
use redress_tokio::classify;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, Error, NoTls};

use super::postgres::{Login, Session as PostgresSession};
use crate::Failure;
use crate::rows::{PERMANENT, Rows, TRANSIENT, UNKNOWN, Want};
use crate::servers::postgres::Postgres;

/// The client, and the task of its connection, which has the error of a server that ends it.
pub(crate) struct Session {
    client: Client,
    connection: JoinHandle<Result<(), Error>>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

fn config(login: &Login) -> Config {
    let mut config = Config::new();
    config.host(&login.host).port(login.port).dbname(login.database);
    config.user(login.user).password(login.password);
    config
}

impl PostgresSession for Session {
    const NAME: &'static str = "tokio-postgres";
    // An I/O error without a kind.
    const OTHER_SERVER: Want = UNKNOWN;
    type Error = Error;

    async fn open(login: &Login) -> Result<Self, Error> {
        let (client, connection) = config(login).connect(NoTls).await?;
        Ok(Self { client, connection: tokio::spawn(connection) })
    }

    async fn run(&mut self, sql: &str) -> Result<(), Error> {
        self.client.batch_execute(sql).await
    }

    fn verdict(error: &Error) -> Verdict {
        classify::tokio_postgres(error)
    }
}

const NAME: &str = <Session as PostgresSession>::NAME;

/// What only this client has.
pub(crate) async fn rows(rows: &mut Rows, server: &Postgres) -> Result<(), Failure> {
    let login = Login::admin("127.0.0.1", server.port);
    let mut row = |fault: &str, want, result: Result<(), Error>| {
        rows.error(NAME, fault, want, result, classify::tokio_postgres);
    };
    let session = Session::open(&login).await?;
    let client = &session.client;
    row("too few parameters", PERMANENT, client.query("select $1::int", &[]).await.map(drop));
    let wrong = client.query("select $1::int", &[&"text"]).await.map(drop);
    row("parameter of another type", PERMANENT, wrong);
    let none = client.query_one("select 1 where false", &[]).await.map(drop);
    row("no row", PERMANENT, none);
    let rows_of_text = client.query("select 'text'", &[]).await?;
    row("column of another type", PERMANENT, rows_of_text[0].try_get::<_, i32>(0).map(drop));
    row("no such column", PERMANENT, rows_of_text[0].try_get::<_, i32>("other").map(drop));
    let mut without = Config::new();
    without.host("127.0.0.1").port(server.port).user("admin").dbname("postgres");
    // A setting, says the client.
    row("no password", PERMANENT, without.connect(NoTls).await.map(drop));
    row("settings that cannot be read", PERMANENT, "port=none".parse::<Config>().map(drop));
    let secure = config(&login).ssl_mode(SslMode::Require).connect(NoTls).await.map(drop);
    row("TLS that the client does not have", PERMANENT, secure);
    let unreached = config(&Login::admin("192.0.2.1", 5432));
    let late = { unreached }.connect_timeout(Duration::from_millis(1)).connect(NoTls).await;
    row("connect time-out of the client", TRANSIENT, late.map(drop));
    of_connection(rows, &login, server).await
}

/// The error of the task that drives the connection.
async fn of_connection(rows: &mut Rows, login: &Login, server: &Postgres) -> Result<(), Failure> {
    let mut session = Session::open(login).await?;
    session.run("set application_name = 'ends'").await?;
    server
        .admin("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'ends'")
        .await?;
    let ended = (&mut session.connection).await?;
    let fault = "connection that the administrator ends";
    rows.error(NAME, fault, TRANSIENT, ended, classify::tokio_postgres);
    Ok(())
}
