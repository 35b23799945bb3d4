//! The figures of a call on each board as one table, redress beside what people write and
//! take today: the images of tests/firmware/prices, which do the same job in one way each.

use std::collections::BTreeMap;
use std::path::Path;

use redress_tests::report::Report;

use crate::board::{Board, said};
use crate::steps;

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
    ("hand", "the loop by hand: jitter, deadline; no breaker, no budget"),
    ("backon", "backon with `embassy-sleep`: jitter; no breaker, no budget"),
    ("redress", "redress: jitter, deadline, classes"),
    ("redress_full", "redress: and a breaker of 5, a rolling budget of 16"),
];

/// What an image takes.
struct Taken {
    flash: usize,
    ram: usize,
    future: usize,
}

/// The most bytes of flash, RAM of the state and future that the full policy may take.
const FLASH: (Board, usize) = (Board::Microbit, 3072);
const STATE: usize = 224;
const FUTURE: usize = 160;

/// Prints the table; a goal that is missed is told, and counted as skipped.
pub(crate) fn run() -> Result<Report, String> {
    let mut report = Report::default();
    let mut rows: Vec<(String, String, Vec<String>)> = Vec::new();
    let mut add =
        |name: String, goal: &str, cell: String| match rows.iter_mut().find(|row| row.0 == name) {
            Some(row) => row.2.push(cell),
            None => rows.push((name, goal.to_owned(), vec![cell])),
        };
    for (board, _) in BOARDS {
        let mut taken = BTreeMap::new();
        for (image, _) in IMAGES {
            let path = board.build_of("prices", image, "")?;
            let output = board.emulate(&path, &[], &["-icount", "shift=0,sleep=off"])?;
            let does = if output.status.success() { Ok(()) } else { Err(said(&output)) };
            report.count(&format!("{image} on {board:?} has its two readings"), does);
            taken.insert(image, measure(&path)?);
        }
        let base = &taken["plain"];
        let bare = &taken["bare"];
        for (image, what) in IMAGES {
            let (of, full) = (&taken[image], image == "redress_full");
            let flash = difference(of.flash, base.flash);
            let goal = if full { "3072 on M0" } else { "" };
            add(format!("flash over the plain loop: {what}"), goal, flash.to_string());
            if full && board == FLASH.0 {
                steps::judge("flash of the full policy", flash, FLASH.1, &mut report);
            }
        }
        for (image, what) in IMAGES {
            let ram = difference(taken[image].ram, base.ram);
            add(format!("RAM over the plain loop: {what}"), "", ram.to_string());
        }
        for (image, what) in IMAGES {
            let future = difference(taken[image].future, bare.future);
            let full = image == "redress_full";
            let goal = if full { "160" } else { "" };
            add(format!("future over the operation's: {what}"), goal, future.to_string());
            if full {
                steps::judge("future of a call", future, FUTURE, &mut report);
            }
        }
        let (figures, state) = steps::measure(board)?;
        add("RAM of breaker and budget with their locks".into(), "224", state.to_string());
        steps::judge("RAM of the state", state.cast_signed(), STATE, &mut report);
        for (name, value, goal) in figures {
            let shown =
                steps::GOALS.iter().find(|(of, _)| *of == name).map_or("", |(_, goal)| goal);
            add(name.clone(), shown, value.to_string());
            if let Some(goal) = goal {
                steps::judge(&name, value.cast_signed(), goal, &mut report);
            }
        }
    }
    println!("| figure | goal | {} |", BOARDS.map(|(_, name)| name).join(" | "));
    println!("| --- | ---: |{}", " ---: |".repeat(BOARDS.len()));
    for (name, goal, cells) in rows {
        println!("| {name} | {goal} | {} |", cells.join(" | "));
    }
    Ok(report)
}

fn difference(of: usize, base: usize) -> isize {
    of.cast_signed() - base.cast_signed()
}

/// Sections that are flashed, those that are memory, and the task with its future.
fn measure(image: &Path) -> Result<Taken, String> {
    let sections = steps::tool("llvm-size", &["-A"], image)?;
    let of = |names: &[&str]| -> usize {
        sections
            .lines()
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                let name = words.next()?;
                let size = words.next()?.parse::<usize>().ok()?;
                names.iter().any(|wanted| name.starts_with(wanted)).then_some(size)
            })
            .sum()
    };
    let symbols = steps::symbols(image)?;
    let task = symbols.iter().find(|(name, _)| name.contains("3job4POOL"));
    let (_, task) = task.ok_or_else(|| format!("{} has no task", image.display()))?;
    Ok(Taken {
        flash: of(&[".vector_table", ".text", ".trap", ".init", ".rodata", ".data", ".ARM.ex"]),
        ram: of(&[".data", ".bss"]),
        future: usize::try_from(task.end - task.start).unwrap_or(usize::MAX),
    })
}
