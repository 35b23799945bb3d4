//! Mutants that no test can notice, each by its name and with a reason.

use std::collections::BTreeMap;

const EXCLUDED: &str = include_str!("../excluded.txt");

/// The reasons by name. A line is `name | reason`, or `#` and a comment.
pub(crate) fn excluded() -> Result<BTreeMap<&'static str, &'static str>, String> {
    let mut all = BTreeMap::new();
    for line in EXCLUDED.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some((name, reason)) = line.rsplit_once(" | ") else {
            return Err(format!("excluded.txt has a line without a reason: {line}"));
        };
        if all.insert(name.trim(), reason.trim()).is_some() {
            return Err(format!("excluded.txt names one twice: {name}"));
        }
    }
    Ok(all)
}
