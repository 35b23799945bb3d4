//! The core's tests in Miri, which looks at every access, and threads in orders that it draws.

use std::path::Path;

use crate::needs::{Need, command, installed_by};
use crate::plan::{Count, Step};
use crate::progress;

/// The nightly toolchain that has Miri. The pin of the project has none.
pub(crate) const NIGHTLY: &str = "nightly-2026-05-20";

/// Tests that Miri cannot run: it has no sockets and no resolver, and no time for them all.
const LEFT_OUT: [&str; 2] = ["sockets::", "in_every_order_of_callers"];

/// How many orders of the threads are tried.
const SEEDS: u32 = 16;

/// The test of the adversaries that is small under Miri.
const THREADS: &str = "threads_never_have_more_probes_than_permits_nor_spend_more_than_there_is";

pub(crate) fn steps() -> Vec<Step> {
    // Some tests read the clock of the system or open a file, and some leak what must live
    // as long as a `static`.
    let flags = "-Zmiri-disable-isolation -Zmiri-ignore-leaks";
    let skips = LEFT_OUT.map(|test| ["--skip", test].join(" ")).join(" ");
    let threads = format!("{flags} -Zmiri-many-seeds=0..{SEEDS}");
    vec![
        in_miri("the core's tests in Miri", "-p redress --all-features --lib", "", flags),
        in_miri(
            "behaviours in Miri, but for sockets and every order of callers",
            "-p redress-tests --test behaviours",
            &skips,
            flags,
        ),
        in_miri("threads in Miri", "-p redress-tests --test adversaries", THREADS, &threads),
    ]
}

fn in_miri(shows: &str, tests: &str, names: &str, flags: &str) -> Step {
    let line =
        format!("rustup run {NIGHTLY} cargo miri test {tests} --target-dir target/miri -- {names}");
    let step = Step::new(shows, line, Count::Tests).needs(&[Need::Miri]);
    step.without("RUSTUP_TOOLCHAIN").with("MIRIFLAGS", flags)
}

/// Installs that toolchain if it is missing.
///
/// # Errors
///
/// What to run, if it cannot be had.
pub(crate) fn install(root: &Path) -> Result<(), String> {
    let mut is_there = command(root, &format!("rustup run {NIGHTLY} cargo miri --version"));
    is_there.env_remove("RUSTUP_TOOLCHAIN");
    if progress::output(&mut is_there).is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    let install = "rustup toolchain install --profile minimal -c miri -c rust-src --no-self-update";
    installed_by(root, &format!("{install} {NIGHTLY}"))
}
