#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

pub mod classify;
pub mod deadline;
pub mod settings;
mod time;
mod upstream;

pub use settings::{SettingsError, UpstreamSettings};
pub use time::{OnTokio, TokioRetry, TokioTime};
pub use upstream::{
    BreakerKind, BudgetKind, CallBudget, CallPolicy, Pass, SharedBreaker, Upstream, UpstreamParts,
    UpstreamRetry,
};
