//! Breakers that count a share of calls.

use redress::BreakerConfig;
use redress::breaker::{Empty, LastOutcomes, TimeSlices};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::breaker_slot::{build, common};
use crate::settings::{self, span, whole};

/// How many slices a window of time has.
pub(crate) const SLICES: usize = 10;

/// The last calls, up to 1,024.
pub(crate) type Calls = LastOutcomes<32>;
/// The calls of a time.
pub(crate) type Slices = TimeSlices<SLICES>;

/// A breaker that counts a share of calls, of the settings in the table; 0 if one is out of its
/// range, or there is no memory.
#[wasm_bindgen]
pub fn window_new() -> u32 {
    let given = settings::Rate::from_table();
    let (rate, min_calls) = (whole(given.rate_milli) as u16, whole(given.min_calls) as u16);
    if given.size != 0.0 {
        let config = BreakerConfig::outcomes(whole(given.size) as u16, rate, min_calls);
        return build(1, common(config, &given.breaker), 0, |_| Some(Calls::EMPTY));
    }
    let config = BreakerConfig::slices(span(given.window / SLICES as f64), rate, min_calls)
        .slow_calls(span(given.slow_after), whole(given.slow_rate_milli) as u16);
    build(2, common(config, &given.breaker), 0, |_| Some(Slices::EMPTY))
}
