//! An image whose policy takes no time links no timer; the same one with a limit does, so that
//! what is looked for is what would be there.

use redress_tests::report::Report;

use crate::board::{Board, said};
use crate::trace::symbols;

/// The images, what is in each policy, and whether it needs a timer.
const IMAGES: [(&str, &str, bool); 3] = [
    ("timerless", "without limits and delays", false),
    ("timerless_deadline", "with a deadline", true),
    ("timerless_timeout", "with an attempt timeout", true),
];

/// Builds the images, runs them, and looks for the timer of embassy-time in each.
///
/// # Errors
///
/// If an image cannot be built or run.
pub(crate) fn run(board: Board) -> Result<Report, String> {
    let mut report = Report::default();
    for (image, policy, needs) in IMAGES {
        let path = board.build_of("prices", image, "")?;
        let output = board.emulate(&path, &[], &["-icount", "shift=0,sleep=off"])?;
        let does = if output.status.success() { Ok(()) } else { Err(said(&output)) };
        report.count(&format!("two calls {policy} succeed"), does);
        let symbols = symbols(&path)?;
        let has: Vec<&String> = symbols.keys().filter(|name| is_timer(name)).collect();
        let result = match (needs, has.is_empty()) {
            (true, false) | (false, true) => Ok(()),
            (false, false) => Err(format!("it links {has:?}")),
            (true, true) => Err(format!("none of {} functions is a timer's", symbols.len())),
        };
        let links = if needs { "links a timer" } else { "links none" };
        if result.is_ok() {
            println!("ok an image {policy} {links}: {}", has.len());
        }
        report.count(&format!("an image {policy} {links}"), result);
    }
    Ok(report)
}

/// The queue of the time driver, or the future that waits in it. The clock is none: a decision
/// has its instant.
fn is_timer(symbol: &str) -> bool {
    symbol.contains("schedule_wake") || symbol.contains("embassy_time5timer")
}
