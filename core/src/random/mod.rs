//! Randomness as an argument: [`Draw`] asks a generator for a `u32`, and only when a strategy
//! needs it.
//!
//! This module has no default seed. With a constant seed, all devices that restart together would
//! retry together. So a policy with jitter but without a generator stops with
//! [`StopReason::NoStrategy`](crate::StopReason::NoStrategy).

#[cfg(feature = "std")]
mod system;

#[cfg(feature = "std")]
#[cfg_attr(
    all(target_family = "wasm", target_os = "unknown"),
    expect(deprecated, reason = "the name exists, and says what to use")
)]
pub use system::SystemRandom;

use core::convert::Infallible;

use rand_core::{Rng, TryRng};

/// A source of random numbers for strategies.
///
/// Implemented for every [`rand_core::Rng`]. [`from_fn`] makes a source from a closure, which
/// reads a peripheral for instance. [`NoRandom`] is for programs without a source.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no source of randomness",
    note = "a source: `SystemRandom` on a host (feature `std`), any `rand_core::Rng`, \
            `random::from_fn` over a function (on wasm32-unknown-unknown over \
            `crypto.getRandomValues()`)"
)]
pub trait Draw {
    /// The next random number, uniform over all of `u32`, or `None` if there is
    /// no source.
    fn draw(&mut self) -> Option<u32>;

    /// Whether the source never returns a number. A call then keeps no reference to it.
    #[inline]
    fn is_empty(&self) -> bool
    where
        Self: Sized,
    {
        false
    }
}

impl<R: Rng> Draw for R {
    #[inline]
    fn draw(&mut self) -> Option<u32> {
        Some(self.next_u32())
    }
}

/// No randomness, for policies whose strategies draw no random number.
///
/// A strategy with jitter then returns no delay, and the call stops with
/// [`StopReason::NoStrategy`](crate::StopReason::NoStrategy).
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NoRandom;

impl Draw for NoRandom {
    #[inline]
    fn draw(&mut self) -> Option<u32> {
        None
    }

    #[inline]
    fn is_empty(&self) -> bool {
        true
    }
}

/// A generator made from a function, as [`from_fn`] returns it.
#[derive(Clone, Debug)]
pub struct FromFn<F>(F);

/// A [`rand_core::Rng`] made from a function that returns random numbers: a hardware register, or
/// a generator of an older `rand_core`.
///
/// ```
/// use rand_core::Rng;
/// let mut register = 0x1234_5678_u32;
/// let mut rng = redress::random::from_fn(|| { register ^= register << 13; register });
/// assert_ne!(rng.next_u32(), rng.next_u32());
/// ```
#[inline]
pub fn from_fn<F: FnMut() -> u32>(function: F) -> FromFn<F> {
    FromFn(function)
}

impl<F: FnMut() -> u32> TryRng for FromFn<F> {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.0)())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let low = u64::from((self.0)());
        Ok(u64::from((self.0)()) << 32 | low)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(4) {
            for (byte, random) in chunk.iter_mut().zip((self.0)().to_le_bytes()) {
                *byte = random;
            }
        }
        Ok(())
    }
}

/// `value * factor / 2^32`, exact and rounded down: two 32-bit products, which
/// no `u64` can overflow.
#[inline]
pub(crate) const fn mul_shr32(value: u64, factor: u32) -> u64 {
    if cfg!(target_pointer_width = "64") {
        return ((value as u128 * factor as u128) >> 32) as u64;
    }
    by_halves(value, factor)
}

/// The same where 128 bits are a library call.
#[inline]
const fn by_halves(value: u64, factor: u32) -> u64 {
    let (high, low, factor) = (value >> 32, value & 0xFFFF_FFFF, factor as u64);
    high * factor + ((low * factor) >> 32)
}

/// A number in `lo..hi` (or `lo` if they are equal), from one draw.
///
/// `lo` must not be above `hi`.
#[inline]
pub(crate) fn uniform(lo: u64, hi: u64, random: &mut dyn Draw) -> Option<u64> {
    let r = random.draw()?;
    Some(lo + mul_shr32(hi.saturating_sub(lo), r))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_is_exact_at_the_extremes() {
        for value in [0, 1, 2, u64::from(u32::MAX), 1 << 32, u64::MAX - 1, u64::MAX] {
            for factor in [0, 1, 1 << 31, u32::MAX] {
                let wide = (u128::from(value) * u128::from(factor)) >> 32;
                for product in [mul_shr32(value, factor), by_halves(value, factor)] {
                    assert_eq!(u128::from(product), wide, "{value} {factor}");
                }
            }
        }
    }

    #[test]
    fn a_draw_stays_within_its_range() {
        assert_eq!(uniform(5, 5, &mut from_fn(|| u32::MAX)), Some(5));
        assert_eq!(uniform(5, 9, &mut from_fn(|| 0)), Some(5));
        assert_eq!(uniform(0, u64::MAX, &mut from_fn(|| u32::MAX)), Some(u64::MAX - (1 << 32)));
        assert_eq!(uniform(0, 9, &mut NoRandom), None);
    }

    #[test]
    fn bytes_are_filled_from_the_function() {
        let mut n = 0;
        let mut rng = from_fn(|| {
            n += 1;
            n
        });
        let mut bytes = [0; 6];
        rng.fill_bytes(&mut bytes);
        assert_eq!(bytes, [1, 0, 0, 0, 2, 0]);
        assert_eq!(rng.next_u64(), 4 << 32 | 3);
    }
}
