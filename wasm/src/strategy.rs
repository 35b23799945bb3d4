//! Strategies: the core's, and those that JavaScript computes.

use redress::backoff::BackoffContext;
use redress::random::Draw;
use redress::{Backoff, Duration};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::memory::{place, release};
use crate::settings::span;
use crate::slot::{adopt, bytes, content, retag};
use crate::{settings, table};

#[wasm_bindgen(raw_module = "../callbacks.js")]
extern "C" {
    /// A random number in `0..2^32`, or a negative one if there is none.
    fn draw() -> f64;
    /// The delay of the function that the policy has for the class, NaN for none.
    fn delay(
        attempt: f64,
        class: i32,
        cause: i32,
        previous: f64,
        remaining: f64,
        retry_after: f64,
    ) -> f64;
}

/// The randomness of JavaScript, asked for only when a strategy draws.
pub(crate) struct Random;

impl Draw for Random {
    fn draw(&mut self) -> Option<u32> {
        let drawn = draw();
        (drawn >= 0.0).then_some(drawn as u32)
    }
}

fn function(context: &BackoffContext, _: &mut dyn Draw) -> Option<Duration> {
    let hint = context.classification.retry_after.map_or(f64::NAN, table::millis);
    let (previous, remaining) = (table::millis(context.previous), table::millis(context.remaining));
    let class = context.classification.class as i32;
    let cause = context.cause as i32;
    table::optional(delay(f64::from(context.attempt), class, cause, previous, remaining, hint))
}

/// The delays that a strategy refers to and has adopted.
const DELAYS: u32 = 2;

/// A strategy of this kind, of the settings in the table. 0 if there is no memory.
#[wasm_bindgen]
pub fn strategy_new(kind: u32) -> u32 {
    let given = settings::Strategy::from_table();
    let (from, to) = (span(given.first), span(given.second));
    let link = given.link as u32;
    let backoff = match kind {
        0 => Backoff::constant(from),
        1 => Backoff::exponential(from, to),
        2 => Backoff::exponential_by(from, to, given.third as u32),
        3 => Backoff::fibonacci(from, to),
        4 => Backoff::full_jitter(from, to),
        5 => Backoff::equal_jitter(from, to),
        6 => Backoff::decorrelated_jitter(from, to),
        7 => Backoff::token_backoff(from, to),
        SEQUENCE => {
            let Some(delays) = sequence(link, given.second as u32) else { return 0 };
            // Nothing is written there any more.
            retag(link, DELAYS);
            Backoff::sequence(delays)
        }
        9 => {
            // SAFETY: the package keeps the fallback as long as what refers to it.
            let fallback: &Backoff = unsafe { &*content::<Backoff>(link) };
            let hinted = Backoff::retry_after_or(fallback, from);
            hinted.at_least(to).at_most(span(given.third))
        }
        10 => Backoff::function(function),
        _ => Backoff::linear(from, to),
    };
    let slot = place(backoff.plus_jitter(span(given.jitter)));
    if kind == SEQUENCE {
        if slot == 0 {
            release(link);
        } else {
            adopt(slot, link);
        }
    }
    slot
}

const SEQUENCE: u32 = 8;

/// The delays in a slot, as durations; none if it has fewer.
fn sequence(slot: u32, length: u32) -> Option<&'static [Duration]> {
    const SIZE: u32 = size_of::<f64>() as u32;
    const { assert!(size_of::<Duration>() == size_of::<f64>()) };
    bytes(slot, length.checked_mul(SIZE)?)?;
    let delays = slot as *mut f64;
    for index in 0..length as usize {
        // SAFETY: the slot has so many numbers.
        unsafe {
            let delay = delays.add(index);
            delay.cast::<Duration>().write(span(delay.read()));
        }
    }
    // SAFETY: all of them are durations now, kept as long as the strategy.
    Some(unsafe { core::slice::from_raw_parts(delays.cast::<Duration>(), length as usize) })
}
