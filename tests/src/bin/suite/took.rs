//! How long each step took when it last ran on this machine, in `target/suite.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) struct Took {
    file: PathBuf,
    /// Seconds, by the command.
    secs: BTreeMap<String, u64>,
}

impl Took {
    pub(crate) fn read(root: &Path) -> Self {
        let file = root.join("target/suite.json");
        let text = fs::read_to_string(&file).unwrap_or_default();
        let secs = serde_json::from_str(&text).unwrap_or_default();
        Self { file, secs }
    }

    pub(crate) fn record(&mut self, line: &str, took: Duration) {
        self.secs.insert(line.to_owned(), took.as_secs());
        // Nothing but the list reads it: a file that cannot be written fails no step.
        let _ = fs::write(&self.file, serde_json::to_string_pretty(&self.secs).unwrap_or_default());
    }

    pub(crate) fn secs(&self, line: &str) -> Option<u64> {
        self.secs.get(line).copied()
    }
}
