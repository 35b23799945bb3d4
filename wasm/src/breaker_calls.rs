//! Breakers that count failures, and what JavaScript asks any breaker.

use core::slice::from_raw_parts_mut;

use redress::breaker::{ByHand, CallResult, Permit};
use redress::{BreakerConfig, Duration, ErrorClass, Instant};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::breaker_answer::{OUT_OF_MEMORY, admit, answer, changed};
use crate::breaker_slot::{Failures, Head, at, build, common};
use crate::memory::{release, reserve};
use crate::settings::{span, whole};
use crate::slot::{Content, adopt, content};
use crate::{settings, table};

/// A breaker that counts failures, of the settings in the table; 0 if one is out of its range, or
/// there is no memory.
#[wasm_bindgen]
pub fn breaker_new() -> u32 {
    let given = settings::Failures::from_table();
    let config = BreakerConfig::failures(whole(given.threshold) as u8, span(given.window));
    let mut config = common(config, &given.breaker);
    for (class, &own) in ErrorClass::ALL.into_iter().zip(&given.own) {
        config = config.class_threshold(class, whole(own) as u8);
    }
    let entries = config.entries();
    let bytes = entries * (size_of::<Instant>() + 1);
    build(0, config, bytes, |times| {
        let places = times + (entries * size_of::<Instant>()) as u32;
        // SAFETY: the slot has so many bytes there, given back with what refers to them, and a
        // time or a place may be any number.
        let (times, places) = unsafe {
            (
                from_raw_parts_mut(times as *mut Instant, entries),
                from_raw_parts_mut(places as *mut u8, entries),
            )
        };
        Failures::with_storage(times, places)
    })
}

/// The state: 0 closed, 1 open, 2 half-open.
#[wasm_bindgen]
pub fn breaker_state(slot: u32) -> u32 {
    at(slot).state() as u32
}

/// By hand: 0 closes it, 1 opens it until that, 2 opens it as failures would. The new state
/// plus 1, 0 if it is the old one.
#[wasm_bindgen]
pub fn breaker_switch(slot: u32, how: u32, now: f64) -> u32 {
    let by_hand = match how {
        0 => ByHand::Reset,
        1 => ByHand::Isolate,
        _ => ByHand::Trip,
    };
    changed(at(slot).set(by_hand, table::instant(now)))
}

/// Whether it would admit a call, which changes nothing; a rejection is in the table.
#[wasm_bindgen]
pub fn breaker_check(slot: u32, now: f64) -> bool {
    answer(at(slot).check(table::instant(now))).is_some()
}

/// How many failures its window holds; in the table how many calls, NaN if it counts failures
/// alone.
#[wasm_bindgen]
pub fn breaker_counts(slot: u32, now: f64) -> u32 {
    let counts = at(slot).counts(table::instant(now));
    table::set(0, counts.calls.map_or(f64::NAN, f64::from));
    counts.failures
}

impl Content for Permit {
    const KIND: u32 = 6;
}

/// A permit in a slot of its own, for callers who drive a breaker themselves: its lowest
/// bit says that the breaker has become half-open. 0 for a rejection, [`OUT_OF_MEMORY`] if the
/// breaker could not be asked. It is given back with its breaker if it does not come back.
#[wasm_bindgen]
pub fn breaker_admit(slot: u32, now: f64) -> u32 {
    content::<Head>(slot);
    let address = reserve(size_of::<Permit>() as u32, Permit::KIND);
    if address == 0 {
        return OUT_OF_MEMORY;
    }
    let Some(admitted) = admit(slot, now) else {
        release(address);
        return 0;
    };
    // SAFETY: the slot is large enough.
    unsafe { (address as *mut Permit).write(admitted.permit) };
    adopt(slot, address);
    address | u32::from(admitted.half_opened)
}

/// Takes such a permit back: result 0 for success, 1 for cancelled, 2 and up for
/// the class of a failure, with a random number for the jitter of the recovery time. The new
/// state plus 1, 0 if it is the old one.
#[wasm_bindgen]
pub fn breaker_settle(slot: u32, permit: u32, result: u32, random: u32, now: f64) -> u32 {
    let result = match result {
        0 => CallResult::Success,
        1 => CallResult::Cancelled,
        class => CallResult::Failure(table::class(class - 2)),
    };
    let breaker = at(slot);
    // SAFETY: there is a permit.
    let held = unsafe { content::<Permit>(permit).read() };
    release(permit);
    changed(breaker.settle(held, result, Duration::ZERO, random, table::instant(now)))
}
