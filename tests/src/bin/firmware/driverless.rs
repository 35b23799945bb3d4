//! The program in the docs, for its chip: it links, and without the time driver of its HAL it
//! does not, and the linker names what is missing.

use std::fs;
use std::path::Path;
use std::process::Command;

use redress_tests::report::Report;

/// The two functions of embassy-time's driver.
const DRIVER: [&str; 2] = ["_embassy_time_now", "_embassy_time_schedule_wake"];

/// Links the program with and without a time driver.
///
/// # Errors
///
/// If cargo cannot be run.
pub(crate) fn run() -> Result<Report, String> {
    let mut report = Report::default();
    report.count("the program in the docs links", link(&[])?);
    let result = match link(&["--no-default-features"])? {
        Ok(()) => Err("it links".to_owned()),
        Err(why) => {
            let missing = |line: &str| Some(line.split_once("undefined symbol: ")?.1.to_owned());
            let missing: Vec<String> = why.lines().filter_map(missing).collect();
            if missing == DRIVER { Ok(()) } else { Err(format!("{missing:?} is missing:\n{why}")) }
        }
    };
    report.count("the page shows what is in it", shown());
    report.count("without a time driver it does not, and the linker names the driver", result);
    Ok(report)
}

/// Whether the excerpt on the page of redress-embassy is in the program.
fn shown() -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../embassy");
    let [page, program] = ["README.md", "examples/thermometer.rs"].map(|file| {
        fs::read_to_string(folder.join(file)).map_err(|why| format!("{file} cannot be read: {why}"))
    });
    let (page, program) = (page?, program?);
    let excerpt = page.split("```rust,ignore\n").nth(1).and_then(|rest| rest.split("```").next());
    match excerpt {
        Some(excerpt) if program.contains(excerpt) => Ok(()),
        Some(excerpt) => Err(format!("this is not in it:\n{excerpt}")),
        None => Err("the page has no excerpt".to_owned()),
    }
}

/// What cargo says if it does not link.
fn link(features: &[&str]) -> Result<Result<(), String>, String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("firmware");
    let build = Command::new("cargo")
        .args(["build", "--release", "--locked", "--quiet", "-p", "thermometer"])
        .args(["--target", "thumbv7em-none-eabihf"])
        .args(features)
        .current_dir(&workspace)
        .env("CARGO_TARGET_DIR", workspace.join("target"))
        .output()
        .map_err(|why| format!("cargo cannot be run: {why}"))?;
    let said = String::from_utf8_lossy(&build.stderr).into_owned();
    Ok(if build.status.success() { Ok(()) } else { Err(said) })
}
