//! Cuts the power of an emulated board while it saves: QEMU is killed after a seeded number of
//! bytes on the I2C bus, and the state in the EEPROM's file, and what the next start finds,
//! must be the old one or the new one.

mod board;
mod eeprom;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use board::{Board, Chip, run_to_end};
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

/// Why a run of cuts ended before its end.
enum Trouble {
    /// What the board finds after this cut is neither the old state nor the new one.
    Third { cut: usize, bytes: usize, held: Option<u32>, found: String },
    /// It could not be run as it should.
    Other(String),
}

impl From<String> for Trouble {
    fn from(why: String) -> Self {
        Self::Other(why)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Third { cut, bytes, held, found } => write!(
                f,
                "cut {cut}, after {bytes} bytes: the file holds {held:?}, the next start {found:?}"
            ),
            Self::Other(why) => f.write_str(why),
        }
    }
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
    let result = cuts(&image, CUTS, &mut seen).map_err(|why| why.to_string());
    let Seen { old, new, torn } = seen;
    report.count(&format!("{CUTS} power cuts leave the old state or the new one"), result);
    println!("   {old} left the old state, {new} the new one; {torn} left a slot half written");
    let enough = if torn >= TORN { Ok(()) } else { Err(format!("only {torn} of {CUTS}")) };
    report.count(&format!("at least {TORN} cuts fall inside a write"), enough);
    report.count("an EEPROM that keeps or answers nothing is a typed error", faulty(&image));
    // Without a second slot the same cuts must lose the state.
    let image = build("one-slot")?;
    let noticed = match cuts(&image, CUTS, &mut Seen::default()) {
        Ok(()) => Err("the test does not notice that the second slot is missing".to_owned()),
        // The only slot was half written: no other trouble shows that the test notices.
        Err(Trouble::Third { cut, held: None, found, .. }) if found == "found nothing" => {
            println!("   with one slot the state is lost at cut {cut}");
            Ok(())
        }
        Err(why) => Err(why.to_string()),
    };
    report.count("with one slot the state is lost", noticed);
    Ok(report)
}

/// Two states are saved; then the chip keeps nothing more, then it is gone: both are told, and
/// what was saved is still there.
fn faulty(image: &Path) -> Result<(), String> {
    let file = File::new()?;
    let mut board = Board::start(image, file.path())?;
    board.run(eeprom::bytes_of_two_saves(false))?;
    board.cut_power()?;
    let found = eeprom::as_found(2)?;
    for (chip, first, each) in [
        (Chip::Protected, found.as_str(), ": Worn"),
        (Chip::Absent, "found no storage: Storage(I2C(NoAcknowledge(Address)))", ": Storage(I2C("),
        (Chip::Protected, found.as_str(), ": Worn"),
    ] {
        let said = run_to_end(image, file.path(), chip)?;
        let unsaved = said.iter().filter(|line| line.starts_with("not saved"));
        let typed = unsaved.clone().all(|line| line.contains(each));
        if said.first().map(String::as_str) != Some(first) || unsaved.count() != 3 || !typed {
            return Err(format!("{chip:?}: {said:?}"));
        }
        if file.newest()? != Some(2) {
            return Err(format!("{chip:?}: the file holds {:?}", file.newest()?));
        }
    }
    Ok(())
}

/// Builds the image; says where it is.
fn build(features: &str) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("power-cut");
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
fn cuts(image: &Path, times: usize, seen: &mut Seen) -> Result<(), Trouble> {
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
            return Err(format!("cut {cut}: {found:?}, and the file held {wanted:?}").into());
        }
        let last: Vec<&str> = said.iter().rev().take(2).map(String::as_str).collect();
        if last != [format!("saving {new}"), format!("saved {old}")] {
            return Err(format!("cut {cut}: not in the third save, but after {last:?}").into());
        }
        let after = file.whole()?;
        let number = file.newest()?;
        match number {
            Some(number) if number == old => seen.old += 1,
            Some(number) if number == new => seen.new += 1,
            held => {
                let mut board = Board::start(image, file.path())?;
                board.run(eeprom::bytes_of_two_saves(false))?;
                let found = board.cut_power()?.into_iter().next().unwrap_or_default();
                return Err(Trouble::Third { cut, bytes, held, found });
            }
        }
        // Whole before, and not now: it was being written.
        seen.torn += usize::from(before == [true; 2] && after != [true; 2]);
        expected = number;
    }
    Ok(())
}
