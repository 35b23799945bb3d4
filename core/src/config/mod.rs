//! What is set, and what is wrong with it: [`RetryConfig`], [`ConfigError`], and where a
//! breaker, a budget or a policy has its [`Settings`].

pub(crate) mod error;
mod settings;

pub use error::ConfigError;
pub use settings::{Fixed, Settings};

pub use crate::policy::{LongDelay, RetryConfig};
