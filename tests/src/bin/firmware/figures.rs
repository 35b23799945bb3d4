//! The figures of a call on each board as one table, redress beside what people write and
//! take today: the images of tests/firmware/prices, which do the same job in one way each.

use std::collections::BTreeMap;
use std::path::Path;

use redress_tests::report::Report;

use crate::board::{Board, said};
use crate::journey::{self, Journey};
use crate::steps;
use crate::trace::{symbols, tool};

const BOARDS: [(Board, &str); 4] = [
    (Board::Microbit, "M0"),
    (Board::Lm3s6965evb, "M3"),
    (Board::Mps2An386, "M4F"),
    (Board::Virt, "RISC-V"),
];

/// The images, and what each of them is.
const IMAGES: [(&str, &str); 6] = [
    ("bare", "the operation until it succeeds"),
    ("plain", "a loop around `with_timeout`"),
    ("hand", "the loop by hand: jitter, deadline"),
    ("backon", "backon with `embassy-sleep`: jitter"),
    ("redress", "redress: jitter, deadline, classes"),
    ("redress_full", FULL),
];

/// The full policy: goals are for it, peers have no breaker and no budget.
const FULL: &str = "redress: and breaker of 5, rolling budget of 16";

/// What an image takes.
struct Taken {
    flash: usize,
    ram: usize,
    future: usize,
    journey: Journey,
}

/// A figure of an image, beside the plain loop's and the bare operation's.
type Figure = fn(of: &Taken, plain: &Taken, bare: &Taken) -> isize;

/// The figures, and the goals for the full policy as a table shows them.
const FIGURES: [(&str, &str, Figure); 8] = [
    ("flash over the plain loop", "3072 on M0", |of, plain, _| difference(of.flash, plain.flash)),
    ("RAM over the plain loop", "", |of, plain, _| difference(of.ram, plain.ram)),
    ("future over the operation's", "160", |of, _, bare| difference(of.future, bare.future)),
    ("instructions, reset to the first attempt's wait", "", |of, _, _| {
        of.journey.reset.cast_signed()
    }),
    ("instructions, failed attempt to its delay", "", |of, _, _| of.journey.failure.cast_signed()),
    ("bytes of stack of the task meanwhile", "", |of, _, _| of.journey.stack.cast_signed()),
    ("instructions, success to next call's wait", "", |of, _, _| of.journey.success.cast_signed()),
    ("instructions, two calls of four attempts", "", |of, _, _| of.journey.all.cast_signed()),
];

/// The most bytes of flash and future that the full policy may take, and of RAM its state.
fn goal(board: Board, figure: &str) -> Option<usize> {
    match (board, figure) {
        (Board::Microbit, "flash over the plain loop") => Some(3072),
        (_, "future over the operation's") => Some(160),
        _ => None,
    }
}
const STATE: usize = 224;

/// A line of the table.
struct Row {
    figure: String,
    of: &'static str,
    goal: &'static str,
    cells: Vec<String>,
}

/// The table, a column for each board.
#[derive(Default)]
struct Table(Vec<Row>);

impl Table {
    fn add(&mut self, figure: &str, of: &'static str, goal: &'static str, cell: &impl ToString) {
        let cell = cell.to_string();
        if let Some(row) = self.0.iter_mut().find(|row| row.figure == figure && row.of == of) {
            row.cells.push(cell);
        } else {
            self.0.push(Row { figure: figure.to_owned(), of, goal, cells: vec![cell] });
        }
    }

    fn print(&self) {
        println!("| figure | of | goal | {} |", BOARDS.map(|(_, name)| name).join(" | "));
        println!("| --- | --- | ---: |{}", " ---: |".repeat(BOARDS.len()));
        let mut above = "";
        for Row { figure, of, goal, cells } in &self.0 {
            let shown = if figure == above { "" } else { figure };
            println!("| {shown} | {of} | {goal} | {} |", cells.join(" | "));
            above = figure;
        }
    }
}

/// Prints the table; a goal that is missed is told, and counted as skipped.
pub(crate) fn run() -> Result<Report, String> {
    let (mut report, mut table) = (Report::default(), Table::default());
    for (board, _) in BOARDS {
        let mut taken = BTreeMap::new();
        for (image, _) in IMAGES {
            let path = board.build_of("prices", image, "")?;
            let output = board.emulate(&path, &[], &["-icount", "shift=0,sleep=off"])?;
            let does = if output.status.success() { Ok(()) } else { Err(said(&output)) };
            report.count(&format!("{image} on {board:?} has its two readings"), does);
            taken.insert(image, measure(board, &path)?);
        }
        for (figure, shown, value) in FIGURES {
            for (image, of) in IMAGES {
                let full = of == FULL;
                let value = value(&taken[image], &taken["plain"], &taken["bare"]);
                table.add(figure, of, if full { shown } else { "" }, &value);
                if let Some(goal) = goal(board, figure).filter(|_| full) {
                    steps::judge(&format!("{figure}, {board:?}"), value, goal, &mut report);
                }
            }
        }
        let (figures, state) = steps::measure(board)?;
        table.add("RAM of breaker and budget with their locks", "", "224", &state);
        steps::judge("RAM of the state", state.cast_signed(), STATE, &mut report);
        for (name, value, goal) in figures {
            let shown =
                steps::GOALS.iter().find(|(of, _)| *of == name).map_or("", |(_, goal)| goal);
            table.add(&name, "", shown, &value);
            if let Some(goal) = goal {
                steps::judge(&format!("{name}, {board:?}"), value.cast_signed(), goal, &mut report);
            }
        }
    }
    table.print();
    Ok(report)
}

fn difference(of: usize, base: usize) -> isize {
    of.cast_signed() - base.cast_signed()
}

/// Bytes of the sections whose names begin so.
fn bytes(image: &Path, sections: &[&str]) -> Result<usize, String> {
    let size = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        let size = words.next()?.parse::<usize>().ok()?;
        sections.iter().any(|wanted| name.starts_with(wanted)).then_some(size)
    };
    Ok(tool("llvm-size", &["-A"], image)?.lines().filter_map(size).sum())
}

/// Bytes of the sections that are flashed.
pub(crate) fn flash(image: &Path) -> Result<usize, String> {
    bytes(image, &[".vector_table", ".text", ".trap", ".init", ".rodata", ".data", ".ARM.ex"])
}

/// Sections that are flashed, those that are memory, and the task with its future.
fn measure(board: Board, image: &Path) -> Result<Taken, String> {
    let symbols = symbols(image)?;
    let task = symbols.iter().find(|(name, _)| name.contains("3job4POOL"));
    let (_, task) = task.ok_or_else(|| format!("{} has no task", image.display()))?;
    Ok(Taken {
        flash: flash(image)?,
        ram: bytes(image, &[".data", ".bss"])?,
        future: usize::try_from(task.end - task.start).unwrap_or(usize::MAX),
        journey: journey::measure(board, image)?,
    })
}
