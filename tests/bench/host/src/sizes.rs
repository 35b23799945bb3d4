//! What the states take: inside of their type, and on the heap.

use std::alloc::Layout;

pub fn print() {}
