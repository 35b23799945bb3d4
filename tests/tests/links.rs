//! Every link of the project's Markdown leads somewhere: to a file of the project, and to a heading of it. Links to the project on
//! GitHub and to pages of the guide on docs.rs are looked up in the project, too. Other addresses are not asked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// Addresses under which the files of the project are found.
const MIRRORS: [&str; 3] = [
    "https://github.com/redress-rs/redress/blob/main/",
    "https://github.com/redress-rs/redress/tree/main/",
    "https://raw.githubusercontent.com/redress-rs/redress/main/",
];
const GUIDE: &str = "https://docs.rs/redress/latest/redress/guide/";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What a page links to, and the anchors of its headings.
#[derive(Default)]
struct Page {
    links: Vec<String>,
    anchors: BTreeSet<String>,
}

fn parsed(text: &str) -> Page {
    let mut page = Page::default();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                page.links.push(dest_url.into_string());
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                page.add_anchor(&heading.take().unwrap_or_default());
            }
            _ => {}
        }
    }
    page
}

impl Page {
    /// The anchor that GitHub gives a heading. A second one of the same text gets a number.
    fn add_anchor(&mut self, heading: &str) {
        let kept = |c: char| (c.is_alphanumeric() || matches!(c, '-' | '_' | ' ')).then_some(c);
        let anchor: String = heading.to_lowercase().chars().filter_map(kept).collect();
        let anchor = anchor.trim().replace(' ', "-");
        let numbered = (1..).map(|nth| format!("{anchor}-{nth}"));
        let free = |anchor: &String| !self.anchors.contains(anchor);
        let first = std::iter::once(anchor.clone()).chain(numbered).find(free);
        self.anchors.extend(first);
    }
}

/// The path from the top of the project, without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::CurDir => {}
            part => parts.push(part),
        }
    }
    parts.iter().collect()
}

/// Where a link of a page leads in the project: a path and an anchor; `None` if it leads out of it.
fn target(page: &Path, link: &str) -> Option<(PathBuf, Option<String>)> {
    let (path, anchor) = match link.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor.to_owned())),
        None => (link, None),
    };
    let mirrored = MIRRORS.iter().find_map(|mirror| path.strip_prefix(mirror));
    let guide = || match path
        .strip_prefix(GUIDE)
        .unwrap_or(path.strip_prefix(GUIDE.trim_end_matches('/'))?)
    {
        "" => Some("core/guide/README.md".to_owned()),
        name => Some(format!(
            "core/guide/{}.md",
            name.trim_end_matches("/index.html").trim_end_matches('/')
        )),
    };
    let path = if let Some(path) = mirrored {
        PathBuf::from(path)
    } else if let Some(path) = guide() {
        PathBuf::from(path)
    } else if path.contains("://") || path.starts_with("mailto:") || path.starts_with("crate::") {
        return None;
    } else if path.is_empty() {
        page.to_owned()
    } else {
        page.parent().unwrap_or(Path::new("")).join(path)
    };
    Some((normal(&path), anchor))
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading() {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.md"])
        .current_dir(root())
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let pages: BTreeMap<PathBuf, Page> = listed
        .lines()
        .filter_map(|name| {
            Some((PathBuf::from(name), parsed(&fs::read_to_string(root().join(name)).ok()?)))
        })
        .collect();
    assert!(pages.len() > 40, "only {} pages", pages.len());
    let mut dead = Vec::new();
    let mut followed = 0;
    for (page, Page { links, .. }) in &pages {
        for link in links {
            let Some((path, anchor)) = target(page, link) else { continue };
            followed += 1;
            let there = root().join(&path).exists();
            let heading = match (pages.get(&path), anchor) {
                (Some(page), Some(anchor)) => page.anchors.contains(&anchor),
                _ => true,
            };
            if !there || !heading {
                dead.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(followed > 100, "only {followed} links");
    assert!(dead.is_empty(), "these lead nowhere:\n{}", dead.join("\n"));
}

#[test]
fn a_heading_has_the_anchor_that_github_gives_it() {
    let page = parsed("# What it `weighs`, in KB\n## Twice\n## Twice\n");
    let anchors: Vec<&str> = page.anchors.iter().map(String::as_str).collect();
    assert_eq!(anchors, ["twice", "twice-1", "what-it-weighs-in-kb"]);
}

#[test]
fn a_link_is_looked_up_from_its_page() {
    let page = Path::new("core/guide/budgets.md");
    let at = |link: &str| target(page, link).map(|(path, _)| path.display().to_string());
    assert_eq!(at("../README.md#classes").as_deref(), Some("core/README.md"));
    assert_eq!(at("#budgets").as_deref(), Some("core/guide/budgets.md"));
    let on_docs_rs = "https://docs.rs/redress/latest/redress/guide/keys/index.html";
    assert_eq!(at(on_docs_rs).as_deref(), Some("core/guide/keys.md"));
    assert_eq!(
        at("https://github.com/redress-rs/redress/tree/main/tests").as_deref(),
        Some("tests")
    );
    assert_eq!(at("https://docs.rs/redress"), None);
}
