//! The changelog, in the form of keepachangelog.com.

use redress_tests::published::VERSION;

use crate::read;

const GROUPS: [&str; 6] = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];

#[test]
fn changelog_has_unreleased_first_and_only_the_groups_of_its_form() {
    let text = read("CHANGELOG.md");
    let versions: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(versions.first(), Some(&"[Unreleased]"));
    let is_version = |heading: &&str| {
        let day = heading.strip_prefix('[').and_then(|rest| rest.split_once("] - "));
        day.is_some_and(|(version, day)| version.split('.').count() == 3 && day.len() == 10)
    };
    assert!(versions.iter().skip(1).all(is_version), "{versions:?}");
    let groups: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    assert!(!groups.is_empty() && groups.iter().all(|group| GROUPS.contains(group)), "{groups:?}");
}

#[test]
fn changelog_fits_a_sitting_and_decisions_have_a_page_of_their_own() {
    assert!(read("CHANGELOG.md").lines().count() < 600);
    let decisions = read("tests/DECISIONS.md");
    assert!(decisions.contains(&format!("## {VERSION}")), "decisions of {VERSION}");
}
