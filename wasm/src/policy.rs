//! Policies in slots.

use redress::config::LongDelay;
use redress::driver::Call;
use redress::{Backoff, Duration, ErrorClass, Instant, Policy};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::memory::place;
use crate::settings::{classes, span, whole};
use crate::slot::{Content, content};
use crate::strategy_slot::backoff;
use crate::{settings, table};

impl Content for Policy {
    const KIND: u32 = 5;
}

/// The policy in a slot. It stays there while a call of it runs, as the package keeps it.
pub(crate) fn at(slot: u32) -> &'static Policy {
    // SAFETY: a policy does not change once it is there.
    unsafe { &*content::<Policy>(slot) }
}

/// A policy of the settings in the table; 0 if there is no memory.
#[wasm_bindgen]
pub fn policy_new() -> u32 {
    let given = settings::Policy::from_table();
    let mut config = Policy::builder()
        .max_attempts(given.max_attempts as u32)
        .deadline(span(given.deadline))
        .attempt_timeout(span(given.attempt_timeout))
        .max_unknown_attempts(whole(given.max_unknown) as u16);
    if given.cuts != 0.0 {
        config = config.long_delay(LongDelay::Cut);
    }
    let (limited, retriable) = (classes(given.limited), classes(given.retriable));
    if given.strategy > 0.0 {
        config = config.backoff(backoff(given.strategy as u32));
    } else if given.strategy.is_nan() {
        config = config.backoff(Backoff::constant(Duration::ZERO));
    }
    let own = given.limits.iter().zip(&given.strategies);
    for (class, (&limit, &strategy)) in ErrorClass::ALL.into_iter().zip(own) {
        if retriable.contains(class) {
            config = config.retriable(class, whole(limit) as u16);
        } else if limited.contains(class) {
            config = config.max_attempts_for(class, whole(limit) as u16);
        }
        if strategy != 0.0 {
            config = config.backoff_for(class, backoff(strategy as u32));
        }
    }
    place(config.assume_checked())
}

/// How long the first attempt of a call may take; infinity without a limit.
#[wasm_bindgen]
pub fn policy_limit(slot: u32) -> f64 {
    let policy = at(slot);
    table::millis(Call::begin(policy, Instant::ZERO).start(policy).timeout)
}
