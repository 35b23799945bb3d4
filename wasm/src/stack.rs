//! The stack of the module.

use wasm_bindgen::prelude::wasm_bindgen;

// `wasm/bind` puts the body in its place: Rust has no name for the pointer of the stack.
#[link(wasm_import_module = "redress")]
unsafe extern "C" {
    safe fn rewind_stack();
}

/// The stack is as empty as it was at the start. To be said by who enters the module while no
/// function of it runs: an exception that passes through one, as when JavaScript's own stack
/// overflows, leaves what that had on the stack.
#[wasm_bindgen]
pub fn rewind() {
    rewind_stack();
}
