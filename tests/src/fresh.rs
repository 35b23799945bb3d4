//! Fresh crates that have what a page says to add, and nothing else, with the programs of the page.

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

/// A crate's dependencies, from lines as `cargo add redress --features std`.
fn dependencies(lines: &str) -> String {
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["cargo", "add", name, ref rest @ ..] = words[..] else {
            panic!("not an addition: {line}")
        };
        let features: Vec<&str> = match rest {
            [] => Vec::new(),
            ["--features", features] => features.split(',').collect(),
            _ => panic!("not known here: {line}"),
        };
        let from = match name {
            "redress" => format!("path = '{}'", tests().join("../core").display()),
            "redress-tokio" => format!("path = '{}'", tests().join("../core/tokio").display()),
            _ => "version = '*'".to_owned(),
        };
        format!("{name} = {{ {from}, features = {features:?} }}")
    };
    let lines = lines.lines().filter(|line| !line.is_empty());
    lines.map(line).collect::<Vec<_>>().join("\n")
}

/// Makes a crate with one program for each block, of the versions that this workspace has, and
/// returns how many.
///
/// # Panics
///
/// If the folder cannot be written, or the page adds something that is not known here.
pub fn fresh_crate(folder: &Path, page: &str) -> usize {
    let _ = fs::remove_dir_all(folder.join("src"));
    fs::create_dir_all(folder.join("src/bin")).unwrap();
    let added = blocks(page, "sh").concat();
    let manifest = format!(
        "[package]\nname = 'fresh'\nedition = '2024'\n[workspace]\n[dependencies]\n{}",
        dependencies(&added),
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::copy(tests().join("../Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let programs = blocks(page, "rust");
    for (nth, program) in programs.iter().enumerate() {
        fs::write(folder.join(format!("src/bin/program{nth}.rs")), program).unwrap();
    }
    programs.len()
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
