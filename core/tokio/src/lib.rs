// Its programs run in a fresh crate, with the dependencies that it names.
#![cfg_attr(not(doctest), doc = include_str!("../README.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

pub mod classify;
pub mod deadline;
mod gate;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "tower")]
pub mod layer;
#[cfg(any(feature = "tracing", feature = "metrics", feature = "opentelemetry"))]
pub mod observe;
pub mod preview;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "reqwest")]
pub mod reqwest;
pub mod settings;
pub mod shared;
mod time;
mod upstream;

pub use gate::{AsyncGate, AsyncPool};
pub use settings::{SettingsError, UpstreamSettings};
pub use time::{OnTokio, TokioRetry, TokioTime};
pub use upstream::{
    BreakerKind, BudgetKind, CallBudget, CallPolicy, Pass, Prepared, SharedBreaker, Upstream,
    UpstreamParts, UpstreamRetry,
};
