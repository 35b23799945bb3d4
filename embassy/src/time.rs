//! The clock and the alarms of embassy-time: [`EmbassyTime`], and [`Sliced`] for
//! boards with a watchdog.

use embassy_time::{TICK_HZ, Timer as Alarm};
use redress::time::Timer;
use redress::{Clock, Duration, Instant};

/// The clock and the alarms of embassy-time, in microseconds.
///
/// At 1 MHz a tick is a microsecond and nothing is converted: no division gets into
/// the image. At another `tick-hz` spans are rounded up to whole ticks, so a delay is
/// never short, and spans that no `u64` of ticks can hold never end.
///
/// It needs the time driver of a HAL; without one the image does not link, and the linker
/// names `_embassy_time_now`.
///
/// The driver's queue of alarms is never full where it is embassy's default, which grows with
/// the tasks and panics at a waker that is not of embassy's executor. One of fixed size
/// (`generic-queue-8` and the like) that is full wakes a task early to make room, which comes
/// back at once: delays still end to the tick, but the processor does not sleep meanwhile.
///
/// A clock of embassy-time never goes back. If one did, breakers and budgets would go on for
/// no longer than their own times, and a delay under way would end when the clock is at its
/// tick again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct EmbassyTime;

impl Clock for EmbassyTime {
    #[inline]
    fn now(&self) -> Instant {
        let ticks = embassy_time::Instant::now().as_ticks();
        Instant::from_micros(to_micros::<TICK_HZ>(ticks))
    }
}

impl Timer for EmbassyTime {
    #[inline]
    fn sleep(&mut self, span: Duration) -> impl Future<Output = ()> {
        let span = embassy_time::Duration::from_ticks(to_ticks::<TICK_HZ>(span.as_micros()));
        // A sum that does not fit would panic in `Timer::after`.
        Alarm::at(embassy_time::Instant::now().saturating_add(span))
    }
}

const MICROS: u64 = 1_000_000;

/// Rounded down; at most `u64::MAX`.
#[inline]
const fn to_micros<const HZ: u64>(ticks: u64) -> u64 {
    if HZ == MICROS {
        return ticks;
    }
    let (whole, part) = (ticks / HZ, ticks % HZ);
    whole.saturating_mul(MICROS).saturating_add(scale(part, MICROS, HZ, false))
}

/// Rounded up; at most `u64::MAX`, which is never reached.
#[inline]
const fn to_ticks<const HZ: u64>(micros: u64) -> u64 {
    if HZ == MICROS {
        return micros;
    }
    let (whole, part) = (micros / MICROS, micros % MICROS);
    whole.saturating_mul(HZ).saturating_add(scale(part, HZ, MICROS, true))
}

/// `part * factor / divisor`, in 128 bits where 64 could overflow; `part` is less than
/// `divisor`.
const fn scale(part: u64, factor: u64, divisor: u64, up: bool) -> u64 {
    let round = if up { divisor - 1 } else { 0 };
    match part.checked_mul(factor) {
        Some(product) if product <= u64::MAX - round => (product + round) / divisor,
        _ => ((part as u128 * factor as u128 + round as u128) / divisor as u128) as u64,
    }
}

/// Waits long spans in slices and runs `between` before each of them, so that a
/// watchdog is fed while a call waits.
///
/// ```
/// # use redress::random::NoRandom;
/// # use redress::{policy, Backoff, Duration, Policy};
/// # use redress_embassy::{EmbassyTime, Sliced};
/// # const POLICY: Policy = policy! { Policy::builder().backoff(Backoff::constant(Duration::ZERO)) };
/// # fn feed_the_watchdog() {}
/// let time = Sliced::new(EmbassyTime, Duration::from_secs(2), feed_the_watchdog);
/// let retry = POLICY.on(time, NoRandom);
/// ```
///
/// The timer of an attempt's timeout is sliced as well: an operation that waits for
/// ever without an `attempt_timeout` is not fed, one with a timeout is until then.
#[derive(Clone, Copy, Debug)]
pub struct Sliced<T, F> {
    time: T,
    slice: Duration,
    between: F,
}

impl<T: Timer, F: FnMut()> Sliced<T, F> {
    /// Slices of at most `slice`; one of zero is taken for one microsecond, as time
    /// would not go on.
    pub const fn new(time: T, slice: Duration, between: F) -> Self {
        Self { time, slice: slice.max(Duration::from_micros(1)), between }
    }
}

impl<T: Clock, F> Clock for Sliced<T, F> {
    #[inline]
    fn now(&self) -> Instant {
        self.time.now()
    }
}

impl<T: Timer, F: FnMut()> Timer for Sliced<T, F> {
    async fn sleep(&mut self, span: Duration) {
        let until = self.time.now().saturating_add(span);
        loop {
            (self.between)();
            // By the clock, as each slice may end a little late.
            let left = until.since(self.time.now());
            if left.is_zero() {
                return;
            }
            self.time.sleep(left.min(self.slice)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_a_million_ticks_nothing_is_converted() {
        for value in [0, 1, u64::MAX] {
            assert_eq!(to_ticks::<1_000_000>(value), value);
            assert_eq!(to_micros::<1_000_000>(value), value);
        }
    }

    #[test]
    fn a_delay_is_never_short_and_less_than_a_tick_long() {
        for micros in [0, 1, 30, 31, 999_999, 1_000_000, 1_000_001, 86_400_000_000, 1 << 50] {
            let ticks = u128::from(to_ticks::<32_768>(micros));
            let exact = u128::from(micros) * 32_768;
            assert!(ticks * 1_000_000 >= exact, "{micros}");
            assert!(ticks * 1_000_000 - exact < 1_000_000, "{micros}");
        }
    }

    #[test]
    fn conversions_saturate_at_both_ends_of_the_tick_rates() {
        assert_eq!(to_ticks::<5_242_880_000>(u64::MAX), u64::MAX);
        assert_eq!(to_micros::<1>(u64::MAX), u64::MAX);
        assert_eq!(to_ticks::<1>(1), 1);
        assert_eq!(to_micros::<5_242_880_000>(5_242_880_000 * 3), 3_000_000);
        assert_eq!(to_micros::<32_768>(u64::MAX), u64::MAX);
    }
}
