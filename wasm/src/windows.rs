//! Breakers that count a share of calls.

use redress::BreakerConfig;
use redress::breaker::{Empty, LastOutcomes, TimeSlices};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::breaker::build;
use crate::table;

/// How many slices a window of time has.
pub(crate) const SLICES: usize = 10;

/// The last calls, up to 1,024.
pub(crate) type Calls = LastOutcomes<32>;
/// The calls of a time.
pub(crate) type Slices = TimeSlices<SLICES>;

/// A breaker of the settings in the table: kind (1 calls, 2 time), size or milliseconds,
/// rate, least calls, what `breaker_new` of the core takes from the fifth on, and after how
/// long a call is slow and the share of slow calls. 0 if one is out of its range.
#[wasm_bindgen]
pub fn window_new() -> u32 {
    let (size, rate, min_calls) = (table::get(1), table::get(2) as u16, table::get(3) as u16);
    if table::get(0) as u32 == 1 {
        let config = BreakerConfig::outcomes(size as u16, rate, min_calls);
        return build(1, config, 0, |_| Some(Calls::EMPTY));
    }
    let slice = table::duration(size / SLICES as f64);
    let mut config = BreakerConfig::slices(slice, rate, min_calls);
    if let Some(after) = table::span(18) {
        config = config.slow_calls(after, table::get(19) as u16);
    }
    build(2, config, 0, |_| Some(Slices::EMPTY))
}
