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
        if !self.runtimes_installed() {
            let install = "npm ci --prefix tests/runtimes";
            self.step("JavaScript runtimes and bundlers", install, Count::One);
        }
        let runtimes = "node tests/runtimes/run.mjs";
        self.step("the packed npm package", runtimes, Count::Runner);
    }

    /// Whether what npm installed is as new as the lock file.
    fn runtimes_installed(&self) -> bool {
        let changed = |path: &str| std::fs::metadata(self.root.join(path))?.modified();
        let locked = changed("tests/runtimes/package-lock.json");
        let installed = changed("tests/runtimes/node_modules/.package-lock.json");
        locked.and_then(|locked| Ok(installed? >= locked)).unwrap_or(false)
    }
}
