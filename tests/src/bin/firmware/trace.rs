//! Every instruction that an image runs, from the emulator: two runs agree exactly.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use crate::board::{Board, said};

/// One instruction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// Its address.
    pub(crate) at: u64,
    /// The stack pointer before it.
    pub(crate) stack: u64,
}

/// The instructions of a run in their order.
pub(crate) fn trace(board: Board, image: &Path) -> Result<Vec<Step>, String> {
    let log = std::env::temp_dir().join(format!("redress-trace-{}", std::process::id()));
    let path = log.display().to_string();
    let options =
        ["-icount", "shift=10,sleep=off", "-singlestep", "-d", "exec,cpu,nochain", "-D", &path];
    let output = board.emulate(image, &[], &options)?;
    let steps = read(&log).map_err(|why| format!("{path}: {why}"));
    let _ = std::fs::remove_file(&log);
    if !output.status.success() {
        return Err(format!("the image failed: {}", said(&output)));
    }
    steps
}

/// A line `Trace ..` for each instruction, then the registers before it.
fn read(log: &Path) -> std::io::Result<Vec<Step>> {
    let hex = |text: &str| u64::from_str_radix(text.split_whitespace().next()?, 16).ok();
    let mut steps = Vec::<Step>::new();
    for line in BufReader::new(std::fs::File::open(log)?).lines() {
        let line = line?;
        if line.starts_with("Trace") {
            steps.extend(line.split('/').nth(1).and_then(hex).map(|at| Step { at, stack: 0 }));
        } else if let Some((_, pointer)) = line.split_once("R13=").or(line.split_once("x2/sp"))
            && let (Some(step), Some(stack)) = (steps.last_mut(), hex(pointer))
        {
            step.stack = stack;
        }
    }
    Ok(steps)
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
