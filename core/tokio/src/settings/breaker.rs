//! The settings of a breaker: [`BreakerSettings`].

use redress::classify::ClassSet;
use redress::{BreakerConfig, Duration};

use super::number::{Limit, Range, span};
use super::{ByClass, Problem, SettingsError, class};
use crate::upstream::{BreakerKind, PERMITS, SLICES};

/// The settings of a breaker; see [`BreakerConfig`] for what each means. Times are in
/// milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", default, deny_unknown_fields))]
#[non_exhaustive]
pub struct BreakerSettings {
    /// Opens at so many failures within the window, 1 to 255; 5 by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub failure_threshold: Option<f64>,
    /// Within how long they count, 0.001 and up; 60,000 by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub window_ms: Option<f64>,
    /// Classes that are counted separately, and open at a number of their own, 0 to 255.
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(
        tag = "kind",
        rename_all = "camelCase",
        rename_all_fields = "camelCase",
        deny_unknown_fields
    )
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", deny_unknown_fields))]
pub struct SlowSettings {
    /// From how long on an attempt is slow, 0.001 and up.
    pub after_ms: f64,
    /// Opens when so large a share of the calls was slow, 0.001 to 1.
    pub rate: f64,
}

const MOST_CALLS: f64 = 1_024.0;
const THRESHOLD: Range = Range::whole(1.0, 255.0);

impl BreakerSettings {
    pub(super) fn build(&self, path: &str) -> Result<BreakerKind, SettingsError> {
        let of = |field: &str| format!("{path}.{field}");
        let Some(window) = &self.window else {
            let threshold = THRESHOLD.or(&of("failureThreshold"), self.failure_threshold, 5.0)?;
            let window = Range::SPAN.or(&of("windowMs"), self.window_ms, 60_000.0)?;
            let mut config = BreakerConfig::failures(threshold as u8, span(window));
            for (name, threshold) in &self.class_thresholds {
                let path = of("classThresholds");
                let class = class(&path, name)?;
                let range = Range::whole(0.0, 255.0);
                let threshold = range.check(&format!("{path}.{name}"), *threshold)?;
                config = config.class_threshold(class, threshold as u8);
            }
            return self.common(path, config).map(BreakerKind::Failures);
        };
        for (field, value) in [
            ("failureThreshold", self.failure_threshold.map(|value| value.to_string())),
            ("windowMs", self.window_ms.map(|value| value.to_string())),
            ("classThresholds", (!self.class_thresholds.is_empty()).then(|| "a table".into())),
        ] {
            if let Some(value) = value {
                let expected = "used with `window`: give one or the other";
                return Err(SettingsError::new(of(field), value, Problem::IsNot, expected));
            }
        }
        let of = |field: &str| format!("{path}.window.{field}");
        let share = |field: &str, rate: f64| {
            Range::SHARE.check(&of(field), rate).map(|rate| (rate * 1000.0).round() as u16)
        };
        match window {
            WindowSettings::Calls { size, rate, min_calls } => {
                let size = Range::whole(1.0, MOST_CALLS).check(&of("size"), *size)?;
                let rate = share("rate", *rate)?;
                let least = Range::whole(1.0, size).check(&of("minCalls"), *min_calls)?;
                let config = BreakerConfig::outcomes(size as u16, rate, least as u16);
                self.common(path, config).map(BreakerKind::Calls)
            }
            WindowSettings::Time { ms, rate, min_calls, slow } => {
                let ms = Range::at_least(0.01).check(&of("ms"), *ms)?;
                let rate = share("rate", *rate)?;
                let least = Range::whole(1.0, 65_535.0).check(&of("minCalls"), *min_calls)?;
                let slice = span(ms / SLICES as f64);
                let mut config = BreakerConfig::slices(slice, rate, least as u16);
                if let Some(slow) = slow {
                    let after = Range::SPAN.check(&of("slow.afterMs"), slow.after_ms)?;
                    config = config.slow_calls(span(after), share("slow.rate", slow.rate)?);
                }
                self.common(path, config).map(BreakerKind::Time)
            }
        }
    }

    /// What every breaker has.
    fn common<R: Copy>(
        &self,
        path: &str,
        config: BreakerConfig<R>,
    ) -> Result<BreakerConfig<R>, SettingsError> {
        let of = |field: &str| format!("{path}.{field}");
        let recovery =
            Range::SPAN.or(&of("recoveryTimeoutMs"), self.recovery_timeout_ms, 30_000.0)?;
        let longest = Range::at_least(recovery).limit(
            &of("maxRecoveryTimeoutMs"),
            self.max_recovery_timeout_ms,
            None,
        )?;
        let lease = Range::SPAN.or(&of("leaseMs"), self.lease_ms, 60_000.0)?;
        let permits = Range::whole(1.0, PERMITS as f64);
        let permits = permits.or(&of("halfOpenPermits"), self.half_open_permits, 1.0)?;
        let successes = Range::whole(1.0, 15.0);
        let successes = successes.or(&of("successesToClose"), self.successes_to_close, 1.0)?;
        let jitter = Range::TIME.or(&of("recoveryJitterMs"), self.recovery_jitter_ms, 0.0)?;
        let hint = Range::SPAN.limit(&of("openForHintMs"), self.open_for_hint_ms, None)?;
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
            config = config.trip_on(classes(&of("tripOn"), names)?);
        }
        if let Some(names) = &self.half_open_on {
            config = config.half_open_on(classes(&of("halfOpenOn"), names)?);
        }
        Ok(config)
    }
}

/// The settings, checked, under the path `circuitBreaker`.
impl TryFrom<&BreakerSettings> for BreakerKind {
    type Error = SettingsError;

    fn try_from(settings: &BreakerSettings) -> Result<Self, SettingsError> {
        settings.build("circuitBreaker")
    }
}

fn classes(path: &str, names: &[String]) -> Result<ClassSet, SettingsError> {
    let mut set = ClassSet::EMPTY;
    for (nth, name) in names.iter().enumerate() {
        set = set.with(class(&format!("{path}[{nth}]"), name)?);
    }
    Ok(set)
}
