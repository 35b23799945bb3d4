//! The core's tests in Miri, which looks at every access, and threads in orders that it draws.

use crate::{Count, Suite, progress};

/// The nightly toolchain that has Miri. The pin of the project has none.
const NIGHTLY: &str = "nightly-2026-05-20";

/// Tests that Miri cannot run, and what it lacks for them.
const LEFT_OUT: [(&str, &str); 2] =
    [("sockets::", "sockets and the resolver"), ("in_every_order_of_callers", "time for them all")];

/// How many orders of the threads are tried.
const SEEDS: u32 = 16;

impl Suite {
    pub(crate) fn miri(&mut self) {
        if !self.install_miri() {
            self.failed += 1;
            return;
        }
        // Some tests read the clock of the system or open a file, and some leak what must live
        // as long as a `static`.
        let flags = "-Zmiri-disable-isolation -Zmiri-ignore-leaks";
        self.in_miri("core in Miri", "-p redress --all-features --lib", "", flags);
        for (test, lacks) in LEFT_OUT {
            println!("   left out: {test} (Miri has no {lacks})");
        }
        let skips = LEFT_OUT.map(|(test, _)| ["--skip", test].join(" ")).join(" ");
        self.in_miri("behaviours in Miri", "-p redress-tests --test behaviours", &skips, flags);
        let flags = format!("{flags} -Zmiri-many-seeds=0..{SEEDS}");
        self.in_miri("threads in Miri", "-p redress-tests --test adversaries", THREADS, &flags);
    }

    fn in_miri(&mut self, name: &str, tests: &str, names: &str, flags: &str) {
        let line = format!(
            "rustup run {NIGHTLY} cargo miri test {tests} --target-dir target/miri -- {names}"
        );
        println!("== {name}: {line}");
        let mut command = self.command(&line);
        command.env_remove("RUSTUP_TOOLCHAIN").env("MIRIFLAGS", flags);
        self.run(name, command, Count::Tests);
    }

    fn install_miri(&self) -> bool {
        let run = |line: &str| {
            let mut command = self.command(line);
            command.env_remove("RUSTUP_TOOLCHAIN");
            progress::output(&mut command).is_ok_and(|output| output.status.success())
        };
        let is_there = format!("rustup run {NIGHTLY} cargo miri --version");
        if run(&is_there) {
            return true;
        }
        let install = format!(
            "rustup toolchain install {NIGHTLY} --profile minimal -c miri -c rust-src \
             --no-self-update"
        );
        println!("== Miri is missing: {install}");
        if run(&install) && run(&is_there) {
            return true;
        }
        println!("Miri cannot be installed: run `{install}`");
        false
    }
}

/// The test of the adversaries that is small under Miri.
const THREADS: &str = "threads_never_have_more_probes_than_permits_nor_spend_more_than_there_is";
