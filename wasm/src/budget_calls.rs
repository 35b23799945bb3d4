//! The budgets there are, and what JavaScript asks of any.

use core::slice::from_raw_parts_mut;

use redress::Instant;
use redress::budget::{RatioConfig, RollingConfig};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::budget_slot::{Ratio, Rolling, at, build};
use crate::settings::{span, whole};
use crate::{settings, table};

/// A budget of a number of retries in a window, of the settings in the table.
#[wasm_bindgen]
pub fn budget_rolling() -> u32 {
    let given = settings::Rolling::from_table();
    let max_retries = whole(given.max_retries) as u16;
    let (length, config) =
        (usize::from(max_retries), RollingConfig::new(max_retries, span(given.window)));
    build(0, length * size_of::<Instant>(), |times| {
        // SAFETY: the slot has so many bytes there, given back with what refers to them, and a
        // time may be any number.
        let times = unsafe { from_raw_parts_mut(times as *mut Instant, length) };
        Rolling::with_storage(config, times)
    })
}

/// A budget in proportion to calls, likewise.
#[wasm_bindgen]
pub fn budget_ratio() -> u32 {
    let given = settings::Ratio::from_table();
    let config = RatioConfig::new(whole(given.ratio_milli) as u16)
        .initial(given.initial as u32)
        .floor_per_sec(given.floor_per_sec as u32)
        .limit(given.limit as u32);
    build(1, 0, |_| Ratio::from_settings(config))
}

/// Takes `cost` retries, all or none.
#[wasm_bindgen]
pub fn budget_consume(slot: u32, cost: u32, now: f64) -> bool {
    at(slot).consume(cost, table::instant(now))
}

/// A call begins.
#[wasm_bindgen]
pub fn budget_deposit(slot: u32) {
    at(slot).deposit();
}

/// How many retries there are.
#[wasm_bindgen]
pub fn budget_remaining(slot: u32, now: f64) -> u32 {
    at(slot).remaining(table::instant(now))
}
