//! What an image says of itself: one line for each thing shown, and the counts.

use semihosting::println;

/// Counts what passed and what failed.
#[derive(Debug, Default)]
pub struct Checks {
    passed: u32,
    failed: u32,
}

impl Checks {
    /// With the counts of an image that was reset.
    pub const fn going_on(passed: u32, failed: u32) -> Self {
        Self { passed, failed }
    }

    /// What passed and what failed.
    pub const fn counts(&self) -> (u32, u32) {
        (self.passed, self.failed)
    }

    /// A line `ok NAME: VALUE` or `FAILED NAME: VALUE`.
    pub fn check(&mut self, name: &str, passed: bool, value: impl core::fmt::Display) {
        if passed {
            self.passed += 1;
            println!("ok {name}: {value}");
        } else {
            self.failed += 1;
            println!("FAILED {name}: {value}");
        }
    }

    /// Says the counts; whether everything passed.
    pub fn close(&self) -> bool {
        println!("{} passed, {} failed, 0 skipped", self.passed, self.failed);
        self.failed == 0 && self.passed > 0
    }
}
