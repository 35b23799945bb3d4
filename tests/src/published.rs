//! What is published: the crates of the workspace that do not say otherwise.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The version of every crate and of the npm package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What cargo knows of the workspace in a folder, without dependencies of others.
///
/// # Errors
///
/// Why cargo does not say it.
pub fn metadata(folder: &Path) -> Result<Value, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(folder);
    let output = command.output().map_err(|why| format!("cargo cannot be run: {why}"))?;
    let errors = || String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).map_err(|why| format!("{why}: {}", errors()))
}

/// The packages that a list of cargo's has and that may be published.
pub fn packages(metadata: &Value) -> Vec<&Value> {
    let all = metadata["packages"].as_array().into_iter().flatten();
    // `publish = false` is an empty list of registries.
    all.filter(|package| package["publish"].as_array().is_none_or(|list| !list.is_empty()))
        .collect()
}

/// The names of the crates that are published, each after those that it depends on.
///
/// # Errors
///
/// Why cargo does not say them.
pub fn crates(folder: &Path) -> Result<Vec<String>, String> {
    let metadata = metadata(folder)?;
    let mut left = packages(&metadata);
    let mut names: Vec<String> = Vec::new();
    while !left.is_empty() {
        let waits_for = |package: &Value, others: &[&Value]| {
            let needed = package["dependencies"].as_array().into_iter().flatten();
            let needed: Vec<&Value> =
                needed.filter(|one| one["kind"].is_null()).map(|one| &one["name"]).collect();
            others.iter().any(|other| needed.contains(&&other["name"]))
        };
        let nth = (0..left.len()).find(|nth| !waits_for(left[*nth], &left));
        let package = left.remove(nth.ok_or("crates depend on each other")?);
        names.extend(package["name"].as_str().map(str::to_owned));
    }
    Ok(names)
}
