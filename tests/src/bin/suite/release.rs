//! The release, as a dry run: what would be published builds and runs in empty projects.

use crate::needs::{NPM, Need};
use crate::plan::{Count, Step};
use crate::tools;

/// The most minutes that the dry run takes on two cores with nothing built.
pub(crate) const MINUTES: u32 = 30;

const DRY_RUN: &str = "cargo run --quiet -p redress-tests --bin release --";

/// The crates, as the tree is.
pub(crate) fn short() -> Step {
    let shows = "the crates as they would be published build and run in empty projects";
    Step::new(shows, format!("{DRY_RUN} --short"), Count::Runner)
}

/// Crates and package, of the last commit.
pub(crate) fn steps() -> Vec<Step> {
    let shows = "crates and package from a fresh clone build and run in empty projects";
    let deny = "cargo deny --all-features --locked check licenses bans sources";
    vec![
        Step::new(shows, DRY_RUN, Count::Runner).needs(&[NPM]),
        Step::new("licences, sources and bans of all dependencies", deny, Count::One)
            .needs(&[Need::CargoDeny])
            .with("PATH", tools::path()),
    ]
}
