//! The settings of a breaker.

use redress::classify::ClassSet;
use redress::lint::Lint;
use redress::{BreakerConfig, Duration, ErrorClass};
use serde_json::Value;

use crate::{micros as span, number};

/// How many slices a window of time has in the package's engine.
const SLICES: f64 = 10.0;

/// Of the settings that the package hands to its engine, by their names there.
pub(crate) fn config(settings: &Value) -> Box<dyn Lint> {
    let at = |name| number(settings, name);
    let (rate, min_calls) = (at("rateMilli") as u16, at("minCalls") as u16);
    if settings.get("threshold").is_some() {
        let mut config = BreakerConfig::failures(at("threshold") as u8, span(settings, "window"));
        for (class, own) in
            ErrorClass::ALL.into_iter().zip(settings["own"].as_array().into_iter().flatten())
        {
            config = config.class_threshold(class, own.as_f64().unwrap_or(0.0) as u8);
        }
        Box::new(common(config, settings))
    } else if at("size") > 0.0 {
        Box::new(common(BreakerConfig::outcomes(at("size") as u16, rate, min_calls), settings))
    } else {
        let slice = Duration::from_micros((at("window") / SLICES) as u64);
        let config = BreakerConfig::slices(slice, rate, min_calls);
        let slow_rate = at("slowRateMilli") as u16;
        Box::new(common(config.slow_calls(span(settings, "slowAfter"), slow_rate), settings))
    }
}

/// The settings that every kind has.
fn common<R: Copy>(config: BreakerConfig<R>, settings: &Value) -> BreakerConfig<R> {
    let at = |name| number(settings, name);
    let span = |name| span(settings, name);
    config
        .trip_on(ClassSet::from_bits(at("tripOn") as u8))
        .half_open_on(ClassSet::from_bits(at("halfOpenOn") as u8))
        .recovery_timeout(span("recovery"))
        .recovery_growth_to(span("longestRecovery"))
        .lease(span("lease"))
        .half_open_permits(at("permits") as u8)
        .successes_to_close(at("successes") as u8)
        .recovery_jitter(span("jitter"))
        .open_for_hint(span("longestHint"))
        .check_before_retry(at("checks") != 0.0)
}
