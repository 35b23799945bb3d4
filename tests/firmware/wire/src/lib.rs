//! How the host hands conformance vectors to a target.
//!
//! The host reads JSON and writes each case in postcard's format; the target reads
//! it in place, without an allocator, as every list is a run of bytes that is
//! decoded item by item. What is expected stays on the host, but for the delays
//! that drive the clock.
//!
//! A shard is a file of records: the length of a case (u16, little-endian), then the
//! case. Of each the target sends back an answer of fixed length.

#![no_std]
#![allow(missing_docs, reason = "the fields are documented in tests/vectors/README.md")]

pub mod answer;
pub mod case;
pub mod digest;

/// Decodes a run of items one by one; ends at the first that cannot be read.
#[derive(Clone, Copy, Debug)]
pub struct Items<'a, T> {
    rest: &'a [u8],
    item: core::marker::PhantomData<T>,
}

impl<'a, T> Items<'a, T> {
    /// The items in `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, item: core::marker::PhantomData }
    }
}

impl<'a, T: serde::Deserialize<'a>> Iterator for Items<'a, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let (item, rest) = postcard::take_from_bytes(self.rest).ok()?;
        self.rest = rest;
        Some(item)
    }
}
