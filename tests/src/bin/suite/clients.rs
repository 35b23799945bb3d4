//! What real clients for JavaScript throw, and what it is; the adapters with their real peers.

use crate::{Count, Suite, exists};

impl Suite {
    pub(crate) fn clients(&mut self) {
        if !exists("npm", "--version") && !self.install("npm") {
            self.failed += 1;
            return;
        }
        for folder in ["wasm", "tests/clients", "tests/adapters"] {
            if !self.is_installed(folder) {
                let install = format!("npm ci --prefix {folder}");
                self.step(&format!("what {folder} needs from npm"), &install, Count::One);
            }
        }
        // It installs and starts the servers itself.
        let run = "node tests/clients/run.mjs";
        self.step("real clients against real servers", run, Count::Runner);
        let run = "node tests/adapters/run.mjs";
        self.step("the adapters with their real peers", run, Count::Runner);
    }
}
