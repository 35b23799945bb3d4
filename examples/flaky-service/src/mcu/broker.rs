//! A broker, a resolver and a subscriber on the host: [`Broker`].

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener as Reserved};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::mcu::Trouble;

/// The name under which the node knows the broker.
const NAME: &str = "broker.test";
/// The host, as the board sees it.
const HOST: &str = "10.0.2.2";
const PASSWORD: &str = "right";
/// Where the emulator looks for what is asked at 10.0.2.2.
const RESOLVER: (&str, u16) = ("127.0.0.1", 53);

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the subscriber got: how often each reading came, by its text.
type Log = Arc<Mutex<BTreeMap<String, u32>>>;

/// `mosquitto`, `dnsmasq` and `mosquitto_sub`, or what stands in their place.
#[derive(Debug)]
pub(super) struct Broker {
    folder: PathBuf,
    name: &'static str,
    port: u16,
    mosquitto: Option<Child>,
    resolver: Option<Child>,
    subscriber: Child,
    received: Log,
    /// Accepts and drops.
    imposter: Option<JoinHandle<()>>,
    /// When it was connected to.
    connects: Arc<Mutex<Vec<Instant>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start(program: &str, arguments: &[&str], output: Stdio) -> Result<Child, Trouble> {
    // Debian has servers where only root looks for programs.
    let there = Path::new("/usr/sbin").join(program);
    let mut command = Command::new(if there.exists() { &there } else { Path::new(program) });
    command.args(arguments).stdin(Stdio::null()).stdout(output).stderr(Stdio::null());
    let child = command.kill_on_drop(true).spawn();
    child.map_err(|why| {
        let install = "sudo apt-get install -y mosquitto mosquitto-clients dnsmasq-base";
        Trouble::new(format!("{program} cannot be run ({why}): run `{install}`"))
    })
}

impl Broker {
    /// Starts all of them, with their files in this folder.
    ///
    /// # Errors
    ///
    /// If one is missing or does not start.
    pub(super) async fn start(folder: &Path) -> Result<Self, Trouble> {
        let folder = folder.join("broker");
        let no_place = |why| Trouble::place(&folder, &why);
        fs::create_dir_all(&folder).map_err(no_place)?;
        // mosquitto leaves root's rights, and writes there.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).map_err(no_place)?;
        let reserved = Reserved::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let port = reserved.map_err(|why| Trouble::service(&why))?.port();
        let shown = folder.display();
        let config = format!(
            "listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {shown}/passwords\n\
             persistence true\npersistence_location {shown}/\nautosave_interval 1\n\
             autosave_on_changes true\nset_tcp_nodelay true\nuser root\n"
        );
        fs::write(folder.join("mosquitto.conf"), config).map_err(no_place)?;
        let received = Log::default();
        let placeholder = start("mosquitto_sub", &["--help"], Stdio::null())?;
        let mut broker = Self {
            folder,
            name: NAME,
            port,
            mosquitto: None,
            resolver: None,
            subscriber: placeholder,
            received,
            imposter: None,
            connects: Arc::default(),
        };
        if broker.resolver(true).await.is_err() {
            // Port 53 is taken, or not for us: the board is told an address.
            broker.name = HOST;
        }
        broker.admits(true).await?;
        broker.run().await?;
        broker.subscribe()?;
        Ok(broker)
    }

    /// What the firmware is told: where the broker is, and the password.
    pub(super) fn argument(&self) -> String {
        format!("{}:{}:{PASSWORD}", self.name, self.port)
    }

    /// Whether the node finds the broker by its name.
    pub(super) fn has_resolver(&self) -> bool {
        self.resolver.is_some()
    }

    /// Starts the broker.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub(super) async fn run(&mut self) -> Result<(), Trouble> {
        if let Some(imposter) = self.imposter.take() {
            imposter.abort();
            // Its port is free when it is gone.
            let _ = imposter.await;
        }
        let config = self.folder.join("mosquitto.conf");
        let config = config.to_string_lossy();
        self.mosquitto = Some(start("mosquitto", &["-c", &config], Stdio::null())?);
        let connects = async {
            while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let connected = timeout(PATIENCE, connects).await;
        connected.map_err(|_| Trouble::new("mosquitto does not start"))
    }

    /// Kills the broker, which gets no time to say goodbye.
    ///
    /// # Errors
    ///
    /// If it lives on.
    pub(super) async fn kill(&mut self) -> Result<(), Trouble> {
        let Some(mut mosquitto) = self.mosquitto.take() else { return Ok(()) };
        let killed = mosquitto.kill().await;
        killed.map_err(|why| Trouble::new(format!("mosquitto lives on: {why}")))
    }

    /// Whether the node's password is right from the next start on.
    ///
    /// # Errors
    ///
    /// If the passwords cannot be written.
    pub(super) async fn admits(&mut self, node: bool) -> Result<(), Trouble> {
        let path = self.folder.join("passwords");
        let password = if node { PASSWORD } else { "another" };
        let text = format!("node:{password}\nwatcher:{PASSWORD}\n");
        fs::write(&path, text).map_err(|why| Trouble::place(&path, &why))?;
        let path = path.to_string_lossy();
        let mut hashing = start("mosquitto_passwd", &["-U", &path], Stdio::null())?;
        match hashing.wait().await {
            Ok(status) if status.success() => Ok(()),
            _ => Err(Trouble::new("mosquitto_passwd fails")),
        }
    }

    /// Starts the resolver that knows the broker's name, or stops it.
    ///
    /// # Errors
    ///
    /// If it does not start: it needs port 53 of the loopback.
    pub(super) async fn resolver(&mut self, runs: bool) -> Result<(), Trouble> {
        if let Some(mut resolver) = self.resolver.take() {
            let _ = resolver.kill().await;
        }
        if !runs {
            return Ok(());
        }
        if TcpStream::connect(RESOLVER).await.is_ok() {
            return Err(Trouble::new("another resolver has port 53 of 127.0.0.1"));
        }
        let record = format!("--address=/{NAME}/{HOST}");
        let arguments = [
            "--keep-in-foreground",
            "--no-resolv",
            "--no-hosts",
            "--bind-interfaces",
            "--listen-address=127.0.0.1",
            "--port=53",
            "--user=root",
            "--pid-file=",
            &record,
        ];
        let mut resolver = start("dnsmasq", &arguments, Stdio::null())?;
        let ready = async {
            // It listens on TCP, too.
            while TcpStream::connect(RESOLVER).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            ready = timeout(PATIENCE, ready) => {
                ready.map_err(|_| Trouble::new("dnsmasq does not start"))?;
            }
            _ = resolver.wait() => {
                let why = "dnsmasq ends: it needs port 53 of 127.0.0.1, which root may take";
                return Err(Trouble::new(why));
            }
        }
        self.resolver = Some(resolver);
        Ok(())
    }

    /// Subscribes with a session that outlives the broker.
    fn subscribe(&mut self) -> Result<(), Trouble> {
        let port = self.port.to_string();
        let arguments = [
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-V",
            "5",
            "-i",
            "watcher",
            "-u",
            "watcher",
            "-P",
            PASSWORD,
            "-q",
            "1",
            "-c",
            "-x",
            "3600",
            "-t",
            "readings",
            "-F",
            "%p",
        ];
        let mut subscriber = start("mosquitto_sub", &arguments, Stdio::piped())?;
        if let Some(output) = subscriber.stdout.take() {
            let received = self.received.clone();
            tokio::spawn(async move {
                let mut lines = BufReader::new(output).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    *lock(&received).entry(line).or_default() += 1;
                }
            });
        }
        self.subscriber = subscriber;
        Ok(())
    }

    /// In the broker's place, whoever accepts a login and hangs up.
    ///
    /// # Errors
    ///
    /// If the port is taken.
    pub(super) async fn impose(&mut self) -> Result<(), Trouble> {
        self.kill().await?;
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let listener = TcpListener::bind(address).await.map_err(|why| Trouble::service(&why))?;
        let connects = self.connects.clone();
        lock(&connects).clear();
        self.imposter = Some(tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut packet = [0; 512];
                let Ok(count @ 1..) = stream.read(&mut packet).await else { continue };
                // The subscriber comes by, too.
                if packet[..count].windows(4).any(|word| word == b"node") {
                    lock(&connects).push(Instant::now());
                }
                // CONNACK: success, no properties.
                let _ = stream.write_all(&[0x20, 3, 0, 0, 0]).await;
            }
        }));
        Ok(())
    }

    /// How many connects there were since the imposter came, and the most within a minute that
    /// began after the first minute.
    pub(super) fn connects(&self) -> (usize, usize) {
        let connects = lock(&self.connects);
        let Some(first) = connects.first() else { return (0, 0) };
        let minute = Duration::from_mins(1);
        let late = connects.iter().filter(|at| **at - *first >= minute);
        let within = |from: &Instant| {
            connects.iter().filter(|at| *at >= from && **at - *from < minute).count()
        };
        (connects.len(), late.map(within).max().unwrap_or(0))
    }

    /// How often the subscriber got the reading with this number of start and reading.
    pub(super) fn received(&self, boot_and_number: &str) -> u32 {
        let received = lock(&self.received);
        let begins = |text: &&String| text.split(' ').next() == Some(boot_and_number);
        received.iter().filter(|(text, _)| begins(text)).map(|(_, times)| *times).sum()
    }

    /// How many readings came, and how many of them more than once.
    pub(super) fn counts(&self) -> (usize, usize) {
        let received = lock(&self.received);
        (received.len(), received.values().filter(|times| **times > 1).count())
    }
}
