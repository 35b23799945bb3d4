//! What a host can show of the engine.

use redress_tests::ENGINE_PACKAGES;

use crate::{Count, Suite, exists};

const ADVERSARIES: &str = "cargo test --release -p redress-tests --test adversaries";

/// The version of all packages of the workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

const BROKEN: &str = "cargo run --quiet -p redress-tests --bin broken";

impl Suite {
    pub(crate) fn host(&mut self) {
        self.formatting();
        let lints = format!("cargo clippy {ENGINE_PACKAGES} --all-targets -- -D warnings");
        self.step("lints", &lints, Count::One);
        self.step("tests", &format!("cargo test {ENGINE_PACKAGES}"), Count::Tests);
        let vectors = "cargo run --quiet --release -p redress-tests --bin conformance -- \
                       tests/vectors/engine.json tests/vectors/classifiers.json";
        self.step("conformance vectors", vectors, Count::Runner);
        let promises = "cargo test --release -p redress-tests --test promises -- --nocapture";
        self.step("ten promises", promises, Count::Tests);
        self.step("adversaries", ADVERSARIES, Count::Tests);
        self.step("broken engines, short", &format!("{BROKEN} -- --short"), Count::Runner);
        self.fuzz_shortly();
        self.packages();
        self.doc();
    }

    /// The packages as crates.io would get them: each that is published compiles from what is packed,
    /// with the tests that it carries.
    fn packages(&mut self) {
        // The example depends on a package that is not published, either.
        let all = "cargo package --workspace --exclude redress-axum-service --no-verify \
                   --allow-dirty --quiet";
        self.step("packages of the workspace", all, Count::One);
        for name in ["redress", "redress-embassy"] {
            let unpacked =
                format!("tar -xf target/package/{name}-{VERSION}.crate -C target/package");
            self.step(&format!("the package {name} is unpacked"), &unpacked, Count::One);
        }
        for name in ["redress", "redress-embassy"] {
            let tests = format!(
                "cargo check --lib --tests --all-features --quiet \
                 --manifest-path target/package/{name}-{VERSION}/Cargo.toml --target-dir target \
                 --config patch.crates-io.redress.path=\"target/package/redress-{VERSION}\"",
            );
            self.step(&format!("the package {name} compiles, its tests, too"), &tests, Count::One);
        }
    }

    /// The adversaries and the broken engines in their long form.
    pub(crate) fn long(&mut self) {
        self.step("broken engines", BROKEN, Count::Runner);
        let mut command = self.command(ADVERSARIES);
        command.env("REDRESS_LONG", "1");
        self.run("adversaries, long", command, Count::Tests);
        self.hosts_long();
        self.clients_long();
        self.mcu_long();
    }

    pub(crate) fn mutants(&mut self) {
        let mutants = "cargo run --quiet -p redress-mutation";
        self.step("mutants", mutants, Count::Closing);
    }

    pub(crate) fn bench(&mut self) {
        if !exists("valgrind", "--version") && !self.install("valgrind") {
            self.failed += 1;
            return;
        }
        self.step("benchmarks", "python3 tests/bench/run.py", Count::Shown);
    }

    /// Of every workspace of the tree: each step that builds one would see only its own.
    fn formatting(&mut self) {
        let listed = self.command("git ls-files Cargo.toml */Cargo.toml").output();
        let listed = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let is_workspace = |manifest: &&str| {
            let text = std::fs::read_to_string(self.root.join(manifest)).unwrap_or_default();
            text.lines().any(|line| line == "[workspace]")
        };
        let listed = listed.unwrap_or_default();
        let manifests: Vec<_> = listed.lines().filter(is_workspace).collect();
        if manifests.is_empty() {
            println!("FAILED formatting: git lists no workspace");
            self.failed += 1;
        }
        for manifest in manifests {
            let line = format!("cargo fmt --all --check --manifest-path {manifest}");
            self.step("formatting", &line, Count::One);
        }
    }

    fn doc(&mut self) {
        let doc = "cargo doc --no-deps --all-features -p redress -p redress-embassy";
        let mut command = self.command(doc);
        command.env("RUSTDOCFLAGS", "-D warnings");
        self.run("documentation without warnings", command, Count::One);
        // `docsrs` switches on a feature of nightly. The core alone: with it the compiler checks all
        // dependencies again, which are few here.
        let mut command = self.announce(
            "documentation of the core as on docs.rs",
            "cargo doc --no-deps --all-features -p redress",
        );
        command.env("RUSTDOCFLAGS", "-D warnings --cfg docsrs").env("RUSTC_BOOTSTRAP", "1");
        self.run("documentation of the core as on docs.rs", command, Count::One);
    }
}
