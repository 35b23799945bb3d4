//! `cargo demo -- --mcu`: the node of `examples/sensor-node` on an emulated board,
//! faults of every kind, its log live, and a table of what it did about each.

mod broker;
mod emulator;
mod faults;
mod firmware;
mod sessions;
mod stage;

use std::fmt;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::mcu::emulator::QEMU;
use crate::mcu::firmware::Firmware;
use crate::mcu::sessions::Ordeal;
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

    fn place(path: &Path, why: &io::Error) -> Self {
        Self(format!("{} cannot be had: {why}", path.display()))
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

/// Builds the node, plays all faults and prints what it did about each; with `kills`, those of its session
/// with a broker, which is killed so often.
///
/// # Errors
///
/// What the node did not do, or why it could not be tried.
pub async fn run(kills: Option<u32>) -> Result<(), Trouble> {
    // Read by the tasks of every board, to the end of the process.
    let firmware: &'static Firmware = Box::leak(Box::new(Firmware::build()?));
    let mut stage = Stage::set(firmware).await?;
    let findings = match kills {
        None => faults::play(&mut stage).await?,
        Some(kills) => {
            stage.set_broker().await?;
            let dropping = Duration::from_secs(if kills > 10 { 600 } else { 20 });
            sessions::play(&mut stage, Ordeal { kills, dropping }).await?
        }
    };
    stage::show(&Summary(&findings).to_string())
}

/// What was seen of each fault, and how many there were.
struct Summary<'f>(&'f [Finding]);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in self.0 {
            match finding.class() {
                Some(class) => writeln!(f, "\n{}: {class}", finding.fault)?,
                None => writeln!(f, "\n{}", finding.fault)?,
            }
            for (title, lines) in
                [("decided", &finding.decisions), ("recovered", &finding.recovery)]
            {
                let titles = [title].into_iter().chain(std::iter::repeat(""));
                for (title, line) in titles.zip(lines) {
                    writeln!(f, "  {title:9}  {line}")?;
                }
            }
        }
        let count = self.0.len();
        writeln!(f, "\n{count} faults, each with decision and recovery in the log")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_summed_up_with_the_first_class_in_its_lines() {
        let finding = Finding {
            fault: "service dead",
            decisions: vec!["circuit_opened".into(), "post #1 TRANSIENT retry".into()],
            recovery: vec!["circuit_closed".into()],
        };
        let text = "\nservice dead: TRANSIENT\n  \
                    decided    circuit_opened\n             post #1 TRANSIENT retry\n  \
                    recovered  circuit_closed\n\n\
                    1 faults, each with decision and recovery in the log\n";
        assert_eq!(Summary(&[finding]).to_string(), text);
    }
}
