//! Ticks that are no microseconds: 32,768 Hz, the only rate of embassy-nrf. No delay is short, and an
//! image has the conversions once.

use std::path::PathBuf;

use redress_tests::report::Report;

use crate::board::{Board, said};
use crate::trace::symbols;
use crate::{figures, image};

/// The processor of an nRF52840.
const BOARD: Board = Board::Mps2An386;

const CONVERTED: [&str; 3] = ["--no-default-features", "--features", "tick-hz-32_768"];

/// Images without redress and with it.
const IMAGES: [(&str, &str); 5] = [
    ("plain", "a loop around `with_timeout`"),
    ("redress", "redress: jitter, deadline, classes"),
    ("redress_full", "redress: and breaker of 5, rolling budget of 16"),
    ("operations", "redress: three operations in one task"),
    ("tasks", "redress: four tasks"),
];

/// The most bytes that conversions add to an image, however many tasks it has.
const MOST: usize = 320;

/// Builds images at 1 MHz and at 32,768 Hz, runs them, and prints what they take.
///
/// # Errors
///
/// If an image cannot be built or run.
pub(crate) fn run() -> Result<Report, String> {
    let path = BOARD.build_with("prices", "ticks", &CONVERTED)?;
    let mut report = image::judge_output("ticks", &BOARD.emulate(&path, &[], &[])?)?;
    println!("| flash, M4F | 1 MHz | 32,768 Hz |\n| --- | ---: | ---: |");
    for (image, of) in IMAGES {
        let (mut flash, mut path) = (Vec::new(), PathBuf::new());
        for options in [&[][..], &CONVERTED] {
            path = BOARD.build_with("prices", image, options)?;
            let output = BOARD.emulate(&path, &[], &["-icount", "shift=0,sleep=off"])?;
            let does = if output.status.success() { Ok(()) } else { Err(said(&output)) };
            report.count(&format!("{image} has its readings"), does);
            flash.push(figures::flash(&path)?);
        }
        println!("| {of} | {} | {} |", flash[0], flash[1]);
        let added = flash[1].saturating_sub(flash[0]);
        let once =
            if added <= MOST { Ok(()) } else { Err(format!("{added} bytes, {MOST} are enough")) };
        report.count(&format!("{image} has the conversions once"), once);
        let wide: Vec<String> = symbols(&path)?.into_keys().filter(|name| is_wide(name)).collect();
        let none = if wide.is_empty() { Ok(()) } else { Err(format!("it links {wide:?}")) };
        report.count(&format!("{image} has no division of 64 bits or more"), none);
    }
    Ok(report)
}

/// A routine that divides more than 32 bits.
fn is_wide(symbol: &str) -> bool {
    ["ldivmod", "divdi3", "divti3", "u64_div_rem", "u128_div_rem"]
        .iter()
        .any(|part| symbol.contains(part))
}
