//! What more takes: a further operation in flash, in place or through one `async fn`, and a longer window
//! in instructions with interrupts off.

use redress_tests::report::Report;

use crate::board::{Board, said};
use crate::{figures, steps};

/// The columns: board, ticks, and the goals in the order of [`ROWS`].
const COLUMNS: [(Board, &str, &str, [usize; 4]); 2] = [
    (Board::Microbit, "M0, 1 MHz", "further,tick-hz-1_000_000", [1_900, 1_200, 1_000, 150]),
    (Board::Mps2An386, "M4F, 32,768 Hz", "further,tick-hz-32_768", [2_200, 1_500, 1_200, 150]),
];

/// What is measured: an image less another, for so many operations.
const ROWS: [(&str, &str, &str, usize); 4] = [
    ("the first operation, over the plain loop", "one", "plain", 1),
    ("a second operation in place", "two", "one", 1),
    ("a third operation in place", "operations", "two", 1),
    ("a further call through one `async fn`", "through", "one", 2),
];

const IMAGES: [&str; 5] = ["plain", "one", "two", "operations", "through"];

/// The windows: the feature of the image, and what they remember.
const WINDOWS: [(&str, &str); 3] = [
    ("", "breaker of 5, budget of 16"),
    ("long-breaker", "breaker of 20, budget of 16"),
    ("long-budget", "breaker of 5, budget of 64"),
];

/// The longest lock of breaker or budget, and what each further failure that a breaker remembers adds to it.
fn locks() -> Result<(), String> {
    println!("| instructions of the longest lock | M0 | M3 |\n| --- | ---: | ---: |");
    let mut rows = Vec::new();
    for (features, of) in WINDOWS {
        let lock = |board| steps::longest_lock_with(board, features);
        let row = [lock(Board::Microbit)?, lock(Board::Lm3s6965evb)?];
        println!("| {of} | {} | {} |", row[0], row[1]);
        rows.push(row);
    }
    let tenths = |i: usize| 10 * rows[1][i].saturating_sub(rows[0][i]) / 15;
    let slope = |i: usize| format!("{}.{}", tenths(i) / 10, tenths(i) % 10);
    println!("| for each further failure of the breaker | {} | {} |", slope(0), slope(1));
    Ok(())
}

/// Builds and runs the images, and prints tables; a goal that is missed is told, and counted as skipped.
///
/// # Errors
///
/// If an image cannot be built or run.
pub(crate) fn run() -> Result<Report, String> {
    let (mut report, mut cells) = (Report::default(), vec![Vec::new(); ROWS.len()]);
    for (board, column, features, goals) in COLUMNS {
        let mut flash = Vec::new();
        for image in IMAGES {
            let options = ["--no-default-features", "--features", features];
            let path = board.build_with("prices", image, &options)?;
            let output = board.emulate(&path, &[], &["-icount", "shift=0,sleep=off"])?;
            let does = if output.status.success() { Ok(()) } else { Err(said(&output)) };
            report.count(&format!("{image} has its readings, {column}"), does);
            flash.push(figures::flash(&path)?.cast_signed());
        }
        let of =
            |image: &str| IMAGES.iter().position(|name| *name == image).map_or(0, |i| flash[i]);
        for (((name, image, base, calls), goal), cells) in ROWS.iter().zip(goals).zip(&mut cells) {
            let value = (of(image) - of(base)) / calls.cast_signed();
            steps::judge(&format!("{name}, {column}"), value, goal, &mut report);
            cells.push(format!("{value} ({goal})"));
        }
    }
    let columns = COLUMNS.map(|(_, column, ..)| column).join(" | ");
    println!("| bytes of flash, and the goal | {columns} |\n| --- | ---: | ---: |");
    for ((name, ..), cells) in ROWS.iter().zip(cells) {
        println!("| {name} | {} |", cells.join(" | "));
    }
    locks()?;
    Ok(report)
}
