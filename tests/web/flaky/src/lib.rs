//! Calls to a server that fails as it is told (`tests/runtimes/lab/flaky-server.mjs`), the same on
//! every runtime: `run` is what `tests/web/run.mjs` calls in each of them.

mod calls;
mod clients;
mod failures;
mod lab;
mod platform;

use std::panic;

use js_sys::{Array, JsString, Object, Reflect};
use lab::{Lab, Test};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// A list of tests, each the name of what it shows and the function that shows it.
#[macro_export]
macro_rules! tests {
    ($($name:literal => $function:path,)*) => {
        vec![$(($name, |lab: &Lab| Box::pin($function(lab)))),*]
    };
}

/// Runs all tests one after the other: `{ name, error }` of each.
#[wasm_bindgen]
pub async fn run(runtime: String, base: String, refused: String) -> Array {
    panic::set_hook(Box::new(|info| {
        web_sys::console::error_1(&JsValue::from_str(&info.to_string()));
    }));
    let lab = Lab { runtime, base, refused };
    // First those that count timers: `fetch` of Node has timers of its own.
    let all: [Vec<Test>; 4] =
        [platform::tests(), calls::tests(), failures::tests(), clients::tests()];
    let results = Array::new();
    for (name, test) in all.into_iter().flatten() {
        let error = test(&lab).await.err();
        let result = Object::new();
        let error = error.map_or(JsValue::NULL, |error| JsString::from(error).into());
        let set =
            |key: &str, value: &JsValue| Reflect::set(&result, &JsValue::from_str(key), value);
        let is_set = set("name", &JsValue::from_str(name)).and(set("error", &error));
        is_set.expect("a new object takes properties");
        results.push(&result);
    }
    results
}
