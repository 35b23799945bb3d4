//! Strategies as settings: [`StrategySettings`].

use std::sync::Mutex;

use redress::{Backoff, Duration};

use super::number::{Limit, Range, span};
use super::{Problem, SettingsError};

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
}

/// The settings of a strategy whose delays have no jitter of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", default, deny_unknown_fields))]
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", default, deny_unknown_fields))]
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

impl StrategySettings {
    /// The strategy, checked.
    pub(super) fn build(&self, path: &str) -> Result<Backoff, SettingsError> {
        let of = |field: &str| format!("{path}.{field}");
        let first = |base: Option<f64>| Range::TIME.or(&of("baseMs"), base, FIRST_MS).map(span);
        let longest = |max: Limit| {
            let max = Range::TIME.limit(&of("maxMs"), max, Some(LONGEST_MS))?;
            Ok::<_, SettingsError>(max.map_or(Duration::MAX, span))
        };
        let jitter = |most: Option<f64>| Range::TIME.or(&of("jitterMs"), most, 0.0).map(span);
        let plain = |make: fn(Duration, Duration) -> Backoff, of: &Plain| {
            let backoff = make(first(of.base_ms)?, longest(of.max_ms)?);
            Ok(backoff.plus_jitter(jitter(of.jitter_ms)?))
        };
        let spread = |make: fn(Duration, Duration) -> Backoff, of: &Spread| {
            Ok(make(first(of.base_ms)?, longest(of.max_ms)?))
        };
        match self {
            Self::Constant { delay_ms, jitter_ms } => {
                let delay = Range::TIME.check(&of("delayMs"), *delay_ms).map(span)?;
                Ok(Backoff::constant(delay).plus_jitter(jitter(*jitter_ms)?))
            }
            Self::Exponential { base_ms, max_ms, jitter_ms, factor } => {
                let (base, max) = (first(*base_ms)?, longest(*max_ms)?);
                let factor = Range::from(0.001, 65_535.0).or(&of("factor"), *factor, 2.0)?;
                let milli = (factor * 1000.0).round() as u32;
                let backoff = match milli {
                    2000 => Backoff::exponential(base, max),
                    _ => Backoff::exponential_by(base, max, milli),
                };
                Ok(backoff.plus_jitter(jitter(*jitter_ms)?))
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
                    return Err(SettingsError::new(path, length, Problem::OutOfRange, expected));
                }
                let delays: Result<Vec<_>, _> = (delays_ms.iter().enumerate())
                    .map(|(nth, ms)| Range::TIME.check(&of(&format!("delaysMs[{nth}]")), *ms))
                    .collect();
                let delays = delays?.into_iter().map(span).collect();
                Ok(Backoff::sequence(KEPT_DELAYS.keep(delays)))
            }
            Self::RetryAfterOr { fallback, jitter_ms, at_least_ms, at_most_ms } => {
                let inner = fallback.build(&of("fallback"))?;
                let inner = KEPT_FALLBACKS.keep((fallback.as_ref().clone(), inner));
                let jitter = Range::TIME.or(&of("jitterMs"), *jitter_ms, FIRST_MS).map(span)?;
                let least = Range::TIME.or(&of("atLeastMs"), *at_least_ms, 0.0)?;
                let most = Range::at_least(least).limit(&of("atMostMs"), *at_most_ms, None)?;
                let backoff = Backoff::retry_after_or(&inner.1, jitter).at_least(span(least));
                Ok(most.map_or(backoff, |most| backoff.at_most(span(most))))
            }
        }
    }
}

/// What strategies refer to for as long as the process lives. Each value is kept once, so that
/// settings that are read again take no more memory.
struct Kept<T: 'static>(Mutex<Vec<&'static T>>);

static KEPT_DELAYS: Kept<Vec<Duration>> = Kept(Mutex::new(Vec::new()));
static KEPT_FALLBACKS: Kept<(StrategySettings, Backoff)> = Kept(Mutex::new(Vec::new()));

impl<T: Same> Kept<T> {
    fn keep(&self, value: T) -> &'static T {
        let mut kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(same) = kept.iter().find(|one| one.is_same(&value)) {
            return same;
        }
        let value: &'static T = Box::leak(Box::new(value));
        kept.push(value);
        value
    }
}

/// Whether two values stand for the same.
trait Same {
    fn is_same(&self, other: &Self) -> bool;
}

impl Same for Vec<Duration> {
    fn is_same(&self, other: &Self) -> bool {
        self == other
    }
}

/// By the settings: a strategy itself cannot be compared.
impl Same for (StrategySettings, Backoff) {
    fn is_same(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

#[cfg(feature = "serde")]
mod read {
    use std::fmt;

    use serde::de::value::{MapAccessDeserializer, MapDeserializer};
    use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

    use super::{Limit, Plain, Spread, StrategySettings};

    /// The form with a `kind`.
    #[derive(serde::Deserialize)]
    #[serde(
        tag = "kind",
        rename_all = "camelCase",
        rename_all_fields = "camelCase",
        deny_unknown_fields
    )]
    enum Tagged {
        Constant {
            delay_ms: f64,
            jitter_ms: Option<f64>,
        },
        Exponential {
            base_ms: Option<f64>,
            #[serde(default)]
            max_ms: Limit,
            jitter_ms: Option<f64>,
            factor: Option<f64>,
        },
        Linear(Plain),
        Fibonacci(Plain),
        FullJitter(Spread),
        EqualJitter(Spread),
        DecorrelatedJitter(Spread),
        TokenBackoff(Spread),
        Sequence {
            delays_ms: Vec<f64>,
        },
        RetryAfterOr {
            fallback: Box<StrategySettings>,
            jitter_ms: Option<f64>,
            at_least_ms: Option<f64>,
            #[serde(default)]
            at_most_ms: Limit,
        },
    }

    impl From<Tagged> for StrategySettings {
        fn from(tagged: Tagged) -> Self {
            match tagged {
                Tagged::Constant { delay_ms, jitter_ms } => Self::Constant { delay_ms, jitter_ms },
                Tagged::Exponential { base_ms, max_ms, jitter_ms, factor } => {
                    Self::Exponential { base_ms, max_ms, jitter_ms, factor }
                }
                Tagged::Linear(own) => Self::Linear(own),
                Tagged::Fibonacci(own) => Self::Fibonacci(own),
                Tagged::FullJitter(own) => Self::FullJitter(own),
                Tagged::EqualJitter(own) => Self::EqualJitter(own),
                Tagged::DecorrelatedJitter(own) => Self::DecorrelatedJitter(own),
                Tagged::TokenBackoff(own) => Self::TokenBackoff(own),
                Tagged::Sequence { delays_ms } => Self::Sequence { delays_ms },
                Tagged::RetryAfterOr { fallback, jitter_ms, at_least_ms, at_most_ms } => {
                    Self::RetryAfterOr { fallback, jitter_ms, at_least_ms, at_most_ms }
                }
            }
        }
    }

    struct Either;

    impl<'de> Visitor<'de> for Either {
        type Value = StrategySettings;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a strategy: its name, or a table with its `kind`")
        }

        fn visit_str<E: Error>(self, kind: &str) -> Result<Self::Value, E> {
            let tagged = MapDeserializer::new([("kind", kind)].into_iter());
            Tagged::deserialize(tagged).map(Into::into)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            Tagged::deserialize(MapAccessDeserializer::new(map)).map(Into::into)
        }
    }

    impl<'de> Deserialize<'de> for StrategySettings {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(Either)
        }
    }
}
