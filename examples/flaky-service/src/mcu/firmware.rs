//! The node's program: [`Firmware`], built from its sources, with what is needed to
//! read its log.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use defmt_decoder::Table;

use crate::mcu::Trouble;

/// An image and the texts of its log, which are not in the image.
#[derive(Debug)]
pub(super) struct Firmware {
    /// The ELF file.
    pub image: PathBuf,
    /// What the numbers in its log mean.
    pub table: Table,
}

impl Firmware {
    /// Builds `examples/sensor-node`; cargo shows how it goes.
    ///
    /// # Errors
    ///
    /// If its target cannot be installed, if it does not build, or its log cannot be read.
    pub(super) fn build() -> Result<Self, Trouble> {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("sensor-node");
        install_target(&sources)?;
        let output = Command::new("cargo")
            .args(["build", "--release"])
            .arg("--message-format=json-render-diagnostics")
            .current_dir(&sources)
            .stderr(Stdio::inherit())
            .output()
            .map_err(|why| Trouble::new(format!("cargo cannot be run: {why}")))?;
        let messages = String::from_utf8_lossy(&output.stdout);
        let image = messages.lines().filter_map(executable).next_back();
        let Some(image) = image.filter(|_| output.status.success()) else {
            let sources = sources.display();
            return Err(Trouble::new(format!("the firmware in {sources} does not build")));
        };
        let elf = std::fs::read(&image)
            .map_err(|why| Trouble::new(format!("{} cannot be read: {why}", image.display())))?;
        match Table::parse(&elf) {
            Ok(Some(table)) => Ok(Self { image, table }),
            Ok(None) => Err(Trouble::new("the firmware has no log")),
            Err(why) => Err(Trouble::new(format!("the firmware's log cannot be read: {why}"))),
        }
    }
}

/// The target that the node is built for.
const TARGET: &str = "thumbv7m-none-eabi";

/// Lets rustup fetch the targets of `rust-toolchain.toml`, unless they are there.
fn install_target(sources: &Path) -> Result<(), Trouble> {
    // Under `cargo run` the environment names the toolchain; then rustup would not read what
    // else the file asks for.
    let rustup = |words: &[&str]| {
        let mut command = Command::new("rustup");
        command.args(words).current_dir(sources).env_remove("RUSTUP_TOOLCHAIN");
        command
    };
    let installed = rustup(&["target", "list", "--installed"]).output();
    // Without rustup the toolchain comes from elsewhere, and cargo says what is missing.
    let Ok(installed) = installed else { return Ok(()) };
    if String::from_utf8_lossy(&installed.stdout).lines().any(|line| line == TARGET) {
        return Ok(());
    }
    match rustup(&["toolchain", "install", "--no-self-update"]).status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Trouble::new(format!(
            "{TARGET} cannot be installed: run `rustup toolchain install`"
        ))),
    }
}

/// The executable that a message of cargo tells of.
fn executable(line: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    message.get("executable")?.as_str().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_message_of_the_executable_names_one() {
        for (line, path) in [
            (r#"{"reason":"compiler-artifact","executable":"/t/node"}"#, Some("/t/node")),
            (r#"{"reason":"compiler-artifact","executable":null}"#, None),
            (r#"{"reason":"build-finished","success":true}"#, None),
            ("no JSON", None),
        ] {
            assert_eq!(executable(line), path.map(PathBuf::from), "{line}");
        }
    }
}
