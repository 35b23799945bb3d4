//! The program in the docs, for its chip: it links, and without the time driver of its HAL it
//! does not, and the linker names what is missing.

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
    report.count("without a time driver it does not, and the linker names the driver", result);
    Ok(report)
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
