//! What real clients for JavaScript throw, and what it is; the adapters with their real peers; and what the libraries of
//! telemetry get.

use crate::needs::{NPM, Need};
use crate::plan::{Count, Step};

/// What `tests/clients/lab/packages.mjs` installs where it is missing.
const SERVERS: Need =
    Need::Brings("PostgreSQL, MariaDB, Redis, mosquitto, NATS, RabbitMQ and openssl");

pub(crate) fn steps() -> Vec<Step> {
    let wasm = Need::Npm("wasm");
    let clients = Step::new(
        "what real clients throw at real servers gets its class",
        "node tests/clients/run.mjs",
        Count::Runner,
    );
    // What that run has built.
    let adapters = Step::new(
        "the adapters with their real peers",
        "node tests/adapters/run.mjs --built",
        Count::Runner,
    );
    let telemetry = Step::new(
        "what real libraries of telemetry, Prometheus and a service get",
        "node tests/telemetry/run.mjs --built",
        Count::Runner,
    );
    vec![
        clients.needs(&[NPM, wasm, Need::Npm("tests/clients"), SERVERS]),
        adapters.needs(&[NPM, wasm, Need::Npm("tests/adapters"), Need::Brings("Redis")]),
        telemetry.needs(&[
            NPM,
            wasm,
            Need::Npm("tests/telemetry"),
            Need::Brings("Prometheus, PostgreSQL and Redis"),
        ]),
    ]
}

/// Sixteen processes on one breaker, in place of four.
pub(crate) fn long() -> Vec<Step> {
    let shared = Step::new(
        "sixteen processes share a breaker in Redis",
        "node tests/adapters/run.mjs --only redis",
        Count::Runner,
    );
    let needs = [NPM, Need::Npm("wasm"), Need::Npm("tests/adapters"), Need::Brings("Redis")];
    vec![shared.needs(&needs).with("REDRESS_LONG", "1")]
}
