//! Strategies.

use redress::backoff::{BackoffContext, Strategy};
use redress::random::Draw;
use redress::{Backoff, Duration};
use serde_json::Value;

use crate::span;

/// A strategy that is not the core's, or that has a memory: the linter knows its name.
struct Named(&'static str);

impl Strategy for Named {
    fn delay(&self, _: &BackoffContext, _: &mut dyn Draw) -> Option<Duration> {
        None
    }

    fn name(&self) -> &'static str {
        self.0
    }
}

/// Of `{ kind, first, second, jitter, growth, most, delays, fallback, name }`, the parts that the
/// package hands to its engine.
pub(crate) fn backoff(parts: &Value) -> Backoff {
    let ms = |key: &str| span(parts[key].as_f64().unwrap_or(0.0));
    let (from, to) = (ms("first"), ms("second"));
    let backoff = match parts["kind"].as_str().unwrap_or_default() {
        "constant" => Backoff::constant(from),
        "exponential" => Backoff::exponential(from, to),
        "exponentialBy" => {
            let growth_milli = parts["growth"].as_f64().unwrap_or(0.0);
            Backoff::exponential_by(from, to, growth_milli as u32)
        }
        "linear" => Backoff::linear(from, to),
        "fibonacci" => Backoff::fibonacci(from, to),
        "fullJitter" => Backoff::full_jitter(from, to),
        "equalJitter" => Backoff::equal_jitter(from, to),
        "decorrelatedJitter" => Backoff::decorrelated_jitter(from, to),
        "tokenBackoff" => Backoff::token_backoff(from, to),
        "sequence" => {
            let delays = parts["delays"].as_array().into_iter().flatten();
            let delays: Vec<_> = delays.map(|ms| span(ms.as_f64().unwrap_or(0.0))).collect();
            Backoff::sequence(delays.leak())
        }
        "retryAfterOr" => {
            let fallback = Box::leak(Box::new(backoff(&parts["fallback"])));
            let longest = parts["most"].as_f64().map_or(Duration::MAX, span);
            Backoff::retry_after_or(fallback, from).at_least(to).at_most(longest)
        }
        "adaptive" => {
            let name = format!("adaptive({})", backoff(&parts["fallback"]));
            named(name)
        }
        _ => named(parts["name"].as_str().unwrap_or("function").to_owned()),
    };
    match parts["jitter"].as_f64() {
        Some(jitter) if jitter > 0.0 => backoff.plus_jitter(span(jitter)),
        _ => backoff,
    }
}

fn named(name: String) -> Backoff {
    Backoff::own(Box::leak(Box::new(Named(name.leak()))))
}
