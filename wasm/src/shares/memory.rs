//! Slots of linear memory, which the module of the core hands out.

#![allow(dead_code, reason = "each module uses a part of it")]

use wasm_bindgen::prelude::wasm_bindgen;

use crate::slot::retag;

#[wasm_bindgen(raw_module = "./core.js")]
extern "C" {
    fn memory_reserve(bytes: u32) -> u32;
    fn memory_release(slot: u32);
}

/// A slot for at least `bytes` of this kind, aligned to 8; 0 if there is no more memory.
pub(crate) fn reserve(bytes: u32, kind: u32) -> u32 {
    let slot = memory_reserve(bytes);
    retag(slot, kind);
    slot
}

/// Gives back a slot that [`reserve`] returned.
pub(crate) fn release(slot: u32) {
    memory_release(slot);
}
