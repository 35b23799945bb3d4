//! Reads [`UpstreamSettings`] from a file. What is not as it should be is noted with its path, and refused where settings
//! are checked.

use serde::de::{Deserialize, Deserializer, Error};

use super::budget::{RATIO, ROLLING};
use super::error::{Found, Issue, Problem};
use super::number::Limit;
use super::value::Value;
use super::{
    BreakerSettings, BudgetSettings, ByClass, LongDelaySetting, Plain, RetrySettings, SlowSettings,
    Spread, StrategySettings, UpstreamSettings, WindowSettings, no_class,
};

/// The options of all.
const POLICY: [&str; 10] = [
    "retry",
    "circuitBreaker",
    "budget",
    "budgetByKey",
    "capacity",
    "classifier",
    "resultClassifier",
    "operation",
    "captureTimeline",
    "stackTrace",
];
/// The options of all and of `retry` that only a program in JavaScript uses, and those that are in both places.
const IN_BOTH: [&str; 2] = ["abortErrors", "unref"];
/// The options of retrying.
const RETRY: [&str; 15] = [
    "strategy",
    "strategies",
    "maxAttempts",
    "deadlineMs",
    "initialDelayMs",
    "attemptTimeoutMs",
    "maxUnknownAttempts",
    "perClassMaxAttempts",
    "retriable",
    "longDelay",
    "budget",
    "classifier",
    "resultClassifier",
    "abortErrors",
    "unref",
];
const BREAKER: [&str; 14] = [
    "failureThreshold",
    "windowMs",
    "classThresholds",
    "window",
    "recoveryTimeoutMs",
    "maxRecoveryTimeoutMs",
    "tripOn",
    "leaseMs",
    "halfOpenPermits",
    "successesToClose",
    "halfOpenOn",
    "recoveryJitterMs",
    "checkBeforeRetry",
    "openForHintMs",
];
/// The names of strategies, in alphabetical order.
const KINDS: [&str; 11] = [
    "adaptive",
    "constant",
    "decorrelatedJitter",
    "equalJitter",
    "exponential",
    "fibonacci",
    "fullJitter",
    "linear",
    "retryAfterOr",
    "sequence",
    "tokenBackoff",
];

impl<'de> Deserialize<'de> for UpstreamSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Table(entries) => Ok(read(entries)),
            other => {
                Err(D::Error::custom(format!("{} is not an object of options", other.shown())))
            }
        }
    }
}

fn read(entries: Vec<(String, Value)>) -> UpstreamSettings {
    let mut found = Found::default();
    let is_whole = entries.iter().any(|(name, _)| name == "retry" || name == "circuitBreaker");
    let mut table = Table { path: String::new(), entries, found: &mut found };
    let mut settings = UpstreamSettings {
        capacity: table.number("capacity"),
        budget_by_key: table.budget("budgetByKey"),
        circuit_breaker: table.breaker(),
        classifier: table.name("classifier"),
        result_classifier: table.name("resultClassifier"),
        ..UpstreamSettings::default()
    };
    if is_whole {
        let budget = table.budget("budget");
        settings.retry = match table.take("retry") {
            None => RetrySettings::once(),
            Some(value) => match table.inner("retry".into(), value, "an object of options") {
                None => RetrySettings::once(),
                Some(mut inner) => {
                    let retry = inner.retry();
                    // What retrying says itself comes before what is said for all.
                    let classifier = inner.name("classifier");
                    settings.classifier = classifier.or(settings.classifier);
                    let classifier = inner.name("resultClassifier");
                    settings.result_classifier = classifier.or(settings.result_classifier);
                    inner.end(&RETRY);
                    retry
                }
            },
        };
        let has_own = settings.retry.budget.is_some();
        settings.retry.budget = settings.retry.budget.take().or(budget);
        table.leave(&["operation", "captureTimeline", "stackTrace"]);
        table.leave(&IN_BOTH);
        table.end(&[POLICY.as_slice(), &IN_BOTH].concat());
        if !has_own && settings.retry.budget.is_some() {
            found.budget_at = "budget".into();
        }
    } else {
        table.path = "retry".into();
        settings.retry = table.retry();
        table.leave(&["operation", "captureTimeline", "stackTrace"]);
        table.end(&[RETRY.as_slice(), &POLICY].concat());
    }
    settings.found = found;
    settings
}

/// The entries of an object that have not been read.
struct Table<'f> {
    path: String,
    entries: Vec<(String, Value)>,
    found: &'f mut Found,
}

impl Table<'_> {
    fn of(&self, name: &str) -> String {
        if self.path.is_empty() { name.into() } else { format!("{}.{name}", self.path) }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let nth = self.entries.iter().position(|(own, _)| own == name)?;
        Some(self.entries.swap_remove(nth).1)
    }

    /// What a program in JavaScript alone uses.
    fn leave(&mut self, names: &[&str]) {
        self.entries.retain(|(name, _)| !names.contains(&name.as_str()));
    }

    /// What is left does not exist.
    fn end(self, known: &[&str]) {
        for (name, value) in &self.entries {
            let path = self.of(name);
            self.found.issues.push(Issue::no_option(path, value.shown(), known));
        }
    }

    fn refuse(&mut self, path: String, value: &Value, expected: impl Into<String>) {
        self.found.issues.push(Issue::new(path, value.shown(), Problem::IsNot, expected));
    }

    fn missing(&mut self, path: String, expected: &str) {
        self.found.issues.push(Issue::new(path, "", Problem::Missing, expected));
    }

    /// An object within this one.
    fn inner(&mut self, path: String, value: Value, expected: &str) -> Option<Table<'_>> {
        if let Value::Table(entries) = value {
            return Some(Table { path, entries, found: self.found });
        }
        self.refuse(path, &value, expected);
        None
    }

    /// The number in a value, or none: then its range is what would be right.
    fn number_in(&mut self, path: String, value: &Value) -> f64 {
        if let Value::Number(number) = value {
            return *number;
        }
        self.found.no_numbers.insert(path, value.shown());
        f64::NAN
    }

    fn number(&mut self, name: &str) -> Option<f64> {
        let value = self.take(name)?;
        Some(self.number_in(self.of(name), &value))
    }

    /// A number that has no default.
    fn needed(&mut self, name: &str) -> f64 {
        self.number(name).unwrap_or_else(|| {
            self.found.no_numbers.insert(self.of(name), String::new());
            f64::NAN
        })
    }

    fn limit(&mut self, name: &str) -> Limit {
        match self.take(name) {
            None => Limit::Default,
            Some(Value::Null | Value::Number(f64::INFINITY)) => Limit::Off,
            Some(value) => Limit::At(self.number_in(self.of(name), &value)),
        }
    }

    fn name(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::Text(text) => Some(text),
            other => {
                self.refuse(self.of(name), &other, "the name of a classifier");
                None
            }
        }
    }

    fn truth(&mut self, name: &str) -> Option<bool> {
        match self.take(name)? {
            Value::Bool(value) => Some(value),
            other => {
                self.refuse(self.of(name), &other, "true or false");
                None
            }
        }
    }

    fn classes(&mut self, name: &str) -> Option<Vec<String>> {
        let path = self.of(name);
        match self.take(name)? {
            Value::List(values) => {
                let class = |(nth, value): (usize, Value)| match value {
                    Value::Text(text) => text,
                    other => {
                        let path = format!("{path}[{nth}]");
                        self.found.issues.push(no_class(&path, &other.shown()));
                        // In its place, so that the others keep theirs.
                        "UNKNOWN".into()
                    }
                };
                Some(values.into_iter().enumerate().map(class).collect())
            }
            other => {
                self.refuse(path, &other, "an array of classes");
                None
            }
        }
    }

    /// The entries of an object by class.
    fn by_class<T>(
        &mut self,
        name: &str,
        read: impl Fn(&mut Table<'_>, String, Value) -> T,
    ) -> ByClass<T> {
        let Some(value) = self.take(name) else { return ByClass::new() };
        let path = self.of(name);
        let Some(mut inner) = self.inner(path, value, "an object by class") else {
            return ByClass::new();
        };
        let entries = std::mem::take(&mut inner.entries);
        let entry = |(name, value): (String, Value)| {
            let path = inner.of(&name);
            let value = read(&mut inner, path, value);
            (name, value)
        };
        entries.into_iter().map(entry).collect()
    }

    fn retry(&mut self) -> RetrySettings {
        if let Some(value) = self.take("initialDelayMs") {
            let expected = "read in Rust: only redress for JavaScript delays a first attempt";
            self.refuse(self.of("initialDelayMs"), &value, expected);
        }
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method is of one lifetime of a table, the closure of any"
        )]
        let strategies =
            self.by_class("strategies", |table, path, value| table.strategy(path, value));
        let settings = RetrySettings {
            strategy: self.take("strategy").map(|value| self.strategy(self.of("strategy"), value)),
            strategies,
            max_attempts: self.limit("maxAttempts"),
            deadline_ms: self.limit("deadlineMs"),
            attempt_timeout_ms: self.limit("attemptTimeoutMs"),
            max_unknown_attempts: self.limit("maxUnknownAttempts"),
            per_class_max_attempts: self.by_class("perClassMaxAttempts", |table, path, value| {
                table.number_in(path, &value)
            }),
            retriable: self
                .by_class("retriable", |table, path, value| table.number_in(path, &value)),
            long_delay: self.long_delay(),
            budget: self.budget("budget"),
        };
        self.leave(&IN_BOTH);
        settings
    }

    fn long_delay(&mut self) -> Option<LongDelaySetting> {
        match self.take("longDelay")? {
            Value::Text(text) if text == "stop" => Some(LongDelaySetting::Stop),
            Value::Text(text) if text == "cut" => Some(LongDelaySetting::Cut),
            other => {
                self.refuse(self.of("longDelay"), &other, "\"stop\" or \"cut\"");
                None
            }
        }
    }

    fn budget(&mut self, name: &str) -> Option<BudgetSettings> {
        let value = self.take(name)?;
        let mut own = self.inner(self.of(name), value, "an object of options")?;
        let is_ratio = own.entries.iter().any(|(name, _)| name == "ratio");
        let mut settings = BudgetSettings::default();
        if is_ratio {
            settings.ratio = own.number("ratio");
            settings.floor_per_sec = own.number("floorPerSec");
            settings.limit = own.number("limit");
            settings.initial = own.number("initial");
            own.end(&RATIO);
        } else {
            settings.max_retries = own.number("maxRetries");
            settings.window_ms = own.number("windowMs");
            own.end(&ROLLING);
        }
        Some(settings)
    }

    fn breaker(&mut self) -> Option<BreakerSettings> {
        let value = self.take("circuitBreaker")?;
        let mut own = self.inner("circuitBreaker".into(), value, "an object of options")?;
        let settings = BreakerSettings {
            failure_threshold: own.number("failureThreshold"),
            window_ms: own.number("windowMs"),
            class_thresholds: own
                .by_class("classThresholds", |table, path, value| table.number_in(path, &value)),
            window: own.window(),
            recovery_timeout_ms: own.number("recoveryTimeoutMs"),
            max_recovery_timeout_ms: own.limit("maxRecoveryTimeoutMs"),
            trip_on: own.classes("tripOn"),
            lease_ms: own.number("leaseMs"),
            half_open_permits: own.number("halfOpenPermits"),
            successes_to_close: own.number("successesToClose"),
            half_open_on: own.classes("halfOpenOn"),
            recovery_jitter_ms: own.number("recoveryJitterMs"),
            check_before_retry: own.truth("checkBeforeRetry"),
            open_for_hint_ms: own.limit("openForHintMs"),
        };
        own.end(&BREAKER);
        Some(settings)
    }

    fn window(&mut self) -> Option<WindowSettings> {
        let value = self.take("window")?;
        let path = self.of("window");
        let kind = match &value {
            Value::Table(entries) => entries.iter().find(|(name, _)| name == "kind"),
            _ => None,
        };
        let is_calls = match kind {
            Some((_, Value::Text(kind))) if kind == "calls" => true,
            Some((_, Value::Text(kind))) if kind == "time" => false,
            _ => {
                self.refuse(path, &value, WINDOW);
                return None;
            }
        };
        let mut own = self.inner(path, value, WINDOW)?;
        own.leave(&["kind"]);
        if is_calls {
            let (size, rate) = (own.needed("size"), own.needed("rate"));
            let min_calls = own.needed("minCalls");
            own.end(&["size", "rate", "minCalls"]);
            return Some(WindowSettings::Calls { size, rate, min_calls });
        }
        let (ms, rate, min_calls) = (own.needed("ms"), own.needed("rate"), own.needed("minCalls"));
        let slow = own.take("slow").and_then(|value| {
            let mut slow = own.inner(own.of("slow"), value, "an object of options")?;
            let (after_ms, rate) = (slow.needed("afterMs"), slow.needed("rate"));
            slow.end(&["afterMs", "rate"]);
            Some(SlowSettings { after_ms, rate })
        });
        own.end(&["ms", "rate", "minCalls", "slow"]);
        Some(WindowSettings::Time { ms, rate, min_calls, slow })
    }

    fn strategy(&mut self, path: String, value: Value) -> StrategySettings {
        let stand_in = StrategySettings::Constant { delay_ms: 0.0, jitter_ms: None };
        let value = match value {
            Value::Text(_) => Value::Table(vec![("kind".into(), value)]),
            other => other,
        };
        let Some(mut own) = self.inner(path, value, STRATEGY) else { return stand_in };
        let kinds = || format!("one of {}", KINDS.join(", "));
        let path = own.of("kind");
        let kind = match own.take("kind") {
            Some(Value::Text(kind)) if KINDS.contains(&kind.as_str()) => kind,
            Some(other) => {
                own.refuse(path, &other, kinds());
                return stand_in;
            }
            None => {
                own.missing(path, &kinds());
                return stand_in;
            }
        };
        own.of_kind(&kind)
    }

    fn of_kind(mut self, kind: &str) -> StrategySettings {
        match kind {
            "constant" => {
                let (delay_ms, jitter_ms) = (self.needed("delayMs"), self.number("jitterMs"));
                self.end(&["delayMs", "jitterMs"]);
                StrategySettings::Constant { delay_ms, jitter_ms }
            }
            "exponential" => {
                let (base_ms, max_ms) = (self.number("baseMs"), self.limit("maxMs"));
                let (jitter_ms, factor) = (self.number("jitterMs"), self.number("factor"));
                self.end(&["baseMs", "maxMs", "jitterMs", "factor"]);
                StrategySettings::Exponential { base_ms, max_ms, jitter_ms, factor }
            }
            "linear" => StrategySettings::Linear(self.plain()),
            "fibonacci" => StrategySettings::Fibonacci(self.plain()),
            "fullJitter" => StrategySettings::FullJitter(self.spread()),
            "equalJitter" => StrategySettings::EqualJitter(self.spread()),
            "tokenBackoff" => StrategySettings::TokenBackoff(self.spread()),
            "sequence" => {
                let delays_ms = self.delays();
                self.end(&["delaysMs"]);
                StrategySettings::Sequence { delays_ms }
            }
            "retryAfterOr" => {
                let fallback = Box::new(self.fallback());
                let (jitter_ms, at_least_ms) = (self.number("jitterMs"), self.number("atLeastMs"));
                let at_most_ms = self.limit("atMostMs");
                self.end(&["jitterMs", "atLeastMs", "atMostMs"]);
                StrategySettings::RetryAfterOr { fallback, jitter_ms, at_least_ms, at_most_ms }
            }
            "adaptive" => {
                let fallback = Box::new(self.fallback());
                let window_ms = self.number("windowMs");
                let target_success = self.number("targetSuccess");
                let (max_multiplier, min_multiplier) =
                    (self.number("maxMultiplier"), self.number("minMultiplier"));
                self.end(&["windowMs", "targetSuccess", "maxMultiplier", "minMultiplier"]);
                StrategySettings::Adaptive {
                    fallback,
                    window_ms,
                    target_success,
                    min_multiplier,
                    max_multiplier,
                }
            }
            _ => StrategySettings::DecorrelatedJitter(self.spread()),
        }
    }

    fn plain(mut self) -> Plain {
        let (base_ms, max_ms) = (self.number("baseMs"), self.limit("maxMs"));
        let jitter_ms = self.number("jitterMs");
        self.end(&["baseMs", "maxMs", "jitterMs"]);
        Plain { base_ms, max_ms, jitter_ms }
    }

    fn spread(mut self) -> Spread {
        let (base_ms, max_ms) = (self.number("baseMs"), self.limit("maxMs"));
        self.end(&["baseMs", "maxMs"]);
        Spread { base_ms, max_ms }
    }

    fn fallback(&mut self) -> StrategySettings {
        let path = self.of("fallback");
        let value = self.take("fallback").unwrap_or_else(|| {
            self.missing(path.clone(), STRATEGY);
            Value::Text("fullJitter".into())
        });
        self.strategy(path, value)
    }

    fn delays(&mut self) -> Vec<f64> {
        const EXPECTED: &str = "an array of milliseconds";
        let path = self.of("delaysMs");
        match self.take("delaysMs") {
            Some(Value::List(delays)) => {
                let delay =
                    |(nth, value): (usize, &Value)| self.number_in(format!("{path}[{nth}]"), value);
                delays.iter().enumerate().map(delay).collect()
            }
            Some(other) => {
                self.refuse(path, &other, EXPECTED);
                Vec::new()
            }
            None => {
                self.missing(path, EXPECTED);
                Vec::new()
            }
        }
    }
}

const STRATEGY: &str = "a strategy: its name, or an object with its `kind`";
const WINDOW: &str = "a window, whose `kind` is \"calls\" or \"time\"";
