//! The budgets there are, and what JavaScript and calls ask of any.

use core::ptr::null_mut;

use redress::budget::{RatioConfig, RollingConfig, Withdraw};
use redress::{Instant, RatioBudget, RollingBudget};

use crate::budget::{Head, at, build};
use crate::table;

/// A budget of so many retries in a window of milliseconds.
#[unsafe(no_mangle)]
extern "C" fn budget_rolling(max_retries: u32, window: f64) -> *mut Head {
    let config = RollingConfig::new(max_retries as u16, table::duration(window));
    match max_retries {
        0..=128 => build(0, config, RollingBudget::<128>::new),
        129..=4096 => build(1, config, RollingBudget::<4096>::new),
        _ => null_mut(),
    }
}

/// A budget in proportion to calls.
#[unsafe(no_mangle)]
extern "C" fn budget_ratio(
    ratio_milli: u32,
    floor_per_sec: u32,
    limit: u32,
    initial: u32,
) -> *mut Head {
    let config = RatioConfig::new(ratio_milli as u16)
        .initial(initial)
        .floor_per_sec(floor_per_sec)
        .limit(limit);
    build(2, config, RatioBudget::new)
}

/// Takes `cost` retries, all or none.
#[unsafe(no_mangle)]
extern "C" fn budget_consume(slot: u32, cost: u32, now: f64) -> bool {
    // SAFETY: the package hands in a budget that it has not given back.
    unsafe { at(slot) }.consume(cost, table::instant(now))
}

/// A call begins.
#[unsafe(no_mangle)]
extern "C" fn budget_deposit(slot: u32) {
    // SAFETY: as above.
    unsafe { at(slot) }.deposit();
}

/// How many retries there are.
#[unsafe(no_mangle)]
extern "C" fn budget_remaining(slot: u32, now: f64) -> u32 {
    // SAFETY: as above.
    unsafe { at(slot) }.remaining(table::instant(now))
}

/// The budget of a call, on its own clock; slot 0 for none.
pub(crate) struct Purse {
    pub(crate) slot: u32,
    pub(crate) now: f64,
}

impl Withdraw for Purse {
    fn withdraw(&self, now: Instant) -> bool {
        let now = if self.now.is_nan() { now } else { table::instant(self.now) };
        // SAFETY: the package keeps the budget while a call of it runs.
        self.slot == 0 || unsafe { at(self.slot) }.consume(1, now)
    }
}
