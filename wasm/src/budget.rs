//! Budgets in slots.

use core::ptr::null_mut;

use redress::{Budget, Instant, RatioBudget, RatioConfig, RollingBudget, RollingConfig};
use redress::{ConfigError, Snapshot, Withdraw};

use crate::memory::{release, reserve};
use crate::snapshot::Saved;
use crate::table;

/// A budget of any kind and size.
pub(crate) trait Pool {
    fn deposit(&mut self);
    fn consume(&mut self, cost: u32, now: Instant) -> bool;
    fn remaining(&self, now: Instant) -> u32;
    fn saved(&mut self) -> &mut dyn Saved;
}

impl<B: Budget + Snapshot> Pool for B {
    fn deposit(&mut self) {
        Budget::deposit(self);
    }

    fn consume(&mut self, cost: u32, now: Instant) -> bool {
        Budget::consume(self, cost, now)
    }

    fn remaining(&self, now: Instant) -> u32 {
        Budget::remaining(self, now)
    }

    fn saved(&mut self) -> &mut dyn Saved {
        self
    }
}

/// What a budget's slot begins with.
pub(crate) struct Head {
    pool: *mut dyn Pool,
}

/// A budget together with its settings.
#[repr(C)]
struct Slot<C, B> {
    head: Head,
    config: C,
    budget: B,
}

/// The budget in a slot.
///
/// # Safety
///
/// The slot is a budget's that was not given back, and nothing else refers to it.
pub(crate) unsafe fn at(slot: u32) -> &'static mut dyn Pool {
    // SAFETY: the caller says so, and a budget's slot begins with its head.
    unsafe { &mut *(*(slot as *const Head)).pool }
}

/// Builds a budget beside its settings; null if they are out of range.
fn build<C: 'static, B: Pool + 'static>(
    config: C,
    new: impl FnOnce(&'static C) -> Result<B, ConfigError>,
) -> *mut Head {
    let slot = reserve(size_of::<Slot<C, B>>()).cast::<Slot<C, B>>();
    if slot.is_null() {
        return null_mut();
    }
    // SAFETY: the slot is large enough; the settings stay where they are for as long
    // as the budget that refers to them.
    unsafe {
        (&raw mut (*slot).config).write(config);
        let Ok(budget) = new(&*(&raw const (*slot).config)) else {
            release(slot.cast());
            return null_mut();
        };
        (&raw mut (*slot).budget).write(budget);
        (&raw mut (*slot).head).write(Head { pool: &raw mut (*slot).budget });
    }
    slot.cast()
}

/// A budget of so many retries in a window of milliseconds.
#[unsafe(no_mangle)]
extern "C" fn budget_rolling(max_retries: u32, window: f64) -> *mut Head {
    let config = RollingConfig::new(max_retries as u16, table::duration(window));
    match max_retries {
        0..=128 => build(config, RollingBudget::<128>::new),
        129..=4096 => build(config, RollingBudget::<4096>::new),
        _ => null_mut(),
    }
}

/// A budget in proportion to calls.
#[unsafe(no_mangle)]
extern "C" fn budget_ratio(ratio_milli: u32, floor_per_sec: u32, limit: u32) -> *mut Head {
    let config = RatioConfig::new(ratio_milli as u16).floor_per_sec(floor_per_sec).limit(limit);
    build(config, RatioBudget::new)
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
