//! What an address stands for: a slot of linear memory, which says itself what it holds.

#![allow(dead_code, reason = "each module uses a part of it")]

use core::arch::wasm32::unreachable;

/// What precedes the content of a slot.
#[repr(C)]
pub(crate) struct Header {
    /// By which [`is`] knows the slot; anything else after it was given back.
    pub(crate) tag: u32,
    /// The first slot that is given back with this one, 0 for none.
    pub(crate) first: u32,
    /// The next slot that is given back with the same one, 0 for none.
    pub(crate) next: u32,
    /// Where the address of this slot is written, as the first or the next of another; 0 if it
    /// is given back by itself.
    pub(crate) back: u32,
}

pub(crate) const HEADER: u32 = size_of::<Header>() as u32;
/// The smallest slot, its header included.
pub(crate) const SMALLEST: u32 = 32;

/// What a slot may hold, by a number from 1.
pub(crate) trait Content {
    const KIND: u32;
}

/// Bytes that the package writes and reads.
pub(crate) struct Bytes;

impl Content for Bytes {
    const KIND: u32 = 1;
}

/// The tag of a slot at this address: a number that is hardly anywhere by chance, the kind of
/// its content, and the index of its size.
pub(crate) const fn tag(address: u32, kind: u32, size: u32) -> u32 {
    address.wrapping_mul(0x9E37_79B9) & 0xFFFF_0000 | (kind & 0xFF) << 8 | size & 0xFF
}

/// The header of the slot whose content is at `address`.
pub(crate) fn header(address: u32) -> *mut Header {
    address.wrapping_sub(HEADER) as *mut Header
}

/// The tag that a slot at this address would have, and the one that is there; none where no
/// slot can be.
fn tags(address: u32) -> Option<(u32, u32)> {
    if address < HEADER || !address.is_multiple_of(8) {
        return None;
    }
    // SAFETY: an aligned word; beyond the end of memory the engine traps.
    Some((tag(address, 0, 0), unsafe { (*header(address)).tag }))
}

/// The index of a slot's size; none if there is no slot at this address.
pub(crate) fn size_index(address: u32) -> Option<u32> {
    let (bare, found) = tags(address)?;
    let rest = found ^ bare;
    (rest >> 16 == 0 && rest >> 8 != 0).then_some(rest & 0xFF)
}

/// Has a slot hold what is of another kind from now on. Nothing happens if there is no slot.
pub(crate) fn retag(address: u32, kind: u32) {
    if let Some(size) = size_index(address) {
        // SAFETY: there is a slot.
        unsafe { (*header(address)).tag = tag(address, kind, size) };
    }
}

/// Where the content of a slot is. Traps, before anything is written, unless the slot holds a
/// `T` and was not given back: no number that comes from outside reaches what is another's.
pub(crate) fn content<T: Content>(address: u32) -> *mut T {
    check(address, T::KIND);
    address as *mut T
}

#[inline(never)]
fn check(address: u32, kind: u32) {
    if tags(address).is_none_or(|(bare, found)| (found ^ bare) >> 8 != kind) {
        unreachable();
    }
}

/// The first `length` of the bytes in a slot; none if it has fewer.
pub(crate) fn bytes(address: u32, length: u32) -> Option<&'static mut [u8]> {
    let start = content::<Bytes>(address);
    let room = (SMALLEST << size_index(address)?) - HEADER;
    // SAFETY: the slot has so many bytes, which nothing else refers to while a function runs.
    (length <= room)
        .then(|| unsafe { core::slice::from_raw_parts_mut(start.cast(), length as usize) })
}

/// Has a slot that was just reserved given back with another.
pub(crate) fn adopt(owner: u32, content: u32) {
    // SAFETY: there are both slots.
    unsafe {
        let first = &raw mut (*header(owner)).first;
        let next = *first;
        if next != 0 {
            (*header(next)).back = &raw mut (*header(content)).next as u32;
        }
        (*header(content)).next = next;
        (*header(content)).back = first as u32;
        *first = content;
    }
}
