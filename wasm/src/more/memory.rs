//! Slots of linear memory, which the module of the core hands out.

#[link(wasm_import_module = "core")]
unsafe extern "C" {
    safe fn memory_reserve(bytes: usize) -> *mut u8;
    safe fn memory_release(content: *mut u8);
}

/// A slot of at least `bytes`, aligned to 8; null if there is no more memory.
pub(crate) fn reserve(bytes: usize) -> *mut u8 {
    memory_reserve(bytes)
}

/// Gives back a slot that [`reserve`] returned.
pub(crate) fn release(content: *mut u8) {
    memory_release(content);
}
