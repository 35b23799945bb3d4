//! The settings of retrying.

use redress::config::{LongDelay, RetryConfig};
use redress::{ErrorClass, Policy};
use serde_json::Value;

use crate::span;
use crate::strategy::backoff;

/// Of `{ maxAttempts, deadlineMs, attemptTimeoutMs, maxUnknownAttempts,
/// perClassMaxAttempts, longDelay, retriable, strategy, strategies }`. What is left out keeps the core's
/// default; null is no limit.
pub(crate) fn config(settings: &Value) -> RetryConfig {
    let mut config = Policy::builder();
    config = match settings.get("maxAttempts") {
        Some(Value::Null) => config.max_attempts(u32::MAX),
        Some(Value::Number(most)) => config.max_attempts(most.as_f64().unwrap_or(0.0) as u32),
        _ => config,
    };
    config = match settings.get("deadlineMs") {
        Some(Value::Null) => config.no_deadline(),
        Some(Value::Number(ms)) => config.deadline(span(ms.as_f64().unwrap_or(0.0))),
        _ => config,
    };
    if let Some(ms) = settings["attemptTimeoutMs"].as_f64() {
        config = config.attempt_timeout(span(ms));
    }
    config = match settings.get("maxUnknownAttempts") {
        Some(Value::Null) => config.no_unknown_limit(),
        Some(Value::Number(limit)) => {
            config.max_unknown_attempts(limit.as_f64().unwrap_or(0.0) as u16)
        }
        _ => config,
    };
    for class in ErrorClass::ALL {
        if let Some(limit) = settings["perClassMaxAttempts"][class.as_str()].as_f64() {
            config = config.max_attempts_for(class, limit as u16);
        }
        if let Some(own) = settings["strategies"].get(class.as_str()) {
            config = config.backoff_for(class, backoff(own));
        }
    }
    if settings["longDelay"] == "cut" {
        config = config.long_delay(LongDelay::Cut);
    }
    for class in ErrorClass::ALL {
        if let Some(retries) = settings["retriable"][class.as_str()].as_f64() {
            config = config.retriable(class, retries as u16);
        }
    }
    match settings.get("strategy") {
        Some(default) => config.backoff(backoff(default)),
        None => config,
    }
}
