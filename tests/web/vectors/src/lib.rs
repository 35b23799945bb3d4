//! Runs the vectors of tests/vectors by the asynchronous driver, with the world of the host's
//! tests: a clock that the scenario moves, and randomness that it lists.

#[path = "../../../src/engine.rs"]
#[allow(missing_docs, dead_code, clippy::cast_possible_truncation, clippy::unnecessary_wraps)]
pub mod engine;
#[path = "../../../src/parts.rs"]
#[allow(clippy::cast_possible_truncation, clippy::unnecessary_wraps)]
mod parts;
#[path = "../../../src/schema.rs"]
#[allow(missing_docs, dead_code)]
pub mod schema;

pub use redress_wire::digest;

use digest::Digest;
use engine::Driver;
use redress::classify::Verdict;
use schema::Scenario;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Runs every scenario of a text of JSON: the digest of all, then what differs, a line for each.
#[wasm_bindgen]
pub fn run(json: &str) -> String {
    let scenarios: Vec<Scenario> = match serde_json::from_str(json) {
        Ok(scenarios) => scenarios,
        Err(why) => return format!("none\nnot of the schema: {why}"),
    };
    let mut digest = Digest::default();
    let mut differences = Vec::new();
    for scenario in &scenarios {
        let result = engine::run(scenario, Driver::Async, &mut digest);
        let deviates = |quirk: &String| engine::DEVIATIONS.iter().any(|(tag, _)| tag == quirk);
        if let Err(why) = result
            && !scenario.quirks.iter().any(deviates)
        {
            differences.push(format!("{}: {why}", scenario.name));
        }
    }
    format!("{digest}\n{} scenarios\n{}", scenarios.len(), differences.join("\n"))
}

/// The class of an error by `classify::js`, with the milliseconds of its hint; `ABORT` for an abort.
#[wasm_bindgen(js_name = classOf)]
pub fn class_of(error: &JsValue) -> String {
    match redress_web::classify::js(error) {
        Verdict::Abort => "ABORT".to_owned(),
        Verdict::Failure(found) => match found.retry_after {
            None => found.class.as_str().to_owned(),
            Some(hint) => format!("{} {}", found.class.as_str(), hint.as_millis()),
        },
    }
}
