//! Strategies that adapt to how calls go.

use core::cell::RefCell;

use redress::backoff::{Adaptive, AdaptiveConfig, Memory};
use redress::{Backoff, Shared};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::memory::reserve;
use crate::settings::{self, span};
use crate::slot::Content;
use crate::strategy_slot::backoff;

/// A lock for the one thread there is.
struct Local<T>(RefCell<T>);

// SAFETY: an instance of the module is used by one thread alone.
unsafe impl<T> Sync for Local<T> {}

impl<T> Shared for Local<T> {
    type Item = T;

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.0.with(f)
    }
}

/// How many outcomes are remembered.
const REMEMBERED: usize = 255;

/// A strategy as the core finds it, and the memory that it refers to.
#[repr(C)]
struct Slot {
    backoff: Backoff,
    adaptive: Adaptive<Local<Memory<REMEMBERED>>>,
}

/// A strategy that adapts, of the settings in the table; 0 if one is out of its range, or there
/// is no memory.
#[wasm_bindgen]
pub fn adaptive_new() -> u32 {
    let given = settings::Adaptive::from_table();
    let config = AdaptiveConfig::new(backoff(given.fallback as u32))
        .window(span(given.window))
        .target_success_milli(given.target_milli as u32)
        .multipliers_milli(given.least_milli as u32, given.most_milli as u32);
    let Ok(adaptive) = config.build() else { return 0 };
    let address = reserve(size_of::<Slot>() as u32, Backoff::KIND);
    if address != 0 {
        let slot = address as *mut Slot;
        // SAFETY: the slot is large enough, and is given back with what refers to it.
        unsafe {
            let memory = Local(RefCell::new(Memory::new()));
            (&raw mut (*slot).adaptive).write(adaptive.memory(memory));
            (&raw mut (*slot).backoff).write(Backoff::own(&*(&raw const (*slot).adaptive)));
        }
    }
    address
}
