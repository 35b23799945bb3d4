//! What JavaScript runtimes show.

use crate::{Count, Suite, exists};

/// What npm does not bring: programs of the system, and the packages they are in.
const PROGRAMS: [(&str, &str); 3] =
    [("npm", "npm"), ("chromium", "chromium"), ("firefox-esr", "firefox-esr")];

impl Suite {
    pub(crate) fn js(&mut self) {
        for (program, package) in PROGRAMS {
            if !exists(program, "--version") && !self.install(package) {
                self.failed += 1;
                return;
            }
        }
        for folder in ["wasm", "tests/runtimes"] {
            if !self.is_installed(folder) {
                let install = format!("npm ci --prefix {folder}");
                self.step(&format!("what {folder} needs from npm"), &install, Count::One);
            }
        }
        let biome = "wasm/node_modules/.bin/biome ci --error-on-warnings";
        self.step("formatting and lints of JavaScript", biome, Count::One);
        let lints = "cargo clippy -p redress-wasm-bind --all-targets -- -D warnings";
        self.step("lints of what builds the npm package", lints, Count::One);
        let runtimes = "node tests/runtimes/run.mjs";
        self.step("the packed npm package", runtimes, Count::Runner);
    }

    /// Whether what npm installed in a folder is as new as its lock file.
    pub(crate) fn is_installed(&self, folder: &str) -> bool {
        let changed = |path: &str| std::fs::metadata(self.root.join(folder).join(path))?.modified();
        let locked = changed("package-lock.json");
        let installed = changed("node_modules/.package-lock.json");
        locked.and_then(|locked| Ok(installed? >= locked)).unwrap_or(false)
    }
}
