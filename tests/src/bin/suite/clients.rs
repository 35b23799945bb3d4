//! What real clients for JavaScript throw, and what it is; the adapters with their real peers; and what the libraries of
//! telemetry get.

use crate::{Count, Suite, exists};

impl Suite {
    pub(crate) fn clients(&mut self) {
        if !exists("npm", "--version") && !self.install("npm") {
            self.failed += 1;
            return;
        }
        for folder in ["wasm", "tests/clients", "tests/adapters", "tests/telemetry"] {
            if !self.is_installed(folder) {
                let install = format!("npm ci --prefix {folder}");
                self.step(&format!("what {folder} needs from npm"), &install, Count::One);
            }
        }
        // It installs and starts the servers itself.
        let run = "node tests/clients/run.mjs";
        self.step("real clients against real servers", run, Count::Runner);
        // What that run has built.
        let run = "node tests/adapters/run.mjs --built";
        self.step("the adapters with their real peers", run, Count::Runner);
        let run = "node tests/telemetry/run.mjs --built";
        self.step("real libraries of telemetry, Prometheus, and a service", run, Count::Runner);
    }

    /// Sixteen processes on one breaker, in place of four.
    pub(crate) fn clients_long(&mut self) {
        let mut shared = self.command("node tests/adapters/run.mjs --only redis");
        shared.env("REDRESS_LONG", "1");
        self.run("sixteen processes share a breaker in Redis", shared, Count::Runner);
    }
}
