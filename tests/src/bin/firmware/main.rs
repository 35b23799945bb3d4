//! Builds the images of tests/firmware, runs them in QEMU and judges what they say.

mod board;
mod conformance;
mod driverless;
mod encode;
mod figures;
mod further;
mod image;
mod journey;
mod loops;
mod steps;
mod ticks;
mod timerless;
mod trace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use redress_tests::report::Report;

use board::Board;

/// Runs redress on a microcontroller in an emulator.
///
/// Closes with `N passed, N failed, N skipped`. Exits with 1 if something failed, with 2
/// if something cannot be run at all.
#[derive(Parser)]
#[command(name = "firmware")]
struct Arguments {
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand)]
enum Part {
    /// The conformance vectors, decided on the target
    Conformance {
        /// The board
        #[arg(value_enum)]
        board: Board,
        /// JSON files of engine scenarios or classifier cases
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Builds all images of a board at once; the other parts build what is missing
    Images {
        /// The board
        #[arg(value_enum)]
        board: Board,
    },
    /// The program in the docs links, but not without a time driver
    Driverless,
    /// Without limits and delays no timer is linked, with one it is
    Timerless {
        /// The board
        #[arg(value_enum)]
        board: Board,
    },
    /// What the errors of embassy-nrf are, by its own values
    Hal,
    /// The programs without embassy: a bare loop, and tasks of RTIC
    Loops,
    /// Delays at 32,768 Hz, and what images take at that rate
    Ticks,
    /// What a further operation takes in flash, in place and through one function
    Further,
    /// A breaker shared by a timer interrupt, an executor in an interrupt and the thread
    Sharing {
        /// The board
        #[arg(value_enum)]
        board: Board,
    },
    /// Instructions of each step of a call, stack of a decision, RAM of the state
    Steps {
        /// The board
        #[arg(value_enum)]
        board: Board,
    },
    /// The figures of all boards as one table, beside peers
    Figures,
    /// Delays and attempt timeouts to the tick, dropped calls, half-open
    Timing {
        /// The board
        #[arg(value_enum)]
        board: Board,
    },
    /// Firmware without an executor: the blocking driver, with delays of embedded-hal
    Blocking {
        /// The board
        #[arg(value_enum)]
        board: Board,
    },
    /// A bus that hangs or is lost: attempts cut to the tick, recovery between attempts
    Bus {
        /// The board
        #[arg(value_enum)]
        board: Board,
    },
    /// Calls together at a breaker that is half-open, and at one budget
    Together {
        /// The board
        #[arg(value_enum)]
        board: Board,
    },
    /// Calls that are aborted or cancelled: by predicate, operation, signal and drop
    Cancelling {
        /// The board
        #[arg(value_enum)]
        board: Board,
    },
    /// More tasks wait at once than a timer queue of a fixed size holds
    Crowd {
        /// The board
        #[arg(value_enum)]
        board: Board,
    },
    /// The clock begins anew under breakers, a budget and a call
    Restart {
        /// The board
        #[arg(value_enum)]
        board: Board,
    },
    /// A call that sleeps through its long delays, over resets, in retained memory
    DeepSleep {
        /// The board
        #[arg(value_enum)]
        board: Board,
    },
    /// A million calls: depth of the stack, no drift
    Endurance {
        /// The board
        #[arg(value_enum)]
        board: Board,
    },
}

fn images(board: Board) -> Result<Report, String> {
    let mut report = Report::default();
    for package in ["firmware", "prices"] {
        report.count(&format!("the images of {package}"), board.build_all(package));
    }
    Ok(report)
}

/// The image `hal`, of the errors of a HAL; no peripheral of its chip is used.
fn hal() -> Result<Report, String> {
    let board = Board::Mps2An386;
    let path = board.build_of("hal", "hal", "")?;
    image::judge_output("hal", &board.emulate(&path, &[], &[])?)
}

fn main() -> ExitCode {
    let report = match Arguments::parse().part {
        Part::Conformance { board, files } => conformance::run(board, &files),
        Part::Images { board } => images(board),
        Part::Driverless => driverless::run(),
        Part::Timerless { board } => timerless::run(board),
        Part::Hal => hal(),
        Part::Loops => loops::run(),
        Part::Ticks => ticks::run(),
        Part::Further => further::run(),
        Part::Sharing { board } => image::sharing(board),
        Part::Steps { board } => steps::run(board),
        Part::Figures => figures::run(),
        Part::Timing { board } => image::judge(board, "timing"),
        Part::Blocking { board } => image::judge(board, "blocking"),
        Part::Bus { board } => image::judge(board, "bus"),
        Part::Together { board } => image::judge(board, "together"),
        Part::Cancelling { board } => image::judge(board, "cancelling"),
        Part::Crowd { board } => image::judge(board, "crowd"),
        Part::Restart { board } => image::judge(board, "restart"),
        Part::DeepSleep { board } => image::judge(board, "deep_sleep"),
        Part::Endurance { board } => image::judge(board, "endurance"),
    };
    match report {
        Ok(report) => {
            report.print_skipped();
            println!("{report}");
            if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}
