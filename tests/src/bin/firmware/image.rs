//! Images that judge themselves: each line `ok NAME: VALUE` or `FAILED NAME: VALUE` is
//! counted.

use std::process::Output;

use redress_tests::report::Report;

use crate::board::{Board, said};

/// An instruction is 128 ns, so that no timer of a board ticks faster than instructions
/// run, and a tick may fall on any of them. Time stands still for the host.
const EXACT: [&str; 2] = ["-icount", "shift=7,sleep=off"];

/// An instruction is 1 ns, so that a thousand of them are a tick of embassy-time.
const FAST: [&str; 2] = ["-icount", "shift=0,sleep=off"];

/// The images whose tasks wait for the clock of embassy-time.
const IN_TIME: [&str; 7] =
    ["timing", "bus", "together", "cancelling", "crowd", "restart", "deep_sleep"];

/// What an image said: name and value, and whether it is as it should be.
pub(crate) type Said = Vec<(String, Result<(), String>)>;

/// Runs an image to its end.
pub(crate) fn run(board: Board, image: &str, features: &str) -> Result<Said, String> {
    let path = board.build(image, features)?;
    let speed = if IN_TIME.contains(&image) { FAST } else { EXACT };
    let mut options = speed.to_vec();
    if board == Board::Lm3s6965evb && ["blocking", "bus"].contains(&image) {
        options.extend(["-device", "tmp105,bus=i2c,address=0x49"]);
    }
    read(image, &board.emulate(&path, &[], &options)?)
}

/// The lines of an image that judges itself.
fn read(image: &str, output: &Output) -> Result<Said, String> {
    let text = said(output);
    let lines: Said = text
        .lines()
        .filter_map(|line| {
            let (word, rest) = line.split_once(' ')?;
            match word {
                "ok" => Some((rest.to_owned(), Ok(()))),
                "FAILED" => Some((rest.to_owned(), Err("not as it should be".to_owned()))),
                _ => None,
            }
        })
        .collect();
    // An image that ends before its last line has not shown all that it should.
    let closed = format!("{} passed, ", lines.iter().filter(|(_, result)| result.is_ok()).count());
    if lines.is_empty() || !text.lines().any(|line| line.starts_with(&closed)) {
        return Err(format!("{image} ended early ({}):\n{text}", output.status));
    }
    Ok(lines)
}

/// Counts what an image said, and shows it.
pub(crate) fn judge(board: Board, image: &str) -> Result<Report, String> {
    Ok(count(run(board, image, "")?))
}

/// The same of an image that has ended already.
pub(crate) fn judge_output(image: &str, output: &Output) -> Result<Report, String> {
    Ok(count(read(image, output)?))
}

fn count(said: Said) -> Report {
    let mut report = Report::default();
    for (name, result) in said {
        if result.is_ok() {
            println!("ok {name}");
        }
        report.count(&name, result);
    }
    report
}

/// A breaker shared with interrupts; without its critical section the same test must
/// fail, by permits that are lost or given out twice.
pub(crate) fn sharing(board: Board) -> Result<Report, String> {
    let mut report = judge(board, "sharing")?;
    let unguarded = run(board, "sharing", "unguarded")?;
    let noticed = unguarded
        .iter()
        .find(|(name, result)| name.starts_with("no permit is ") && result.is_err());
    let result = match noticed {
        Some((name, _)) => {
            println!("ok without a critical section it fails: {name}");
            Ok(())
        }
        None => Err("the test does not notice that the critical section is missing".to_owned()),
    };
    report.count("without a critical section it fails", result);
    Ok(report)
}
