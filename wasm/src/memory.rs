//! Slots of linear memory: power-of-two sizes, one list of free slots for each.

use core::arch::wasm32::{memory_grow, memory_size};
use core::ptr::null_mut;

const PAGE: usize = 65_536;
/// The smallest slot, its header included.
const SMALLEST: usize = 32;
const SIZES: usize = 16;
/// What precedes the content of a slot: the index of its size, and the address of another
/// slot that is given back with it, 0 for none.
type Header = [u32; 2];
const HEADER: usize = size_of::<Header>();

struct Free {
    next: *mut Free,
}

/// All memory that was grown and is not in use.
struct Arena {
    free: [*mut Free; SIZES],
    next: usize,
    end: usize,
}

static mut ARENA: Arena = Arena { free: [null_mut(); SIZES], next: 0, end: 0 };

/// A slot of at least `bytes`, aligned to 8; null if there is no more memory.
pub(crate) fn reserve(bytes: usize) -> *mut u8 {
    let (mut index, mut size) = (0, SMALLEST);
    while size < bytes + HEADER {
        size *= 2;
        index += 1;
    }
    if index >= SIZES {
        return null_mut();
    }
    // SAFETY: one thread, and no reference into the arena outlives this function.
    let arena = unsafe { &mut *(&raw mut ARENA) };
    let free = arena.free[index];
    let slot = if free.is_null() {
        match arena.extend(size) {
            0 => return null_mut(),
            slot => slot as *mut u8,
        }
    } else {
        // SAFETY: a slot in the list holds its successor at the place of its content.
        arena.free[index] = unsafe { (*free).next };
        // SAFETY: the content of a slot follows its header.
        unsafe { free.cast::<u8>().sub(HEADER) }
    };
    // SAFETY: a slot has at least `SMALLEST` bytes, aligned to 8.
    unsafe {
        slot.cast::<Header>().write([index as u32, 0]);
        slot.add(HEADER)
    }
}

/// Gives back a slot that [`reserve`] returned, and those that are linked to it.
#[inline(never)]
pub(crate) fn release(mut content: *mut u8) {
    while !content.is_null() {
        // SAFETY: a header precedes the content of a slot.
        let [index, linked] = unsafe { content.sub(HEADER).cast::<Header>().read() };
        // SAFETY: one thread, and no reference into the arena outlives this function.
        let arena = unsafe { &mut *(&raw mut ARENA) };
        let Some(first) = arena.free.get_mut(index as usize) else { return };
        let free = content.cast::<Free>();
        // SAFETY: the content has at least 24 bytes, and nobody uses it any more.
        unsafe { free.write(Free { next: *first }) };
        *first = free;
        content = linked as *mut u8;
    }
}

/// Has `linked` given back with a slot. Nothing happens if there is no slot.
pub(crate) fn link(content: *mut u8, linked: *mut u8) {
    if !content.is_null() {
        // SAFETY: a header precedes the content of a slot.
        unsafe { (*content.sub(HEADER).cast::<Header>())[1] = linked as u32 };
    }
}

/// Puts `value` into a slot of its own; null if there is no more memory.
pub(crate) fn place<T>(value: T) -> *mut T {
    let slot = reserve(size_of::<T>()).cast::<T>();
    if !slot.is_null() {
        // SAFETY: the slot is large enough and aligned to 8, as is everything here.
        unsafe { slot.write(value) };
    }
    slot
}

impl Arena {
    /// The address of `size` fresh bytes, 0 if memory cannot grow.
    fn extend(&mut self, size: usize) -> usize {
        if self.next + size > self.end {
            let pages = size.div_ceil(PAGE);
            let before = memory_grow(0, pages);
            if before == usize::MAX {
                return 0;
            }
            // Growth is contiguous unless something else has grown the memory, too.
            if before * PAGE != self.end {
                self.next = before * PAGE;
            }
            self.end = memory_size(0) * PAGE;
        }
        let slot = self.next;
        self.next += size;
        slot
    }
}

/// Makes room for `bytes` and returns where; 0 if there is none.
#[unsafe(no_mangle)]
extern "C" fn memory_reserve(bytes: usize) -> *mut u8 {
    reserve(bytes)
}

/// Gives back what any of the functions here reserved.
#[unsafe(no_mangle)]
extern "C" fn memory_release(content: *mut u8) {
    release(content);
}
