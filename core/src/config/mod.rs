//! Settings and their errors: [`RetryConfig`], [`ConfigError`], and [`Settings`], which says how
//! a policy, a breaker or a budget stores its settings.

pub(crate) mod error;
mod settings;

pub use error::ConfigError;
pub use settings::{Fixed, Settings};

pub use crate::policy::{LongDelay, RetryConfig};
