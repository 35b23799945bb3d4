//! The budgets there are, and what JavaScript and calls ask of any.

use core::slice::from_raw_parts_mut;

use redress::Instant;
use redress::budget::{RatioConfig, RollingConfig, Withdraw};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::budget::{Ratio, Rolling, at, build};
use crate::table;

/// A budget of so many retries in a window of milliseconds.
#[wasm_bindgen]
pub fn budget_rolling(max_retries: u32, window: f64) -> u32 {
    let config = RollingConfig::new(max_retries as u16, table::duration(window));
    let length = usize::from(max_retries as u16);
    build(0, length * size_of::<Instant>(), |times| {
        // SAFETY: the slot has so many bytes there, given back with what refers to them, and a
        // time may be any number.
        let times = unsafe { from_raw_parts_mut(times as *mut Instant, length) };
        Rolling::with_storage(config, times)
    })
}

/// A budget in proportion to calls.
#[wasm_bindgen]
pub fn budget_ratio(ratio_milli: u32, floor_per_sec: u32, limit: u32, initial: u32) -> u32 {
    let config = RatioConfig::new(ratio_milli as u16)
        .initial(initial)
        .floor_per_sec(floor_per_sec)
        .limit(limit);
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

/// The budget of a call, on its own clock; slot 0 for none.
pub(crate) struct Purse {
    pub(crate) slot: u32,
    pub(crate) now: f64,
}

impl Withdraw for Purse {
    fn withdraw(&self, now: Instant) -> bool {
        let now = if self.now.is_nan() { now } else { table::instant(self.now) };
        self.slot == 0 || at(self.slot).consume(1, now)
    }
}
