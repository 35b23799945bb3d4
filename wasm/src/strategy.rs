//! Strategies: the core's, and those that JavaScript computes.

use core::cell::RefCell;
use core::ptr::null_mut;

use redress::backoff::{Adaptive, AdaptiveConfig, BackoffContext, Memory};
use redress::random::Draw;
use redress::{Backoff, Duration, Shared};

use crate::memory::{self, place};
use crate::table;

#[link(wasm_import_module = "js")]
unsafe extern "C" {
    /// A random number in `0..2^32`, or a negative one if there is none.
    safe fn draw() -> f64;
    /// The delay of the function that the policy has for the class, NaN for none.
    safe fn delay(
        attempt: u32,
        class: u32,
        cause: u32,
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
    let class = context.classification.class as u32;
    let cause = context.cause as u32;
    table::optional(delay(context.attempt, class, cause, previous, remaining, hint))
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

/// The strategy in a slot.
///
/// # Safety
///
/// `slot` is one that `strategy_new` returned, and is kept while the copy is in use.
pub(crate) unsafe fn backoff(slot: u32) -> Backoff {
    // SAFETY: the caller says so.
    unsafe { *(slot as *const Backoff) }
}

/// A strategy of this kind; `link` is the slot of the fallback or where a sequence is,
/// which it takes over. Further numbers are in the table. 0 if there is no memory or a
/// setting is out of its range.
#[unsafe(no_mangle)]
extern "C" fn strategy_new(kind: u32, first: f64, second: f64, link: u32) -> *mut u8 {
    let (from, to) = (table::duration(first), table::duration(second));
    // A sequence or a memory, which is given back with the strategy.
    let mut owned = null_mut();
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
            owned = link as *mut u8;
            Backoff::sequence(sequence(link, second as usize))
        }
        // SAFETY: the package keeps the fallback as long as what refers to it.
        9 => {
            let hinted = Backoff::retry_after_or(unsafe { &*(link as *const Backoff) }, from);
            let longest = table::span(0).unwrap_or(Duration::MAX);
            hinted.at_least(to).at_most(longest)
        }
        10 => Backoff::function(function),
        _ => {
            // SAFETY: as above.
            let fallback = unsafe { backoff(link) };
            let config = AdaptiveConfig::new(fallback)
                .window(from)
                .target_success_milli(table::get(0) as u32)
                .multipliers_milli(table::get(1) as u32, table::get(2) as u32);
            let Ok(adaptive) = config.build() else { return null_mut() };
            let memory = Local(RefCell::new(Memory::<REMEMBERED>::new()));
            let adaptive: *mut Adaptive<_> = place(adaptive.memory(memory));
            if adaptive.is_null() {
                return null_mut();
            }
            owned = adaptive.cast();
            // SAFETY: it is given back with the slot that refers to it.
            Backoff::own(unsafe { &*adaptive })
        }
    };
    let slot = place(backoff).cast();
    memory::link(slot, owned);
    slot
}

/// The delays at `from`, milliseconds turned into durations where they are.
fn sequence(from: u32, length: usize) -> &'static [Duration] {
    const { assert!(size_of::<Duration>() == size_of::<f64>()) };
    let delays = from as *mut f64;
    for index in 0..length {
        // SAFETY: the package has reserved and written so many numbers.
        unsafe {
            let delay = delays.add(index);
            delay.cast::<Duration>().write(table::duration(delay.read()));
        }
    }
    // SAFETY: all of them are durations now, kept as long as the strategy.
    unsafe { core::slice::from_raw_parts(delays.cast::<Duration>(), length) }
}
