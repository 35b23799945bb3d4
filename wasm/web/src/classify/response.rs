//! Responses of `fetch`, by status and headers.

use js_sys::{Array, Date, try_iter};
use redress::classify::{Classification, http_response_headers};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Response;

/// The class of a response, with the hint when to come back (Retry-After and the like); `None`
/// for a status below 400, and for an opaque response, whose status is 0. A date is compared with
/// `Date.now()`.
///
/// A page sees `Retry-After` of another origin only if that lists it in
/// `Access-Control-Expose-Headers`.
///
/// ```
/// # use redress_web::WebRetry;
/// # fn example(retry: WebRetry<'_>) {
/// use redress_web::classify;
/// let retry = retry.classify(classify::js).classify_value(classify::response);
/// # let _ = retry.operation("GET /orders");
/// # }
/// ```
pub fn response(response: &Response) -> Option<Classification> {
    by_headers(response.status(), || pairs(&response.headers()))
}

/// The class of a status; the headers are read only if it is that of a failure.
pub(super) fn by_headers<H>(status: u16, headers: impl FnOnce() -> H) -> Option<Classification>
where
    H: IntoIterator<Item = (String, String)>,
{
    if status < 400 {
        return None;
    }
    let headers: Vec<_> = headers().into_iter().collect();
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    http_response_headers(status, headers, (Date::now() / 1_000.0) as i64)
}

/// The headers of an object that iterates over them.
fn pairs(headers: &JsValue) -> Vec<(String, String)> {
    let pair = |pair: Result<JsValue, JsValue>| {
        let pair = pair.ok()?.dyn_into::<Array>().ok()?;
        Some((pair.get(0).as_string()?, pair.get(1).as_string()?))
    };
    try_iter(headers).ok().flatten().into_iter().flatten().filter_map(pair).collect()
}
