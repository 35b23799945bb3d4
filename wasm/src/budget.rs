//! Budgets in slots: what both modules share.

#![cfg_attr(feature = "extras", expect(dead_code, reason = "slots are asked by the core's module"))]

use redress::Instant;
use redress::budget::Budget;
use redress::config::ConfigError;

use crate::memory::{release, reserve};
use crate::slot::{Content, content};

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
    /// Which type it is of: 0 to 3 a window, by its size, 4 in proportion to calls.
    pub(crate) kind: u32,
}

impl Content for Head {
    const KIND: u32 = 4;
}

/// A budget together with its settings.
#[repr(C)]
pub(crate) struct Slot<C, B> {
    head: Head,
    config: C,
    pub(crate) budget: B,
}

/// The budget in a slot. The reference ends before another is asked for.
pub(crate) fn at(slot: u32) -> &'static mut dyn Pool {
    // SAFETY: a budget's slot begins with its head.
    unsafe { &mut *(*content::<Head>(slot)).pool }
}

/// Builds a budget beside its settings; 0 if they are out of range or there is no memory.
pub(crate) fn build<C: 'static, B: Pool + 'static>(
    kind: u32,
    config: C,
    new: impl FnOnce(&'static C) -> Result<B, ConfigError>,
) -> u32 {
    let address = reserve(size_of::<Slot<C, B>>() as u32, Head::KIND);
    if address == 0 {
        return 0;
    }
    let slot = address as *mut Slot<C, B>;
    // SAFETY: the slot is large enough; the settings stay where they are for as long
    // as the budget that refers to them.
    unsafe {
        (&raw mut (*slot).config).write(config);
        let Ok(budget) = new(&*(&raw const (*slot).config)) else {
            release(address);
            return 0;
        };
        (&raw mut (*slot).budget).write(budget);
        (&raw mut (*slot).head).write(Head { pool: &raw mut (*slot).budget, kind });
    }
    address
}
