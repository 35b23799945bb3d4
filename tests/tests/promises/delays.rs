//! Promise 3, randomness is an argument, and what delays may be.

use std::cell::Cell;

use proptest::prelude::*;
use redress::backoff::BackoffContext;
use redress::random::{NoRandom, from_fn};
use redress::{Backoff, Duration, ErrorClass};

use crate::{any_u64, cases};

/// `lo + (hi - lo) * r / 2^32`, in arithmetic that cannot wrap.
fn uniform(lo: u128, hi: u128, r: u32) -> u128 {
    lo + (((hi - lo) * u128::from(r)) >> 32)
}

fn doubled(base: u64, max: u64, doublings: u32) -> u128 {
    (u128::from(base) << doublings.min(64)).min(u128::from(max))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn promise_3_a_jittered_delay_is_one_draw_by_the_formula(
        base in any_u64(), max in any_u64(), previous in any_u64(), r in any::<u32>(),
        n in 1_u32..200, kind in 0_u8..3,
    ) {
        let mut context = BackoffContext::new(n, ErrorClass::Transient);
        context.previous = Duration::from_micros(previous);
        let (first, second) = (Duration::from_micros(base), Duration::from_micros(max));
        let (base, top) = (u128::from(base), u128::from(max));
        let (backoff, want) = match kind {
            0 => {
                let cap = doubled(base as u64, max, n);
                (Backoff::equal_jitter(first, second), uniform(cap / 2, cap, r))
            }
            1 => {
                let cap = doubled(base as u64, max, n - 1);
                (Backoff::full_jitter(first, second), uniform(0, cap, r))
            }
            _ => {
                let previous = if previous == 0 { base } else { u128::from(previous) };
                let high = (3 * previous).min(u128::from(u64::MAX)).max(base);
                let delay = uniform(base, high, r).min(top);
                (Backoff::decorrelated_jitter(first, second), delay)
            }
        };
        let drawn = Cell::new(0);
        let mut random = from_fn(|| { drawn.set(drawn.get() + 1); r });
        let delay = backoff.delay(&context, &mut random).unwrap();
        prop_assert_eq!(u128::from(delay.as_micros()), want);
        prop_assert_eq!(drawn.get(), 1);
        prop_assert!(u128::from(delay.as_micros()) <= top.max(base));
        // Without randomness there is no delay: never one from a constant.
        prop_assert_eq!(backoff.delay(&context, &mut NoRandom), None);
    }

    #[test]
    fn promise_3_growth_is_the_real_power_up_to_its_cap(
        base in any_u64(), max in any_u64(), n in 1_u32..400, growth in 1_000_u32..20_000,
    ) {
        let context = BackoffContext::new(n, ErrorClass::Transient);
        let (first, second) = (Duration::from_micros(base), Duration::from_micros(max));
        let backoff = Backoff::exponential_by(first, second, growth);
        let delay = backoff.delay(&context, &mut NoRandom).unwrap().as_micros();
        // The factor is kept with 16 fraction bits, which the power multiplies.
        let factor = ((f64::from(growth) / 1000.0) * 65_536.0).round() / 65_536.0;
        let real = (base as f64 * factor.powi(i32::try_from(n).unwrap() - 1)).min(max as f64);
        let real = if base == 0 { 0.0 } else { real };
        prop_assert!((delay as f64 - real).abs() <= 2.0 + real * 1e-5, "{delay} {real}");
    }
}
