//! Powers without floats and without overflow: the arithmetic of what grows.

use super::Backoff;
use crate::random::mul_shr32;

/// `first * 2^doublings`, at most `second`.
pub(super) fn doubled(own: &Backoff, doublings: u32) -> u64 {
    let (mut delay, max) = (own.first.as_micros(), own.second.as_micros());
    // Additions, as a 64-bit shift is a library call on a Cortex-M0; the 64th
    // doubling saturates whatever there was.
    let mut left = doublings.min(64);
    while left > 0 && delay < max {
        delay = delay.saturating_add(delay);
        left -= 1;
    }
    delay.min(max)
}

/// 65.536 * 2^32, to the nearest: a thousandth as a number with 48 fraction bits.
const Q16_OF_MILLI: u64 = 281_474_976_711;

/// A growth of `milli` thousandths as a fixed-point number with 16 fraction bits,
/// rounded to the nearest.
pub(super) const fn growth(milli: u32) -> u32 {
    let milli = if milli == 0 {
        1
    } else if milli > 65_535_000 {
        65_535_000
    } else {
        milli
    };
    // A division would be a library call on a Cortex-M0.
    ((milli as u64 * Q16_OF_MILLI + (1 << 31)) >> 32) as u32
}

/// `first * growth^times`, at most `second`.
///
/// The power is found by squaring, as a mantissa in `[2^31, 2^32)` and an
/// exponent, so it neither overflows nor takes more than 32 rounds, and a base
/// of one microsecond grows by 1.5 as it should.
pub(super) fn grown(own: &Backoff, growth: u32, times: u32) -> u64 {
    let (first, max) = (own.first.as_micros(), own.second.as_micros());
    let mut factor = Float::from_q16(growth);
    let mut power = Float::ONE;
    let mut left = times;
    while left > 0 {
        if left & 1 != 0 {
            power = power.times(factor);
        }
        left >>= 1;
        if left > 0 {
            factor = factor.times(factor);
        }
    }
    power.of(first, max)
}

/// `mantissa * 2^(exponent - 31)`.
#[derive(Clone, Copy)]
struct Float {
    mantissa: u32,
    exponent: i32,
}

impl Float {
    const ONE: Self = Self { mantissa: 1 << 31, exponent: 0 };

    fn from_q16(value: u32) -> Self {
        let room = value.leading_zeros();
        Self { mantissa: value << (room & 31), exponent: 15 - room.cast_signed() }
    }

    fn times(self, other: Self) -> Self {
        // In [2^62, 2^64).
        let product = u64::from(self.mantissa) * u64::from(other.mantissa);
        let exponent = self.exponent.saturating_add(other.exponent);
        let high = (product >> 32) as u32;
        if high >> 31 != 0 {
            Self { mantissa: high, exponent: exponent.saturating_add(1) }
        } else {
            Self { mantissa: (product >> 31) as u32, exponent }
        }
    }

    /// `value` times this, at most `max`.
    fn of(self, value: u64, max: u64) -> u64 {
        if value == 0 {
            return 0;
        }
        // value * mantissa / 2^32 is half of the result at exponent 0.
        let mut result = mul_shr32(value, self.mantissa);
        let mut lost = mul_low(value, self.mantissa);
        let mut halvings = self.exponent.saturating_add(1).clamp(-64, 0);
        while halvings < 0 {
            result >>= 1;
            halvings += 1;
        }
        let mut left = self.exponent.saturating_add(1).min(97);
        while left > 0 && result < max {
            result = result.saturating_add(result).saturating_add(u64::from(lost >> 31));
            lost <<= 1;
            left -= 1;
        }
        result.min(max)
    }
}

/// The fraction that [`mul_shr32`] drops: the low 32 bits of the product.
const fn mul_low(value: u64, factor: u32) -> u32 {
    (value as u32).wrapping_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backoff::BackoffContext;
    use crate::class::ErrorClass;
    use crate::random::NoRandom;
    use crate::time::Duration;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn powers_of_one_and_a_half_from_one_microsecond_grow_as_the_real_ones() {
        let backoff = Backoff::exponential_by(Duration::from_micros(1), Duration::MAX, 1500);
        for n in 0..100 {
            let context = BackoffContext::new(n + 1, ErrorClass::Transient);
            let delay = backoff.delay(&context, &mut NoRandom).unwrap().as_micros();
            let real = 1.5_f64.powi(n.cast_signed());
            // Both are below 2^58, and the tolerance is far above what a float drops.
            #[expect(clippy::cast_precision_loss)]
            let error = (delay as f64 - real).abs();
            assert!(error <= 1.0 + real * 1e-6, "{n}: {delay} {real}");
        }
    }

    #[test]
    fn a_growth_is_rounded_to_the_nearest_and_kept_in_its_range() {
        for (milli, fixed) in [
            (0, 66),
            (1, 66),
            (500, 1 << 15),
            (999, 65_470),
            (1_000, 1 << 16),
            (1_001, 65_602),
            (1_500, 98_304),
            (2_002, 131_203),
            (65_535_000, 65_535 << 16),
            (65_535_001, 65_535 << 16),
            (u32::MAX, 65_535 << 16),
        ] {
            assert_eq!(growth(milli), fixed, "{milli}");
        }
    }

    #[test]
    fn a_microsecond_doubles_up_to_the_longest_span_there_is() {
        let backoff = Backoff::exponential(Duration::from_micros(1), Duration::MAX);
        for (attempt, micros) in [(1, 1), (2, 2), (64, 1 << 63), (65, u64::MAX), (66, u64::MAX)] {
            let context = BackoffContext::new(attempt, ErrorClass::Transient);
            let delay = backoff.delay(&context, &mut NoRandom).map(Duration::as_micros);
            assert_eq!(delay, Some(micros), "{attempt}");
        }
    }

    #[test]
    fn attempts_far_beyond_any_overflow_give_the_cap() {
        let cap = MS(30_000);
        for n in [64, 65, 1_025, 100_000, u32::MAX] {
            for backoff in [
                Backoff::exponential(MS(1), cap),
                Backoff::exponential_by(MS(1), cap, 1250),
                Backoff::fibonacci(MS(1), cap),
            ] {
                let context = BackoffContext::new(n, ErrorClass::Transient);
                assert_eq!(backoff.delay(&context, &mut NoRandom), Some(cap), "{backoff} {n}");
            }
        }
    }

    #[test]
    fn a_base_of_zero_stays_zero_and_returns_soon() {
        for backoff in [
            Backoff::exponential(Duration::ZERO, Duration::MAX),
            Backoff::exponential_by(Duration::ZERO, Duration::MAX, 9_000),
            Backoff::fibonacci(Duration::ZERO, Duration::MAX),
        ] {
            let context = BackoffContext::new(u32::MAX, ErrorClass::Unknown);
            assert_eq!(backoff.delay(&context, &mut NoRandom), Some(Duration::ZERO));
        }
    }
}
