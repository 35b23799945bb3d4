//! What JavaScript runtimes show.

use crate::needs::{CHROMIUM, FIREFOX, NPM, Need};
use crate::plan::{Count, Step};

pub(crate) fn steps() -> Vec<Step> {
    let biome = "wasm/node_modules/.bin/biome ci --error-on-warnings";
    let lints = "cargo clippy -p redress-wasm-bind --all-targets -- -D warnings";
    let runtimes = "node tests/runtimes/run.mjs";
    let wasm = Need::Npm("wasm");
    vec![
        Step::new("JavaScript is formatted and without lints", biome, Count::One).needs(&[wasm]),
        Step::new("what builds the npm package is without lints", lints, Count::One),
        Step::new("the packed npm package in every runtime", runtimes, Count::Runner).needs(&[
            NPM,
            CHROMIUM,
            FIREFOX,
            wasm,
            Need::Npm("tests/runtimes"),
        ]),
    ]
}
