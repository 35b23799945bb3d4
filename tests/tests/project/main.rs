//! The project around the code: what is published, the drawings, the pages and the workflow are as
//! they say.

mod changelog;
mod drawings;
mod pages;
mod published;
mod workflow;

use std::path::{Path, PathBuf};

/// The folder of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// What git has of the tree.
fn tracked() -> Vec<String> {
    let output =
        std::process::Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let text = String::from_utf8(output.expect("git runs").stdout).expect("paths are text");
    let all: Vec<String> = text.split_terminator('\0').map(str::to_owned).collect();
    assert!(all.len() > 100, "git lists {} files", all.len());
    all
}
