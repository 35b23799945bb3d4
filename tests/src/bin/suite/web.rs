//! What runtimes of JavaScript show of the crate `redress-web`.

use crate::{Count, Suite, exists};

impl Suite {
    pub(crate) fn web(&mut self) {
        for (program, package) in [("npm", "npm"), ("chromium", "chromium")] {
            if !exists(program, "--version") && !self.install(package) {
                self.failed += 1;
                return;
            }
        }
        // Its programs start Node 24, Chromium and workerd as those of the npm package do.
        if !self.is_installed("tests/runtimes") {
            let install = "npm ci --prefix tests/runtimes";
            self.step("what tests/runtimes needs from npm", install, Count::One);
        }
        // By the profile of the programs, so that procedural macros are compiled once.
        let profile = ["lto=\"fat\"", "opt-level=\"s\"", "codegen-units=1", "panic=\"abort\""];
        let profile = profile.map(|setting| format!("--config profile.release.{setting}"));
        let lints = format!(
            "cargo clippy --release -p redress-web --target wasm32-unknown-unknown --all-features \
             --config profile.release.strip=\"debuginfo\" --config profile.release.debug=false {} \
             -- -D warnings",
            profile.join(" "),
        );
        self.step("lints of redress-web", &lints, Count::One);
        let programs = "node tests/web/run.mjs";
        self.step("redress-web on three runtimes", programs, Count::Runner);
    }
}
