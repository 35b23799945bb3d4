//! What the clients talk to: servers of the system in folders of their own, and sockets and
//! servers of this process that answer as they are told to.

pub(crate) mod grpc;
pub(crate) mod mariadb;
pub(crate) mod postgres;
pub(crate) mod redis;
pub(crate) mod sockets;

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Failure;

/// How long a server may take until it answers.
const START: Duration = Duration::from_mins(1);

/// A folder that is removed with this value.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("redress-hosts-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// A new folder in this one.
    pub(crate) fn of(&self, server: &str) -> Result<PathBuf, Failure> {
        let path = self.0.join(server);
        fs::create_dir_all(&path)?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server of the system; it ends with this value, and with the program if that is killed.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts what `words` say by `setpriv`, which has the system end it with this process.
    fn start(words: &[String], folder: &Path) -> Result<Self, Failure> {
        let log = folder.join("log");
        let output = File::create(&log)?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "QUIT"]).args(words).current_dir(folder);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().map_err(|why| format!("setpriv cannot be run: {why}"))?;
        Ok(Self { child, log })
    }

    /// Waits until it answers.
    async fn ready(&mut self, answers: impl AsyncFnMut() -> bool) -> Result<(), Failure> {
        let child = &mut self.child;
        let ended = move || child.try_wait().ok().flatten();
        match until(ended, answers).await {
            Ok(()) => Ok(()),
            Err(why) => {
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                Err(format!("{why}; its log {}:\n{log}", self.log.display()).into())
            }
        }
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Has it end without waiting for its clients.
    fn quit(&mut self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-QUIT", &pid]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Asks every few milliseconds until the answer is yes.
async fn until(
    mut ended: impl FnMut() -> Option<std::process::ExitStatus>,
    mut answers: impl AsyncFnMut() -> bool,
) -> Result<(), String> {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let wait = async {
        loop {
            ticks.tick().await;
            if answers().await {
                return Ok(());
            }
            if let Some(status) = ended() {
                return Err(format!("the server ended: {status}"));
            }
        }
    };
    let limit = START.as_secs();
    tokio::time::timeout(START, wait)
        .await
        .unwrap_or_else(|_| Err(format!("the server does not answer within {limit} s")))
}

/// Waits for a state that a server reaches by itself.
pub(crate) async fn reached(what: &str, holds: impl AsyncFnMut() -> bool) -> Result<(), Failure> {
    until(|| None, holds).await.map_err(|why| format!("{what}: {why}").into())
}

/// A port that is free.
fn free_port() -> Result<u16, Failure> {
    Ok(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}
