//! Fresh crates that have what a page says to add, and nothing else, with the programs of the page.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The folder of this crate.
fn tests() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The blocks of a page that are in this language.
pub fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    for block in page.split("```").skip(1).step_by(2) {
        if let Some(code) = block.strip_prefix(language).and_then(|code| code.strip_prefix('\n')) {
            found.push(code.to_owned());
        }
    }
    found
}

/// A crate's dependencies, from lines as `cargo add redress --features std`. What several lines add
/// has the features of all.
fn dependencies(lines: &str) -> String {
    let mut added: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in lines.lines().filter(|line| !line.is_empty()) {
        // What tests add, programs may have.
        let words: Vec<&str> = line.split_whitespace().filter(|word| *word != "--dev").collect();
        let ["cargo", "add", name, ref rest @ ..] = words[..] else {
            panic!("not an addition: {line}")
        };
        let features = added.entry(name).or_default();
        match rest {
            [] => {}
            ["--features", names] => features.extend(names.split(',')),
            _ => panic!("not known here: {line}"),
        }
    }
    let mut text = String::new();
    for (name, features) in &added {
        let from = match *name {
            "redress" => format!("path = '{}'", tests().join("../core").display()),
            "redress-tokio" => format!("path = '{}'", tests().join("../core/tokio").display()),
            _ => "version = '*'".to_owned(),
        };
        let features: Vec<_> = features.iter().collect();
        let _ = writeln!(text, "{name} = {{ {from}, features = {features:?} }}");
    }
    text
}

/// Makes a crate `fresh` of these pages, with the versions that this workspace has: a program for
/// each block in `rust`, and a library of a block in `rust lib`. Returns how many programs.
///
/// # Panics
///
/// If the folder cannot be written, or a page adds something that is not known here.
pub fn fresh_crate(folder: &Path, pages: &[&str]) -> usize {
    let _ = fs::remove_dir_all(folder.join("src"));
    fs::create_dir_all(folder.join("src/bin")).unwrap();
    let blocks = |language: &str| -> Vec<String> {
        pages.iter().flat_map(|page| blocks(page, language)).collect()
    };
    let manifest = format!(
        "[package]\nname = 'fresh'\nedition = '2024'\n[workspace]\n[profile.dev]\ndebug = false\n\
         [dependencies]\n{}",
        dependencies(&blocks("sh").concat()),
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::copy(tests().join("../Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let library = blocks("rust lib").concat();
    if !library.is_empty() {
        fs::write(folder.join("src/lib.rs"), library).unwrap();
    }
    let programs = blocks("rust");
    for (nth, program) in programs.iter().enumerate() {
        fs::write(folder.join(format!("src/bin/program{nth}.rs")), program).unwrap();
    }
    programs.len()
}

/// Downloads what a crate depends on, as a new machine has only what other builds have downloaded.
///
/// # Panics
///
/// If it cannot be downloaded.
pub fn fetch(folder: &Path) {
    let mut fetch = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    let fetched = fetch.args(["fetch", "--quiet"]).current_dir(folder).output().unwrap();
    assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
}

/// Runs cargo in a crate, offline, and returns what it prints.
///
/// # Panics
///
/// If it fails, or has something to say.
pub fn cargo(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(arguments)
        .args(["--quiet", "--offline"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {}: {told}", arguments.join(" "));
    assert!(told.is_empty(), "cargo {} is not silent: {told}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
