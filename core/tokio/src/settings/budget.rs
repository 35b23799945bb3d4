//! The settings of a budget: [`BudgetSettings`].

use redress::budget::{RatioConfig, RollingConfig};

use super::number::{Range, span};
use super::{Problem, SettingsError};
use crate::upstream::BudgetKind;

/// The settings of a budget: so many retries within a rolling window (`max_retries`), or retries
/// in proportion to calls (`ratio`).
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", default, deny_unknown_fields))]
#[non_exhaustive]
pub struct BudgetSettings {
    /// How many retries all calls may make within the window, 0 to 4,096.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub max_retries: Option<f64>,
    /// How long the window is, in milliseconds, 0.001 and up; 60,000 by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub window_ms: Option<f64>,
    /// What share of a retry each call earns, 0.001 to 1.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub ratio: Option<f64>,
    /// With how many retries a ratio starts, 0 to 100,000; 10 by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub initial: Option<f64>,
    /// How many retries a ratio earns each second besides, 0 to 100,000; 1 by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub floor_per_sec: Option<f64>,
    /// The most that a ratio saves up, 1 to 100,000; 1,000 by default.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub limit: Option<f64>,
}

const MOST: f64 = 100_000.0;

impl BudgetSettings {
    pub(super) fn build(&self, path: &str) -> Result<BudgetKind, SettingsError> {
        let of = |field: &str| format!("{path}.{field}");
        let foreign = |fields: &[(&str, Option<f64>)], kind: &str| {
            let Some((field, value)) =
                fields.iter().find_map(|(name, value)| Some((*name, (*value)?)))
            else {
                return Ok(());
            };
            let expected = format!("used with `{kind}`: give one or the other");
            Err(SettingsError::new(of(field), value, Problem::IsNot, expected))
        };
        match (self.ratio, self.max_retries) {
            (Some(ratio), _) => {
                let others = [("maxRetries", self.max_retries), ("windowMs", self.window_ms)];
                foreign(&others, "ratio")?;
                let ratio = Range::SHARE.check(&of("ratio"), ratio)?;
                let limit = Range::whole(1.0, MOST).or(&of("limit"), self.limit, 1_000.0)?;
                let mut config =
                    RatioConfig::new((ratio * 1000.0).round() as u16).limit(limit as u32);
                if let Some(initial) = self.initial {
                    let initial = Range::whole(0.0, MOST).check(&of("initial"), initial)?;
                    config = config.initial(initial as u32);
                }
                if let Some(floor) = self.floor_per_sec {
                    let floor = Range::whole(0.0, MOST).check(&of("floorPerSec"), floor)?;
                    config = config.floor_per_sec(floor as u32);
                }
                Ok(config.into())
            }
            (None, Some(retries)) => {
                let others = [
                    ("initial", self.initial),
                    ("floorPerSec", self.floor_per_sec),
                    ("limit", self.limit),
                ];
                foreign(&others, "maxRetries")?;
                let retries = Range::whole(0.0, 4_096.0).check(&of("maxRetries"), retries)?;
                let window = Range::SPAN.or(&of("windowMs"), self.window_ms, 60_000.0)?;
                Ok(RollingConfig::new(retries as u16, span(window)).into())
            }
            (None, None) => Err(SettingsError::missing(path, "give `ratio` or `maxRetries`")),
        }
    }
}

/// The settings, checked, under the path `budget`.
impl TryFrom<&BudgetSettings> for BudgetKind {
    type Error = SettingsError;

    fn try_from(settings: &BudgetSettings) -> Result<Self, SettingsError> {
        settings.build("budget")
    }
}
