//! Cuts the power of an emulated board while it saves: QEMU is killed after a seeded number of
//! bytes on the I2C bus, and the state in the EEPROM's file, and what the next start finds,
//! must be the old one or the new one.

mod board;
mod eeprom;

use std::process::{Command, ExitCode};

use board::Board;
use eeprom::File;
use redress_tests::report::Report;

/// How often the power is cut.
const CUTS: usize = 100;

/// How many of the cuts must leave a slot half written.
const TORN: usize = 50;

/// What the cuts have shown.
#[derive(Default)]
struct Seen {
    old: usize,
    new: usize,
    torn: usize,
}

fn main() -> ExitCode {
    match run() {
        Ok(report) => {
            println!("{report}");
            if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<Report, String> {
    let mut report = Report::default();
    let mut seen = Seen::default();
    let image = build("")?;
    let result = cuts(&image, CUTS, &mut seen);
    let Seen { old, new, torn } = seen;
    report.count(&format!("{CUTS} power cuts leave the old state or the new one"), result);
    println!("   {old} left the old state, {new} the new one; {torn} left a slot half written");
    let enough = if torn >= TORN { Ok(()) } else { Err(format!("only {torn} of {CUTS}")) };
    report.count(&format!("at least {TORN} cuts fall inside a write"), enough);
    // Without a second slot the same cuts must lose the state.
    let image = build("one-slot")?;
    let noticed = match cuts(&image, CUTS, &mut Seen::default()) {
        Ok(()) => Err("the test does not notice that the second slot is missing".to_owned()),
        Err(why) => {
            println!("   with one slot: {why}");
            Ok(())
        }
    };
    report.count("with one slot the state is lost", noticed);
    Ok(report)
}

/// Builds the image; says where it is.
fn build(features: &str) -> Result<std::path::PathBuf, String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("power-cut");
    let target = folder.join("target");
    let output = Command::new("cargo")
        .args(["build", "--release", "--locked", "--quiet", "-p", "power-cut-image"])
        .args(["--target", "thumbv7m-none-eabi", "--features", features])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", &target)
        .output()
        .map_err(|why| format!("cargo cannot be run: {why}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the image does not build:\n{said}"));
    }
    let built = target.join("thumbv7m-none-eabi/release/power-cut-image");
    let kept = target.join(format!("power-cut-image-{features}"));
    std::fs::copy(&built, &kept).map_err(|why| format!("{}: {why}", built.display()))?;
    Ok(kept)
}

/// Cuts the power so many times, each time in the state that the last time has left.
fn cuts(image: &std::path::Path, times: usize, seen: &mut Seen) -> Result<(), String> {
    let file = File::new()?;
    let mut expected = None;
    let mut random = 1_u32;
    for cut in 0..times {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let mut board = Board::start(image, file.path())?;
        let wanted = match expected {
            None => "found nothing".to_owned(),
            Some(number) => eeprom::as_found(number)?,
        };
        let old = expected.unwrap_or(0) + 2;
        let new = old + 1;
        // Two whole saves repair what the last cut tore; the third one is cut.
        board.run(eeprom::bytes_of_two_saves(expected.is_some()))?;
        let before = file.whole()?;
        // Some of them after the last byte, while it is read back.
        let bytes = 1 + (random >> 16) as usize % (eeprom::WRITE_BYTES + 40);
        board.run(bytes)?;
        let said = board.cut_power()?;
        let found = said.first().map_or("", String::as_str);
        if found != wanted {
            return Err(format!("cut {cut}: {found:?}, and the file held {wanted:?}"));
        }
        let last: Vec<&str> = said.iter().rev().take(2).map(String::as_str).collect();
        if last != [format!("saving {new}"), format!("saved {old}")] {
            return Err(format!("cut {cut}: not in the third save, but after {last:?}"));
        }
        let after = file.whole()?;
        let number = file.newest()?;
        match number {
            Some(number) if number == old => seen.old += 1,
            Some(number) if number == new => seen.new += 1,
            other => {
                return Err(format!(
                    "cut {cut}, after {bytes} bytes: {other:?} is neither {old} nor {new}"
                ));
            }
        }
        // Whole before, and not now: it was being written.
        seen.torn += usize::from(before == [true; 2] && after != [true; 2]);
        expected = number;
    }
    Ok(())
}
