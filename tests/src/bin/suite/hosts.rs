//! What real Rust clients return, and what redress-tokio makes of it.

use crate::{Count, Suite, exists};

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
        ];
        if is_there.contains(&false) {
            self.failed += 1;
            return;
        }
        let lints = "cargo clippy -p redress-tokio -p redress-hosts --all-features --all-targets \
                     -- -D warnings";
        self.step("lints of redress-tokio", lints, Count::One);
        let tests = "cargo test -p redress-tokio --all-features";
        self.step("tests of redress-tokio", tests, Count::Tests);
        // It starts the servers itself.
        let rows = "cargo run --quiet -p redress-hosts";
        self.step("real Rust clients against real servers", rows, Count::Runner);
        let mut doc = self.command("cargo doc -p redress-tokio --all-features --no-deps");
        doc.env("RUSTDOCFLAGS", "-D warnings");
        self.run("documentation of redress-tokio without warnings", doc, Count::One);
    }
}
