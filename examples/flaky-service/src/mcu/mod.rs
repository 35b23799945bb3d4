//! `cargo demo -- --mcu`: the node of `examples/sensor-node` on an emulated board,
//! faults of every kind, its log live, and a table of what it did about each.

mod emulator;
mod faults;
mod firmware;
mod stage;

use std::fmt;
use std::io;
use std::process::{Command, Stdio};

use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;

use crate::mcu::emulator::QEMU;
use crate::mcu::firmware::Firmware;
use crate::mcu::stage::{Finding, Stage};

/// Why the demo did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble(String);

impl Trouble {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    fn emulator(why: &io::Error) -> Self {
        Self(format!("{QEMU} cannot be talked to: {why}"))
    }

    fn refused(command: &str, answer: &str) -> Self {
        Self(format!("{QEMU} refuses {}: {}", command.trim(), answer.trim()))
    }

    fn service(why: &io::Error) -> Self {
        Self(format!("no port for the service: {why}"))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}

/// The emulator if it is there, or can be installed: in CI, by root.
///
/// # Errors
///
/// One line with the command to run.
pub fn emulator() -> Result<(), Trouble> {
    let runs = |program: &str, arguments: &[&str]| {
        let quiet = || (Stdio::null(), Stdio::null(), Stdio::null());
        let (input, output, errors) = quiet();
        let mut command = Command::new(program);
        command.args(arguments).stdin(input).stdout(output).stderr(errors);
        command.status().is_ok_and(|status| status.success())
    };
    let there = || runs(QEMU, &["--version"]);
    if there() {
        return Ok(());
    }
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"));
    if std::env::var_os("CI").is_some() && root {
        let install = ["install", "-qy", "--no-install-recommends", QEMU];
        if runs("apt-get", &["update", "-q"]) && runs("apt-get", &install) && there() {
            return Ok(());
        }
    }
    Err(Trouble::new(format!("{QEMU} is missing: run `sudo apt-get install -y {QEMU}`")))
}

/// Builds the node, plays all faults and prints what it did about each.
///
/// # Errors
///
/// What the node did not do, or why it could not be tried.
pub async fn run() -> Result<(), Trouble> {
    // Read by the tasks of every board, to the end of the process.
    let firmware: &'static Firmware = Box::leak(Box::new(Firmware::build()?));
    let mut stage = Stage::set(firmware).await?;
    let findings = faults::play(&mut stage).await?;
    println!("\n{}", summary(&findings));
    Ok(())
}

fn summary(findings: &[Finding]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(["fault", "class", "decision", "recovery"]);
    for finding in findings {
        let lines = |lines: &[String]| lines.join("\n");
        let (decisions, recovery) = (lines(&finding.decisions), lines(&finding.recovery));
        table.add_row([finding.fault, finding.class(), &decisions, &recovery]);
    }
    table
}
