//! What a processor runs for one call in an image of tests/firmware/prices, whichever way the
//! call is made: counted between functions that all of these images have.

use std::ops::Range;
use std::path::Path;

use crate::board::Board;
use crate::trace::{Step, symbols, trace};

/// The figures of one image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Journey {
    /// Instructions from the reset to the first wait of the first call: memory, executor, task, and
    /// the decisions that an attempt begins with.
    pub(crate) reset: usize,
    /// Instructions from an attempt that succeeds to the first wait of the next call: what is
    /// left of a call, and what another begins with.
    pub(crate) success: usize,
    /// Instructions from an attempt that fails to the wait before the next one.
    pub(crate) failure: usize,
    /// Bytes of stack meanwhile, the task's own included.
    pub(crate) stack: usize,
    /// Instructions of both calls, with the executor and the clock, to the last answer.
    pub(crate) all: usize,
}

/// Measures an image, which makes a call that succeeds at once and one that fails twice before.
///
/// # Errors
///
/// If the image cannot be run, or does not have the functions.
pub(crate) fn measure(board: Board, image: &Path) -> Result<Journey, String> {
    let symbols = symbols(image)?;
    let function = |words: &[&str]| {
        let found = symbols.iter().find(|(name, _)| words.iter().all(|word| name.contains(word)));
        // The lowest bit of an address says Thumb.
        let range = found.map(|(_, range)| range.start & !1..range.end);
        range.ok_or_else(|| format!("{} has no function {words:?}", image.display()))
    };
    let answer = function(&["prices6sensor6answer"])?;
    let wait = function(&["Jumping", "schedule_wake"])?;
    let task = function(&["TaskStorage", "poll"])?;
    let steps = trace(board, image)?;
    // Instructions after the nth answer, to the wait that follows.
    let between = |nth: usize| {
        let from = ends(&steps, &answer).nth(nth)?;
        let to = from + steps.get(from..)?.iter().position(|step| step.at == wait.start)?;
        Some(from..to)
    };
    let none = || format!("{} does not go the way of these images", image.display());
    let success = between(0).ok_or_else(none)?;
    let failure = between(1).ok_or_else(none)?;
    let polled = steps.iter().take(failure.start).rev().find(|step| step.at == task.start);
    let top = polled.ok_or_else(none)?.stack;
    let deepest = steps[failure.clone()].iter().map(|step| step.stack).min().unwrap_or(top);
    let begins = steps.iter().position(|step| step.at == task.start).ok_or_else(none)?;
    let end = ends(&steps, &answer).nth(3).ok_or_else(none)?;
    let reset = steps.iter().position(|step| step.at == wait.start).ok_or_else(none)?;
    Ok(Journey {
        reset,
        success: success.len(),
        failure: failure.len(),
        stack: usize::try_from(top - deepest).unwrap_or(usize::MAX),
        all: end - begins,
    })
}

/// Where the function has returned, each time.
fn ends<'s>(steps: &'s [Step], function: &'s Range<u64>) -> impl Iterator<Item = usize> + 's {
    let inside = |step: &Step| function.contains(&step.at);
    let pairs = steps.windows(2).enumerate();
    pairs.filter(move |(_, pair)| inside(&pair[0]) && !inside(&pair[1])).map(|(i, _)| i + 1)
}
