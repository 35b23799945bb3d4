//! The guide, `core/guide`: its tables have the engine's names, and its pages are found from each other. Its programs are doctests,
//! and part of the runner of the npm package.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use redress::{EventKind, StopReason};

/// A page of the guide.
fn page(name: &str) -> String {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../core/guide"));
    fs::read_to_string(folder.join(name)).unwrap()
}

/// The cells of the rows of the table under a heading, without ticks.
fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, under) = page.split_once(&format!("\n## {heading}\n")).expect(heading);
    let rows = under.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| {
        row.trim_matches('|').split('|').map(|cell| cell.replace('`', "").trim().into()).collect()
    })
    .collect()
}

#[test]
fn each_event_has_a_row_with_its_stop_reasons() {
    let rows = table(&page("events.md"), "Events");
    let named: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(named, EventKind::ALL.map(EventKind::as_str));
    for (row, kind) in rows.iter().zip(EventKind::ALL) {
        let reasons = StopReason::ALL.into_iter().filter(|reason| reason.event() == kind);
        let reasons: BTreeSet<&str> = reasons.map(StopReason::as_str).collect();
        // A rejection before the first attempt has none.
        let said = row[1]
            .split([',', ' '])
            .filter(|word| word.contains('_') || word.chars().all(char::is_uppercase));
        let said: BTreeSet<&str> = said.filter(|word| !word.is_empty()).collect();
        assert_eq!(said, reasons, "{kind}");
    }
}

#[test]
fn each_stop_reason_has_a_row_with_its_event() {
    let rows = table(&page("events.md"), "Stop reasons");
    let rows: Vec<[&str; 2]> = rows.iter().map(|row| [row[0].as_str(), row[1].as_str()]).collect();
    assert_eq!(rows, StopReason::ALL.map(|reason| [reason.as_str(), reason.event().as_str()]));
}

/// The list of pages, what rustdoc gets as links, and the files are the same pages.
#[test]
fn each_page_is_in_the_list_and_has_a_module() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/guide");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<String> = files
        .filter_map(|name| Some(name.strip_suffix(".md")?.to_owned()))
        .filter(|name| name != "README" && name != "links")
        .collect();
    let (list, links) = (page("README.md"), page("links.md"));
    let in_links = links.lines().filter_map(|line| {
        let (name, module) = line.strip_prefix('[')?.split_once("]: crate::guide::")?;
        assert_eq!(name, module);
        Some(name.to_owned())
    });
    assert_eq!(in_links.collect::<BTreeSet<_>>(), files, "links.md");
    for name in &files {
        assert!(list.contains(&format!("][{name}] |")), "{name} is in no table of README.md");
    }
}
