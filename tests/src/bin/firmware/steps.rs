//! How many instructions each step of a call takes, counted in a trace of the emulator:
//! two runs agree exactly.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use redress_tests::report::Report;

use crate::board::{Board, said};

/// The functions of the image `steps`, and what each of them is.
const STEPS: [(&str, &str); 7] = [
    ("step_success", "a call that succeeds at once, breaker closed"),
    ("step_begin", "begin"),
    ("step_start", "start an attempt"),
    ("step_fail", "decision after a failure: retry"),
    ("step_stop", "decision after a failure: stop"),
    ("step_succeed", "succeed"),
    ("step_reject", "reject, breaker open"),
];

/// The most instructions that a step may take on a board, where there is a goal.
fn goal(board: Board, step: &str) -> Option<usize> {
    match (board, step) {
        (Board::Lm3s6965evb | Board::Mps2An386, "step_fail") => Some(300),
        (Board::Microbit, "step_fail") => Some(450),
        (Board::Lm3s6965evb | Board::Mps2An386, "step_success") => Some(60),
        _ => None,
    }
}

/// A goal that is missed is told, and counted as skipped: it is no fault of the image.
fn figure(name: &str, value: usize, goal: Option<usize>, report: &mut Report) {
    match goal {
        Some(goal) if value > goal => {
            println!("MISSED {name}: {value}, the goal is {goal}");
            report.skip("goal", "a figure that is above its goal so far");
        }
        Some(goal) => {
            println!("ok {name}: {value}, the goal is {goal}");
            report.count(name, Ok(()));
        }
        None => println!("   {name}: {value}"),
    }
}

/// The most bytes of stack that a decision may take.
const STACK: usize = 256;

/// Counts all steps on the board, and runs what the image says of itself.
pub(crate) fn run(board: Board) -> Result<Report, String> {
    let mut report = Report::default();
    for (line, result) in crate::image::run(board, "steps", "")? {
        match line.strip_prefix("bytes of stack of a decision: ") {
            Some(value) if result.is_ok() => {
                let value = value.parse().map_err(|why| format!("{line:?}: {why}"))?;
                figure("bytes of stack of a decision", value, Some(STACK), &mut report);
            }
            _ => {
                println!("{} {line}", if result.is_ok() { "ok" } else { "not ok" });
                report.count(&line, result);
            }
        }
    }
    let image = board.build("steps", "")?;
    let symbols = symbols(&image)?;
    let trace = trace(board, &image)?;
    let caller = symbols.get("walk").ok_or("the image has no function walk")?;
    for (step, name) in STEPS {
        let range = symbols.get(step).ok_or_else(|| format!("the image has no {step}"))?;
        let from = trace.iter().position(|address| *address == range.start);
        let from = from.ok_or_else(|| format!("{step} was never called"))?;
        let taken = trace[from..].iter().take_while(|address| !caller.contains(address)).count();
        figure(&format!("instructions, {name}"), taken, goal(board, step), &mut report);
    }
    Ok(report)
}

/// Every instruction's address, in the order in which they ran.
fn trace(board: Board, image: &Path) -> Result<Vec<u64>, String> {
    let log = std::env::temp_dir().join(format!("redress-trace-{}", std::process::id()));
    let path = log.display().to_string();
    let options =
        ["-icount", "shift=10,sleep=off", "-singlestep", "-d", "exec,nochain", "-D", &path];
    let output = board.emulate(image, &[], &options)?;
    let text = std::fs::read_to_string(&log).map_err(|why| format!("{path}: {why}"));
    let _ = std::fs::remove_file(&log);
    if !output.status.success() {
        return Err(format!("the image failed: {}", said(&output)));
    }
    let address = |line: &str| u64::from_str_radix(line.split('/').nth(1)?, 16).ok();
    Ok(text?.lines().filter(|line| line.starts_with("Trace")).filter_map(address).collect())
}

/// Where each function is.
fn symbols(image: &Path) -> Result<BTreeMap<String, Range<u64>>, String> {
    let sysroot = Command::new("rustc")
        .args(["--print", "target-libdir"])
        .output()
        .map_err(|why| format!("rustc cannot be run: {why}"))?;
    let libraries = String::from_utf8_lossy(&sysroot.stdout).trim().to_owned();
    let output = Command::new(Path::new(&libraries).join("../bin/llvm-nm"))
        .arg("--print-size")
        .arg(image)
        .output()
        .map_err(|why| format!("llvm-nm cannot be run: {why}; component llvm-tools is needed"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let symbol = |line: &str| {
        let mut words = line.split_whitespace();
        let start = u64::from_str_radix(words.next()?, 16).ok()?;
        let size = u64::from_str_radix(words.next()?, 16).ok()?;
        Some((words.nth(1)?.to_owned(), start..start + size))
    };
    Ok(text.lines().filter_map(symbol).collect())
}
