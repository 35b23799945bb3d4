//! What is published, in which order, and what its manifests say.

use redress_tests::published::{VERSION, crates, metadata, packages};
use serde_json::Value;

use crate::{read, root, tracked};

#[test]
fn published_crates_are_those_of_the_release_in_its_order() {
    let page = read("RELEASE.md");
    let named = page.lines().filter_map(|line| line.split_once(" | crate `")?.1.split_once('`'));
    let named: Vec<&str> = named.map(|(name, _)| name).collect();
    assert_eq!(
        crates(&root()).unwrap(),
        ["redress", "redress-tokio", "redress-embassy", "redress-web"]
    );
    assert_eq!(named, crates(&root()).unwrap(), "in RELEASE.md");
    let publish: Vec<String> = named.iter().map(|name| format!("-p {name}")).collect();
    assert!(page.contains(&format!("cargo publish {}\n", publish.join(" "))), "the command");
}

#[test]
fn published_versions_are_one() {
    let metadata = metadata(&root()).unwrap();
    for package in packages(&metadata) {
        assert_eq!(package["version"], VERSION, "{}", package["name"]);
        for dependency in package["dependencies"].as_array().unwrap() {
            let is_ours = dependency["name"].as_str().unwrap().starts_with("redress");
            if is_ours && dependency["kind"].is_null() {
                assert_eq!(dependency["req"], format!("^{VERSION}"), "of {}", package["name"]);
            }
        }
    }
    let manifest: Value = serde_json::from_str(&read("wasm/package.json")).unwrap();
    let locked: Value = serde_json::from_str(&read("wasm/package-lock.json")).unwrap();
    assert_eq!(manifest["version"], VERSION, "wasm/package.json");
    assert_eq!(locked["version"], VERSION, "wasm/package-lock.json");
    assert_eq!(locked["packages"][""]["version"], VERSION, "wasm/package-lock.json");
}

#[test]
fn published_manifests_say_all_that_registries_show() {
    let metadata = metadata(&root()).unwrap();
    for package in packages(&metadata) {
        let name = package["name"].as_str().unwrap();
        for field in ["description", "license", "repository", "readme", "rust_version"] {
            assert!(package[field].is_string(), "{name} has no {field}");
        }
        let list = |field: &str| -> Vec<String> {
            let values = package[field].as_array().unwrap().iter();
            values.map(|value| value.as_str().unwrap().to_owned()).collect()
        };
        let keywords = list("keywords");
        let fits = |keyword: &String| keyword.len() <= 20 && keyword.is_ascii();
        assert!(
            (1..=5).contains(&keywords.len()) && keywords.iter().all(fits),
            "{name} {keywords:?}"
        );
        assert!((1..=5).contains(&list("categories").len()), "{name}");
        assert_eq!(package["metadata"]["docs"]["rs"]["all-features"], true, "{name} on docs.rs");
        let manifest = std::path::Path::new(package["manifest_path"].as_str().unwrap());
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            let its = std::fs::read_to_string(manifest.with_file_name(licence)).unwrap();
            assert_eq!(its, read(licence), "{name} {licence}");
        }
    }
}

/// In every workspace of the tree.
#[test]
fn published_is_nothing_else() {
    let names = crates(&root()).unwrap();
    for manifest in tracked().iter().filter(|path| path.ends_with("Cargo.toml")) {
        let text = read(manifest);
        let parsed: toml::Table = text.parse().unwrap_or_else(|why| panic!("{manifest}: {why}"));
        let Some(package) = parsed.get("package") else { continue };
        let name = package["name"].as_str().unwrap();
        let says = package.get("publish").map(ToString::to_string);
        let inherits = "{ workspace = true }";
        let may_be = !matches!(says.as_deref(), Some("false")) && says.as_deref() != Some(inherits);
        assert_eq!(may_be, names.iter().any(|one| one == name), "{manifest}: publish is {says:?}");
    }
}
