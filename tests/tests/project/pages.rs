//! The pages of the project: every path they name is there, and every link leads somewhere.

use std::path::Path;

use crate::{read, root, tracked};

const PAGES: [&str; 10] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "RELEASE.md",
    "SECURITY.md",
    "tests/DECISIONS.md",
    "wasm/ARCHITECTURE.md",
    "wasm/recipes/classifier.md",
    "wasm/recipes/option.md",
    "wasm/recipes/strategy.md",
];

/// The targets of links to files of the repository.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    let is_file = |target: &&str| !target.contains("://") && !target.starts_with('#');
    targets.filter(is_file).map(|target| target.split('#').next().unwrap_or(target)).collect()
}

#[test]
fn every_link_of_a_page_leads_to_a_file() {
    let mut seen = 0;
    for page in PAGES {
        let folder = root().join(page).parent().unwrap().to_owned();
        for link in links(&read(page)) {
            assert!(folder.join(link).exists(), "{page}: {link}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen} links");
}

/// In backticks, with a slash: a file or a folder, from the root or from the folder that the
/// paragraph named last.
#[test]
fn every_path_that_a_recipe_names_is_there() {
    let tracked = tracked();
    let is_there = |path: &str| {
        let path = path.trim_end_matches('/');
        tracked.iter().any(|one| one == path || one.starts_with(&format!("{path}/")))
    };
    let roots = ["core", "wasm", "tests", "embassy", "examples", ".github", ".ci"];
    let mut seen = 0;
    for page in [
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "wasm/recipes/classifier.md",
        "wasm/recipes/option.md",
        "wasm/recipes/strategy.md",
    ] {
        let text = read(page);
        for path in text.split('`').skip(1).step_by(2) {
            let begins = path.split('/').next().unwrap_or_default();
            let is_path =
                path.contains('/') && roots.contains(&begins) && !path.contains([' ', '*', '<']);
            if is_path {
                let built =
                    Path::new(path).starts_with("wasm/dist") || path.starts_with("wasm/modules");
                assert!(built || is_there(path), "{page}: {path}");
                seen += 1;
            }
        }
    }
    assert!(seen > 40, "{seen} paths");
}
