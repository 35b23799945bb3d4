//! The crates: packed, unpacked, and used by empty projects.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use redress_tests::published::{VERSION, crates};
use redress_tests::report::Report;

use crate::projects::{PROJECTS, Project};
use crate::{Places, command, printed, run};

/// Packs all crates that are published, and tries each as its user would.
///
/// # Errors
///
/// Why none could be packed.
pub(crate) fn check(places: &Places, short: bool, report: &mut Report) -> Result<(), String> {
    let names = crates(&places.sources)?;
    let chosen = names.iter().map(|name| format!("-p {name}")).collect::<Vec<_>>().join(" ");
    // All at once: cargo takes those that the others depend on from what it has just packed.
    let how = if short { "--no-verify --allow-dirty" } else { "--locked" };
    let line = format!("cargo package {chosen} {how} --quiet");
    let mut package = command(&places.sources, &line, &[]);
    package.env("CARGO_TARGET_DIR", &places.target);
    printed(package, &line)?;
    for name in &names {
        let packed = places.target.join(format!("package/{name}-{VERSION}.crate"));
        let line = "tar --gunzip --extract --directory";
        run(
            &places.sources,
            line,
            &[places.empty.as_os_str(), "--file".as_ref(), packed.as_ref()],
        )?;
        report.count(&format!("{name} holds what its page and licences are"), holds(places, name));
    }
    for name in ["redress", "redress-embassy"] {
        report.count(&format!("the tests that {name} carries compile"), tests_of(places, name));
    }
    for project in &PROJECTS {
        let shows = format!("{} in an empty project, for {}", project.of, project.runs_on());
        report.count(&shows, tried(places, project, &names));
    }
    let untried = names.iter().filter(|name| PROJECTS.iter().all(|one| one.of != **name));
    let untried: Vec<&str> = untried.map(String::as_str).collect();
    let all_tried = untried.is_empty().then_some(()).ok_or_else(|| untried.join(", "));
    report.count("every crate that is published has an empty project", all_tried);
    Ok(())
}

fn unpacked(places: &Places, name: &str) -> PathBuf {
    places.empty.join(format!("{name}-{VERSION}"))
}

fn holds(places: &Places, name: &str) -> Result<(), String> {
    let folder = unpacked(places, name);
    for file in ["README.md", "LICENSE-APACHE", "LICENSE-MIT", "Cargo.toml", "src/lib.rs"] {
        if !folder.join(file).is_file() {
            return Err(format!("{file} is not in the crate"));
        }
    }
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).map_err(|why| why.to_string())?;
    match manifest.lines().find(|line| line.starts_with("path = \"..")) {
        Some(line) => Err(format!("it depends on the repository: {line}")),
        None => Ok(()),
    }
}

/// Lines that have cargo take the crates that are published from what was unpacked.
fn patch(places: &Places, names: &[String]) -> String {
    let lines =
        names.iter().map(|name| format!("{name}.path = '{}'\n", unpacked(places, name).display()));
    format!("[patch.crates-io]\n{}", lines.collect::<String>())
}

fn tests_of(places: &Places, name: &str) -> Result<(), String> {
    let manifest = unpacked(places, name).join("Cargo.toml");
    let line = "cargo check --lib --tests --all-features --quiet --manifest-path";
    let patch = format!("patch.crates-io.redress.path='{}'", unpacked(places, "redress").display());
    let mut check =
        command(&places.empty, line, &[manifest.as_ref(), "--config".as_ref(), patch.as_ref()]);
    check.env("CARGO_TARGET_DIR", &places.target);
    printed(check, line).map(drop)
}

/// Makes the project, which has nothing of the repository but the versions of other crates, and runs it.
fn tried(places: &Places, project: &Project, names: &[String]) -> Result<(), String> {
    let folder =
        places.empty.join(format!("uses-{}-{}", project.of, project.target.unwrap_or("host")));
    let write = |file: &str, text: &str| {
        fs::write(folder.join(file), text).map_err(|why| format!("{file}: {why}"))
    };
    fs::create_dir_all(folder.join("src")).map_err(|why| why.to_string())?;
    let manifest = format!(
        "[package]\nname = 'uses-{}'\nedition = '2024'\n[workspace]\n[dependencies]\n{}{}",
        project.of,
        project.dependencies.replace("VERSION", VERSION),
        patch(places, names),
    );
    write("Cargo.toml", &manifest)?;
    fs::copy(places.sources.join("Cargo.lock"), folder.join("Cargo.lock"))
        .map_err(|why| why.to_string())?;
    let line = match project.target {
        None => "cargo run --quiet".to_owned(),
        Some(target) => format!("cargo build --quiet --target {target}"),
    };
    write(if project.target.is_none() { "src/main.rs" } else { "src/lib.rs" }, project.program)?;
    let mut cargo = command(&folder, &line, &[]);
    cargo.env("CARGO_TARGET_DIR", &places.target);
    let text = printed(cargo, &line)?;
    if text.trim_end() == project.prints {
        return Ok(());
    }
    Err(format!("it prints {text:?} in place of {:?}", project.prints))
}

/// What a published version would have broken, if there is one and the tool is there.
pub(crate) fn check_api(places: &Places, report: &mut Report) {
    let exists = |line: &str| {
        let output = command(&places.sources, line, &[]).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !exists("cargo semver-checks --version") {
        report.skip("semver", "cargo-semver-checks is not installed");
        return;
    }
    // Of a crate that was never published there is nothing to compare with.
    if !exists("cargo info redress --registry crates-io") {
        report.skip("semver", "crates.io has no version to compare with");
        return;
    }
    let line = "cargo semver-checks --workspace";
    let further: [&OsStr; 0] = [];
    report.count(
        "no version breaks a program",
        run(Path::new(&places.sources), line, &further).map(drop),
    );
}
