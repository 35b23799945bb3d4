//! Prints what a policy does before it ships, from a file with its settings.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use redress_tokio::UpstreamSettings;
use redress_tokio::preview::preview;

/// Prints the delays of a policy per attempt, its longest call, and what each class of failure
/// gets.
///
/// The file holds the settings of an upstream, as `redress_tokio::settings` describes them, in
/// TOML or in JSON. The delays are those of 1,001 calls with fixed seeds. Exit code: 0, or 1 if
/// the file cannot be read or a setting is wrong.
#[derive(Parser)]
#[command(name = "preview")]
struct Arguments {
    /// A file with settings: *.toml or *.json
    file: PathBuf,
}

fn main() -> ExitCode {
    let Arguments { file } = Arguments::parse();
    match printed(&file) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("error: {}: {why}", file.display());
            ExitCode::FAILURE
        }
    }
}

fn printed(file: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string(file)?;
    let settings: UpstreamSettings = match file.extension().and_then(|kind| kind.to_str()) {
        Some("toml") => toml::from_str(&text)?,
        Some("json") => serde_json::from_str(&text)?,
        _ => return Err("its name must end with .toml or .json".into()),
    };
    Ok(preview(&settings.policy()?).to_string())
}
