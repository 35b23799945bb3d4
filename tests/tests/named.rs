//! BEHAVIOURS.md names tests that exist.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The source of a module, wherever it may be.
fn source(folder: &str, module: &str) -> Option<String> {
    let path = root().join(folder).join(module);
    let file = |end: &str| fs::read_to_string(format!("{}{end}", path.display())).ok();
    file(".rs").or_else(|| file("/mod.rs")).or_else(|| file("/main.rs"))
}

/// The source of an image of the firmware, with all files of its folder if it has one, and of the
/// part of the runner that looks into images.
fn image(name: &str) -> Option<String> {
    let bins = root().join("tests/firmware/images/src/bin");
    let mut files = vec![root().join(format!("tests/firmware/{name}/src/main.rs"))];
    let folders =
        ["tests/firmware/prices/src/bin", "tests/src/bin/firmware"].map(|at| root().join(at));
    for folder in folders.iter().chain([&bins]) {
        files.push(folder.join(format!("{name}.rs")));
    }
    if let Ok(folder) = fs::read_dir(bins.join(name)) {
        files.extend(folder.filter_map(|file| Some(file.ok()?.path())));
    }
    let text: String = files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    (!text.is_empty()).then_some(text)
}

/// The column that says by what a behaviour is shown, of each line.
fn shown_by(table: &str) -> Vec<(&str, &str)> {
    let cells = |line| str::split(line, " | ").collect::<Vec<_>>();
    let lines = table.lines().filter(|line| line.starts_with("| ")).map(cells);
    lines.filter_map(|cells| Some((*cells.first()?, *cells.last()?))).collect()
}

/// Everything that the text names and that is not there.
fn missing(text: &str) -> Vec<String> {
    let mut missing = Vec::new();
    let mut look = |name: &str, source: Option<String>, wanted: &str| {
        if source.is_none_or(|source| !source.contains(wanted)) {
            missing.push(format!("{name}: {wanted}"));
        }
    };
    let path = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':');
    for name in text.split(path).map(|word| word.trim_end_matches(':')) {
        let parts: Vec<&str> = name.split("::").collect();
        match parts[..] {
            [tests @ ("behaviours" | "promises" | "adversaries"), ref module @ .., function]
                if !module.is_empty() =>
            {
                let source = source(&format!("tests/tests/{tests}"), &module.join("/"));
                look(name, source, &format!("fn {function}("));
            }
            ["tokio", ref module @ .., function] if !module.is_empty() => {
                let source = source("core/tokio/tests", &module.join("/"));
                look(name, source, &format!("fn {function}("));
            }
            ["axum", ref module @ .., function] if !module.is_empty() => {
                let source = source("examples/axum-service/tests", &module.join("/"));
                look(name, source, &format!("fn {function}("));
            }
            ["embassy", ref module @ .., "tests", function] => {
                let source = source("embassy/src", &module.join("/"));
                look(name, source, &format!("fn {function}("));
            }
            [ref module @ .., "tests", function] if !module.is_empty() => {
                let source = source("core/src", &module.join("/"));
                look(name, source, &format!("fn {function}("));
            }
            _ => {}
        }
    }
    for named in text.split("embassy: ").skip(1) {
        let end = named.find(path).unwrap_or(named.len());
        if let Some((module, function)) = named[..end].rsplit_once("::") {
            let source = source("embassy/tests", &module.replace("::", "/"));
            look(named, source, &format!("fn {function}("));
        }
    }
    for named in text.split("firmware: ").skip(1) {
        let end = named.find(|c: char| !(c.is_ascii_lowercase() || c == '_'));
        let (name, rest) = named.split_at(end.unwrap_or(named.len()));
        let checks = rest.strip_prefix(" (").and_then(|rest| rest.split_once(')'));
        for check in checks.map_or("", |(checks, _)| checks).split("; ") {
            look(name, image(name), check);
        }
    }
    missing
}

#[test]
fn every_test_that_a_behaviour_is_shown_by_exists() {
    let table = fs::read_to_string(root().join("tests/BEHAVIOURS.md")).expect("it is there");
    let lines = shown_by(&table);
    assert!(lines.len() > 130, "{} lines", lines.len());
    let missing: Vec<String> = lines
        .into_iter()
        .flat_map(|(line, text)| {
            missing(text).into_iter().map(move |name| format!("{line} {name}"))
        })
        .collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn a_name_of_nothing_is_noticed() {
    let wrong = "behaviours::retry::never_written; redress: time::tests::nor_this; \
                 adversaries::orders::breaker::nor_that; embassy: calls::nor_here; embassy: classify::can::nor_here; \
                 embassy::time::rate::tests::nor_such; firmware: timing (what it does not show; a timeout is TRANSIENT); firmware: none";
    let missing = missing(wrong);
    assert_eq!(missing.len(), 8, "{missing:?}");
}
