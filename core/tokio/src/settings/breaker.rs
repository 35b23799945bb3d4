//! The settings of a breaker: [`BreakerSettings`].

use redress::breaker::FailureRule;
use redress::classify::ClassSet;
use redress::{BreakerConfig, Duration};

use super::error::{Check, Issue, Problem};
use super::number::{Limit, Range, span};
use super::{ByClass, class};
use crate::upstream::{BreakerKind, PERMITS, SLICES};

/// The settings of a breaker; see [`BreakerConfig`] for what each means. Times are in
/// milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct BreakerSettings {
    /// Opens at so many failures within the window, 1 to 255; 5 by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub failure_threshold: Option<f64>,
    /// Within how long they count, 0.001 and up; 60,000 by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub window_ms: Option<f64>,
    /// Classes that are counted separately, and open at a number of their own, 1 to 255; all
    /// thresholds together at most 255.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "ByClass::is_empty"))]
    pub class_thresholds: ByClass<f64>,
    /// Counts a share of calls in place of a number of failures.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub window: Option<WindowSettings>,
    /// How long it stays open before a probe, 0.001 and up; 30,000 by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub recovery_timeout_ms: Option<f64>,
    /// Doubles the recovery time after each failed probe, up to this; no growth by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Limit::is_default"))]
    pub max_recovery_timeout_ms: Limit,
    /// The classes that count; TRANSIENT and `SERVER_ERROR` by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub trip_on: Option<Vec<String>>,
    /// How long a probe may take before its slot is free again, 0.001 and up; 60,000 by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub lease_ms: Option<f64>,
    /// How many probes at once, 1 to 4; 1 by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub half_open_permits: Option<f64>,
    /// How many probes must succeed, 1 to 15; 1 by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub successes_to_close: Option<f64>,
    /// The classes of a failed probe that open it again; all by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub half_open_on: Option<Vec<String>>,
    /// Up to so much is added to each recovery time at random; 0 by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub recovery_jitter_ms: Option<f64>,
    /// Whether a call asks again before each further attempt; false by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub check_before_retry: Option<bool>,
    /// A failure with a hint (Retry-After) opens it for that long, at most for this; off by
    /// default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Limit::is_default"))]
    pub open_for_hint_ms: Limit,
}

/// A window that counts a share of calls.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(
    feature = "serde",
    serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")
)]
#[non_exhaustive]
pub enum WindowSettings {
    /// The last calls.
    Calls {
        /// Of how many calls, 1 to 1,024.
        size: f64,
        /// Opens when so large a share of them failed, 0.001 to 1.
        rate: f64,
        /// Opens after so many calls at the earliest, 1 to `size`.
        min_calls: f64,
    },
    /// The calls of a time.
    Time {
        /// Of so many milliseconds, 0.01 and up.
        ms: f64,
        /// Opens when so large a share of them failed, 0.001 to 1.
        rate: f64,
        /// Opens after so many calls at the earliest, 1 to 65,535.
        min_calls: f64,
        /// Opens also when too many of them were slow.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        slow: Option<SlowSettings>,
    },
}

/// When slow calls open a breaker.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct SlowSettings {
    /// From how long on an attempt is slow, 0.001 and up.
    pub after_ms: f64,
    /// Opens when so large a share of the calls was slow, 0.001 to 1.
    pub rate: f64,
}

const MOST_CALLS: f64 = 1_024.0;
const THRESHOLD: Range = Range::whole(1.0, 255.0);

impl BreakerSettings {
    pub(super) fn build(&self, path: &str, check: &Check<'_>) -> BreakerKind {
        match &self.window {
            None => {
                let config = self.failures(path, check);
                BreakerKind::Failures(self.common(path, check, config))
            }
            Some(window) => {
                self.refuse_failures(path, check);
                self.share(path, check, window)
            }
        }
    }

    /// A breaker that counts failures.
    fn failures(&self, path: &str, check: &Check<'_>) -> BreakerConfig<FailureRule> {
        let of = |field: &str| format!("{path}.{field}");
        let threshold = THRESHOLD.or(check, &of("failureThreshold"), self.failure_threshold, 5.0);
        let window = Range::SPAN.or(check, &of("windowMs"), self.window_ms, 60_000.0);
        let mut config = BreakerConfig::failures(threshold as u8, span(window));
        let mut sum = threshold;
        let path = of("classThresholds");
        for (name, threshold) in &self.class_thresholds {
            if let Some(class) = class(check, &path, name) {
                let own = THRESHOLD.check(check, &format!("{path}.{name}"), *threshold);
                config = config.class_threshold(class, own as u8);
                sum += own - 1.0;
            }
        }
        if sum > 255.0 {
            let expected = "all thresholds together at most 255";
            check.add(Issue::new(path, "an object", Problem::OutOfRange, expected));
        }
        config
    }

    /// What counts failures has no place beside a window that counts a share.
    fn refuse_failures(&self, path: &str, check: &Check<'_>) {
        let number = |field: &str, value: Option<f64>| {
            value.map(|value| check.shown(&format!("{path}.{field}"), value))
        };
        for (field, value) in [
            ("failureThreshold", number("failureThreshold", self.failure_threshold)),
            ("windowMs", number("windowMs", self.window_ms)),
            ("classThresholds", (!self.class_thresholds.is_empty()).then(|| "an object".into())),
        ] {
            if let Some(value) = value {
                let expected = "used with `window`, which counts a share: give one of them";
                check.add(Issue::new(format!("{path}.{field}"), value, Problem::IsNot, expected));
            }
        }
    }

    /// A breaker that counts a share of calls.
    fn share(&self, path: &str, check: &Check<'_>, window: &WindowSettings) -> BreakerKind {
        let of = |field: &str| format!("{path}.window.{field}");
        let milli = |field: &str, rate: f64| {
            (Range::SHARE.check(check, &of(field), rate) * 1000.0).round() as u16
        };
        match window {
            WindowSettings::Calls { size, rate, min_calls } => {
                let size =
                    Range::whole(1.0, MOST_CALLS).or(check, &of("size"), Some(*size), MOST_CALLS);
                let rate = milli("rate", *rate);
                let least = Range::whole(1.0, size).check(check, &of("minCalls"), *min_calls);
                let config = BreakerConfig::outcomes(size as u16, rate, least as u16);
                BreakerKind::Calls(self.common(path, check, config))
            }
            WindowSettings::Time { ms, rate, min_calls, slow } => {
                let ms = Range::at_least(0.01).check(check, &of("ms"), *ms);
                let rate = milli("rate", *rate);
                let range = Range::whole(1.0, 65_535.0);
                let least = range.check(check, &of("minCalls"), *min_calls);
                let slice = span(ms / SLICES as f64);
                let mut config = BreakerConfig::slices(slice, rate, least as u16);
                if let Some(slow) = slow {
                    let after = Range::SPAN.check(check, &of("slow.afterMs"), slow.after_ms);
                    config = config.slow_calls(span(after), milli("slow.rate", slow.rate));
                }
                BreakerKind::Time(self.common(path, check, config))
            }
        }
    }

    /// What every breaker has.
    fn common<R: Copy>(
        &self,
        path: &str,
        check: &Check<'_>,
        config: BreakerConfig<R>,
    ) -> BreakerConfig<R> {
        let of = |field: &str| format!("{path}.{field}");
        let span_or = |field: &str, value: Option<f64>, default: f64| {
            Range::SPAN.or(check, &of(field), value, default)
        };
        let recovery = span_or("recoveryTimeoutMs", self.recovery_timeout_ms, 30_000.0);
        let longest = Range::at_least(recovery).limit(
            check,
            &of("maxRecoveryTimeoutMs"),
            self.max_recovery_timeout_ms,
            None,
        );
        let lease = span_or("leaseMs", self.lease_ms, 60_000.0);
        let permits = Range::whole(1.0, PERMITS as f64);
        let permits = permits.or(check, &of("halfOpenPermits"), self.half_open_permits, 1.0);
        let successes = Range::whole(1.0, 15.0);
        let successes = successes.or(check, &of("successesToClose"), self.successes_to_close, 1.0);
        let jitter = Range::TIME.or(check, &of("recoveryJitterMs"), self.recovery_jitter_ms, 0.0);
        let hint = Range::SPAN.limit(check, &of("openForHintMs"), self.open_for_hint_ms, None);
        let mut config = config
            .recovery_timeout(span(recovery))
            .recovery_growth_to(longest.map_or(Duration::ZERO, span))
            .lease(span(lease))
            .half_open_permits(permits as u8)
            .successes_to_close(successes as u8)
            .recovery_jitter(span(jitter))
            .check_before_retry(self.check_before_retry.unwrap_or(false))
            .open_for_hint(hint.map_or(Duration::ZERO, span));
        if let Some(names) = &self.trip_on {
            config = config.trip_on(classes(check, &of("tripOn"), names));
        }
        if let Some(names) = &self.half_open_on {
            config = config.half_open_on(classes(check, &of("halfOpenOn"), names));
        }
        config
    }
}

fn classes(check: &Check<'_>, path: &str, names: &[String]) -> ClassSet {
    let set = |(nth, name): (usize, &String)| class(check, &format!("{path}[{nth}]"), name);
    names.iter().enumerate().filter_map(set).fold(ClassSet::EMPTY, ClassSet::with)
}
