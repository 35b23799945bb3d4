//! The programs of examples/loops, without embassy: what each says of a thermometer that is there, and of
//! one that is not.

use redress_tests::report::Report;

use crate::board::{Board, said};

const BOARD: Board = Board::Lm3s6965evb;

/// What the log says of the thermometer that is not there, rejections in a row as one.
const OUTDOOR: [&str; 12] = [
    "outdoor #1 retry TRANSIENT 500 ms",
    "outdoor #2 retry TRANSIENT 1000 ms",
    "outdoor #3 max_attempts_exceeded TRANSIENT 0 ms",
    "outdoor #1 retry TRANSIENT 500 ms",
    "outdoor #2 retry TRANSIENT 1000 ms",
    "outdoor #3 max_attempts_exceeded TRANSIENT 0 ms",
    "outdoor #0 circuit_opened TRANSIENT 0 ms",
    "outdoor #0 circuit_rejected  0 ms",
    "outdoor #0 circuit_half_open  0 ms",
    "outdoor #1 retry TRANSIENT 500 ms",
    "outdoor #2 retry TRANSIENT 1000 ms",
    "outdoor #3 max_attempts_exceeded TRANSIENT 0 ms",
];

/// How long the bare loop takes, by a clock whose counter wraps seven times meanwhile: eight rounds of 1 s
/// at least, three of them of 1.5 s.
const TAKES: &str = "9 s, ";

/// Runs both programs.
///
/// # Errors
///
/// If one cannot be built or run.
pub(crate) fn run() -> Result<Report, String> {
    let mut report = Report::default();
    for (image, name) in [("bare", "a bare loop"), ("rtic", "tasks of RTIC")] {
        let path = BOARD.build_of("loops", image, "")?;
        let bus = "tmp105,bus=i2c,address=0x49";
        let options = ["-device", bus, "-icount", "shift=7,sleep=off"];
        let output = BOARD.emulate(&path, &[], &options)?;
        let text = said(&output);
        let lines = || text.lines();
        let seen = |holds: bool| if holds { Ok(()) } else { Err(text.clone()) };
        let reads = lines().filter(|line| line.starts_with("indoor: 0 C")).count();
        report.count(&format!("{name} reads what is there"), seen(reads >= 8));
        let mut outdoor: Vec<&str> = lines().filter(|line| line.starts_with("outdoor #")).collect();
        outdoor.dedup();
        let decides = outdoor.starts_with(&OUTDOOR);
        report.count(&format!("{name} leaves what is not there alone"), seen(decides));
        if image == "bare" {
            let lasts = lines().last().is_some_and(|line| line.starts_with(TAKES));
            report.count("the clock of a bare loop goes on when its counter wraps", seen(lasts));
        }
    }
    Ok(report)
}
