//! The budgets there are, and what JavaScript and calls ask of any.

use redress::budget::{RatioConfig, RollingConfig, Withdraw};
use redress::{Instant, RatioBudget, RollingBudget};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::budget::{at, build};
use crate::table;

/// A budget of so many retries in a window of milliseconds, of the first size that has room
/// for them: each but the last fills a slot of memory.
#[wasm_bindgen]
pub fn budget_rolling(max_retries: u32, window: f64) -> u32 {
    let config = RollingConfig::new(max_retries as u16, table::duration(window));
    match max_retries {
        0..=248 => build(0, config, RollingBudget::<248>::new),
        249..=1016 => build(1, config, RollingBudget::<1016>::new),
        1017..=2040 => build(2, config, RollingBudget::<2040>::new),
        2041..=4096 => build(3, config, RollingBudget::<4096>::new),
        _ => 0,
    }
}

/// A budget in proportion to calls.
#[wasm_bindgen]
pub fn budget_ratio(ratio_milli: u32, floor_per_sec: u32, limit: u32, initial: u32) -> u32 {
    let config = RatioConfig::new(ratio_milli as u16)
        .initial(initial)
        .floor_per_sec(floor_per_sec)
        .limit(limit);
    build(4, config, RatioBudget::new)
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
