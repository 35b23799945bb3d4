//! What a case is, and the three ways to run it.

use std::hint::black_box;
use std::time::Instant;

use crate::heap;

/// One call of one library, in a function of its own.
pub struct Case {
    pub scenario: &'static str,
    pub library: &'static str,
    /// What takes part in the call.
    pub what: &'static str,
    /// The function that callgrind counts; `#[inline(never)]` and unmangled.
    pub symbol: &'static str,
    pub run: fn(&mut Bench),
}

/// The policy of a case, as far as the compiler may know it.
///
/// It matters: with a delay that is known to be zero all of the arithmetic of a
/// backoff may go away, as it does in no real use. So every case is built twice: with
/// the feature `const-policy` the compiler knows the policy, without it the policy is
/// a reference that went through `black_box`.
#[cfg(feature = "const-policy")]
macro_rules! settings {
    ($opaque:ident, $known:expr) => {{
        let _ = $opaque;
        &$known
    }};
}

#[cfg(not(feature = "const-policy"))]
macro_rules! settings {
    ($opaque:ident, $known:expr) => {
        $opaque
    };
}

pub(crate) use settings;

/// How the calls are run, and what was found.
pub enum Bench {
    /// So many calls and nothing else: callgrind counts.
    Calls(u32),
    /// Nanoseconds of a call.
    Time(f64),
    /// Heap allocations of a call.
    Heap(f64),
}

const WARM_UP: u32 = 100;
const HEAP_CALLS: u32 = 1000;
const ROUNDS: u32 = 7;
const ROUND_NANOS: f64 = 5e6;

impl Bench {
    /// Runs `call` as often as it takes, each time after `prepare`, which is not
    /// part of what is measured.
    pub fn measure<R>(&mut self, mut prepare: impl FnMut(), mut call: impl FnMut() -> R) {
        match self {
            Self::Calls(count) => {
                for _ in 0..*count {
                    prepare();
                    black_box(call());
                }
            }
            Self::Time(nanos) => {
                let both = fastest(|| {
                    prepare();
                    black_box(call());
                });
                *nanos = (both - fastest(prepare)).max(0.0);
            }
            Self::Heap(allocations) => {
                let mut calls = 0;
                for round in 0..WARM_UP + HEAP_CALLS {
                    prepare();
                    let before = heap::calls();
                    black_box(call());
                    if round >= WARM_UP {
                        calls += heap::calls() - before;
                    }
                }
                *allocations = calls as f64 / f64::from(HEAP_CALLS);
            }
        }
    }
}

/// Nanoseconds of one run in the fastest of a few rounds.
fn fastest(mut run: impl FnMut()) -> f64 {
    let mut round = |count: u32| {
        let start = Instant::now();
        for _ in 0..count {
            run();
        }
        start.elapsed().as_nanos() as f64
    };
    let mut count = 1;
    while count < 1 << 24 && round(count) < ROUND_NANOS {
        count *= 2;
    }
    (0..ROUNDS).map(|_| round(count) / f64::from(count)).fold(f64::MAX, f64::min)
}

/// Thirty-two bits that look random, the same for every library that takes its
/// randomness as an argument.
#[inline]
pub fn xorshift(seed: &std::cell::Cell<u32>) -> u32 {
    let mut bits = seed.get();
    bits ^= bits << 13;
    bits ^= bits >> 17;
    bits ^= bits << 5;
    seed.set(bits);
    bits
}

/// The operation of a call that succeeds at once: zero would be a failure.
#[inline]
pub fn healthy(value: &std::cell::Cell<u32>) -> Result<u32, u32> {
    match value.get() {
        0 => Err(0),
        value => Ok(value),
    }
}

/// The operation that fails as often as `value` says and then succeeds.
#[inline]
pub fn failing(value: &std::cell::Cell<u32>) -> Result<u32, u32> {
    let left = value.get();
    value.set(left.wrapping_sub(1));
    if left == 0 { Ok(left) } else { Err(left) }
}
