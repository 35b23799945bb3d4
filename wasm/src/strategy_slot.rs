//! Strategies in slots.

use redress::Backoff;

use crate::slot::{Content, content};

impl Content for Backoff {
    const KIND: u32 = 7;
}

/// The strategy in a slot, which is kept while the copy is in use.
pub(crate) fn backoff(slot: u32) -> Backoff {
    // SAFETY: a strategy does not change once it is there.
    unsafe { *content::<Backoff>(slot) }
}
