//! The board in QEMU: [`Board`], its plugs and its switches.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use defmt_decoder::{DecodeError, Table};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::mcu::Trouble;
use crate::mcu::firmware::Firmware;

/// The program that emulates the board.
pub(super) const QEMU: &str = "qemu-system-arm";

/// How long the emulator may take to start, or to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the sensor measures at first, in thousandths of a degree Celsius.
const ROOM: i32 = 21_000;

/// A line of the node's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// `info`, `warn` or `error`.
    pub level: &'static str,
    /// What it says.
    pub text: String,
}

/// Where a board is: what it can reach.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The sensor's I2C address.
    pub sensor: u8,
    /// The service, which is at 10.0.2.2 for the board.
    pub service: SocketAddr,
    /// A broker, as `name:port:password`, if there is one.
    pub broker: Option<String>,
}

/// A board under power. Dropping it cuts the power.
#[derive(Debug)]
pub(super) struct Board {
    child: Child,
    /// Ends with the log.
    log: Option<JoinHandle<()>>,
    /// QEMU's machine protocol: a JSON object in a line.
    control: BufReader<TcpStream>,
    /// QEMU's test protocol: reads and writes of the chip's bus.
    probe: BufReader<TcpStream>,
}

impl Board {
    /// Switches a board on in this place, with the EEPROM in this folder. Its log goes to `lines`.
    ///
    /// # Errors
    ///
    /// If the emulator cannot be started or does not speak.
    pub(super) async fn start(
        firmware: &'static Firmware,
        folder: &Path,
        place: &Place,
        lines: UnboundedSender<Line>,
    ) -> Result<Self, Trouble> {
        let (control, control_port) = listen().await?;
        let (probe, probe_port) = listen().await?;
        let complaints = folder.join("complaints");
        let stderr = File::create(&complaints).map_err(|why| Trouble::place(&complaints, &why))?;
        let mut child = Command::new(QEMU)
            .args(parts(folder, place))
            .args(["-qmp".to_owned(), format!("tcp:{control_port},server=off")])
            .args(["-qtest".to_owned(), format!("tcp:{probe_port},server=off")])
            .args(["-qtest-log", "/dev/null", "-kernel"])
            .arg(&firmware.image)
            // Stopped, until the room has its temperature.
            .arg("-S")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .map_err(|why| Trouble::new(format!("{QEMU} cannot be run: {why}")))?;
        let log = child.stdout.take();
        let log = log.map(|output| tokio::spawn(read_log(output, &firmware.table, lines)));
        let connected = async { Ok::<_, Trouble>((accept(control).await?, accept(probe).await?)) };
        let (mut control, probe) = tokio::select! {
            connected = connected => connected?,
            _ = child.wait() => {
                let said = std::fs::read_to_string(&complaints).unwrap_or_default();
                return Err(Trouble::new(format!("{QEMU} does not start: {}", said.trim())));
            }
        };
        let mut greeting = String::new();
        read_line(&mut control, &mut greeting).await?;
        let mut board = Self { child, log, control, probe };
        board.command("qmp_capabilities", json!({})).await?;
        board.warm(ROOM).await?;
        board.command("cont", json!({})).await?;
        Ok(board)
    }

    /// Cuts the power.
    ///
    /// # Errors
    ///
    /// If the emulator cannot be killed.
    pub(super) async fn cut_power(mut self) -> Result<(), Trouble> {
        let killed = self.child.kill().await;
        killed.map_err(|why| Trouble::new(format!("{QEMU} lives on: {why}")))?;
        if let Some(log) = self.log {
            // What was said before the power went is heard before what the next board says.
            let _ = log.await;
        }
        Ok(())
    }

    /// What the sensor measures from now on, in thousandths of a degree Celsius.
    ///
    /// # Errors
    ///
    /// If the emulator refuses.
    pub(super) async fn warm(&mut self, millidegrees: i32) -> Result<(), Trouble> {
        let path = "/machine/peripheral/sensor";
        let arguments = json!({"path": path, "property": "temperature", "value": millidegrees});
        self.command("qom-set", arguments).await
    }

    /// Plugs the network cable in, or pulls it out.
    ///
    /// # Errors
    ///
    /// If the emulator refuses.
    pub(super) async fn link(&mut self, up: bool) -> Result<(), Trouble> {
        self.command("set_link", json!({"name": "link", "up": up})).await
    }

    /// Switches the I2C controller off under the firmware's feet.
    ///
    /// # Errors
    ///
    /// If the emulator refuses.
    pub(super) async fn break_bus(&mut self) -> Result<(), Trouble> {
        /// The controller's mode register; without bit 4 it does nothing.
        const MODE: u32 = 0x4002_0020;
        let line = format!("writel {MODE:#x} 0x0\n");
        self.probe.write_all(line.as_bytes()).await.map_err(|why| Trouble::emulator(&why))?;
        let mut answer = String::new();
        read_line(&mut self.probe, &mut answer).await?;
        if answer.starts_with("OK") { Ok(()) } else { Err(Trouble::refused(&line, &answer)) }
    }

    async fn command(&mut self, name: &str, arguments: Value) -> Result<(), Trouble> {
        let line = format!("{}\n", json!({"execute": name, "arguments": arguments}));
        self.control.write_all(line.as_bytes()).await.map_err(|why| Trouble::emulator(&why))?;
        loop {
            let mut answer = String::new();
            read_line(&mut self.control, &mut answer).await?;
            let value: Value = serde_json::from_str(&answer).unwrap_or_default();
            if value.get("error").is_some() {
                return Err(Trouble::refused(&line, &answer));
            }
            // Anything else is an event, no answer.
            if value.get("return").is_some() {
                return Ok(());
            }
        }
    }
}

/// The board with its devices, as QEMU wants to be told.
fn parts(folder: &Path, place: &Place) -> Vec<String> {
    let Place { sensor, service, broker } = place;
    // The firmware's places are its arguments, as to a program.
    let broker = broker.as_ref().map(|broker| format!(",arg={broker}")).unwrap_or_default();
    let told = format!("enable=on,target=native,arg=node,arg=10.0.2.2:{}{broker}", service.port());
    let eeprom = folder.join("eeprom");
    let arguments = [
        ("-machine", "lm3s6965evb".into()),
        ("-display", "none".into()),
        ("-monitor", "none".into()),
        ("-serial", "none".into()),
        ("-semihosting-config", told),
        ("-nic", "user,model=stellaris,id=link".into()),
        ("-device", format!("tmp105,bus=i2c,address={sensor},id=sensor")),
        ("-drive", format!("if=none,id=eeprom,format=raw,file={}", eeprom.display())),
        ("-device", "at24c-eeprom,bus=i2c,address=0x50,rom-size=4096,drive=eeprom".into()),
        ("-device", "ds1338,bus=i2c,address=0x68".into()),
        ("-rtc", "base=utc".into()),
    ];
    arguments.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect()
}

/// Decodes what the firmware logs, until its end.
async fn read_log(mut output: ChildStdout, table: &Table, lines: UnboundedSender<Line>) {
    let mut decoder = table.new_stream_decoder();
    let mut bytes = [0; 1024];
    while let Ok(count @ 1..) = output.read(&mut bytes).await {
        decoder.received(&bytes[..count]);
        loop {
            let frame = match decoder.decode() {
                Ok(frame) => frame,
                Err(DecodeError::UnexpectedEof) => break,
                // Cut off by the power: the next one is whole.
                Err(DecodeError::Malformed) => continue,
            };
            let level = frame.level().map_or("", |level| level.as_str());
            let text = frame.display_message().to_string();
            // The last board of all may speak after everybody has left.
            let _ = lines.send(Line { level, text });
        }
    }
}

/// A port of loopback that the emulator is to call.
async fn listen() -> Result<(TcpListener, SocketAddr), Trouble> {
    let no_port = |why| Trouble::new(format!("no port for {QEMU}: {why}"));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(no_port)?;
    let address = listener.local_addr().map_err(no_port)?;
    Ok((listener, address))
}

async fn accept(listener: TcpListener) -> Result<BufReader<TcpStream>, Trouble> {
    match timeout(PATIENCE, listener.accept()).await {
        Ok(Ok((stream, _))) => Ok(BufReader::new(stream)),
        Ok(Err(why)) => Err(Trouble::emulator(&why)),
        Err(_) => Err(Trouble::new(format!("{QEMU} does not start"))),
    }
}

async fn read_line(from: &mut BufReader<TcpStream>, line: &mut String) -> Result<(), Trouble> {
    match timeout(PATIENCE, from.read_line(line)).await {
        Ok(Ok(1..)) => Ok(()),
        Ok(Ok(0)) => Err(Trouble::new(format!("{QEMU} has ended"))),
        Ok(Err(why)) => Err(Trouble::emulator(&why)),
        Err(_) => Err(Trouble::new(format!("{QEMU} does not answer"))),
    }
}
