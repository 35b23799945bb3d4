//! Slots of linear memory: power-of-two sizes, one list of free slots for each. A slot may be
//! given back with another: a call with its breaker, a sequence with its strategy.

use core::arch::wasm32::{memory_grow, memory_size};

use wasm_bindgen::prelude::wasm_bindgen;

use crate::slot::{Bytes, Content, HEADER, Header, SMALLEST, header, size_index, tag};

const PAGE: u32 = 65_536;
/// The largest slot has 1 MB.
const SIZES: usize = 16;
const LARGEST: u32 = SMALLEST << (SIZES - 1);

/// All memory that was grown and is not in use.
struct Arena {
    /// By size, the content of a free slot, which begins with that of the next one.
    free: [u32; SIZES],
    next: u32,
    end: u32,
}

static mut ARENA: Arena = Arena { free: [0; SIZES], next: 0, end: 0 };

/// A slot for at least `bytes` of this kind, aligned to 8; 0 if there is no more memory.
pub(crate) fn reserve(bytes: u32, kind: u32) -> u32 {
    if bytes > LARGEST - HEADER {
        return 0;
    }
    let (mut index, mut size) = (0, SMALLEST);
    while size < bytes + HEADER {
        size *= 2;
        index += 1;
    }
    // SAFETY: one thread, and no reference into the arena outlives this function.
    let arena = unsafe { &mut *(&raw mut ARENA) };
    let Some(first) = arena.free.get_mut(index) else { return 0 };
    let content = if *first == 0 {
        match arena.extend(size) {
            0 => return 0,
            start => start + HEADER,
        }
    } else {
        let content = *first;
        // SAFETY: the content of a free slot begins with the next one's address.
        *first = unsafe { *(content as *const u32) };
        content
    };
    // SAFETY: a slot begins with its header, and has at least `SMALLEST` bytes.
    unsafe {
        let tag = tag(content, kind, index as u32);
        header(content).write(Header { tag, first: 0, next: 0, back: 0 });
    }
    content
}

/// Gives back a slot that [`reserve`] returned, and those that it has adopted. Nothing happens
/// if there is no slot.
#[inline(never)]
pub(crate) fn release(content: u32) {
    let Some(index) = size_index(content) else { return };
    // SAFETY: there is a slot; one thread, and no reference into the arena outlives this
    // function.
    unsafe {
        let own = header(content);
        loop {
            let adopted = (*own).first;
            if adopted == 0 {
                break;
            }
            release(adopted);
        }
        let Header { next, back, .. } = *own;
        if back != 0 {
            *(back as *mut u32) = next;
            if next != 0 {
                (*header(next)).back = back;
            }
        }
        (*own).tag = 0;
        let arena = &mut *(&raw mut ARENA);
        if let Some(first) = arena.free.get_mut(index as usize) {
            (content as *mut u32).write(*first);
            *first = content;
        }
    }
}

/// Puts `value` into a slot of its own; 0 if there is no more memory.
pub(crate) fn place<T: Content>(value: T) -> u32 {
    let slot = reserve(size_of::<T>() as u32, T::KIND);
    if slot != 0 {
        // SAFETY: the slot is large enough and aligned to 8, as is everything here.
        unsafe { (slot as *mut T).write(value) };
    }
    slot
}

impl Arena {
    /// The address of `size` fresh bytes, 0 if memory cannot grow.
    fn extend(&mut self, size: u32) -> u32 {
        if self.end - self.next < size {
            let before = memory_grow(0, size.div_ceil(PAGE) as usize);
            if before == usize::MAX {
                return 0;
            }
            // Growth is contiguous unless something else has grown the memory, too.
            if before as u32 * PAGE != self.end {
                self.next = before as u32 * PAGE;
            }
            self.end = (memory_size(0) as u32).saturating_mul(PAGE);
        }
        let slot = self.next;
        self.next += size;
        slot
    }
}

/// Makes room for `bytes` that the package writes, and returns where; 0 if there is none.
#[wasm_bindgen]
pub fn memory_reserve(bytes: u32) -> u32 {
    reserve(bytes, Bytes::KIND)
}

/// Gives back what any of the functions here reserved, and what goes with it.
#[wasm_bindgen]
pub fn memory_release(slot: u32) {
    release(slot);
}
