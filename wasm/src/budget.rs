//! Budgets in slots: what the module of the core and the one of more share.

#![cfg_attr(feature = "more", expect(dead_code, reason = "slots are asked by the core's module"))]

use core::ptr::null_mut;

use redress::Instant;
use redress::budget::Budget;
use redress::config::ConfigError;

use crate::memory::{release, reserve};

/// A budget of any kind and size.
pub(crate) trait Pool {
    fn deposit(&mut self);
    fn consume(&mut self, cost: u32, now: Instant) -> bool;
    fn remaining(&self, now: Instant) -> u32;
}

impl<B: Budget> Pool for B {
    fn deposit(&mut self) {
        Budget::deposit(self);
    }

    fn consume(&mut self, cost: u32, now: Instant) -> bool {
        Budget::consume(self, cost, now)
    }

    fn remaining(&self, now: Instant) -> u32 {
        Budget::remaining(self, now)
    }
}

/// What a budget's slot begins with.
#[repr(C)]
pub(crate) struct Head {
    pool: *mut dyn Pool,
    /// Which type it is of: 0 a small window, 1 a large one, 2 in proportion to calls.
    pub(crate) kind: u32,
}

/// A budget together with its settings.
#[repr(C)]
pub(crate) struct Slot<C, B> {
    head: Head,
    config: C,
    pub(crate) budget: B,
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
pub(crate) fn build<C: 'static, B: Pool + 'static>(
    kind: u32,
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
        (&raw mut (*slot).head).write(Head { pool: &raw mut (*slot).budget, kind });
    }
    slot.cast()
}
