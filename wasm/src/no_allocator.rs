//! An allocator without memory: the glue of wasm-bindgen is linked with one, and nothing that
//! crosses here needs it.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::null_mut;

struct Nothing;

// SAFETY: null says that there is no memory.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static NOTHING: Nothing = Nothing;
