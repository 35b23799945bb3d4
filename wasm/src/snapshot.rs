//! Snapshots of breakers and budgets.

use redress::breaker::Window;
use redress::snapshot::{Snapshot, SnapshotError};
use redress::{Breaker, BreakerConfig, Duration, Instant};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::breaker_slot::Failures;
use crate::budget_slot::{Ratio, Rolling};
use crate::slot::{bytes, content};
use crate::windows::{Calls, Slices};
use crate::{breaker_slot, budget_slot, table};

/// State that can be written to bytes and read back, whatever its type.
trait Saved {
    /// How many bytes it takes.
    fn bytes(&self) -> usize;
    fn save(&self, now: Instant, out: &mut [u8]);
    /// 0, or the number of what is wrong.
    fn load(&mut self, bytes: &[u8], now: Instant, off: Option<Duration>) -> u32;
}

impl<S: Snapshot> Saved for S {
    fn bytes(&self) -> usize {
        self.size()
    }

    fn save(&self, now: Instant, out: &mut [u8]) {
        // The package has asked how many bytes it takes.
        let _ = self.snapshot(now, out);
    }

    fn load(&mut self, bytes: &[u8], now: Instant, off: Option<Duration>) -> u32 {
        match self.restore(bytes, now, off) {
            Ok(_) => 0,
            Err(SnapshotError::Length { .. }) => 1,
            Err(SnapshotError::Kind) => 2,
            Err(SnapshotError::Version { .. }) => 3,
            Err(SnapshotError::Fingerprint) => 4,
            Err(SnapshotError::Damaged) => 5,
            // A wrong value, or what a newer core refuses.
            Err(_) => 6,
        }
    }
}

/// The state in a slot: of a breaker (0) or of a budget (1).
fn state(kind: u32, slot: u32) -> &'static mut dyn Saved {
    // SAFETY: the reference ends with the call of the function that asks. What a slot begins
    // with says of which type it is.
    unsafe {
        if kind == 0 {
            match (*content::<breaker_slot::Head>(slot)).kind {
                0 => breaker_of::<Failures>(slot),
                1 => breaker_of::<Calls>(slot),
                _ => breaker_of::<Slices>(slot),
            }
        } else {
            match (*content::<budget_slot::Head>(slot)).kind {
                0 => budget_of::<Rolling>(slot),
                _ => budget_of::<Ratio>(slot),
            }
        }
    }
}

/// # Safety
///
/// The slot holds a breaker with this window, and nothing else refers to it.
unsafe fn breaker_of<W: Window<Rule: 'static> + 'static>(slot: u32) -> &'static mut dyn Saved
where
    Breaker<W, { breaker_slot::PERMITS }, BreakerConfig<W::Rule>>: Snapshot,
{
    // SAFETY: the caller says so.
    unsafe { &mut (*(slot as *mut breaker_slot::Slot<W>)).breaker }
}

/// # Safety
///
/// The slot holds a budget of this type, and nothing else refers to it.
unsafe fn budget_of<B: Snapshot + 'static>(slot: u32) -> &'static mut dyn Saved {
    // SAFETY: the caller says so.
    unsafe { &mut (*(slot as *mut budget_slot::Slot<B>)).budget }
}

/// How many bytes a snapshot takes.
#[wasm_bindgen]
pub fn snapshot_bytes(kind: u32, slot: u32) -> u32 {
    state(kind, slot).bytes() as u32
}

/// Writes a snapshot to the slot `out`; whether it has room for it.
#[wasm_bindgen]
pub fn snapshot_save(kind: u32, slot: u32, now: f64, out: u32) -> bool {
    let state = state(kind, slot);
    let Some(room) = bytes(out, state.bytes() as u32) else { return false };
    state.save(table::instant(now), room);
    true
}

/// Takes over a snapshot, which is `length` bytes in the slot `from`; 0, or the number of what
/// is wrong with it.
#[wasm_bindgen]
pub fn snapshot_load(kind: u32, slot: u32, now: f64, from: u32, length: u32, off: f64) -> u32 {
    // One that its slot has no room for has another length than is needed.
    let Some(bytes) = bytes(from, length) else { return 1 };
    state(kind, slot).load(bytes, table::instant(now), table::optional(off))
}
