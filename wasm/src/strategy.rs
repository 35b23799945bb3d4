//! Strategies: the core's, and those that JavaScript computes.

use core::cell::RefCell;

use redress::backoff::{AdaptiveConfig, BackoffContext, Memory};
use redress::random::Draw;
use redress::{Backoff, Duration, Shared};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::memory::{adopt, place, release, reserve};
use crate::slot::{Content, bytes, content, retag};
use crate::table;

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

/// A lock for the one thread there is.
struct Local<T>(RefCell<T>);

// SAFETY: an instance of the module is used by one thread alone.
unsafe impl<T> Sync for Local<T> {}

impl<T> Shared for Local<T> {
    type Item = T;

    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.0.with(f)
    }
}

/// How many outcomes an adaptive strategy remembers.
const REMEMBERED: usize = 255;

impl Content for Backoff {
    const KIND: u32 = 7;
}

/// What a strategy refers to and has adopted.
const PART: u32 = 2;

/// The strategy in a slot, which is kept while the copy is in use.
pub(crate) fn backoff(slot: u32) -> Backoff {
    // SAFETY: a strategy does not change once it is there.
    unsafe { *content::<Backoff>(slot) }
}

/// A strategy of this kind; `link` is the slot of the fallback, or that of a sequence as
/// `second` numbers, which it takes over. Further numbers are in the table. 0 if there is no
/// memory or a setting is out of its range.
#[wasm_bindgen]
pub fn strategy_new(kind: u32, first: f64, second: f64, link: u32) -> u32 {
    let (from, to) = (table::duration(first), table::duration(second));
    // A sequence or a memory, which is given back with the strategy.
    let mut owned = 0;
    let backoff = match kind {
        0 => Backoff::constant(from),
        1 => Backoff::exponential(from, to),
        2 => Backoff::exponential_by(from, to, table::get(0) as u32),
        3 => Backoff::fibonacci(from, to),
        4 => Backoff::full_jitter(from, to),
        5 => Backoff::equal_jitter(from, to),
        6 => Backoff::decorrelated_jitter(from, to),
        7 => Backoff::token_backoff(from, to),
        8 => {
            let Some(delays) = sequence(link, second as u32) else { return 0 };
            // Nothing is written there any more.
            retag(link, PART);
            owned = link;
            Backoff::sequence(delays)
        }
        9 => {
            // SAFETY: the package keeps the fallback as long as what refers to it.
            let fallback: &Backoff = unsafe { &*content::<Backoff>(link) };
            let hinted = Backoff::retry_after_or(fallback, from);
            let longest = table::span(0).unwrap_or(Duration::MAX);
            hinted.at_least(to).at_most(longest)
        }
        10 => Backoff::function(function),
        _ => {
            let config = AdaptiveConfig::new(backoff(link))
                .window(from)
                .target_success_milli(table::get(0) as u32)
                .multipliers_milli(table::get(1) as u32, table::get(2) as u32);
            let Ok(adaptive) = config.build() else { return 0 };
            let memory = Local(RefCell::new(Memory::<REMEMBERED>::new()));
            let Some(adaptive) = part(adaptive.memory(memory), &mut owned) else { return 0 };
            Backoff::own(adaptive)
        }
    };
    let slot = place(backoff);
    if slot == 0 {
        release(owned);
    } else if owned != 0 {
        adopt(slot, owned);
    }
    slot
}

/// Puts `value` into a slot of its own, whose address goes to `slot`.
fn part<T: 'static>(value: T, slot: &mut u32) -> Option<&'static T> {
    *slot = reserve(size_of::<T>() as u32, PART);
    if *slot == 0 {
        return None;
    }
    let place = *slot as *mut T;
    // SAFETY: the slot is large enough, and is given back with what refers to it.
    unsafe {
        place.write(value);
        Some(&*place)
    }
}

/// The delays in a slot, milliseconds turned into durations where they are; none if it has
/// fewer.
fn sequence(slot: u32, length: u32) -> Option<&'static [Duration]> {
    const SIZE: u32 = size_of::<f64>() as u32;
    const { assert!(size_of::<Duration>() == size_of::<f64>()) };
    bytes(slot, length.checked_mul(SIZE)?)?;
    let delays = slot as *mut f64;
    for index in 0..length as usize {
        // SAFETY: the slot has so many numbers.
        unsafe {
            let delay = delays.add(index);
            delay.cast::<Duration>().write(table::duration(delay.read()));
        }
    }
    // SAFETY: all of them are durations now, kept as long as the strategy.
    Some(unsafe { core::slice::from_raw_parts(delays.cast::<Duration>(), length as usize) })
}
