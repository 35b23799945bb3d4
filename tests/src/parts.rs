//! The policy, the breaker and the budget of a scenario.

use std::sync::Mutex;

use redress::backoff::{Adaptive, AdaptiveConfig, Memory};
use redress::breaker::{FailureRule, FailureTimes};
use redress::budget::RollingConfig;
use redress::classify::ClassSet;
use redress::config::LongDelay;
use redress::{Backoff, Breaker, BreakerConfig, Duration, ErrorClass, Policy, RollingBudget};

use crate::schema::{PolicySpec, StrategySpec};

const ENTRIES: usize = 255;
const TOKENS: usize = 1024;

pub(crate) type Circuit = Breaker<FailureTimes<ENTRIES>>;
pub(crate) type Tokens = RollingBudget<TOKENS>;

fn class(name: &str) -> Result<ErrorClass, String> {
    ErrorClass::from_name(name).ok_or_else(|| format!("{name:?} is no class"))
}

pub(crate) fn policy(spec: &PolicySpec) -> Result<Policy, String> {
    let mut config = Policy::builder()
        .deadline(Duration::from_micros(spec.deadline_us))
        .long_delay(LongDelay::Cut)
        .max_attempts(spec.max_attempts);
    // No script has 65,535 failures, so a higher limit is none.
    let limit = |failures: u64| u16::try_from(failures).unwrap_or(u16::MAX);
    config = match spec.max_unknown_attempts {
        Some(failures) => config.max_unknown_attempts(limit(failures)),
        None => config.no_unknown_limit(),
    };
    for (name, &failures) in &spec.per_class_max_attempts {
        config = config.max_attempts_for(class(name)?, limit(failures));
    }
    if let Some(strategy) = &spec.default_strategy {
        config = config.backoff(backoff(strategy)?);
    }
    for (name, strategy) in &spec.strategies {
        config = config.backoff_for(class(name)?, backoff(strategy)?);
    }
    if spec.default_strategy.is_none() && spec.strategies.is_empty() {
        // A policy without any strategy does not build; one for a class that is
        // never retried decides the same.
        config = config.backoff_for(ErrorClass::Permanent, Backoff::constant(Duration::ZERO));
    }
    config.build().map_err(|error| error.to_string())
}

/// Strategies refer to statics; a scenario's are leaked, as a process that runs
/// vectors soon ends.
fn backoff(spec: &StrategySpec) -> Result<Backoff, String> {
    let us = |micros: &u64| Duration::from_micros(*micros);
    Ok(match spec {
        StrategySpec::Fixed { sleeps_us } => {
            let delays = sleeps_us.iter().map(|&us| u64::try_from(us).unwrap_or(0));
            let delays: Vec<_> = delays.map(Duration::from_micros).collect();
            Backoff::sequence(delays.leak())
        }
        StrategySpec::DecorrelatedJitter { base_us, max_us } => {
            Backoff::decorrelated_jitter(us(base_us), us(max_us))
        }
        StrategySpec::EqualJitter { base_us, max_us } => {
            Backoff::equal_jitter(us(base_us), us(max_us))
        }
        StrategySpec::TokenBackoff { base_us, max_us } => {
            Backoff::token_backoff(us(base_us), us(max_us))
        }
        StrategySpec::RetryAfterOr { fallback, jitter_us } => {
            Backoff::retry_after_or(Box::leak(Box::new(backoff(fallback)?)), us(jitter_us))
        }
        StrategySpec::Adaptive {
            fallback,
            window_us,
            target_success_milli,
            min_multiplier_milli,
            max_multiplier_milli,
        } => {
            let config = AdaptiveConfig::new(backoff(fallback)?)
                .window(us(window_us))
                .target_success_milli(*target_success_milli)
                .multipliers_milli(*min_multiplier_milli, *max_multiplier_milli);
            let adaptive = config.build().map_err(|error| error.to_string())?;
            let adaptive = adaptive.memory(Mutex::new(Memory::new()));
            let adaptive: &'static Adaptive<Mutex<Memory<255>>> = Box::leak(Box::new(adaptive));
            Backoff::own(adaptive)
        }
    })
}

pub(crate) fn breaker(spec: &PolicySpec) -> Result<Option<Circuit>, String> {
    let Some(spec) = &spec.breaker else { return Ok(None) };
    let window = Duration::from_micros(spec.window_us);
    let mut config: BreakerConfig<FailureRule> =
        BreakerConfig::failures(spec.failure_threshold, window)
            .recovery_timeout(Duration::from_micros(spec.recovery_timeout_us))
            // The reference knows no lease: none of a script's probes is lost.
            .lease(Duration::MAX);
    if let Some(classes) = &spec.trip_on {
        config = config.trip_on(ClassSet::of(classes));
    }
    for (name, &threshold) in &spec.class_thresholds {
        config = config.class_threshold(class(name)?, threshold);
    }
    Circuit::new(Box::leak(Box::new(config))).map(Some).map_err(|error| error.to_string())
}

pub(crate) fn budget(spec: &PolicySpec) -> Result<Option<Tokens>, String> {
    let Some(spec) = &spec.budget else { return Ok(None) };
    let config = RollingConfig::new(spec.max_retries, Duration::from_micros(spec.window_us));
    Tokens::new(Box::leak(Box::new(config))).map(Some).map_err(|error| error.to_string())
}
