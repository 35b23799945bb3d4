//! `PostgreSQL` in a folder of its own, as its user: it refuses root's.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tokio_postgres::{Config, NoTls};

use super::{Folder, Server, free_port, is_root};
use crate::Failure;

/// What the faults are made of.
const SCHEMA: &str = "
    create table item (id int primary key check (id > 0), n int not null default 0);
    insert into item select generate_series(1, 4);
    create table part (item int references item);
    create table secret (id int);
    create role visitor login password 'visitor';
    create role limited login password 'limited' connection limit 0;
    grant all on item to visitor;
";

const SETTINGS: [&str; 5] = [
    "fsync=off",
    "deadlock_timeout=50ms",
    "listen_addresses=127.0.0.1",
    "max_connections=12",
    "superuser_reserved_connections=2",
];

/// The server, and how it is started.
pub struct Postgres {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    server: Server,
    words: Vec<String>,
    folder: PathBuf,
}

impl Postgres {
    /// Starts it with the schema, which `admin` owns.
    pub async fn start(folder: &Folder) -> Result<Self, Failure> {
        let folder = folder.of("postgres")?;
        let (data, password) = (folder.join("data"), folder.join("password"));
        fs::write(&password, "admin")?;
        let bin = newest_bin()?;
        let mut by_user: Vec<String> = Vec::new();
        if is_root() {
            let own =
                Command::new("chown").args(["-R", "postgres:postgres"]).arg(&folder).status()?;
            if !own.success() {
                return Err("there is no user postgres".into());
            }
            let user = ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"];
            by_user.extend(user.map(str::to_owned));
        }
        let mut init = Command::new("setpriv");
        init.args(&by_user).arg(bin.join("initdb")).arg("-D").arg(&data);
        init.args(["-U", "admin", "--auth=scram-sha-256", "--no-sync", "--pwfile"]).arg(&password);
        let init = init.current_dir(&folder).output()?;
        if !init.status.success() {
            return Err(format!("initdb: {}", String::from_utf8_lossy(&init.stderr)).into());
        }
        let port = free_port()?;
        let mut words = by_user;
        words.push(bin.join("postgres").display().to_string());
        words.extend(["-D".into(), data.display().to_string()]);
        words.extend(["-k".into(), folder.display().to_string(), "-p".into(), port.to_string()]);
        words.extend(SETTINGS.iter().flat_map(|setting| ["-c".into(), (*setting).into()]));
        let server = Server::start(&words, &folder)?;
        let mut postgres = Self { port, server, words, folder };
        postgres.ready().await?;
        postgres.admin(SCHEMA).await?;
        Ok(postgres)
    }

    /// The administrator's settings.
    fn config(&self) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).dbname("postgres");
        config.user("admin").password("admin");
        config
    }

    async fn ready(&mut self) -> Result<(), Failure> {
        let config = self.config();
        self.server.ready(async || config.connect(NoTls).await.is_ok()).await
    }

    /// Runs this as the administrator; the first value of the first row, if there is one.
    pub async fn admin(&self, sql: &str) -> Result<Option<String>, tokio_postgres::Error> {
        let (client, connection) = self.config().connect(NoTls).await?;
        let connection = tokio::spawn(connection);
        let messages = client.simple_query(sql).await?;
        drop(client);
        let _ = connection.await;
        Ok(messages.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        }))
    }

    /// Closes all connections at once and starts it anew.
    pub async fn restart(&mut self) -> Result<(), Failure> {
        self.server.quit();
        self.server = Server::start(&self.words, &self.folder)?;
        self.ready().await
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A crash would leave its children some time.
        self.server.quit();
    }
}

/// The folder of the newest version's programs, as Debian has it.
fn newest_bin() -> Result<PathBuf, Failure> {
    let versions = fs::read_dir("/usr/lib/postgresql").map_err(|why| {
        format!("PostgreSQL is missing (/usr/lib/postgresql: {why}): apt-get install postgresql")
    })?;
    let bins = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    let with_server = bins.filter(|bin| bin.join("initdb").exists());
    with_server.max().ok_or_else(|| "/usr/lib/postgresql has no initdb".into())
}
