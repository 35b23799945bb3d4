//! The npm package: built in the clone, packed, and installed in an empty project.

use std::fs;
use std::path::Path;

use redress_tests::report::Report;
use serde_json::Value;

use crate::projects::{COMMON, MODULE};
use crate::{Places, command, printed, run};

/// Packs the package and calls it from an empty project, as a module and by `require`.
pub(crate) fn check(places: &Places, report: &mut Report) {
    let packed = pack(places);
    let folder = places.empty.join("uses-npm");
    match packed.and_then(|packed| install(&folder, &packed)) {
        Ok(()) => {
            report.count("the npm package is packed and installed in an empty project", Ok(()));
            for (file, program) in [("module.mjs", MODULE), ("common.cjs", COMMON)] {
                report
                    .count(&format!("a first call in {file}"), first_call(&folder, file, program));
            }
        }
        Err(why) => report.count("the npm package is packed and installed", Err(why)),
    }
}

/// Builds and packs it in the clone; the path of the tarball.
fn pack(places: &Places) -> Result<String, String> {
    let folder = places.sources.join("wasm");
    run(&folder, "npm ci --no-audit --no-fund", &[])?;
    let line = "npm run build";
    let mut build = command(&folder, line, &[]);
    build.env("CARGO_TARGET_DIR", &places.target);
    printed(build, line)?;
    // What npm would upload; it refuses what leads to no file.
    run(&folder, "npm publish --dry-run", &[])?;
    let text = run(&folder, "npm pack --json --pack-destination", &[places.empty.as_os_str()])?;
    let packed: Value = serde_json::from_str(&text).map_err(|why| format!("{why} in {text}"))?;
    let name = packed[0]["filename"].as_str().ok_or_else(|| format!("no file name in {text}"))?;
    Ok(places.empty.join(name).display().to_string())
}

fn install(folder: &Path, packed: &str) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|why| why.to_string())?;
    fs::write(folder.join("package.json"), r#"{ "private": true }"#)
        .map_err(|why| why.to_string())?;
    run(folder, "npm install --offline --no-audit --no-fund", &[packed.as_ref()]).map(drop)
}

fn first_call(folder: &Path, file: &str, program: &str) -> Result<(), String> {
    fs::write(folder.join(file), program).map_err(|why| why.to_string())?;
    let text = run(folder, "node", &[file.as_ref()])?;
    if text == "there after 3\n" { Ok(()) } else { Err(format!("it prints {text:?}")) }
}
