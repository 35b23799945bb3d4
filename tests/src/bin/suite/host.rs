//! What a host can show of the engine.

use std::path::Path;

use redress_tests::ENGINE_PACKAGES;

use crate::needs::{Need, command};
use crate::plan::{Count, Step};
use crate::{fuzz, release};

const ADVERSARIES: &str = "cargo test --release -p redress-tests --test adversaries";

const BROKEN: &str = "cargo run --quiet -p redress-tests --bin broken";

pub(crate) fn steps(root: &Path) -> Vec<Step> {
    let words = "git grep -nEf tests/words.txt -- :!tests/vectors :!tests/words.txt";
    let lints = format!("cargo clippy {ENGINE_PACKAGES} --all-targets -- -D warnings");
    let tests = format!("cargo test {ENGINE_PACKAGES}");
    let vectors = "cargo run --quiet --release -p redress-tests --bin conformance -- \
                   tests/vectors/engine.json tests/vectors/classifiers.json";
    let promises = "cargo test --release -p redress-tests --test promises -- --nocapture";
    let broken = format!("{BROKEN} -- --short");
    let doc = "cargo doc --no-deps --all-features -p redress -p redress-embassy";
    // `docsrs` switches on a feature of nightly. The core alone: with it the compiler checks all
    // dependencies again, which are few here.
    let docs_rs = "cargo doc --no-deps --all-features -p redress";
    let mut steps = vec![Step::new("no retired word is left", words, Count::NoMatch)];
    steps.extend(formatting(root));
    steps.extend([
        Step::new("the engine is without lints", lints, Count::One),
        Step::new("unit tests, behaviours, programs of the pages", tests, Count::Tests),
        Step::new("the conformance vectors", vectors, Count::Runner),
        Step::new("the ten promises", promises, Count::Tests),
        Step::new("no adversary breaks the engine", ADVERSARIES, Count::Tests),
        Step::new("tests notice every third broken engine", broken, Count::Runner),
    ]);
    steps.extend(fuzz::short());
    steps.push(release::short());
    steps.push(
        Step::new("the documentation has no warnings", doc, Count::One)
            .with("RUSTDOCFLAGS", "-D warnings"),
    );
    steps.push(
        Step::new("the core's documentation has none as docs.rs builds it", docs_rs, Count::One)
            .with("RUSTDOCFLAGS", "-D warnings --cfg docsrs")
            .with("RUSTC_BOOTSTRAP", "1"),
    );
    steps
}

/// The adversaries and the broken engines in their long form.
pub(crate) fn long() -> Vec<Step> {
    let adversaries =
        Step::new("no adversary breaks the engine, for longer", ADVERSARIES, Count::Tests);
    vec![
        Step::new("tests notice every broken engine", BROKEN, Count::Runner),
        adversaries.with("REDRESS_LONG", "1"),
    ]
}

pub(crate) fn mutants() -> Vec<Step> {
    let mutants = "cargo run --quiet -p redress-mutation";
    vec![Step::new("how many mutants of the core tests notice", mutants, Count::Closing)]
}

pub(crate) fn bench() -> Vec<Step> {
    let tables = Step::new("benchmarks beside peers", "python3 tests/bench/run.py", Count::Shown);
    vec![
        tables.needs(&[Need::Program("valgrind", "valgrind"), Need::Program("python3", "python3")]),
    ]
}

/// Of every workspace of the tree: each step that builds one would see only its own.
fn formatting(root: &Path) -> Vec<Step> {
    let listed = command(root, "git ls-files Cargo.toml */Cargo.toml").output();
    let listed = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let is_workspace = |manifest: &&str| {
        let text = std::fs::read_to_string(root.join(manifest)).unwrap_or_default();
        text.lines().any(|line| line == "[workspace]")
    };
    let listed = listed.unwrap_or_default();
    let known = "git ls-files --error-unmatch Cargo.toml";
    let mut steps = vec![Step::new("git lists the workspaces", known, Count::One)];
    for manifest in listed.lines().filter(is_workspace) {
        let line = format!("cargo fmt --all --check --manifest-path {manifest}");
        let folder = manifest.strip_suffix("/Cargo.toml").unwrap_or("the top");
        steps.push(Step::new(format!("the workspace of {folder} is formatted"), line, Count::One));
    }
    steps
}
