//! Counting what passed, failed and was skipped, in the form that every runner
//! here closes with.

use std::collections::BTreeMap;

/// The counts of one run.
#[derive(Debug, Default)]
pub struct Report {
    passed: usize,
    failed: usize,
    skipped: BTreeMap<String, (usize, &'static str)>,
}

impl Report {
    /// Something passed, or failed in the way that the error tells, which is
    /// printed at once.
    pub fn count(&mut self, name: &str, result: Result<(), String>) {
        match result {
            Ok(()) => self.passed += 1,
            Err(why) => {
                self.failed += 1;
                println!("FAILED {name}: {why}");
            }
        }
    }

    /// Something was left out because of a tag.
    pub fn skip(&mut self, tag: &str, reason: &'static str) {
        self.skipped.entry(tag.to_owned()).or_insert((0, reason)).0 += 1;
    }

    /// A line for each tag that was skipped, with its reason.
    pub fn print_skipped(&self) {
        for (tag, (count, reason)) in &self.skipped {
            println!("skipped {count} by tag {tag}: {reason}");
        }
    }

    /// Whether nothing failed and something ran.
    pub fn is_ok(&self) -> bool {
        self.failed == 0 && self.passed > 0
    }
}

/// `N passed, N failed, N skipped`.
impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let skipped: usize = self.skipped.values().map(|(count, _)| count).sum();
        write!(f, "{} passed, {} failed, {skipped} skipped", self.passed, self.failed)
    }
}
