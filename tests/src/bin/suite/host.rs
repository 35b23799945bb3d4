//! What a host can show of the engine.

use crate::{BARE_TARGETS, Count, Suite, exists};

const ADVERSARIES: &str = "cargo test --release -p redress-tests --test adversaries";

const BROKEN: &str = "cargo run --quiet -p redress-tests --bin mutants";

impl Suite {
    pub(crate) fn host(&mut self) {
        self.step("formatting", "cargo fmt --all --check", Count::One);
        let lints = "cargo clippy --workspace --all-targets --all-features -- -D warnings";
        self.step("lints", lints, Count::One);
        self.step("tests", "cargo test --workspace --all-features", Count::Tests);
        let vectors = "cargo run --quiet --release -p redress-tests --bin conformance -- \
                       tests/vectors/engine.json tests/vectors/classifiers.json";
        self.step("conformance vectors", vectors, Count::Runner);
        let promises = "cargo test --release -p redress-tests --test promises -- --nocapture";
        self.step("ten promises", promises, Count::Tests);
        self.step("adversaries", ADVERSARIES, Count::Tests);
        self.step("broken engines, short", &format!("{BROKEN} -- --short"), Count::Runner);
        for target in BARE_TARGETS {
            let build = format!("cargo build -p redress --target {target}");
            self.step(&format!("no alloc on {target}"), &build, Count::One);
        }
        let defmt = "cargo build -p redress --target thumbv6m-none-eabi \
                     --features defmt,embedded-hal,embedded-hal-async,serde";
        self.step("features on thumbv6m-none-eabi", defmt, Count::One);
        self.step(
            "no panic left",
            "cargo run --quiet -p redress-tests --bin nopanic",
            Count::Runner,
        );
        self.fuzz_for(1);
        self.doc();
    }

    /// The adversaries and the broken engines in their long form.
    pub(crate) fn long(&mut self) {
        self.step("broken engines", BROKEN, Count::Runner);
        let mut command = self.command(ADVERSARIES);
        command.env("REDRESS_LONG", "1");
        self.run("adversaries, long", command, Count::Tests);
    }

    pub(crate) fn bench(&mut self) {
        if !exists("valgrind", "--version") && !self.install("valgrind") {
            self.failed += 1;
            return;
        }
        self.step("benchmarks", "python3 tests/bench/run.py", Count::Shown);
    }

    fn doc(&mut self) {
        let doc = "cargo doc --no-deps --all-features -p redress -p redress-embassy";
        let mut command = self.command(doc);
        command.env("RUSTDOCFLAGS", "-D warnings");
        self.run("documentation without warnings", command, Count::One);
    }
}
