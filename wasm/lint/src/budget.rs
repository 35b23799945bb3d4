//! The settings of a budget.

use redress::budget::{RatioConfig, RollingConfig};
use redress::lint::Lint;
use serde_json::Value;

use crate::{micros, number};

/// Of the settings that the package hands to its engine, by their names there.
pub(crate) fn config(settings: &Value) -> Box<dyn Lint> {
    let at = |name| number(settings, name);
    if settings.get("ratioMilli").is_some() {
        let config = RatioConfig::new(at("ratioMilli") as u16);
        let config = config.floor_per_sec(at("floorPerSec") as u32).limit(at("limit") as u32);
        Box::new(config.initial(at("initial") as u32))
    } else {
        Box::new(RollingConfig::new(at("maxRetries") as u16, micros(settings, "window")))
    }
}
