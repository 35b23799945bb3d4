//! Settings have the same key, which is of their fingerprint, as in the npm package: the suite
//! `shared` of `tests/adapters` reads the same file.

use std::convert::Infallible;

use redress_tokio::UpstreamSettings;
use redress_tokio::shared::{SharedBreaker, SharedBudget, Store, Stored};
use serde_json::{Value, json};

fn read(settings: Value) -> UpstreamSettings {
    serde_json::from_value(settings).unwrap()
}

/// Nothing is asked of it.
struct Unasked;

impl Store for Unasked {
    type Error = Infallible;

    async fn read(&self, _: &str) -> Result<Stored, Infallible> {
        unreachable!()
    }

    async fn write(&self, _: &str, _: &str, _: &str, _: &str) -> Result<bool, Infallible> {
        unreachable!()
    }
}

#[test]
fn settings_have_the_key_that_they_have_in_javascript() {
    let all: Value = serde_json::from_str(include_str!("../../adapters/lab/shared.json")).unwrap();
    let each = |kind: &str, key: &dyn Fn(Value) -> String| {
        for one in all[kind].as_array().unwrap() {
            let want = format!("k:{}", one["key"].as_str().unwrap());
            assert_eq!(key(one["settings"].clone()), want, "{}", one["settings"]);
        }
    };
    each("breakers", &|settings| {
        let kind = read(json!({ "circuitBreaker": settings })).breaker().unwrap().unwrap();
        SharedBreaker::new(Unasked, "k", kind).unwrap().key().to_owned()
    });
    each("budgets", &|settings| {
        let retry = json!({ "strategy": { "kind": "fullJitter" }, "budget": settings });
        let kind = read(json!({ "retry": retry })).budget().unwrap().unwrap();
        SharedBudget::new(Unasked, "k", kind).unwrap().key().to_owned()
    });
}
