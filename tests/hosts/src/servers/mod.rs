//! What the clients talk to: servers of the system in folders of their own, and sockets and
//! servers of this process that answer as they are told to.

pub mod grpc;
pub mod mariadb;
pub mod postgres;
pub mod redis;
pub mod sockets;

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::Failure;

/// How long a server may take until it answers.
const START: Duration = Duration::from_mins(1);

/// A folder that is removed with this value.
pub struct Folder(PathBuf);

impl Folder {
    /// A folder of this process, in that of temporary files.
    pub fn new() -> Result<Self, Failure> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (id, nth) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(format!("redress-hosts-{id}-{nth}"));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// A new folder in this one.
    pub fn of(&self, server: &str) -> Result<PathBuf, Failure> {
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
pub struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts what `words` say by `setpriv`, which has the system end it with this process. What it
    /// prints is in the file `log` of `folder`.
    pub fn start(words: &[String], folder: &Path) -> Result<Self, Failure> {
        let log = folder.join("log");
        let output = File::create(&log)?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "QUIT"]).args(words).current_dir(folder);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().map_err(|why| format!("setpriv cannot be run: {why}"))?;
        Ok(Self { child, log })
    }

    /// Waits until it answers.
    pub async fn ready(&mut self, answers: impl AsyncFnMut() -> bool) -> Result<(), Failure> {
        let child = &mut self.child;
        let ended = move || child.try_wait().ok().flatten();
        match until(ended, answers).await {
            Ok(()) => Ok(()),
            Err(why) => {
                Err(format!("{why}; its log {}:\n{}", self.log.display(), self.printed()).into())
            }
        }
    }

    /// Ends it at once, as a crash does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends it the signal of this name, such as `TERM`.
    pub fn signal(&self, name: &str) -> Result<(), Failure> {
        let (signal, pid) = (format!("-{name}"), self.child.id().to_string());
        let sent = Command::new("kill").args([&signal, &pid]).status()?;
        if sent.success() { Ok(()) } else { Err(format!("kill {signal} {pid}: {sent}").into()) }
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> Result<ExitStatus, Failure> {
        let (child, mut status) = (&mut self.child, None);
        reached("the end of a server", async || {
            status = child.try_wait().ok().flatten();
            status.is_some()
        })
        .await?;
        status.ok_or_else(|| "a server has ended without a status".into())
    }

    /// What it has printed.
    pub fn printed(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Has it end without waiting for its clients.
    fn quit(&mut self) {
        if self.signal("QUIT").is_err() {
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
    mut ended: impl FnMut() -> Option<ExitStatus>,
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
pub async fn reached(what: &str, holds: impl AsyncFnMut() -> bool) -> Result<(), Failure> {
    until(|| None, holds).await.map_err(|why| format!("{what}: {why}").into())
}

/// A port that is free.
pub fn free_port() -> Result<u16, Failure> {
    Ok(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}
