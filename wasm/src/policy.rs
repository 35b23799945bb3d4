//! Policies in slots.

use redress::config::LongDelay;
use redress::driver::Call;
use redress::{Backoff, Duration, ErrorClass, Instant, Policy};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::memory::place;
use crate::slot::{Content, content};
use crate::strategy::backoff;
use crate::table;

/// A policy, and what the core keeps to itself of it.
pub(crate) struct Slot {
    pub(crate) policy: Policy,
    /// Whether a strategy wants to hear of successes.
    pub(crate) listens: bool,
}

impl Content for Slot {
    const KIND: u32 = 5;
}

/// The policy in a slot. It stays there while a call of it runs, as the package keeps it.
pub(crate) fn at(slot: u32) -> &'static Slot {
    // SAFETY: a policy does not change once it is there.
    unsafe { &*content::<Slot>(slot) }
}

/// A policy of the settings in the table: most attempts, deadline, attempt timeout,
/// limit of unknown failures, limits by class (eight), the default strategy and those
/// by class (eight, 0 for none; without any there is no delay, as for a single attempt),
/// 1 if a long delay is cut, and retries of the three final classes (NaN for none).
/// 0 if one is out of its range.
#[wasm_bindgen]
pub fn policy_new() -> u32 {
    let mut config = Policy::builder().max_attempts(table::get(0) as u32).no_deadline();
    if let Some(deadline) = table::span(1) {
        config = config.deadline(deadline);
    }
    if let Some(timeout) = table::span(2) {
        config = config.attempt_timeout(timeout);
    }
    config = match table::get(3) {
        limit if limit.is_nan() => config.no_unknown_limit(),
        limit => config.max_unknown_attempts(limit as u16),
    };
    let mut listens = false;
    let mut has_strategy = false;
    if table::get(12) != 0.0 {
        let default = backoff(table::get(12) as u32);
        listens |= default.listens();
        has_strategy = true;
        config = config.backoff(default);
    }
    for (index, class) in ErrorClass::ALL.into_iter().enumerate() {
        let limit = table::get(4 + index);
        if !limit.is_nan() {
            config = config.max_attempts_for(class, limit as u16);
        }
        let special = table::get(13 + index);
        if special != 0.0 {
            let special = backoff(special as u32);
            listens |= special.listens();
            has_strategy = true;
            config = config.backoff_for(class, special);
        }
    }
    if !has_strategy {
        config = config.backoff(Backoff::constant(Duration::ZERO));
    }
    if table::get(21) != 0.0 {
        config = config.long_delay(LongDelay::Cut);
    }
    for (index, class) in ErrorClass::ALL.into_iter().take(3).enumerate() {
        let retries = table::get(22 + index);
        if !retries.is_nan() {
            config = config.retriable(class, retries as u16);
        }
    }
    match config.build() {
        Ok(policy) => place(Slot { policy, listens }),
        Err(_) => 0,
    }
}

/// How long the first attempt of a call may take; infinity without a limit.
#[wasm_bindgen]
pub fn policy_limit(slot: u32) -> f64 {
    let policy = &at(slot).policy;
    table::millis(Call::begin(policy, Instant::ZERO).start(policy).timeout)
}
