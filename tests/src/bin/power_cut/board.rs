//! The board in QEMU, halted at each byte that its I2C controller sends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// Part of the name of the driver's function that moves one byte, and of nothing else.
const BYTE: &str = "I2c03run";

/// A second of emulation is minutes of a processor; what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// The EEPROM on the bus, over the same file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chip {
    /// As it should be.
    Sound,
    /// It acknowledges every byte and keeps none.
    Protected,
    /// No device answers.
    Absent,
}

const QEMU: &str = "qemu-system-arm";

/// A board with this chip, by a command that ends in the emulator's name; what the image says
/// is said on stdout.
fn emulator(mut command: Command, image: &Path, eeprom: &Path, chip: Chip) -> Command {
    let drive = format!("if=none,id=eeprom,format=raw,cache=unsafe,file={}", eeprom.display());
    command
        .args(["-M", "lm3s6965evb", "-display", "none", "-monitor", "none", "-serial", "none"])
        // Not through a buffer of the emulator, which a kill would lose.
        .args(["-chardev", "stdio,id=said,signal=off"])
        .args(["-semihosting-config", "enable=on,target=native,chardev=said"])
        .args(["-icount", "shift=7,sleep=off", "-drive", &drive])
        .arg("-kernel")
        .arg(image)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let device = "at24c-eeprom,bus=i2c,address=0x50,rom-size=4096,drive=eeprom";
    match chip {
        Chip::Sound => command.args(["-device", device]),
        Chip::Protected => command.args(["-device", &format!("{device},writable=off")]),
        Chip::Absent => &mut command,
    };
    command
}

/// What the board says of itself; the emulator's own warnings stand between.
fn own(line: &str) -> bool {
    ["found", "saving", "saved", "not saved", "panicked"].iter().any(|word| line.starts_with(word))
}

/// Runs the image to its own end, which a chip that keeps nothing brings about.
pub(crate) fn run_to_end(image: &Path, eeprom: &Path, chip: Chip) -> Result<Vec<String>, String> {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=1", &PATIENCE.as_secs().to_string(), QEMU]);
    let output = emulator(command, image, eeprom, chip)
        .output()
        .map_err(|why| format!("{QEMU} cannot be run: {why}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let said = text.lines().filter(|line| own(line)).map(str::to_owned).collect();
    if output.status.success() { Ok(said) } else { Err(format!("{}: {said:?}", output.status)) }
}

/// A board under power. Dropping it cuts the power.
pub(crate) struct Board {
    child: Child,
    said: BufReader<ChildStdout>,
    debugger: BufReader<TcpStream>,
}

impl Board {
    /// Switches it on, with this EEPROM.
    pub(crate) fn start(image: &Path, eeprom: &Path) -> Result<Self, String> {
        let text = |why: std::io::Error| format!("the emulator cannot be talked to: {why}");
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(text)?;
        let port = listener.local_addr().map_err(text)?.port();
        let debugger = format!("socket,id=gdb,host=127.0.0.1,port={port},nodelay=on");
        let mut child = emulator(Command::new(QEMU), image, eeprom, Chip::Sound)
            .args(["-S", "-chardev", &debugger, "-gdb", "chardev:gdb"])
            .spawn()
            .map_err(|why| format!("{QEMU} cannot be run: {why}"))?;
        let said = BufReader::new(child.stdout.take().ok_or("no output of the emulator")?);
        let (stream, _) = listener.accept().map_err(text)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(text)?;
        stream.set_nodelay(true).map_err(text)?;
        let mut board = Self { child, said, debugger: BufReader::new(stream) };
        board.send(&format!("Z0,{:x},2", address(image)?))?;
        match board.answer()?.as_str() {
            "OK" => Ok(board),
            other => Err(format!("the emulator does not watch the bus: {other:?}")),
        }
    }

    /// Lets it run until it has given that many further bytes to the bus.
    pub(crate) fn run(&mut self, bytes: usize) -> Result<(), String> {
        for _ in 0..bytes {
            // A step leaves the breakpoint behind.
            for go in ["s", "c"] {
                self.send(go)?;
                let stop = self.answer()?;
                if !stop.starts_with("T05") {
                    return Err(format!("the board halted by itself: {stop:?}"));
                }
            }
        }
        Ok(())
    }

    /// Cuts the power; returns what the board printed and was not read yet.
    pub(crate) fn cut_power(mut self) -> Result<Vec<String>, String> {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed.map_err(|why| format!("the emulator lives on: {why}"))?;
        let lines: Result<Vec<String>, _> = self.said.by_ref().lines().collect();
        lines
            .map(|lines| lines.into_iter().filter(|line| own(line)).collect())
            .map_err(|why| format!("the emulator cannot be heard: {why}"))
    }
}

impl Board {
    fn io(why: &std::io::Error) -> String {
        format!("the debugger's port cannot be used: {why}")
    }

    /// Sends a packet of the debugger's protocol.
    fn send(&mut self, packet: &str) -> Result<(), String> {
        let sum = packet.bytes().fold(0_u8, u8::wrapping_add);
        let frame = format!("${packet}#{sum:02x}");
        self.debugger.get_mut().write_all(frame.as_bytes()).map_err(|why| Self::io(&why))
    }

    /// The next packet of the emulator, acknowledged.
    fn answer(&mut self) -> Result<String, String> {
        let mut skipped = Vec::new();
        self.debugger.read_until(b'$', &mut skipped).map_err(|why| Self::io(&why))?;
        let mut packet = Vec::new();
        self.debugger.read_until(b'#', &mut packet).map_err(|why| Self::io(&why))?;
        let mut sum = [0; 2];
        self.debugger.read_exact(&mut sum).map_err(|why| Self::io(&why))?;
        self.debugger.get_mut().write_all(b"+").map_err(|why| Self::io(&why))?;
        packet.pop();
        Ok(String::from_utf8_lossy(&packet).into_owned())
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the image moves a byte.
fn address(image: &Path) -> Result<u32, String> {
    let libraries = Command::new("rustc").args(["--print", "target-libdir"]).output();
    let libraries = libraries.map_err(|why| format!("rustc cannot be run: {why}"))?;
    let libraries = String::from_utf8_lossy(&libraries.stdout).trim().to_owned();
    let output = Command::new(Path::new(&libraries).join("../bin/llvm-nm")).arg(image).output();
    let output = output.map_err(|why| format!("llvm-nm, of llvm-tools, cannot be run: {why}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.contains(BYTE)).ok_or("the image moves no byte")?;
    let word = line.split_whitespace().next().unwrap_or_default();
    // The lowest bit says Thumb.
    u32::from_str_radix(word, 16).map(|at| at & !1).map_err(|why| format!("{line:?}: {why}"))
}
