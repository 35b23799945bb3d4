//! The clock and the alarms of embassy-time: [`EmbassyTime`], and [`Sliced`] for
//! boards with a watchdog.

mod rate;

use embassy_time::{TICK_HZ, Timer as Alarm};
use redress::time::Timer;
use redress::{Clock, Duration, Instant};

use rate::{MICROS, Rate};

/// The clock and the alarms of embassy-time, in microseconds.
///
/// At 1 MHz a tick is a microsecond and nothing is converted. At every other `tick-hz` (32,768 Hz
/// is the only one of embassy-nrf) two functions convert, which an image has once: without a
/// division on a clock of 2^n Hz, and without one of 64 bits at any rate. Instants and spans that
/// no `u64` can hold never end.
///
/// # Delays are never short
///
/// The clock shows the tick that has begun, so a delay that starts within a tick would end up to
/// a tick early if only its own ticks were counted. One tick more is waited for, at all rates but
/// 1 MHz: at 32,768 Hz a delay of 30 us ends 31 to 61 us later. At 1 MHz a delay ends at its tick, and
/// is short by less than the microsecond that had begun.
///
/// # The driver
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
        Instant::from_micros(if TICK_HZ == MICROS { ticks_now() } else { micros_now() })
    }
}

impl Timer for EmbassyTime {
    #[inline]
    fn sleep(&mut self, span: Duration) -> impl Future<Output = ()> {
        let span = span.as_micros();
        Alarm::at(embassy_time::Instant::from_ticks(if TICK_HZ == MICROS {
            // A sum that does not fit would panic in `Timer::after`.
            ticks_now().saturating_add(span)
        } else {
            tick_after(span)
        }))
    }
}

#[inline]
fn ticks_now() -> u64 {
    embassy_time::Instant::now().as_ticks()
}

// Out of line: inlined at each use, the two conversions took a third of a task at 32,768 Hz.

#[inline(never)]
fn micros_now() -> u64 {
    Rate::<TICK_HZ>::micros(ticks_now())
}

/// The first tick that is `span` microseconds or more from now, wherever in its tick now is.
#[inline(never)]
fn tick_after(span: u64) -> u64 {
    ticks_now().saturating_add(Rate::<TICK_HZ>::ticks(span)).saturating_add(1)
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
