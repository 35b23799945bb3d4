//! Rust programs on hosts and on wasm32: redress-tokio with real clients and servers, redress-web on
//! three runtimes.

use crate::{Count, Suite, exists};

/// All packages at once, so that each dependency has one set of features and is compiled once.
const PACKAGES: &str = "-p redress-tokio -p redress-hosts -p redress-shared -p redress-glue \
                        -p redress-axum-service --all-features";

/// Whether a program that Debian has outside the path is there.
fn has_postgres() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    versions.is_ok_and(|all| all.flatten().any(|one| one.path().join("bin/initdb").exists()))
}

impl Suite {
    pub(crate) fn hosts(&mut self) {
        let is_there = [
            has_postgres() || self.install("postgresql"),
            exists("mariadbd", "--version") || self.install("mariadb-server"),
            exists("redis-server", "--version") || self.install("redis-server"),
            exists("prometheus", "--version") || self.install("prometheus"),
        ];
        if is_there.contains(&false) {
            self.failed += 1;
            return;
        }
        let lints = format!("cargo clippy {PACKAGES} --all-targets -- -D warnings");
        self.step("lints of redress-tokio", &lints, Count::One);
        // The tests start the servers themselves; those of the example run its demo.
        let tests = format!("cargo test {PACKAGES} --no-fail-fast");
        self.step("redress-tokio with real clients and servers", &tests, Count::Tests);
        let mut doc = self.command(&format!("cargo doc {PACKAGES} --no-deps"));
        doc.env("RUSTDOCFLAGS", "-D warnings");
        self.run("documentation of redress-tokio without warnings", doc, Count::One);
        self.web();
    }

    /// The programs of redress-tokio's pages are run, not only compiled.
    pub(crate) fn hosts_long(&mut self) {
        let mut pages = self.command(&format!("cargo test {PACKAGES} --test pages"));
        pages.env("REDRESS_LONG", "1");
        self.run("programs of redress-tokio's pages", pages, Count::Tests);
    }
}
