//! The settings of a budget: [`BudgetSettings`].

use redress::budget::{RatioConfig, RollingConfig};

use super::error::{Check, Issue, Problem};
use super::number::{Range, span};
use crate::upstream::BudgetKind;

/// The settings of a budget: so many retries within a rolling window (`max_retries`), or retries
/// in proportion to calls (`ratio`).
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
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

/// The settings of a ratio.
pub(super) const RATIO: [&str; 4] = ["ratio", "floorPerSec", "limit", "initial"];
/// The settings of a rolling window.
pub(super) const ROLLING: [&str; 2] = ["maxRetries", "windowMs"];

impl BudgetSettings {
    pub(super) fn build(&self, path: &str, check: &Check<'_>) -> BudgetKind {
        let of = |field: &str| format!("{path}.{field}");
        let (known, foreign): (&[&str], _) = if self.ratio.is_some() {
            (&RATIO, vec![("maxRetries", self.max_retries), ("windowMs", self.window_ms)])
        } else {
            let ratio = [
                ("floorPerSec", self.floor_per_sec),
                ("limit", self.limit),
                ("initial", self.initial),
            ];
            (&ROLLING, ratio.to_vec())
        };
        for (field, value) in foreign {
            if let Some(value) = value {
                check.add(Issue::no_option(of(field), value, known));
            }
        }
        let Some(ratio) = self.ratio else {
            let range = Range::whole(0.0, 4_096.0);
            let retries = self.max_retries.map_or_else(
                || {
                    let (path, expected) = (of("maxRetries"), range.expected());
                    check.add(Issue::new(path, "", Problem::Missing, expected));
                    0.0
                },
                |retries| range.check(check, &of("maxRetries"), retries),
            );
            let window = Range::SPAN.or(check, &of("windowMs"), self.window_ms, 60_000.0);
            return RollingConfig::new(retries as u16, span(window)).into();
        };
        let whole = Range::whole(0.0, MOST);
        let ratio = Range::SHARE.check(check, &of("ratio"), ratio);
        let limit = Range::whole(1.0, MOST).or(check, &of("limit"), self.limit, 1_000.0);
        let mut config = RatioConfig::new((ratio * 1000.0).round() as u16).limit(limit as u32);
        if let Some(initial) = self.initial {
            config = config.initial(whole.check(check, &of("initial"), initial) as u32);
        }
        if let Some(floor) = self.floor_per_sec {
            config = config.floor_per_sec(whole.check(check, &of("floorPerSec"), floor) as u32);
        }
        config.into()
    }
}
