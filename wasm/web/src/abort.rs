//! Ends a request whose attempt is dropped: [`abort_on_drop`].

use wasm_bindgen::UnwrapThrowExt;
use web_sys::{AbortController, AbortSignal};

/// Runs `operation` with an `AbortSignal` that is aborted if the returned future is dropped
/// before its end, as an attempt is at its timeout or at the deadline.
///
/// Without it `fetch` goes on when its attempt is dropped: the connection stays open, and the
/// callbacks of its promise stay in memory until the server answers. Once the future has
/// completed, the signal is never aborted, so the body of a response may be read later.
///
/// ```
/// use js_sys::Promise;
/// use redress_web::{OnWeb, abort_on_drop, classify};
/// use wasm_bindgen::prelude::*;
/// use wasm_bindgen_futures::JsFuture;
/// use web_sys::{RequestInit, Response};
///
/// #[wasm_bindgen]
/// extern "C" {
///     fn fetch(url: &str, init: &RequestInit) -> Promise;
/// }
///
/// async fn get(policy: &redress::Policy, url: &str) -> Option<Response> {
///     let mut retry = policy.on_web().classify(classify::js).classify_value(classify::response);
///     let request = async |signal| {
///         let init = RequestInit::new();
///         init.set_signal(Some(&signal));
///         JsFuture::from(fetch(url, &init)).await?.dyn_into::<Response>()
///     };
///     retry.call_async(async |_| abort_on_drop(request).await).await.ok()
/// }
/// ```
///
/// For workers-rs, `signal.into()` is a `worker::AbortSignal`.
///
/// # Panics
///
/// Throws where the platform refuses an `AbortController`: at module scope in workerd.
pub async fn abort_on_drop<T>(operation: impl AsyncFnOnce(AbortSignal) -> T) -> T {
    let controller = AbortController::new().unwrap_throw();
    let signal = controller.signal();
    let mut guard = Guard(Some(controller));
    let output = operation(signal).await;
    guard.0 = None;
    output
}

/// Aborts when it is dropped with its controller in it.
struct Guard(Option<AbortController>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}
