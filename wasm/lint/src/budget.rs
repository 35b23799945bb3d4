//! The settings of a budget.

use redress::budget::{RatioConfig, RollingConfig};
use redress::lint::Lint;
use serde_json::Value;

use crate::{number, span};

/// Of its kind and its numbers, as the package hands them to its engine.
pub(crate) fn config(made: &Value) -> Box<dyn Lint> {
    let at = |index| number(made, index).unwrap_or(0.0);
    if made[0] == "ratio" {
        let config = RatioConfig::new(at(1) as u16);
        let config = config.floor_per_sec(at(2) as u32).limit(at(3) as u32);
        Box::new(config.initial(at(4) as u32))
    } else {
        Box::new(RollingConfig::new(at(1) as u16, span(at(2))))
    }
}
