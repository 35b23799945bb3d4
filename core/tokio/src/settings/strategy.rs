//! Strategies as settings: [`StrategySettings`].

use std::sync::{Mutex, MutexGuard, PoisonError};

use redress::backoff::{Adaptive, AdaptiveConfig, BackoffContext, Memory, Strategy};
use redress::config::ConfigError;
use redress::random::Draw;
use redress::{Backoff, Duration, Instant};

use super::error::{Check, Issue, Problem};
use super::number::{Limit, MOST_MS, Range, span};

/// A strategy, by the names and options of the npm package: `{ kind = "equalJitter", baseMs = 100
/// }`, or its name alone, `"equalJitter"`, for the defaults.
///
/// All times are in milliseconds. `base_ms`, the first delay, is 250 by default; `max_ms`, the
/// longest, is 30,000, and [`Limit::Off`] for none; `jitter_ms`, up to which something is added to
/// each delay, is 0.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(
    feature = "serde",
    serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")
)]
#[non_exhaustive]
pub enum StrategySettings {
    /// Always the same delay; [`Backoff::constant`].
    Constant {
        /// The delay.
        delay_ms: f64,
        /// The most that is added.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        jitter_ms: Option<f64>,
    },
    /// Doubles, or grows by a factor; [`Backoff::exponential`].
    Exponential {
        /// The first delay.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        base_ms: Option<f64>,
        /// The longest delay.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Limit::is_default"))]
        max_ms: Limit,
        /// The most that is added.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        jitter_ms: Option<f64>,
        /// What a delay is multiplied by, 0.001 to 65,535; 2 by default.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        factor: Option<f64>,
    },
    /// The base times 1, 2, 3 and so on; [`Backoff::linear`].
    Linear(Plain),
    /// The base times 1, 1, 2, 3, 5 and so on; [`Backoff::fibonacci`].
    Fibonacci(Plain),
    /// Between 0 and a cap that doubles; [`Backoff::full_jitter`].
    FullJitter(Spread),
    /// In the upper half of a cap that doubles; [`Backoff::equal_jitter`].
    EqualJitter(Spread),
    /// Between the base and three times the delay before; [`Backoff::decorrelated_jitter`].
    DecorrelatedJitter(Spread),
    /// In the upper half of a cap that grows by half; [`Backoff::token_backoff`].
    TokenBackoff(Spread),
    /// These delays in order, the last one again and again; [`Backoff::sequence`].
    Sequence {
        /// The delays.
        delays_ms: Vec<f64>,
    },
    /// What the other side asked for (Retry-After), else the fallback;
    /// [`Backoff::retry_after_or`].
    RetryAfterOr {
        /// The strategy for failures without a hint.
        fallback: Box<Self>,
        /// The most that is added to a hint; 250 by default.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        jitter_ms: Option<f64>,
        /// A shorter hint counts as this long; 0 by default.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        at_least_ms: Option<f64>,
        /// A longer hint is not followed: it is a delay that does not fit. No limit by default.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Limit::is_default"))]
        at_most_ms: Limit,
    },
    /// The delays of the fallback, multiplied as failures grow; see
    /// [`Adaptive`](redress::backoff::Adaptive). It remembers up to 255 outcomes, for all calls of an
    /// upstream.
    Adaptive {
        /// The strategy whose delays are multiplied.
        fallback: Box<Self>,
        /// Outcomes of this age are forgotten, 0.001 and up; 60,000 by default.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        window_ms: Option<f64>,
        /// The share of successes that needs no slowing down, 0.001 to 1; 0.9 by default.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        target_success: Option<f64>,
        /// What a delay is multiplied by while enough calls succeed, 0 to `max_multiplier`; 1 by default, or
        /// `max_multiplier` if that is less.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        min_multiplier: Option<f64>,
        /// What a delay is multiplied by at most, 0 to 4,000; 5 by default.
        #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
        max_multiplier: Option<f64>,
    },
}

/// The settings of a strategy whose delays have no jitter of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct Plain {
    /// The first delay.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub base_ms: Option<f64>,
    /// The longest delay.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Limit::is_default"))]
    pub max_ms: Limit,
    /// The most that is added.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub jitter_ms: Option<f64>,
}

/// The settings of a strategy with jitter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct Spread {
    /// The first delay.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub base_ms: Option<f64>,
    /// The longest delay.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Limit::is_default"))]
    pub max_ms: Limit,
}

const FIRST_MS: f64 = 250.0;
const LONGEST_MS: f64 = 30_000.0;
const MOST_DELAYS: usize = 10_000;

/// In place of a strategy whose settings are wrong.
const NONE: Backoff = Backoff::constant(Duration::ZERO);

/// How strategies are made.
pub(super) struct Making<'m> {
    pub(super) check: &'m Check<'m>,
    /// Those that remember outcomes.
    pub(super) remembering: &'m Remembering,
}

impl StrategySettings {
    /// The strategy; of settings that are wrong, another one that fits.
    pub(super) fn build(&self, path: &str, making: &Making<'_>) -> Backoff {
        let check = making.check;
        let of = |field: &str| format!("{path}.{field}");
        let delay_or = |field: &str, value: Option<f64>, default: f64| {
            Range::DELAY.or(check, &of(field), value, default)
        };
        let first = |base: Option<f64>| span(delay_or("baseMs", base, FIRST_MS));
        let longest = |max: Limit| {
            let max = Range::DELAY.limit(check, &of("maxMs"), max, Some(LONGEST_MS));
            span(max.unwrap_or(MOST_MS))
        };
        // One without jitter is printed without it.
        let jittered = |backoff: Backoff, most: Option<f64>| match delay_or("jitterMs", most, 0.0) {
            0.0 => backoff,
            most => backoff.plus_jitter(span(most)),
        };
        let plain = |make: fn(Duration, Duration) -> Backoff, of: &Plain| {
            jittered(make(first(of.base_ms), longest(of.max_ms)), of.jitter_ms)
        };
        let spread = |make: fn(Duration, Duration) -> Backoff, of: &Spread| {
            make(first(of.base_ms), longest(of.max_ms))
        };
        match self {
            Self::Constant { delay_ms, jitter_ms } => {
                let delay = span(Range::DELAY.check(check, &of("delayMs"), *delay_ms));
                jittered(Backoff::constant(delay), *jitter_ms)
            }
            Self::Exponential { base_ms, max_ms, jitter_ms, factor } => {
                let (base, max) = (first(*base_ms), longest(*max_ms));
                let factor = Range::from(0.001, 65_535.0).or(check, &of("factor"), *factor, 2.0);
                let milli = (factor * 1000.0).round() as u32;
                let backoff = match milli {
                    2000 => Backoff::exponential(base, max),
                    _ => Backoff::exponential_by(base, max, milli),
                };
                jittered(backoff, *jitter_ms)
            }
            Self::Linear(own) => plain(Backoff::linear, own),
            Self::Fibonacci(own) => plain(Backoff::fibonacci, own),
            Self::FullJitter(own) => spread(Backoff::full_jitter, own),
            Self::EqualJitter(own) => spread(Backoff::equal_jitter, own),
            Self::DecorrelatedJitter(own) => spread(Backoff::decorrelated_jitter, own),
            Self::TokenBackoff(own) => spread(Backoff::token_backoff, own),
            Self::Sequence { delays_ms } => {
                if delays_ms.len() > MOST_DELAYS {
                    let (path, length) = (of("delaysMs.length"), delays_ms.len());
                    let expected = "at most 10000 delays";
                    check.add(Issue::new(path, length, Problem::OutOfRange, expected));
                }
                let delay = |(nth, ms): (usize, &f64)| {
                    span(Range::DELAY.check(check, &of(&format!("delaysMs[{nth}]")), *ms))
                };
                let delays: Vec<_> = delays_ms.iter().enumerate().map(delay).collect();
                if check.has_issues() { NONE } else { Backoff::sequence(kept_delays(delays)) }
            }
            Self::RetryAfterOr { fallback, jitter_ms, at_least_ms, at_most_ms } => {
                let inner = fallback.build(&of("fallback"), making);
                let jitter = span(delay_or("jitterMs", *jitter_ms, FIRST_MS));
                let least = delay_or("atLeastMs", *at_least_ms, 0.0);
                let most = Range::delay_from(least);
                let most = most.limit(check, &of("atMostMs"), *at_most_ms, None);
                if check.has_issues() {
                    return NONE;
                }
                let inner = making.remembering.keep_fallback(&of("fallback"), fallback, inner);
                let backoff = Backoff::retry_after_or(inner, jitter).at_least(span(least));
                most.map_or(backoff, |most| backoff.at_most(span(most)))
            }
            Self::Adaptive { fallback, window_ms, target_success, .. } => {
                let inner = fallback.build(&of("fallback"), making);
                let window = Range::SPAN.or(check, &of("windowMs"), *window_ms, 60_000.0);
                let target = Range::SHARE.or(check, &of("targetSuccess"), *target_success, 0.9);
                let (least, most) = self.multipliers(path, check);
                let config = AdaptiveConfig::new(inner)
                    .window(span(window))
                    .target_success_milli(milli(target))
                    .multipliers_milli(milli(least), milli(most));
                if check.has_issues() {
                    return NONE;
                }
                *making
                    .remembering
                    .keep(path, self, || Adapting::backoff(config, &inner).unwrap_or(NONE))
            }
        }
    }

    /// Whether it remembers outcomes, or falls back to a strategy that does.
    fn remembers(&self) -> bool {
        match self {
            Self::Adaptive { .. } => true,
            Self::RetryAfterOr { fallback, .. } => fallback.remembers(),
            _ => false,
        }
    }

    /// The multipliers of a strategy that adapts.
    fn multipliers(&self, path: &str, check: &Check<'_>) -> (f64, f64) {
        let Self::Adaptive { min_multiplier, max_multiplier, .. } = self else { return (1.0, 1.0) };
        let range = Range::from(0.0, 4_000.0);
        let most = range.or(check, &format!("{path}.maxMultiplier"), *max_multiplier, 5.0);
        let range = Range::from(0.0, most);
        let path = format!("{path}.minMultiplier");
        (range.or(check, &path, *min_multiplier, most.min(1.0)), most)
    }
}

fn milli(value: f64) -> u32 {
    (value * 1000.0).round() as u32
}

/// Delays that strategies refer to for as long as the process lives. The same ones are kept once, so that settings that are
/// read again take no more memory.
static KEPT_DELAYS: Mutex<Vec<&'static [Duration]>> = Mutex::new(Vec::new());
/// Fallbacks, in the same way, by their settings.
static KEPT_FALLBACKS: Mutex<Vec<(StrategySettings, &'static Backoff)>> = Mutex::new(Vec::new());

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kept_delays(delays: Vec<Duration>) -> &'static [Duration] {
    let mut kept = lock(&KEPT_DELAYS);
    if let Some(same) = kept.iter().find(|one| **one == delays) {
        return same;
    }
    let delays: &'static [Duration] = Vec::leak(delays);
    kept.push(delays);
    delays
}

/// The strategies of one upstream that remember outcomes, or fall back to one that does. One whose
/// settings have not changed keeps its memory; it is there for as long as the process lives.
#[derive(Default)]
pub(crate) struct Remembering(Mutex<Vec<Remembered>>);

struct Remembered {
    path: String,
    settings: StrategySettings,
    backoff: &'static Backoff,
}

impl Remembering {
    fn keep(
        &self,
        path: &str,
        settings: &StrategySettings,
        make: impl FnOnce() -> Backoff,
    ) -> &'static Backoff {
        let mut kept = lock(&self.0);
        if let Some(same) = kept.iter().find(|one| one.path == path && one.settings == *settings) {
            return same.backoff;
        }
        let backoff: &'static Backoff = Box::leak(Box::new(make()));
        kept.push(Remembered { path: path.into(), settings: settings.clone(), backoff });
        backoff
    }

    fn keep_fallback(
        &self,
        path: &str,
        settings: &StrategySettings,
        backoff: Backoff,
    ) -> &'static Backoff {
        if settings.remembers() {
            return self.keep(&format!("{path} as a fallback"), settings, || backoff);
        }
        let mut kept = lock(&KEPT_FALLBACKS);
        if let Some((_, same)) = kept.iter().find(|(own, _)| own == settings) {
            return same;
        }
        let backoff: &'static Backoff = Box::leak(Box::new(backoff));
        kept.push((settings.clone(), backoff));
        backoff
    }
}

/// How many outcomes a strategy remembers.
const OUTCOMES: usize = 255;

/// A strategy that adapts, with a memory of its own, which is printed with its fallback.
struct Adapting {
    adaptive: Adaptive<Mutex<Memory<OUTCOMES>>>,
    name: &'static str,
}

impl Adapting {
    fn backoff(config: AdaptiveConfig, fallback: &Backoff) -> Result<Backoff, ConfigError> {
        let adaptive = config.build()?.memory(Mutex::new(Memory::new()));
        let name = format!("adaptive({fallback})").leak();
        Ok(Backoff::own(Box::leak(Box::new(Self { adaptive, name }))))
    }
}

impl Strategy for Adapting {
    fn delay(&self, context: &BackoffContext, random: &mut dyn Draw) -> Option<Duration> {
        self.adaptive.delay(context, random)
    }

    fn record(&self, now: Instant, success: bool) {
        self.adaptive.record(now, success);
    }

    fn name(&self) -> &'static str {
        self.name
    }
}
