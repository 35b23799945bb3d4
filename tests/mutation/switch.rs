//! In a mutated copy of the core: which mutant is chosen, and what is reached.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::io::Write;
use std::sync::OnceLock;

use crate::time::{Duration, Instant};

/// No mutant has a number as high as this.
const UNREAD: u32 = u32::MAX;

static CHOSEN: AtomicU32 = AtomicU32::new(UNREAD);
static CALLS: AtomicU64 = AtomicU64::new(0);
static FUEL: AtomicU64 = AtomicU64::new(u64::MAX);
static RECORDS: AtomicBool = AtomicBool::new(false);
static SEEN: [AtomicBool; MUTANTS] = [const { AtomicBool::new(false) }; MUTANTS];
static FILE: OnceLock<std::path::PathBuf> = OnceLock::new();

/// 0, or which of the `count` mutants from the number `first` on is chosen, from 1.
pub(crate) const fn at(first: u32, count: u32) -> u32 {
    const fn in_a_constant(_: u32, _: u32) -> u32 {
        0
    }
    core::intrinsics::const_eval_select((first, count), in_a_constant, in_range)
}

#[inline]
fn in_range(first: u32, count: u32) -> u32 {
    let calls = CALLS.fetch_add(1, Relaxed) + 1;
    let mut chosen = CHOSEN.load(Relaxed);
    if chosen == UNREAD {
        chosen = read();
    }
    if RECORDS.load(Relaxed) {
        record(first, calls);
    }
    if calls > FUEL.load(Relaxed) {
        // A loop that no longer ends.
        std::process::exit(97);
    }
    let nth = chosen.wrapping_sub(first);
    if nth < count { nth + 1 } else { 0 }
}

#[cold]
fn read() -> u32 {
    let number = |name| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    if let Some(path) = std::env::var_os("REDRESS_MUTANT_SEEN") {
        let _ = FILE.set(path.into());
        RECORDS.store(true, Relaxed);
    }
    FUEL.store(number("REDRESS_MUTANT_FUEL").unwrap_or(u64::MAX), Relaxed);
    let chosen = number("REDRESS_MUTANT").unwrap_or(0) as u32;
    CHOSEN.store(chosen, Relaxed);
    chosen
}

/// Notes the first time at a place, and every power of two of the calls.
fn record(first: u32, calls: u64) {
    let is_new = SEEN.get(first as usize).is_some_and(|seen| !seen.swap(true, Relaxed));
    if is_new || calls.is_power_of_two() {
        let Some(path) = FILE.get() else { return };
        if let Ok(mut file) = std::fs::OpenOptions::new().append(true).create(true).open(path) {
            let _ = file.write_all(std::format!("{first} {calls}\n").as_bytes());
        }
    }
}

#[allow(dead_code)]
impl Duration {
    pub(crate) const fn wrapped_add(self, other: Self) -> Self {
        Self::from_micros(self.as_micros().wrapping_add(other.as_micros()))
    }

    pub(crate) const fn wrapped_sub(self, other: Self) -> Self {
        Self::from_micros(self.as_micros().wrapping_sub(other.as_micros()))
    }
}

#[allow(dead_code)]
impl Instant {
    pub(crate) const fn wrapped_add(self, span: Duration) -> Self {
        Self::from_micros(self.as_micros().wrapping_add(span.as_micros()))
    }

    pub(crate) const fn wrapped_sub(self, span: Duration) -> Self {
        Self::from_micros(self.as_micros().wrapping_sub(span.as_micros()))
    }

    pub(crate) const fn wrapped_since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.as_micros().wrapping_sub(earlier.as_micros()))
    }
}
