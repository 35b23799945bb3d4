//! Rust programs on hosts and on wasm32: redress-tokio with real clients and servers, redress-web on
//! three runtimes.

use crate::needs::Need;
use crate::plan::{Count, Step};
use crate::web;

/// All packages at once, so that each dependency has one set of features and is compiled once.
const PACKAGES: &str = "-p redress-tokio -p redress-hosts -p redress-shared -p redress-glue \
                        -p redress-axum-service --all-features";

const SERVERS: [Need; 4] = [
    Need::Postgres,
    Need::Program("mariadbd", "mariadb-server"),
    Need::Program("redis-server", "redis-server"),
    Need::Program("prometheus", "prometheus"),
];

pub(crate) fn steps() -> Vec<Step> {
    let lints = format!("cargo clippy {PACKAGES} --all-targets -- -D warnings");
    // The tests start the servers themselves; those of the example run its demo.
    let tests = format!("cargo test {PACKAGES} --no-fail-fast");
    let doc = format!("cargo doc {PACKAGES} --no-deps");
    let mut steps = vec![
        Step::new("redress-tokio is without lints", lints, Count::One),
        Step::new("redress-tokio with real clients and servers", tests, Count::Tests)
            .needs(&SERVERS),
        Step::new("the documentation of redress-tokio has no warnings", doc, Count::One)
            .with("RUSTDOCFLAGS", "-D warnings"),
    ];
    steps.extend(web::steps());
    steps
}

/// The programs of redress-tokio's pages are run, not only compiled.
pub(crate) fn long() -> Vec<Step> {
    let pages = format!("cargo test {PACKAGES} --test pages");
    let pages = Step::new("the programs of redress-tokio's pages run", pages, Count::Tests);
    vec![pages.needs(&SERVERS).with("REDRESS_LONG", "1")]
}
