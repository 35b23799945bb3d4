//! What all tests use: the server, requests to it, and comparisons.

use std::fmt::Debug;
use std::pin::Pin;

use js_sys::futures::JsFuture;
use js_sys::{Array, JSON, Promise, Reflect};
use redress_web::abort_on_drop;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, RequestInit, Response};

pub type Done = Result<(), String>;
pub type Test = (&'static str, fn(&Lab) -> Pin<Box<dyn Future<Output = Done> + '_>>);

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch)]
    fn global_fetch(url: &str, init: &RequestInit) -> Promise;
}

/// Where the server is.
pub struct Lab {
    pub runtime: String,
    pub base: String,
    /// An address that refuses connections.
    pub refused: String,
}

impl Lab {
    /// A URL that fails by a script; its id is its name in the log.
    pub fn flaky(&self, id: &str, script: &str) -> String {
        format!("{}/flaky/{}-{id}?script={script}", self.base, self.runtime)
    }

    /// The steps that the server has taken for this id.
    pub async fn steps(&self, id: &str) -> Result<Vec<String>, String> {
        self.log(id, "").await
    }

    /// The same once the client has aborted the first request.
    pub async fn steps_once_aborted(&self, id: &str) -> Result<Vec<String>, String> {
        self.log(id, "?closed=1").await
    }

    async fn log(&self, id: &str, query: &str) -> Result<Vec<String>, String> {
        let url = format!("{}/log/{}-{id}{query}", self.base, self.runtime);
        let body = text(&fetch(&url, None).await.map_err(shown)?).await.map_err(shown)?;
        let entries: Array = JSON::parse(&body).map_err(shown)?.unchecked_into();
        let step = |entry: JsValue| Reflect::get(&entry, &"step".into()).ok()?.as_string();
        Ok(entries.iter().filter_map(step).collect())
    }
}

/// One request, with a signal or without.
pub async fn fetch(url: &str, signal: Option<&AbortSignal>) -> Result<Response, JsValue> {
    let init = RequestInit::new();
    init.set_signal(signal);
    JsFuture::from(global_fetch(url, &init)).await?.dyn_into()
}

/// One request, which is aborted if it is dropped.
pub async fn load(url: &str) -> Result<Response, JsValue> {
    abort_on_drop(async |signal| fetch(url, Some(&signal)).await).await
}

pub async fn text(response: &Response) -> Result<String, JsValue> {
    Ok(JsFuture::from(response.text()?).await?.as_string().unwrap_or_default())
}

/// What an error shows.
pub fn shown(error: impl Debug) -> String {
    format!("{error:?}")
}

/// Whether two values are equal; says of what they are.
pub fn equal<A: PartialEq<B> + Debug, B: Debug>(what: &str, got: A, want: B) -> Done {
    if got == want { Ok(()) } else { Err(format!("{what} is {got:?}, expected {want:?}")) }
}

pub fn holds(what: &str, is_so: bool) -> Done {
    if is_so { Ok(()) } else { Err(format!("not so: {what}")) }
}
