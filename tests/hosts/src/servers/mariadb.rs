//! `MariaDB` in a folder of its own.

use std::path::PathBuf;
use std::process::Command;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{Connection, Executor};

use super::{Folder, Server, free_port, is_root};
use crate::Failure;

/// What the faults are made of.
const SCHEMA: &str = "
    create database lab;
    create table lab.item (id int primary key, n int not null default 0);
    insert into lab.item (id) values (1), (2), (3), (4);
    create table lab.secret (id int);
    create user admin@'127.0.0.1' identified by 'admin';
    grant all on *.* to admin@'127.0.0.1' with grant option;
    create user visitor@'127.0.0.1' identified by 'visitor';
    grant all on lab.item to visitor@'127.0.0.1';
    create user limited@'127.0.0.1' identified by 'limited' with max_queries_per_hour 1;
    grant all on lab.* to limited@'127.0.0.1';
";

/// The server, and how it is started.
pub struct Mariadb {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    server: Server,
    words: Vec<String>,
    folder: PathBuf,
}

impl Mariadb {
    /// Starts it with the schema.
    pub async fn start(folder: &Folder) -> Result<Self, Failure> {
        let folder = folder.of("mariadb")?;
        let data = folder.join("data");
        std::fs::create_dir_all(&data)?;
        let mut common = vec!["--no-defaults".to_owned(), format!("--datadir={}", data.display())];
        if is_root() {
            common.push("--user=mysql".into());
            let own = Command::new("chown").args(["-R", "mysql:mysql"]).arg(&folder).status()?;
            if !own.success() {
                return Err("there is no user mysql".into());
            }
        }
        let mut init = Command::new("mariadb-install-db");
        init.args(&common).args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
        let init = init.output().map_err(|why| format!("mariadb-install-db: {why}"))?;
        if !init.status.success() {
            let text = String::from_utf8_lossy(&init.stderr).into_owned();
            return Err(format!("mariadb-install-db: {text}").into());
        }
        let port = free_port()?;
        let mut words = vec!["/usr/sbin/mariadbd".to_owned()];
        words.append(&mut common);
        words.push(format!("--port={port}"));
        words.push(format!("--socket={}", folder.join("socket").display()));
        let settings = [
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-lock-wait-timeout=1",
            "--max-connections=12",
        ];
        words.extend(settings.map(str::to_owned));
        let server = Server::start(&words, &folder)?;
        let mut mariadb = Self { port, server, words, folder };
        mariadb.ready().await?;
        mariadb.admin(SCHEMA).await?;
        Ok(mariadb)
    }

    /// The superuser, whom only the socket lets in.
    async fn root(&self) -> Result<MySqlConnection, sqlx::Error> {
        let options = MySqlConnectOptions::new().username("root").ssl_mode(MySqlSslMode::Disabled);
        MySqlConnection::connect_with(&options.socket(self.folder.join("socket"))).await
    }

    async fn ready(&mut self) -> Result<(), Failure> {
        let socket = self.folder.join("socket");
        let options = MySqlConnectOptions::new().username("root").ssl_mode(MySqlSslMode::Disabled);
        let options = options.socket(socket);
        self.server.ready(async || MySqlConnection::connect_with(&options).await.is_ok()).await
    }

    /// Runs these statements as the superuser.
    pub async fn admin(&self, sql: &'static str) -> Result<u64, sqlx::Error> {
        let done = self.root().await?.execute(sqlx::raw_sql(sql)).await?;
        Ok(done.rows_affected())
    }

    /// Whether a statement sleeps.
    pub async fn sleeps(&self) -> Result<bool, sqlx::Error> {
        const SLEEPS: &str =
            "select 1 from information_schema.processlist where state = 'User sleep'";
        let found = self.root().await?.fetch_optional(sqlx::raw_sql(SLEEPS)).await?;
        Ok(found.is_some())
    }

    /// Starts it anew after a crash.
    pub async fn restart(&mut self) -> Result<(), Failure> {
        self.server.kill();
        self.server = Server::start(&self.words, &self.folder)?;
        self.ready().await
    }
}
