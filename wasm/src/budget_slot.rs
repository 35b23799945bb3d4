//! Budgets in slots: what the modules share.

#![allow(dead_code, reason = "each module makes or asks a part of it")]

use redress::budget::{Budget, RatioConfig, RollingConfig};
use redress::config::ConfigError;
use redress::{Instant, RatioBudget, RollingBudget};

use crate::memory::{release, reserve};
use crate::slot::{Content, content};

/// A budget of any kind.
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
    /// Which type it is of: 0 a window, 1 in proportion to calls.
    pub(crate) kind: u32,
}

impl Content for Head {
    const KIND: u32 = 4;
}

/// A budget with its settings; the times of a window come after it.
#[repr(C)]
pub(crate) struct Slot<B> {
    head: Head,
    pub(crate) budget: B,
}

/// So many retries in a window as its settings allow.
pub(crate) type Rolling = RollingBudget<4096, RollingConfig, &'static mut [Instant]>;
/// In proportion to calls.
pub(crate) type Ratio = RatioBudget<RatioConfig>;

/// The budget in a slot. The reference ends before another is asked for.
pub(crate) fn at(slot: u32) -> &'static mut dyn Pool {
    // SAFETY: a budget's slot begins with its head.
    unsafe { &mut *(*content::<Head>(slot)).pool }
}

/// Builds a budget that may refer to so many bytes after it; 0 if its settings are out of range
/// or there is no memory.
pub(crate) fn build<B: Pool + 'static>(
    kind: u32,
    bytes: usize,
    new: impl FnOnce(u32) -> Result<B, ConfigError>,
) -> u32 {
    let address = reserve((size_of::<Slot<B>>() + bytes) as u32, Head::KIND);
    if address == 0 {
        return 0;
    }
    let Ok(budget) = new(address + size_of::<Slot<B>>() as u32) else {
        release(address);
        return 0;
    };
    let slot = address as *mut Slot<B>;
    // SAFETY: the slot is large enough.
    unsafe {
        (&raw mut (*slot).budget).write(budget);
        (&raw mut (*slot).head).write(Head { pool: &raw mut (*slot).budget, kind });
    }
    address
}
