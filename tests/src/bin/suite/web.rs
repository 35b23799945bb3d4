//! What runtimes of JavaScript show of the crate `redress-web`.

use crate::needs::{CHROMIUM, NPM, Need};
use crate::plan::{Count, Step};

pub(crate) fn steps() -> Vec<Step> {
    // By the profile of the programs, so that procedural macros are compiled once.
    let profile = ["lto=\"fat\"", "opt-level=\"s\"", "codegen-units=1", "panic=\"abort\""];
    let profile = profile.map(|setting| format!("--config profile.release.{setting}"));
    let lints = format!(
        "cargo clippy --release -p redress-web --target wasm32-unknown-unknown --all-features \
         --config profile.release.strip=\"debuginfo\" --config profile.release.debug=false {} \
         -- -D warnings",
        profile.join(" "),
    );
    let programs = "node tests/web/run.mjs";
    vec![
        Step::new("redress-web is without lints", lints, Count::One),
        // Its programs start Node 24, Chromium and workerd as those of the npm package do.
        Step::new("redress-web on three runtimes", programs, Count::Runner).needs(&[
            NPM,
            CHROMIUM,
            Need::Npm("tests/runtimes"),
        ]),
    ]
}
