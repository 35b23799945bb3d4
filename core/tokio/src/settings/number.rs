//! Numbers of settings, and the ranges that they are checked against.

use redress::Duration;

use super::{Problem, SettingsError};

/// A limit that may be switched off.
///
/// In JSON `null` and in TOML `inf` stand for no limit; a limit that is left out has its default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Limit {
    /// The default of the setting.
    #[default]
    Default,
    /// No limit.
    Off,
    /// This limit.
    At(f64),
}

impl Limit {
    #[cfg(feature = "serde")]
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::Default
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Limit {
    /// No limit is infinity, which JSON writes as `null`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Default => serializer.serialize_none(),
            Self::Off => serializer.serialize_f64(f64::INFINITY),
            Self::At(limit) => serializer.serialize_f64(*limit),
        }
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Limit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = Option::<f64>::deserialize(deserializer)?;
        Ok(match limit {
            None => Self::Off,
            Some(limit) if limit == f64::INFINITY => Self::Off,
            Some(limit) => Self::At(limit),
        })
    }
}

/// What a number must be.
#[derive(Clone, Copy)]
pub(super) struct Range {
    whole: bool,
    least: f64,
    most: f64,
}

/// The largest whole number that every number below can be told from.
const SAFE: f64 = 9_007_199_254_740_991.0;
/// The longest span of time in milliseconds, as in the npm package.
const LONGEST_MS: f64 = 9_007_199_254_740.992;
/// The least time that is not 0, in milliseconds.
const MICROSECOND: f64 = 0.001;

impl Range {
    /// A time in milliseconds that may be 0.
    pub(super) const TIME: Self = Self::from(0.0, LONGEST_MS);
    /// A time in milliseconds, of a microsecond or more.
    pub(super) const SPAN: Self = Self::from(MICROSECOND, LONGEST_MS);
    /// A share.
    pub(super) const SHARE: Self = Self::from(0.001, 1.0);

    pub(super) const fn from(least: f64, most: f64) -> Self {
        Self { whole: false, least, most }
    }

    pub(super) const fn whole(least: f64, most: f64) -> Self {
        Self { whole: true, least, most }
    }

    pub(super) const fn at_least(least: f64) -> Self {
        Self::from(least, LONGEST_MS)
    }

    /// The number, if it is in the range.
    pub(super) fn check(self, path: &str, value: f64) -> Result<f64, SettingsError> {
        let fits = value >= self.least && value <= self.most;
        if fits && (!self.whole || value.fract() == 0.0) {
            return Ok(value);
        }
        let whole = if self.whole { "whole " } else { "" };
        let most =
            if self.most < LONGEST_MS { format!(", at most {}", self.most) } else { String::new() };
        let expected = format!("a {whole}number of at least {}{most}", self.least);
        let problem = if value.is_nan() { Problem::IsNot } else { Problem::OutOfRange };
        Err(SettingsError::new(path, value, problem, expected))
    }

    /// The number, or `default` if it is left out.
    pub(super) fn or(
        self,
        path: &str,
        value: Option<f64>,
        default: f64,
    ) -> Result<f64, SettingsError> {
        value.map_or(Ok(default), |value| self.check(path, value))
    }

    /// The number, or `default` if it is left out; `None` if it is switched off.
    pub(super) fn limit(
        self,
        path: &str,
        value: Limit,
        default: Option<f64>,
    ) -> Result<Option<f64>, SettingsError> {
        match value {
            Limit::Default => Ok(default),
            Limit::Off => Ok(None),
            Limit::At(value) => self.check(path, value).map(Some),
        }
    }
}

/// A span of milliseconds that has been checked, to the nearest microsecond.
pub(super) fn span(ms: f64) -> Duration {
    Duration::from_micros((ms * 1000.0).round().clamp(0.0, SAFE * 1000.0) as u64)
}
