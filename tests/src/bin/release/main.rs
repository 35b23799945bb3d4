//! The release, as a dry run: packs what would be published, and builds and runs a first call of each
//! in an empty project outside of the repository. It publishes nothing.
//!
//! Without `--short` all is made of a fresh clone of the last commit, so that a file that was not
//! committed is missing, and the npm package is packed, too.

mod crates;
mod npm;
mod projects;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::Parser;
use redress_tests::report::Report;

/// Packs what would be published, and runs it in empty projects; publishes nothing.
#[derive(Parser)]
#[command(name = "release")]
struct Arguments {
    /// Only the crates, of the tree as it is, without compiling each a second time as cargo does before
    /// it publishes
    #[arg(long)]
    short: bool,
}

/// Where everything is.
struct Places {
    /// What is packed: the tree, or a clone of it.
    sources: PathBuf,
    /// Where cargo builds, shared by all.
    target: PathBuf,
    /// The packed crates as folders, and the empty projects: a folder outside of the repository.
    empty: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut report = Report::default();
    match prepare(&arguments) {
        Ok(places) => {
            if let Err(why) = crates::check(&places, arguments.short, &mut report) {
                report.count("the crates are packed", Err(why));
            }
            if !arguments.short {
                npm::check(&places, &mut report);
                crates::check_api(&places, &mut report);
            }
            // What failed is kept there to be looked at.
            if report.is_ok() {
                let _ = std::fs::remove_dir_all(&places.empty);
            }
        }
        Err(why) => report.count("the sources are there", Err(why)),
    }
    report.print_skipped();
    println!("{report}");
    if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn prepare(arguments: &Arguments) -> Result<Places, String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = tests.parent().ok_or("the crate of the tests is at no root")?;
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |target| root.join(target));
    let empty = std::env::temp_dir().join(format!("redress-release-{}", std::process::id()));
    std::fs::create_dir_all(&empty).map_err(|why| format!("{}: {why}", empty.display()))?;
    let sources = if arguments.short { root.to_owned() } else { empty.join("clone") };
    if !arguments.short {
        run(root, "git clone --quiet --no-local .", &[sources.as_os_str()])?;
    }
    Ok(Places { sources, target, empty })
}

/// A command in a folder: its words, and some that may have spaces.
fn command(folder: &Path, line: &str, further: &[&std::ffi::OsStr]) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or("false"));
    command.args(words).args(further).current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs a command, and returns what it prints.
fn run(folder: &Path, line: &str, further: &[&std::ffi::OsStr]) -> Result<String, String> {
    printed(command(folder, line, further), line)
}

/// As [`run`], of a command that has its environment.
fn printed(mut command: Command, line: &str) -> Result<String, String> {
    eprintln!("{line}");
    let output = command.output().map_err(|why| format!("`{line}` cannot be run: {why}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(format!("`{line}`: {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr)))
}
