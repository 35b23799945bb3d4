//! The core's linter for JavaScript: settings go in as JSON, findings and the printed
//! form of the policy come out.
//!
//! Names are the core's own, times are milliseconds on the way in and microseconds on the
//! way out; the npm package turns them into its own. It has checked types and ranges
//! before, so what does not fit here is taken as not given.
//!
//! An instance of the module answers one question: what a configuration refers to is
//! never given back, and ends with the instance.

// JavaScript has only this kind of number; a cast of what is out of range saturates.
#![allow(clippy::cast_sign_loss, clippy::cast_precision_loss)]

#[cfg(target_arch = "wasm32")]
mod boundary;
mod budget;
mod circuit;
mod findings;
mod retry;
mod strategy;

use redress::lint::{Lint, show};
use serde_json::{Value, json};

/// Answers a question: `{ retry, breaker, budget }`, each of them the settings or left
/// out, with `{ findings, shown }`. `shown` is null without `retry`.
///
/// # Errors
///
/// If the question is no JSON.
pub fn answer(question: &str) -> Result<String, serde_json::Error> {
    let question: Value = serde_json::from_str(question)?;
    let mut findings = Vec::new();
    let mut lint = |config: &dyn Lint| config.lint(&mut |one| findings.push(findings::json(one)));
    let mut shown = None;
    if let Some(settings) = question.get("retry") {
        let config = retry::config(settings);
        lint(&config);
        shown = Some(show(&config, "").to_string());
    }
    if let Some(numbers) = question.get("breaker") {
        lint(&*circuit::config(numbers));
    }
    if let Some(made) = question.get("budget") {
        lint(&*budget::config(made));
    }
    Ok(json!({ "findings": findings, "shown": shown }).to_string())
}

/// The number at `index` of an array; none for null, which stands for NaN.
fn number(values: &Value, index: usize) -> Option<f64> {
    values.get(index).and_then(Value::as_f64)
}

/// Milliseconds to the nearest microsecond, as the package's engine takes them.
fn span(ms: f64) -> redress::Duration {
    redress::Duration::from_micros((ms * 1000.0 + 0.5) as u64)
}
