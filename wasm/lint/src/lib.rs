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
// wasm-bindgen takes public functions, whatever module they are in.
#[allow(unreachable_pub)]
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
    let retry = question.get("retry").map(retry::config);
    let breaker = question.get("breaker").map(circuit::config);
    let budget = question.get("budget").map(budget::config);
    let mut findings = Vec::new();
    (retry.as_ref(), breaker.as_deref(), budget.as_deref())
        .lint(&mut |one| findings.push(findings::json(one)));
    let shown = retry.map(|config| show(&config, "").to_string());
    Ok(json!({ "findings": findings, "shown": shown }).to_string())
}

/// The number of this name, 0 if there is none.
fn number(settings: &Value, name: &str) -> f64 {
    settings[name].as_f64().unwrap_or(0.0)
}

/// A time in microseconds; null, which stands for infinity, is no limit.
fn micros(settings: &Value, name: &str) -> redress::Duration {
    match settings[name].as_f64() {
        Some(micros) => redress::Duration::from_micros(micros as u64),
        None => redress::Duration::MAX,
    }
}

/// Milliseconds to the nearest microsecond, as the package's engine takes them.
fn span(ms: f64) -> redress::Duration {
    redress::Duration::from_micros((ms * 1000.0 + 0.5) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(question: &Value) -> Value {
        serde_json::from_str(&answer(&question.to_string()).unwrap()).unwrap()
    }

    #[test]
    fn what_is_left_out_has_the_defaults_of_the_core() {
        let constant = json!({ "kind": "constant", "first": 1.5 });
        let answer = ask(&json!({ "retry": { "strategy": constant } }));
        assert_eq!(answer["findings"], json!([]));
        let shown = "Config snapshot:\n  source: \n  deadline_s: 60\n  attempt_timeout_s: None\n  \
                     max_attempts: 6\n  max_unknown_attempts: 2\n  default_strategy: constant(0.0015s)\n  \
                     class_strategies:\n    (none)\n  per_class_max_attempts:\n    (none)\n";
        assert_eq!(answer["shown"], shown);
        let without = ask(&json!({ "retry": { "strategy": constant, "deadlineMs": null } }));
        assert!(without["shown"].as_str().unwrap().contains("deadline_s: None"));
    }

    #[test]
    fn a_long_delay_and_final_classes_are_shown_and_noted() {
        let constant = json!({ "kind": "constant", "first": 1.5 });
        let settings =
            json!({ "strategy": constant, "longDelay": "cut", "retriable": { "AUTH": 1 } });
        let answer = ask(&json!({ "retry": settings }));
        assert_eq!(answer["findings"][0]["severity"], "note");
        assert_eq!(answer["findings"][0]["field"], "retriable");
        let shown = answer["shown"].as_str().unwrap();
        assert!(shown.ends_with("  retriable: AUTH\n  long_delay: cut\n"), "{shown}");
    }

    #[test]
    fn findings_have_class_and_unit() {
        let constant = json!({ "kind": "constant", "first": 1000 });
        let settings = json!({
            "deadlineMs": 500,
            "maxAttempts": 2,
            "strategies": { "TRANSIENT": constant },
            "perClassMaxAttempts": { "RATE_LIMIT": 5 },
        });
        let answer =
            ask(&json!({ "retry": settings, "budget": { "maxRetries": 0, "window": 60_000_000 } }));
        let found = answer["findings"].as_array().unwrap().iter();
        let found: Vec<_> = found
            .map(|one| json!([one["field"], one["class"], one["part"], one["value"]]))
            .collect();
        assert_eq!(
            found,
            [
                json!(["max_attempts_for", "RATE_LIMIT", null, 5]),
                json!(["backoff_for", "TRANSIENT", "delay", { "micros": 1_000_000 }]),
                json!(["budget.max_retries", null, null, 0]),
            ]
        );
    }

    #[test]
    fn what_does_not_go_together_is_found() {
        let constant = json!({ "kind": "constant", "first": 1000 });
        // Of failures, with a lease of five seconds.
        let breaker = json!({
            "tripOn": 3, "halfOpenOn": 255, "recovery": 30_000_000, "longestRecovery": 0,
            "lease": 5_000_000, "permits": 1, "successes": 1, "jitter": 0, "longestHint": 0,
            "checks": 0, "threshold": 5, "window": 60_000_000, "own": [0, 0, 0, 0, 0, 0, 0, 0],
        });
        let answer = ask(&json!({
            "retry": { "strategy": constant },
            "breaker": breaker,
            "budget": { "maxRetries": 4, "window": 60_000_000 },
        }));
        let found = answer["findings"].as_array().unwrap().iter();
        let found: Vec<_> =
            found.map(|one| json!([one["field"], one["value"], one["beside"]])).collect();
        assert_eq!(
            found,
            [
                json!(["breaker.trip_on", ["AUTH", "PERMISSION"], null]),
                json!([
                    "breaker.lease",
                    { "micros": 5_000_000 },
                    { "field": "deadline", "value": { "micros": 60_000_000 } }
                ]),
                json!(["budget.max_retries", 4, { "field": "max_attempts", "value": 6 }]),
            ]
        );
    }

    #[test]
    fn every_strategy_is_shown_by_its_name_and_settings() {
        let range = |kind: &str| json!({ "kind": kind, "first": 250, "second": 5000 });
        let fallback = range("fibonacci");
        for (parts, shown) in [
            (range("exponential"), "exponential(0.25s, 5s)"),
            (range("fullJitter"), "full_jitter(0.25s, 5s)"),
            (range("equalJitter"), "equal_jitter(0.25s, 5s)"),
            (range("decorrelatedJitter"), "decorrelated_jitter(0.25s, 5s)"),
            (range("tokenBackoff"), "token_backoff(0.25s, 5s)"),
            (
                json!({ "kind": "exponentialBy", "first": 250, "second": 5000, "growth": 1500 }),
                "exponential(0.25s, 5s, 1500/1000)",
            ),
            (range("linear"), "linear(0.25s, 5s)"),
            (
                json!({ "kind": "linear", "first": 250, "second": 5000, "jitter": 100 }),
                "linear(0.25s, 5s, plus 0.1s)",
            ),
            (json!({ "kind": "sequence", "delays": [1, 2000] }), "sequence(0.001s, 2s)"),
            (
                json!({ "kind": "retryAfterOr", "first": 250, "fallback": fallback }),
                "retry_after_or(fibonacci(0.25s, 5s), 0.25s)",
            ),
            (
                json!({ "kind": "retryAfterOr", "first": 0, "second": 100, "most": 2000, "fallback": fallback }),
                "retry_after_or(fibonacci(0.25s, 5s), 0s, at least 0.1s, at most 2s)",
            ),
            (json!({ "kind": "adaptive", "fallback": fallback }), "adaptive(fibonacci(0.25s, 5s))"),
            (json!({ "kind": "function", "name": "function mine" }), "function mine"),
        ] {
            let answer = ask(&json!({ "retry": { "strategy": parts } }));
            let text = answer["shown"].as_str().unwrap();
            assert!(text.contains(&format!("  default_strategy: {shown}\n")), "{text}");
        }
    }

    #[test]
    fn a_question_that_is_no_json_is_refused() {
        assert!(answer("{").is_err());
    }
}
