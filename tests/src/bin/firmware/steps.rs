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

/// The goals as a table shows them.
pub(crate) const GOALS: [(&str, &str); 3] = [
    ("instructions, a call that succeeds at once, breaker closed", "60 on M3"),
    ("instructions, decision after a failure: retry", "300 on M3, 450 on M0"),
    ("bytes of stack of a decision", "256"),
];

/// A goal that is missed is told, and counted as skipped: it is no fault of the image.
pub(crate) fn judge(name: &str, value: isize, goal: usize, report: &mut Report) {
    if value > goal.cast_signed() {
        println!("MISSED {name}: {value}, the goal is {goal}");
        report.skip("goal", "a figure that is above its goal so far");
    } else {
        report.count(name, Ok(()));
    }
}

/// The most bytes of stack that a decision may take.
const STACK: usize = 256;

/// Name, value and the goal of one figure.
pub(crate) type Figure = (String, usize, Option<usize>);

/// The figures of the steps on a board, and the bytes of breaker and budget.
pub(crate) fn measure(board: Board) -> Result<(Vec<Figure>, usize), String> {
    let (mut figures, mut state) = (Vec::new(), None);
    for (line, result) in crate::image::run(board, "steps", "")? {
        result.map_err(|why| format!("{line}: {why}"))?;
        let number = |text: &str| text.parse().map_err(|why| format!("{line:?}: {why}"));
        if let Some(bytes) = line.strip_prefix("bytes of stack of a decision: ") {
            figures.push(("bytes of stack of a decision".to_owned(), number(bytes)?, Some(STACK)));
        } else if let Some(bytes) =
            line.strip_prefix("bytes of breaker and budget with their locks: ")
        {
            state = Some(number(bytes)?);
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
        figures.push((format!("instructions, {name}"), taken, goal(board, step)));
    }
    Ok((figures, state.ok_or("the image does not say what its state takes")?))
}

/// The figures of the steps on a board, judged.
pub(crate) fn run(board: Board) -> Result<Report, String> {
    let mut report = Report::default();
    let (figures, state) = measure(board)?;
    println!("   bytes of breaker and budget with their locks: {state}");
    for (name, value, goal) in figures {
        println!("   {name}: {value}");
        match goal {
            Some(goal) => judge(&name, value.cast_signed(), goal, &mut report),
            None => report.count(&name, Ok(())),
        }
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

/// Where each function and static is.
pub(crate) fn symbols(image: &Path) -> Result<BTreeMap<String, Range<u64>>, String> {
    let text = tool("llvm-nm", &["--print-size"], image)?;
    let symbol = |line: &str| {
        let mut words = line.split_whitespace();
        let start = u64::from_str_radix(words.next()?, 16).ok()?;
        let size = u64::from_str_radix(words.next()?, 16).ok()?;
        Some((words.nth(1)?.to_owned(), start..start + size))
    };
    Ok(text.lines().filter_map(symbol).collect())
}

/// What a tool of the toolchain says of a file.
pub(crate) fn tool(name: &str, arguments: &[&str], file: &Path) -> Result<String, String> {
    let sysroot = Command::new("rustc")
        .args(["--print", "target-libdir"])
        .output()
        .map_err(|why| format!("rustc cannot be run: {why}"))?;
    let libraries = String::from_utf8_lossy(&sysroot.stdout).trim().to_owned();
    let output = Command::new(Path::new(&libraries).join("../bin").join(name))
        .args(arguments)
        .arg(file)
        .output()
        .map_err(|why| format!("{name} cannot be run: {why}; component llvm-tools is needed"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
