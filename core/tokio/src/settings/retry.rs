//! The settings of retrying: [`RetrySettings`].

use redress::config::{LongDelay, RetryConfig};
use redress::{Backoff, Duration, Policy};

use super::error::{Issue, Problem};
use super::number::{Limit, Range, span};
use super::strategy::Making;
use super::{BudgetSettings, ByClass, StrategySettings, class};

/// What each class of failure deserves; see [`RetryConfig`](redress::config::RetryConfig) for what
/// each setting means.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct RetrySettings {
    /// The strategy for all classes without a strategy of their own.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub strategy: Option<StrategySettings>,
    /// Strategies by class.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "ByClass::is_empty"))]
    pub strategies: ByClass<StrategySettings>,
    /// At most so many attempts, the first one included, 1 and up; 6 by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Limit::is_default"))]
    pub max_attempts: Limit,
    /// The time for the whole call in milliseconds, delays included; 60,000 by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Limit::is_default"))]
    pub deadline_ms: Limit,
    /// The time for each attempt in milliseconds, 0.001 and up; none by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Limit::is_default"))]
    pub attempt_timeout_ms: Limit,
    /// How many failures of class UNKNOWN are retried, 0 to 65,534; 2 by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Limit::is_default"))]
    pub max_unknown_attempts: Limit,
    /// How many failures of a class are retried, 0 to 65,534.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "ByClass::is_empty"))]
    pub per_class_max_attempts: ByClass<f64>,
    /// Final classes (AUTH, PERMISSION, PERMANENT) that are retried all the same, so many times.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "ByClass::is_empty"))]
    pub retriable: ByClass<f64>,
    /// What happens if a delay does not fit before the deadline; to stop by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub long_delay: Option<LongDelaySetting>,
    /// The budget that all calls share; none by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub budget: Option<BudgetSettings>,
}

/// What happens if a delay does not fit before the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum LongDelaySetting {
    /// [`LongDelay::Stop`].
    Stop,
    /// [`LongDelay::Cut`].
    Cut,
}

const ATTEMPTS: Range = Range::whole(1.0, u32::MAX as f64);
const RETRIES: Range = Range::whole(0.0, 65_534.0);

impl RetrySettings {
    /// One attempt without limits: that of a policy that has a breaker and no `retry`.
    #[cfg(feature = "serde")]
    pub(super) fn once() -> Self {
        Self {
            strategy: Some(StrategySettings::Constant { delay_ms: 0.0, jitter_ms: None }),
            max_attempts: Limit::At(1.0),
            deadline_ms: Limit::Off,
            max_unknown_attempts: Limit::Off,
            ..Self::default()
        }
    }

    /// The settings as the core has them; of those that are wrong, others that fit.
    pub(super) fn build(&self, path: &str, making: &Making<'_>) -> RetryConfig {
        let check = making.check;
        let of = |field: &str| format!("{path}.{field}");
        let attempts = ATTEMPTS.limit(check, &of("maxAttempts"), self.max_attempts, Some(6.0));
        let deadline =
            Range::TIME.limit(check, &of("deadlineMs"), self.deadline_ms, Some(60_000.0));
        let timeout =
            Range::SPAN.limit(check, &of("attemptTimeoutMs"), self.attempt_timeout_ms, None);
        let unknown =
            RETRIES.limit(check, &of("maxUnknownAttempts"), self.max_unknown_attempts, Some(2.0));
        let mut config = Policy::builder()
            .max_attempts(attempts.map_or(u32::MAX, |attempts| attempts as u32))
            .deadline(deadline.map_or(Duration::MAX, span))
            .attempt_timeout(timeout.map_or(Duration::MAX, span));
        config = match unknown {
            Some(retries) => config.max_unknown_attempts(retries as u16),
            None => config.no_unknown_limit(),
        };
        for (name, retries) in &self.per_class_max_attempts {
            let path = of("perClassMaxAttempts");
            if let Some(class) = class(check, &path, name) {
                let retries = RETRIES.check(check, &format!("{path}.{name}"), *retries);
                config = config.max_attempts_for(class, retries as u16);
            }
        }
        for (name, retries) in &self.retriable {
            let path = of("retriable");
            let Some(class) = class(check, &path, name) else { continue };
            let path = format!("{path}.{name}");
            let expected = if !class.is_final() {
                "of AUTH, PERMISSION and PERMANENT: other classes are retried anyway"
            } else if self.per_class_max_attempts.contains_key(name) {
                "used with `perClassMaxAttempts` of the class: give one of them"
            } else {
                config = config.retriable(class, RETRIES.check(check, &path, *retries) as u16);
                continue;
            };
            let value = check.shown(&path, *retries);
            check.add(Issue::new(path, value, Problem::IsNot, expected));
        }
        if self.long_delay == Some(LongDelaySetting::Cut) {
            config = config.long_delay(LongDelay::Cut);
        }
        if let Some(strategy) = &self.strategy {
            config = config.backoff(strategy.build(&of("strategy"), making));
        }
        for (name, strategy) in &self.strategies {
            let path = of("strategies");
            let backoff: Backoff = strategy.build(&format!("{path}.{name}"), making);
            if let Some(class) = class(check, &path, name) {
                config = config.backoff_for(class, backoff);
            }
        }
        if self.strategy.is_none() && self.strategies.is_empty() {
            let expected = "a strategy, for all classes here or for some in `strategies`";
            check.add(Issue::new(of("strategy"), "", Problem::Missing, expected));
        }
        config
    }
}
