//! Time as integers: [`Duration`] and [`Instant`] over `u64` microseconds.
//!
//! Microseconds in 64 bits reach 584,000 years, so no window, delay or uptime needs a special
//! case. Everything saturates and nothing divides: on a Cortex-M0 each operation is a handful of
//! instructions, while `core::time::Duration` costs hundreds of bytes.

#[cfg(feature = "std")]
mod monotonic;
pub(crate) mod reach;
mod wait;
mod widened;
mod with_sleep;

#[cfg(feature = "std")]
#[cfg_attr(
    all(target_family = "wasm", target_os = "unknown"),
    expect(deprecated, reason = "the name exists, and says what to use")
)]
pub use monotonic::MonotonicClock;
pub use wait::{Sleep, Timer};
pub use widened::Widened;
pub use with_sleep::WithSleep;

/// A span of time in whole microseconds, from 0 to `u64::MAX`.
///
/// Arithmetic saturates. Conversions to coarser units round down and divide. They are for people
/// and logs; the engine never calls them.
///
/// ```
/// use redress::Duration;
/// assert_eq!(Duration::from_millis(250).as_micros(), 250_000);
/// assert_eq!(Duration::MAX.saturating_add(Duration::from_secs(1)), Duration::MAX);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Duration(u64);

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span. As a limit it means "no limit".
    pub const MAX: Self = Self(u64::MAX);

    /// A span of `micros` microseconds.
    #[inline]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// A span of `millis` milliseconds; saturates at [`Duration::MAX`].
    #[inline]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// A span of `secs` seconds; saturates at [`Duration::MAX`].
    #[inline]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// The span in microseconds.
    #[inline]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The span in milliseconds, rounded down.
    #[inline]
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }

    /// The span in seconds, rounded down.
    #[inline]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Whether this is [`Duration::ZERO`].
    #[inline]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether it is at least 2^63 microseconds, 292,000 years: no limit at all. One bit says
    /// so, where a comparison with [`Duration::MAX`] takes two words on 32 bits.
    #[inline]
    pub(crate) const fn is_endless(self) -> bool {
        self.0 >> 63 != 0
    }

    /// The sum, at most [`Duration::MAX`].
    #[inline]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, at least [`Duration::ZERO`].
    #[inline]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The shorter of two spans.
    #[inline]
    pub const fn min(self, other: Self) -> Self {
        if self.0 < other.0 { self } else { other }
    }

    /// The longer of two spans.
    #[inline]
    pub const fn max(self, other: Self) -> Self {
        if self.0 > other.0 { self } else { other }
    }
}

impl Duration {
    /// Writes seconds with up to six decimals and no unit.
    pub(crate) fn seconds(self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (secs, mut micros) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if micros == 0 {
            return write!(f, "{secs}");
        }
        let mut width = 6;
        while micros % 10 == 0 {
            micros /= 10;
            width -= 1;
        }
        write!(f, "{secs}.{micros:0width$}")
    }
}

/// Seconds with up to six decimals, as in `1.5s` or `0.00025s`.
impl core::fmt::Display for Duration {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.seconds(f)?;
        f.write_str("s")
    }
}

/// Rounds down to whole microseconds; saturates at [`Duration::MAX`].
impl From<core::time::Duration> for Duration {
    fn from(span: core::time::Duration) -> Self {
        Self::from_secs(span.as_secs()).saturating_add(Self(u64::from(span.subsec_micros())))
    }
}

/// Exact: every [`Duration`] fits.
impl From<Duration> for core::time::Duration {
    fn from(span: Duration) -> Self {
        Self::from_micros(span.0)
    }
}

/// A point in time: microseconds since the origin of a [`Clock`].
///
/// Each clock has its own origin (boot, process start, 1970). Do not mix instants of different
/// clocks; the engine cannot detect it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Instant(u64);

impl Instant {
    /// The clock's origin.
    pub const ZERO: Self = Self(0);
    /// The last instant; a due time that saturates stays here and never comes.
    pub const MAX: Self = Self(u64::MAX);

    /// The instant `micros` microseconds after the origin.
    #[inline]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the origin.
    #[inline]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// This instant `span` later, at most [`Instant::MAX`].
    #[inline]
    pub const fn saturating_add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// This instant `span` earlier, at least the clock's origin.
    #[inline]
    pub const fn saturating_sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// This instant `span` earlier, modulo 2^64 microseconds.
    #[inline]
    pub(crate) const fn wrapping_sub(self, span: Duration) -> Self {
        Self(self.0.wrapping_sub(span.0))
    }

    /// The span since `earlier`, modulo 2^64 microseconds.
    #[inline]
    pub(crate) const fn wrapping_since(self, earlier: Self) -> Duration {
        Duration(self.0.wrapping_sub(earlier.0))
    }

    /// The span since `earlier`; zero if `earlier` is later, as after a clock
    /// that jumped back.
    #[inline]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

/// A source of [`Instant`]s, for drivers. The decision core takes `now` as an argument and never
/// reads a clock.
///
/// A clock should not go back, but nothing breaks if it does: what remains of a limit is never
/// more than the limit itself. For a counter of 32 bits or fewer, which wraps to zero, use
/// [`Widened`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no clock",
    note = "a clock: `MonotonicClock` on a host (feature `std`), `FnClock` over a function that returns \
            microseconds (on wasm32-unknown-unknown over `performance.now()`), `Widened` over a \
            counter of 32 bits"
)]
pub trait Clock {
    /// The current instant.
    fn now(&self) -> Instant;
}

impl<C: Clock + ?Sized> Clock for &C {
    #[inline]
    fn now(&self) -> Instant {
        (**self).now()
    }
}

impl<C: Clock + ?Sized> Clock for &mut C {
    #[inline]
    fn now(&self) -> Instant {
        (**self).now()
    }
}

/// A clock made from a function that returns microseconds: a hardware counter, or the clock of a
/// framework.
#[derive(Clone, Copy, Debug)]
pub struct FnClock<F>(pub F);

impl<F: Fn() -> u64> Clock for FnClock<F> {
    #[inline]
    fn now(&self) -> Instant {
        Instant((self.0)())
    }
}

/// A counter of microseconds that other code advances.
impl Clock for core::cell::Cell<u64> {
    #[inline]
    fn now(&self) -> Instant {
        Instant(self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_prints_in_seconds_without_trailing_zeros() {
        for (micros, text) in [
            (0, "0s"),
            (1, "0.000001s"),
            (250_000, "0.25s"),
            (1_500_000, "1.5s"),
            (60_000_000, "60s"),
            (u64::MAX, "18446744073709.551615s"),
        ] {
            assert_eq!(std::format!("{}", Duration::from_micros(micros)), text);
        }
    }

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Duration::from_secs(u64::MAX), Duration::MAX);
        assert_eq!(Duration::ZERO.saturating_sub(Duration::MAX), Duration::ZERO);
        assert_eq!(Instant::MAX.saturating_add(Duration::MAX), Instant::MAX);
        assert_eq!(Instant::ZERO.since(Instant::MAX), Duration::ZERO);
    }

    #[test]
    fn conversion_to_core_time_is_exact_and_back_rounds_down() {
        let span = core::time::Duration::new(1, 999);
        assert_eq!(Duration::from(span), Duration::from_secs(1));
        assert_eq!(Duration::from(core::time::Duration::MAX), Duration::MAX);
        assert_eq!(core::time::Duration::from(Duration::MAX).as_micros(), u128::from(u64::MAX));
    }
}
