// Its programs are compiled in fresh crates, for their own target.
#![cfg_attr(not(doctest), doc = include_str!("../README.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
// On every other target there is nothing here, so that a workspace of hosts' programs compiles.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]

#[cfg(feature = "web-sys")]
mod abort;
#[cfg(feature = "js")]
pub mod classify;
mod random;
mod retry;
mod time;

#[cfg(feature = "web-sys")]
pub use abort::abort_on_drop;
pub use random::WebRandom;
pub use retry::{OnWeb, WebRetry};
pub use time::WebTime;
