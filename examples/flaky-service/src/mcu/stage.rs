//! Where the faults are played: [`Stage`], with the service, the board, and the log
//! that both write.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use console::Style;
use redress::ErrorClass;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout_at;

use crate::mcu::Trouble;
use crate::mcu::broker::Broker;
use crate::mcu::emulator::{Board, Line, Place};
use crate::mcu::firmware::Firmware;
use crate::service::{Fault, FlakyService, Phase, Script};

/// Where the sensor is meant to be.
pub(super) const SENSOR: u8 = 0x49;
/// Where it is for once.
pub(super) const ELSEWHERE: u8 = 0x4A;

/// How long the log may take to show something: twice the longest delay of the node.
const PATIENCE: Duration = Duration::from_mins(1);

/// Nothing fails by itself: faults are switched on by hand.
const HEALTHY: &[Phase] =
    &[Phase { name: "healthy", lasts: Duration::from_secs(1), fault: Fault::None }];

/// What was seen of one fault: lines of the log.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    /// What went wrong.
    pub(super) fault: &'static str,
    /// What the node decided, line by line; the class is in one of them.
    pub(super) decisions: Vec<String>,
    /// How it came back.
    pub(super) recovery: Vec<String>,
}

impl Finding {
    /// What the node took the failure for; `None` if no call failed.
    pub(super) fn class(&self) -> Option<ErrorClass> {
        let mut words = self.decisions.iter().flat_map(|line| line.split_whitespace());
        words.find_map(ErrorClass::from_name)
    }
}

/// The service, the board and the log.
#[derive(Debug)]
pub(super) struct Stage {
    firmware: &'static Firmware,
    folder: PathBuf,
    service: Option<FlakyService>,
    address: std::net::SocketAddr,
    board: Option<Board>,
    sender: UnboundedSender<Line>,
    lines: UnboundedReceiver<Line>,
    started: Instant,
    /// What was said last.
    scene: &'static str,
    broker: Option<Broker>,
    /// Start and number of each reading that the node saw acknowledged.
    acknowledged: Vec<String>,
}

impl Stage {
    /// A service that runs and a board without power.
    ///
    /// # Errors
    ///
    /// If there is no port or no place for the EEPROM's file.
    pub(super) async fn set(firmware: &'static Firmware) -> Result<Self, Trouble> {
        let folder = std::env::temp_dir().join(format!("sensor-node-{}", std::process::id()));
        let no_place = |why| Trouble::place(&folder, &why);
        std::fs::create_dir_all(&folder).map_err(no_place)?;
        // As it comes from the factory.
        std::fs::write(folder.join("eeprom"), [0xFF; 4096]).map_err(no_place)?;
        let script = Script { phases: HEALTHY, seed: 1 };
        let service = FlakyService::start(script).await.map_err(|why| Trouble::service(&why))?;
        let (sender, lines) = unbounded_channel();
        let address = service.address();
        Ok(Self {
            firmware,
            folder,
            service: Some(service),
            address,
            board: None,
            sender,
            lines,
            started: Instant::now(),
            scene: "",
            broker: None,
            acknowledged: Vec::new(),
        })
    }

    /// Switches the board on, with its sensor at this address.
    ///
    /// # Errors
    ///
    /// If the emulator does not start.
    pub(super) async fn power_on(&mut self, sensor: u8) -> Result<(), Trouble> {
        let Self { firmware, folder, address, sender, broker, .. } = self;
        let broker = broker.as_ref().map(Broker::argument);
        let place = Place { sensor, service: *address, broker };
        let board = Board::start(firmware, folder, &place, sender.clone()).await?;
        self.board = Some(board);
        Ok(())
    }

    /// Starts a broker, for boards that are switched on from now on.
    ///
    /// # Errors
    ///
    /// If it is missing or does not start.
    pub(super) async fn set_broker(&mut self) -> Result<(), Trouble> {
        self.broker = Some(Broker::start(&self.folder).await?);
        Ok(())
    }

    /// The broker.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(super) fn broker(&mut self) -> Result<&mut Broker, Trouble> {
        self.broker.as_mut().ok_or_else(|| Trouble::new("there is no broker"))
    }

    /// Start and number of each reading that the node saw acknowledged.
    pub(super) fn acknowledged(&self) -> &[String] {
        &self.acknowledged
    }

    /// Waits until the subscriber has this reading.
    ///
    /// # Errors
    ///
    /// If it is lost.
    pub(super) async fn arrives(&mut self, reading: &str) -> Result<(), Trouble> {
        let until = tokio::time::Instant::now() + PATIENCE;
        while self.broker()?.received(reading) == 0 {
            if tokio::time::Instant::now() > until {
                let lost = format!("reading {reading} was acknowledged and is lost");
                return Err(Trouble::new(lost));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Shows the log for this long.
    ///
    /// # Errors
    ///
    /// If the log ends.
    pub(super) async fn watches(&mut self, lasts: Duration) -> Result<(), Trouble> {
        let until = tokio::time::Instant::now() + lasts;
        while let Ok(line) = timeout_at(until, self.lines.recv()).await {
            self.take(line)?;
        }
        Ok(())
    }

    /// Shows a line of the log.
    fn take(&mut self, line: Option<Line>) -> Result<Line, Trouble> {
        let Some(line) = line else { return Err(Trouble::new("the log has ended")) };
        self.print(line.level, &line.text)?;
        if line.text.contains("panicked") {
            return Err(Trouble::new("the node panicked"));
        }
        if let Some(reading) = line.text.strip_prefix("mqtt acknowledged ") {
            self.acknowledged.push(reading.to_owned());
        }
        Ok(line)
    }

    /// Says something about what happened.
    ///
    /// # Errors
    ///
    /// If the reader of the output is gone.
    pub(super) fn tell(&mut self, text: &str) -> Result<(), Trouble> {
        self.print("", text)
    }

    /// Cuts the power. What the node has said until then stays in the log, before what the
    /// next board says.
    ///
    /// # Errors
    ///
    /// If the emulator does not end.
    pub(super) async fn cut_power(&mut self) -> Result<(), Trouble> {
        if let Some(board) = self.board.take() {
            board.cut_power().await?;
        }
        Ok(())
    }

    /// Damages the slot that the node wrote last, or both, by hand: the second half is as
    /// from the factory. For a board without power. (Real cuts inside a write are those of
    /// `tests/src/bin/power_cut`.)
    ///
    /// # Errors
    ///
    /// If the EEPROM's file cannot be read or written.
    pub(super) fn damage(&self, all: bool) -> Result<(), Trouble> {
        let path = self.folder.join("eeprom");
        let wrong = |why| Trouble::place(&path, &why);
        let mut bytes = std::fs::read(&path).map_err(wrong)?;
        // The firmware's layout: two slots of 256 bytes, the higher sequence is newer.
        let (slots, _) = bytes.as_chunks_mut::<256>();
        let [first, second, ..] = slots else { return Err(Trouble::new("no EEPROM")) };
        let sequence = |slot: &[u8; 256]| u32::from_le_bytes([slot[0], slot[1], slot[2], slot[3]]);
        let first_is_newer = sequence(first) > sequence(second);
        for (slot, newer) in [(first, first_is_newer), (second, !first_is_newer)] {
            if all || newer {
                slot[128..].fill(0xFF);
            }
        }
        std::fs::write(&path, bytes).map_err(wrong)
    }

    /// The board, which is under power.
    ///
    /// # Errors
    ///
    /// If it is not.
    pub(super) fn board(&mut self) -> Result<&mut Board, Trouble> {
        self.board.as_mut().ok_or_else(|| Trouble::new("the board has no power"))
    }

    /// Lets the service fail like this; it comes back if it was gone.
    ///
    /// # Errors
    ///
    /// If its port has been taken meanwhile.
    pub(super) async fn service(&mut self, fault: Fault) -> Result<(), Trouble> {
        if self.service.is_none() {
            let script = Script { phases: HEALTHY, seed: 1 };
            let back = FlakyService::start_at(self.address, script).await;
            self.service = Some(back.map_err(|why| Trouble::service(&why))?);
        }
        if let Some(service) = &self.service {
            service.switch(fault);
        }
        Ok(())
    }

    /// The service dies, with its port and its connections.
    pub(super) fn kill_service(&mut self) {
        self.service = None;
    }

    /// What the service was sent last.
    pub(super) fn received(&self) -> String {
        let body = self.service.as_ref().map(FlakyService::latest_body).unwrap_or_default();
        String::from_utf8_lossy(&body).into_owned()
    }

    /// Says what happens next.
    ///
    /// # Errors
    ///
    /// If the reader of the output is gone.
    pub(super) fn say(&mut self, text: &'static str) -> Result<(), Trouble> {
        self.scene = text;
        self.print("", &format!("== {text} =="))
    }

    /// Waits for one line after the other, each with all of its words.
    ///
    /// # Errors
    ///
    /// Names the first that does not come.
    pub(super) async fn sees_all(&mut self, lines: &[&[&str]]) -> Result<Vec<String>, Trouble> {
        let mut seen = Vec::new();
        for words in lines {
            seen.push(self.sees(words).await?);
        }
        Ok(seen)
    }

    /// Waits for a line of the log with all these words, and shows what comes before.
    ///
    /// # Errors
    ///
    /// If it does not come.
    pub(super) async fn sees(&mut self, words: &[&str]) -> Result<String, Trouble> {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let Ok(line) = timeout_at(until, self.lines.recv()).await else {
                let (secs, scene) = (PATIENCE.as_secs(), self.scene);
                return Err(Trouble::new(format!("{scene}: no line with {words:?} in {secs} s")));
            };
            let line = self.take(line)?;
            if words.iter().all(|word| line.text.contains(word)) {
                return Ok(line.text);
            }
        }
    }

    fn print(&self, level: &str, text: &str) -> Result<(), Trouble> {
        let style = match level {
            "warn" => Style::new().yellow(),
            "error" => Style::new().red(),
            "" => Style::new().bold(),
            _ => Style::new(),
        };
        let secs = self.started.elapsed().as_secs_f64();
        let line = style.for_stdout().apply_to(format!("{level:5}  {text}"));
        show(&format!("{secs:7.3}s  {line}\n"))
    }
}

/// Writes to stdout at once.
///
/// # Errors
///
/// If the reader of the output is gone.
pub(super) fn show(text: &str) -> Result<(), Trouble> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|why| Trouble::new(format!("stdout cannot be written: {why}")))
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.board = None;
        // What is left behind is a file of 4 KB in a folder for such things.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
