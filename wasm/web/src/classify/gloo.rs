//! gloo-net.

use gloo_net::Error;
use gloo_net::http::Response;
use redress::ErrorClass;
use redress::classify::{Classification, Verdict};

use super::response::by_headers;
use super::rules::{self, Link};

/// The class of an error of gloo-net, by the name and the message of JavaScript's error. gloo-net
/// has neither its code nor its cause, so a class may be UNKNOWN where [`js`](super::js) has one.
/// What gloo-net or serde says itself, of a body that is no JSON for instance, is UNKNOWN.
///
/// Abort a request of gloo-net without a reason, as [`abort_on_drop`](crate::abort_on_drop) does:
/// gloo-net 0.7 panics if the reason is no `Error`.
pub fn gloo_error(error: &Error) -> Verdict {
    let Error::JsError(error) = error else { return ErrorClass::Unknown.into() };
    let link = Link {
        name: error.name.clone(),
        message: error.message.clone(),
        code: None,
        // The only name that an error of the language has, too.
        is_dom_exception: error.name != "SyntaxError",
    };
    rules::judge(&rules::named(&error.name), &[link])
}

/// As [`response`](super::response), for a response of gloo-net.
pub fn gloo_response(response: &Response) -> Option<Classification> {
    by_headers(response.status(), || response.headers().entries().collect::<Vec<_>>())
}
