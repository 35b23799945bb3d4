//! Redis servers in folders of their own, and what has them fail.

use std::path::{Path, PathBuf};

use redis::aio::MultiplexedConnection;
use redis::{Client, FromRedisValue, RedisError};

use super::{Folder, Server, free_port, reached};
use crate::Failure;

/// One server, and how it is started.
pub struct Redis {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    server: Server,
    words: Vec<String>,
    folder: PathBuf,
}

impl Redis {
    /// Starts it with these settings, each `--name value ..`.
    pub async fn start(folder: &Folder, name: &str, settings: &[&str]) -> Result<Self, Failure> {
        let folder = folder.of(name)?;
        let port = free_port()?;
        let mut words = vec!["redis-server".to_owned(), "--port".into(), port.to_string()];
        words.extend(
            [
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--enable-protected-configs",
                "yes",
                "--enable-debug-command",
                "yes",
            ]
            .map(str::to_owned),
        );
        words.extend(["--dir".into(), folder.display().to_string()]);
        // A replica waits no time for others that may come.
        words.extend(["--repl-diskless-sync-delay", "0"].map(str::to_owned));
        words.extend(settings.iter().map(|&word| word.to_owned()));
        let server = Server::start(&words, &folder)?;
        let mut redis = Self { port, server, words, folder };
        redis.ready().await?;
        Ok(redis)
    }

    /// A node of a cluster, which has no slots, and the port on which the other nodes reach it.
    pub async fn node(folder: &Folder, name: &str) -> Result<(Self, u16), Failure> {
        let port = free_port()?;
        let bus = port.to_string();
        let settings = ["--cluster-enabled", "yes", "--cluster-port", &bus];
        Ok((Self::start(folder, name, &settings).await?, port))
    }

    async fn ready(&mut self) -> Result<(), Failure> {
        let address = ("127.0.0.1", self.port);
        self.server.ready(async || tokio::net::TcpStream::connect(address).await.is_ok()).await
    }

    /// Ends it at once, as a crash does.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it anew, with these settings besides.
    pub async fn restart(&mut self, settings: &[&str]) -> Result<(), Failure> {
        self.server.kill();
        let settings = settings.iter().map(|&word| word.to_owned());
        let words: Vec<String> = self.words.iter().cloned().chain(settings).collect();
        self.server = Server::start(&words, &self.folder)?;
        self.ready().await
    }

    /// Where it would save its keys.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its URL with these credentials, `user:password@` or nothing.
    pub fn url(&self, credentials: &str) -> String {
        format!("redis://{credentials}127.0.0.1:{}", self.port)
    }

    /// A connection of these credentials.
    pub async fn connect(&self, credentials: &str) -> Result<MultiplexedConnection, RedisError> {
        Client::open(self.url(credentials))?.get_multiplexed_async_connection().await
    }

    /// Runs a command, whose words are separated by spaces, on a connection of its own.
    pub async fn run<T: FromRedisValue>(&self, command: &str) -> Result<T, RedisError> {
        words(command).query_async(&mut self.connect("").await?).await
    }

    /// Waits until the reply to this command contains these words.
    pub async fn says(&self, command: &str, wanted: &str) -> Result<(), Failure> {
        let what = format!("redis on {}: {command} has no {wanted}", self.port);
        reached(&what, async || {
            let reply = self.run::<String>(command).await;
            reply.is_ok_and(|reply| reply.contains(wanted))
        })
        .await
    }
}

/// A command whose words are separated by spaces.
pub fn words(command: &str) -> redis::Cmd {
    let mut words = command.split(' ');
    let mut cmd = redis::cmd(words.next().unwrap_or_default());
    for word in words {
        cmd.arg(word);
    }
    cmd
}
