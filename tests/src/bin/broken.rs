//! Breaks the engine on purpose, one patch of `tests/broken` at a time, and sees
//! that the promises' tests notice.
//!
//! A patch is named after the promise that it breaks; its test must fail in a copy of
//! the tree, and must compile there: a patch that does not apply or build is a failure
//! of this runner. With `--short` every patch must apply, and one in three is built and run.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use clap::Parser;
use redress_tests::ENGINE_PACKAGES;
use redress_tests::report::Report;

/// Breaks the engine on purpose and sees that the promises' tests notice.
#[derive(Parser)]
#[command(name = "broken")]
struct Arguments {
    /// Every patch must apply, but only one in three is built and run
    #[arg(long)]
    short: bool,
}

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned();
    let copy = root.join("target/broken/tree");
    let mut report = Report::default();
    let arguments = Arguments::parse();
    let patches = match patches(&root) {
        Ok(patches) => patches,
        Err(why) => {
            eprintln!("error: tests/broken cannot be read: {why}");
            return ExitCode::FAILURE;
        }
    };
    for (nth, patch) in patches.iter().enumerate() {
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let runs = !arguments.short || nth % 3 == 0;
        if runs {
            report.count(&name, is_noticed(&root, &copy, patch, Some(&name)));
        } else {
            report.count(&format!("{name} applies"), is_noticed(&root, &copy, patch, None));
        }
    }
    println!("{report}");
    if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn patches(root: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(root.join("tests/broken"))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "patch"));
    paths.sort();
    Ok(paths)
}

/// Applies the patch; with the name of its promise, that promise's tests must fail.
fn is_noticed(root: &Path, copy: &Path, patch: &Path, name: Option<&String>) -> Result<(), String> {
    copy_tree(root, copy)?;
    // Outside of any repository, or paths would be taken from the root of ours.
    let mut apply = Command::new("git");
    apply.arg("apply").arg(patch).current_dir(copy);
    apply.env("GIT_CEILING_DIRECTORIES", copy.parent().unwrap_or(copy));
    let applied = run(&mut apply)?;
    if !applied.status.success() {
        return Err(format!("does not apply: {}", String::from_utf8_lossy(&applied.stderr)));
    }
    let Some(name) = name else { return Ok(()) };
    // promise_7_lease_never_ends breaks what the tests of promise_7 hold down.
    let promise: Vec<&str> = name.split('_').take(2).collect();
    let filter = format!("{}_", promise.join("_"));
    let test = |more: &[&str]| {
        let mut command = Command::new("cargo");
        command
            // As the suite's tests are built, in the same folder: what they depend on is there.
            .arg("test")
            .args(ENGINE_PACKAGES.split_whitespace())
            .args(["--test", "promises"])
            .args(more)
            .env("CARGO_TARGET_DIR", root.join("target"))
            .env("PROPTEST_FAILURE_PERSISTENCE", "off")
            .current_dir(copy);
        run(&mut command)
    };
    if !test(&["--no-run"])?.status.success() {
        return Err("the broken engine does not compile".into());
    }
    let output = test(&["--", &filter])?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() || !text.contains("test result: FAILED") {
        return Err(format!("no test noticed: {}", text.lines().last().unwrap_or_default()));
    }
    Ok(())
}

/// Copies what git knows, so that the copy has the same tree and nothing built.
fn copy_tree(root: &Path, copy: &Path) -> Result<(), String> {
    for folder in ["core", "tests", "embassy", "wasm", "examples"] {
        let _ = std::fs::remove_dir_all(copy.join(folder));
    }
    let listed = run(Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root))?;
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    for file in text.split('\0').filter(|file| !file.is_empty()) {
        let (from, to) = (root.join(file), copy.join(file));
        let copied = std::fs::create_dir_all(to.parent().unwrap_or(copy)).and_then(|()| {
            if from.is_file() { std::fs::copy(&from, &to).map(drop) } else { Ok(()) }
        });
        copied.map_err(|why| format!("{file} cannot be copied: {why}"))?;
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<Output, String> {
    command.output().map_err(|why| format!("{command:?} cannot be run: {why}"))
}
