//! What failures of the platform and of its clients mean, for [`Retry::classify`] and
//! [`Retry::classify_value`](redress::Retry::classify_value).
//!
//! These functions take name, code, message, causes, status and headers out of an error or of a
//! response. What they mean is in the tables of [`redress::classify`].
//!
//! | function | for | feature |
//! | --- | --- | --- |
//! | [`js`], [`js_error`] | whatever JavaScript throws: a `JsValue`, a `js_sys::Error` | `js` |
//! | `response` | a `web_sys::Response` | `web-sys` |
//! | `gloo_error`, `gloo_response` | gloo-net | `gloo-net` |
//! | `worker_error`, `worker_response` | workers-rs | `worker` |
//!
//! [`Retry::classify`]: redress::Retry::classify

#[cfg(feature = "gloo-net")]
mod gloo;
mod js;
#[cfg(feature = "web-sys")]
mod response;
mod rules;
#[cfg(feature = "worker")]
mod worker;

#[cfg(feature = "gloo-net")]
pub use gloo::{gloo_error, gloo_response};
pub use js::{js, js_error};
#[cfg(feature = "web-sys")]
pub use response::response;
#[cfg(feature = "worker")]
pub use worker::{worker_error, worker_response};
