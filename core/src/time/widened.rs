//! A clock made from a counter that wraps: [`Widened`].

use core::cell::Cell;

use crate::time::{Clock, Duration, Instant};

/// A clock made from a hardware counter of up to 32 bits, which wraps to zero: 2^32 microseconds
/// are 71 minutes.
///
/// A counter that is used directly as a clock loses time at each wrap, because the engine sees a
/// clock that was set back. `Widened` adds up the ticks between two readings, and lasts for
/// 584,000 years. Read it at least once within each period of the counter, by a call or by a
/// timer of your own; otherwise it loses whole periods. The counter must never count backwards.
///
/// A tick takes `micros_per_tick` microseconds, 1 to `u32::MAX`, or that divided by a power of
/// two with [`shifted`](Self::shifted). Fractions of a microsecond are kept, so no tick is lost
/// to rounding, and nothing divides. The origin is the zero of the counter before the first
/// reading.
///
/// It is for one thread, because it keeps its state in cells. To share it, put it behind a lock
/// and read it inside: `FnClock(|| CLOCK.lock(|clock| clock.now().as_micros()))`. An interrupt
/// that reads it must not interrupt another reading.
///
/// ```
/// use redress::time::Widened;
/// use redress::{Clock, Instant};
/// # use core::cell::Cell;
/// # let counter = Cell::new(u32::MAX);
/// # let read_counter = || counter.get();
/// let clock = Widened::new(read_counter, 1);
/// assert_eq!(clock.now(), Instant::from_micros(0xFFFF_FFFF));
/// # counter.set(4);
/// // Five ticks later the counter has wrapped, and the clock has not.
/// assert_eq!(clock.now(), Instant::from_micros(0x1_0000_0004));
/// ```
#[derive(Debug)]
pub struct Widened<F> {
    counter: F,
    micros_per_tick: u32,
    /// A tick is `micros_per_tick / 2^shift` microseconds.
    shift: u32,
    /// The bits that the counter has.
    mask: u32,
    /// The latest reading of the counter.
    count: Cell<u32>,
    /// What the ticks up to it took.
    micros: Cell<u64>,
    /// The part of a microsecond beyond that, in units of `2^-shift`.
    rest: Cell<u32>,
}

impl<F> Widened<F> {
    /// A clock from a counter of 32 bits.
    pub const fn new(counter: F, micros_per_tick: u32) -> Self {
        Self {
            counter,
            micros_per_tick,
            shift: 0,
            mask: u32::MAX,
            count: Cell::new(0),
            micros: Cell::new(0),
            rest: Cell::new(0),
        }
    }

    /// A clock from a counter of `bits` bits, 1 to 32: 24 for a `SysTick` that counts up. More
    /// than 32 counts as 32, 0 as 1.
    pub const fn bits(mut self, bits: u32) -> Self {
        let unused = 32_u32.saturating_sub(bits);
        self.mask = if unused < 32 { u32::MAX >> unused } else { 1 };
        self
    }

    /// Makes a tick `micros_per_tick / 2^shift` microseconds. The shift is 0 to 31; more counts
    /// as 31. For 32,768 Hz use 15,625 and a shift of 9, for 16 MHz 1 and 4, for 64 MHz 1 and 6.
    pub const fn shifted(mut self, shift: u32) -> Self {
        self.shift = if shift < 31 { shift } else { 31 };
        self
    }
}

impl<F: Fn() -> u32> Clock for Widened<F> {
    #[inline]
    fn now(&self) -> Instant {
        let count = (self.counter)() & self.mask;
        let ticks = count.wrapping_sub(self.count.replace(count)) & self.mask;
        // Fits: (2^32 - 1)^2 + 2^32 - 1 is less than 2^64.
        let passed = ticks as u64 * self.micros_per_tick as u64 + self.rest.get() as u64;
        self.rest.set(passed as u32 & !(u32::MAX << self.shift));
        let micros = Duration::from_micros(passed >> self.shift);
        let now = Instant::from_micros(self.micros.get()).saturating_add(micros);
        self.micros.set(now.as_micros());
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a clock of this make shows after each of these numbers of ticks.
    fn shown(clock: &Widened<u32>, steps: &[u64]) -> std::vec::Vec<u64> {
        let &Widened { micros_per_tick, shift, mask, .. } = clock;
        let counter = Cell::new(0);
        let clock = Widened::new(|| counter.get(), micros_per_tick).shifted(shift);
        let clock = Widened { mask, ..clock };
        let mut ticks = 0_u64;
        let mut read = |step: &u64| {
            ticks += step;
            // The bits above those that it has are noise.
            counter.set(ticks as u32 & mask | 0x5A5A_5A5A & !mask);
            clock.now().as_micros()
        };
        steps.iter().map(&mut read).collect()
    }

    #[test]
    fn a_counter_goes_on_over_its_wraps() {
        let whole = u64::from(u32::MAX);
        let now = shown(&Widened::new(0, 1), &[7, whole, 0, whole, whole, 5]);
        assert_eq!(now, [7, whole + 7, whole + 7, 2 * whole + 7, 3 * whole + 7, 3 * whole + 12]);
        let milli = shown(&Widened::new(0, 1000), &[whole, 1, 1, whole]);
        assert_eq!(milli, [whole, whole + 1, whole + 2, 2 * whole + 2].map(|ticks| ticks * 1000));
    }

    #[test]
    fn a_counter_of_fewer_bits_has_shorter_wraps() {
        let now = shown(&Widened::new(0, 1).bits(24), &[0xFF_FFFF, 1, 0xFF_FFFF, 2]);
        assert_eq!(now, [0xFF_FFFF, 0x100_0000, 0x1FF_FFFF, 0x200_0001]);
        assert_eq!(shown(&Widened::new(0, 1).bits(0), &[1, 1, 0, 1]), [1, 2, 2, 3]);
        assert_eq!(shown(&Widened::new(0, 1).bits(99), &[1 << 31, 1 << 31]), [1 << 31, 1 << 32]);
    }

    #[test]
    fn no_part_of_a_microsecond_is_lost() {
        // A crystal of 32,768 Hz, read at each of its ticks, or at fewer, for ten wraps of a
        // second.
        let ticks = if cfg!(miri) { 4_096 } else { 1 };
        let clock = Widened::new(0, 15_625).shifted(9).bits(15);
        let now = shown(&clock, &std::vec![ticks; 327_680 / ticks as usize]);
        let exact = (1..=327_680 / ticks).map(|nth| nth * ticks * 1_000_000 / 32_768);
        assert!(now.iter().copied().eq(exact));
        assert_eq!(now.last(), Some(&10_000_000));
    }

    #[test]
    fn the_longest_ticks_saturate() {
        let whole = u64::from(u32::MAX);
        let now = shown(&Widened::new(0, u32::MAX), &[whole, whole, whole]);
        assert_eq!(now, [whole * whole, u64::MAX, u64::MAX]);
        let small = shown(&Widened::new(0, u32::MAX).shifted(31), &[whole, 1]);
        assert_eq!(small, [(whole * whole) >> 31, (whole << 32) >> 31]);
    }
}
