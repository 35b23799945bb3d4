//! How many instructions each step of a call takes.

use std::collections::BTreeSet;
use std::path::Path;

use redress_tests::report::Report;

use crate::board::Board;
use crate::trace::{Step, symbols, tool, trace};

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
    (RETRY, "300 on M3, 450 on M0"),
    (STACK.0, "256"),
];

const RETRY: &str = "instructions, decision after a failure: retry";

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
const STACK: (&str, usize) = ("bytes of stack of a decision", 256);

/// Name, value and the goal of one figure.
pub(crate) type Figure = (String, usize, Option<usize>);

/// The figures of the steps on a board, and the bytes of breaker and budget.
pub(crate) fn measure(board: Board) -> Result<(Vec<Figure>, usize), String> {
    let (mut figures, state) = measure_with(board, "")?;
    // Decisions that two operations share are inlined in neither of them.
    let (second, _) = measure_with(board, "second-operation")?;
    let shared = |name: &str| name.starts_with(STACK.0) || name.starts_with(RETRY);
    let second = second.into_iter().filter(|(name, ..)| shared(name));
    figures
        .extend(second.map(|(name, value, _)| (format!("{name}, of two operations"), value, None)));
    Ok((figures, state))
}

fn measure_with(board: Board, features: &str) -> Result<(Vec<Figure>, usize), String> {
    let (mut figures, mut state) = (Vec::new(), None);
    for (line, result) in crate::image::run(board, "steps", features)? {
        result.map_err(|why| format!("{line}: {why}"))?;
        let number = |text: &str| text.parse().map_err(|why| format!("{line:?}: {why}"));
        if let Some(bytes) = line.strip_prefix("bytes of stack of a decision: ") {
            figures.push((STACK.0.to_owned(), number(bytes)?, Some(STACK.1)));
        } else if let Some(bytes) =
            line.strip_prefix("bytes of breaker and budget with their locks: ")
        {
            state = Some(number(bytes)?);
        }
    }
    let image = board.build("steps", features)?;
    let symbols = symbols(&image)?;
    let trace = trace(board, &image)?;
    let caller = symbols.get("walk").ok_or("the image has no function walk")?;
    for (step, name) in STEPS {
        let range = symbols.get(step).ok_or_else(|| format!("the image has no {step}"))?;
        let from = trace.iter().position(|step| step.at == range.start & !1);
        let from = from.ok_or_else(|| format!("{step} was never called"))?;
        let taken = trace[from..].iter().take_while(|step| !caller.contains(&step.at)).count();
        figures.push((format!("instructions, {name}"), taken, goal(board, step)));
    }
    figures.push((MASKED.to_owned(), longest_lock(&image, &trace)?, None));
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

const MASKED: &str = "instructions, longest lock of breaker or budget";

/// The longest critical section, in instructions: a lock of the breaker or the budget, as the
/// image's clock and its randomness are locked for less.
fn longest_lock(image: &Path, trace: &[Step]) -> Result<usize, String> {
    let text = tool("llvm-objdump", &["--disassemble", "--no-show-raw-insn"], image)?;
    let (mut enters, mut leaves) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        let Some((address, code)) = line.split_once(':') else { continue };
        let Ok(address) = u64::from_str_radix(address.trim(), 16) else { continue };
        let words: Vec<&str> = code.split_whitespace().collect();
        match words[..] {
            ["cpsid", "i"] | ["csrrci", _, "mstatus,", "0x8"] => enters.insert(address),
            ["msr", "primask," | "PRIMASK,", _] | ["csrs", "mstatus,", _] => leaves.insert(address),
            _ => false,
        };
    }
    let (mut depth, mut since, mut longest) = (0_usize, 0, 0);
    for (index, step) in trace.iter().enumerate() {
        if enters.contains(&step.at) {
            since = if depth == 0 { index } else { since };
            depth += 1;
        } else if leaves.contains(&step.at) && depth > 0 {
            depth -= 1;
            longest = if depth == 0 { longest.max(index - since) } else { longest };
        }
    }
    if longest == 0 { Err("the image has no critical section".to_owned()) } else { Ok(longest) }
}

/// The longest lock of the image with these features.
pub(crate) fn longest_lock_with(board: Board, features: &str) -> Result<usize, String> {
    let (figures, _) = measure_with(board, features)?;
    let lock = figures.into_iter().find(|(name, ..)| name == MASKED);
    lock.map(|(_, value, _)| value).ok_or_else(|| "the image has no lock".to_owned())
}
