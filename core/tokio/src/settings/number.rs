//! Numbers of settings, and the ranges that they are checked against.

use redress::Duration;

use super::error::Check;

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

/// What a number must be.
#[derive(Clone, Copy)]
pub(super) struct Range {
    whole: bool,
    least: f64,
    most: f64,
}

/// The largest whole number that every number below can be told from.
const SAFE: f64 = 9_007_199_254_740_991.0;
/// The longest delay of a strategy in milliseconds, as in the npm package.
pub(super) const MOST_MS: f64 = 9_007_199_254_740.992;
/// The least time that is not 0, in milliseconds.
const MICROSECOND: f64 = 0.001;

impl Range {
    /// A time in milliseconds that may be 0.
    pub(super) const TIME: Self = Self::at_least(0.0);
    /// A time in milliseconds, of a microsecond or more.
    pub(super) const SPAN: Self = Self::at_least(MICROSECOND);
    /// A delay of a strategy in milliseconds.
    pub(super) const DELAY: Self = Self::delay_from(0.0);
    /// A share.
    pub(super) const SHARE: Self = Self::from(0.001, 1.0);

    pub(super) const fn from(least: f64, most: f64) -> Self {
        Self { whole: false, least, most }
    }

    pub(super) const fn whole(least: f64, most: f64) -> Self {
        Self { whole: true, least, most }
    }

    pub(super) const fn at_least(least: f64) -> Self {
        Self::from(least, SAFE)
    }

    /// A delay of a strategy, at least so long.
    pub(super) const fn delay_from(least: f64) -> Self {
        Self::from(least, MOST_MS)
    }

    /// What a number must be, in words.
    pub(super) fn expected(self) -> String {
        let whole = if self.whole { "whole " } else { "" };
        let most =
            if self.most < SAFE { format!(", at most {}", self.most) } else { String::new() };
        format!("a {whole}number of at least {}{most}", self.least)
    }

    /// The number; the least there is if it is not in the range.
    pub(super) fn check(self, check: &Check<'_>, path: &str, value: f64) -> f64 {
        self.checked(check, path, value).unwrap_or(self.least)
    }

    fn checked(self, check: &Check<'_>, path: &str, value: f64) -> Option<f64> {
        let fits = value >= self.least && value <= self.most;
        if fits && (!self.whole || value.fract() == 0.0) {
            return Some(value);
        }
        check.refuse_number(path, value, self.expected());
        None
    }

    /// The number, or `default` if it is left out or not in the range.
    pub(super) fn or(self, check: &Check<'_>, path: &str, value: Option<f64>, default: f64) -> f64 {
        value.and_then(|value| self.checked(check, path, value)).unwrap_or(default)
    }

    /// The number, or `default` if it is left out or not in the range; `None` if it is switched
    /// off.
    pub(super) fn limit(
        self,
        check: &Check<'_>,
        path: &str,
        value: Limit,
        default: Option<f64>,
    ) -> Option<f64> {
        match value {
            Limit::Default => default,
            Limit::Off => None,
            Limit::At(value) => self.checked(check, path, value).or(default),
        }
    }
}

/// A span of milliseconds that has been checked, to the nearest microsecond.
pub(super) fn span(ms: f64) -> Duration {
    Duration::from_micros((ms * 1000.0).round().clamp(0.0, SAFE * 1000.0) as u64)
}
