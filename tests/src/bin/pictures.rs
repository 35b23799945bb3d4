//! Draws the pictures of the guide from runs of the engine, in core/guide/pictures.

#![allow(clippy::cast_precision_loss, reason = "what is drawn has at most four digits")]

#[path = "pictures/breaker.rs"]
mod breaker;
#[path = "pictures/chart.rs"]
mod chart;
#[path = "pictures/delays.rs"]
mod delays;
#[path = "pictures/outage.rs"]
mod outage;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

/// Draws the pictures of the guide from runs of the engine, with fixed seeds.
///
/// Exit code: 0, or 1 if a file cannot be written or, with --check, is not what would be drawn.
#[derive(Parser)]
#[command(name = "pictures")]
struct Arguments {
    /// Compares with the files that are there, and writes nothing
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let Arguments { check } = Arguments::parse();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/guide/pictures");
    let mut exit = ExitCode::SUCCESS;
    for (name, svg) in [
        ("delays", delays::picture()),
        ("outage", outage::picture()),
        ("breaker", breaker::picture()),
    ] {
        let file = folder.join(name).with_extension("svg");
        if !check {
            if let Err(why) = fs::write(&file, svg) {
                eprintln!("error: {}: {why}", file.display());
                exit = ExitCode::FAILURE;
            }
        } else if fs::read_to_string(&file).ok().as_deref() != Some(&svg) {
            eprintln!(
                "{name}.svg is not what would be drawn: cargo run -p redress-tests --bin pictures"
            );
            exit = ExitCode::FAILURE;
        }
    }
    exit
}
