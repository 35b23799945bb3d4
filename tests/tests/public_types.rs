//! What holds for every public type of the core, read from its source.

use std::fs;
use std::path::{Path, PathBuf};

/// Types that no user holds: they are made and dropped within a driver.
const WITHIN_A_DRIVER: [&str; 4] = ["ByDebug", "Engine", "NoText", "Written"];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<String> {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src"), &mut found);
    found.into_iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// The public types of a file, each with the attributes before it.
fn types(source: &str) -> Vec<(String, String)> {
    let mut attributes = String::new();
    let mut found = Vec::new();
    for line in source.lines() {
        let declared = ["pub struct ", "pub enum "].iter().find_map(|kind| line.strip_prefix(kind));
        if let Some(rest) = declared {
            let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            found.push((rest[..end].to_owned(), std::mem::take(&mut attributes)));
        } else if line.starts_with(['#', ' ', ')', '/']) {
            attributes += line;
        } else {
            attributes.clear();
        }
    }
    found
}

/// Derived, or written by hand, or by the macro that writes a name.
#[test]
fn every_public_type_has_a_form_for_defmt() {
    let sources = sources();
    let by_hand = sources.concat();
    let by_hand: Vec<&str> = by_hand.split_whitespace().collect();
    let by_hand = by_hand.join(" ");
    let types: Vec<_> = sources.iter().flat_map(|source| types(source)).collect();
    assert!(types.len() > 90, "{} types", types.len());
    let has_form = |name: &str, attributes: &str| {
        let written =
            ["", "crate::driver::", "crate::random::", "crate::testing::", "crate::time::"];
        attributes.contains("defmt::Format")
            || written.iter().any(|path| {
                ["<", " {", " ="].iter().any(|next| {
                    by_hand.contains(&format!("defmt::Format for {path}{name}{next}"))
                        || by_hand.contains(&format!("] {path}{name}{next}"))
                })
            })
    };
    let missing: Vec<&str> = types
        .iter()
        .filter(|(name, attributes)| !has_form(name, attributes))
        .map(|(name, _)| &**name)
        .filter(|name| !WITHIN_A_DRIVER.contains(name))
        .collect();
    assert!(missing.is_empty(), "no `defmt::Format`: {missing:?}");
}
