//! A share of failures or of slow calls over a time: [`SliceRule`], counted by [`TimeSlices`].

use crate::breaker::Counts;
use crate::breaker::window::{Empty, Observation, Window, is_rate, reaches, wrong_rate};
use crate::config::error::{ConfigError, demands};
use crate::time::reach::Reach;
use crate::time::{Duration, Instant};

/// Open at a share of failures, or of slow calls, within a span of time; see
/// [`BreakerConfig::slices`](crate::BreakerConfig::slices).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SliceRule {
    pub(crate) slice: Duration,
    pub(crate) failure_rate_milli: u16,
    pub(crate) slow_after: Duration,
    pub(crate) slow_rate_milli: u16,
    pub(crate) min_calls: u16,
}

impl SliceRule {
    demands! {
        self;
        !self.slice.is_zero() => ConfigError::of_span("breaker.slice", self.slice, "1 us or more"),
        self.min_calls > 0 => ConfigError::new("breaker.min_calls", 0, "1 to 65535"),
        is_rate(self.failure_rate_milli) =>
            wrong_rate("breaker.failure_rate_milli", self.failure_rate_milli),
        is_rate(self.slow_rate_milli) =>
            wrong_rate("breaker.slow_rate_milli", self.slow_rate_milli),
    }

    const fn is_slow(&self, longest: Duration) -> bool {
        longest.as_micros() >= self.slow_after.as_micros()
    }
}

/// Results and slow calls counted in `N` slices of time (1 and up): 6 bytes each.
///
/// The window is the running slice and the `N - 1` slices before it. Moving on after a long
/// silence costs no more than `N` steps. A call is slow if its longest attempt took `after` or
/// longer ([`slow_calls`](crate::BreakerConfig::slow_calls)); delays do not count.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TimeSlices<const N: usize> {
    pub(crate) slices: [Slice; N],
    /// When the running slice ends; zero before the first result.
    pub(crate) ends: Instant,
    pub(crate) running: u16,
}

#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct Slice {
    pub(crate) calls: u16,
    pub(crate) failures: u16,
    pub(crate) slow: u16,
}

impl<const N: usize> TimeSlices<N> {
    pub(crate) const EMPTY: Self = Self {
        slices: [Slice { calls: 0, failures: 0, slow: 0 }; N],
        ends: Instant::ZERO,
        running: 0,
    };

    /// Makes the slice that `now` is in the running one. A stale `now` is counted in the
    /// running slice and does not shorten it; after a clock that was set back the running
    /// slice goes on for its own length.
    pub(crate) fn advance(&mut self, slice: Duration, now: Instant) {
        Reach::stale(slice).wait(&mut self.ends, now);
        for _ in 0..N {
            if self.ends > now {
                return;
            }
            self.ends = self.ends.saturating_add(slice);
            self.running = if usize::from(self.running) + 1 < N { self.running + 1 } else { 0 };
            if let Some(running) = self.slices.get_mut(usize::from(self.running)) {
                *running = Slice { calls: 0, failures: 0, slow: 0 };
            }
        }
        if self.ends <= now {
            self.ends = now.saturating_add(slice);
        }
    }

    #[inline]
    fn sums(&self) -> Sums {
        let mut sums = Sums { calls: 0, failures: 0, slows: 0 };
        for slice in &self.slices {
            sums.calls = sums.calls.saturating_add(u32::from(slice.calls));
            sums.failures = sums.failures.saturating_add(u32::from(slice.failures));
            sums.slows = sums.slows.saturating_add(u32::from(slice.slow));
        }
        sums
    }
}

/// What all slices count together.
struct Sums {
    calls: u32,
    failures: u32,
    slows: u32,
}

impl<const N: usize> Window for TimeSlices<N> {
    type Rule = SliceRule;
    type Attempts = Duration;

    const COUNTS_SUCCESS: bool = true;

    fn check(&self, rule: &Self::Rule) -> Result<(), ConfigError> {
        rule.check()
    }

    fn record(&mut self, rule: &SliceRule, seen: &Observation) -> bool {
        self.advance(rule.slice, seen.now);
        let (failed, slow) = (seen.failure.is_some(), rule.is_slow(seen.longest));
        if let Some(running) = self.slices.get_mut(usize::from(self.running)) {
            // A full slice forgets half of its calls and keeps its shares.
            if running.calls == u16::MAX {
                running.calls >>= 1;
                running.failures >>= 1;
                running.slow >>= 1;
            }
            running.calls += 1;
            running.failures += u16::from(failed);
            running.slow += u16::from(slow);
        }
        let Sums { calls, failures, slows } = self.sums();
        calls >= u32::from(rule.min_calls)
            && (reaches(failures, calls, rule.failure_rate_milli)
                || reaches(slows, calls, rule.slow_rate_milli))
    }

    fn counts(&self, rule: &SliceRule, now: Instant) -> Counts {
        let mut then = *self;
        then.advance(rule.slice, now);
        let Sums { calls, failures, .. } = then.sums();
        Counts { failures, calls: Some(calls) }
    }

    fn clear(&mut self) {
        *self = Self::EMPTY;
    }

    fn is_slow(rule: &SliceRule, seen: &Observation) -> bool {
        rule.is_slow(seen.longest)
    }
}

impl<const N: usize> Empty for TimeSlices<N> {
    const EMPTY: Self = Self::EMPTY;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::ErrorClass;

    fn seen(failed: bool, at: u64) -> Observation {
        Observation {
            failure: failed.then_some(ErrorClass::Transient),
            longest: Duration::ZERO,
            now: Instant::from_micros(at),
        }
    }

    #[test]
    fn a_stale_instant_does_not_shorten_the_running_slice() {
        let slice = Duration::from_micros(10);
        let rule = SliceRule {
            slice,
            failure_rate_milli: 1000,
            slow_after: Duration::MAX,
            slow_rate_milli: 1000,
            min_calls: 4,
        };
        let mut window = TimeSlices::<2>::EMPTY;
        // The slice that began at 100 ends at 110, whoever asks with an earlier instant.
        for at in [100, 92, 91] {
            assert!(!window.record(&rule, &seen(true, at)));
        }
        assert!(window.record(&rule, &seen(true, 119)));
        // After a clock that was set back it goes on for its own length.
        window.advance(slice, Instant::ZERO);
        assert_eq!(window.ends, Instant::from_micros(10));
    }

    #[test]
    fn slices_slide_and_a_month_of_silence_is_one_step() {
        let rule = SliceRule {
            slice: Duration::from_micros(10),
            failure_rate_milli: 500,
            slow_after: Duration::from_micros(7),
            slow_rate_milli: 600,
            min_calls: 4,
        };
        let mut window = TimeSlices::<3>::EMPTY;
        for at in [0, 5, 12] {
            assert!(!window.record(&rule, &seen(true, at)));
        }
        assert!(window.record(&rule, &seen(true, 21)));
        // The slice that began at 0 is gone: two calls are left of four.
        assert!(!window.record(&rule, &seen(true, 30)));
        assert!(!window.record(&rule, &seen(true, 30 + 2_592_000_000_000)));
        let slow =
            Observation { longest: Duration::from_micros(7), ..seen(false, 2_592_000_000_031) };
        assert!(!window.record(&rule, &slow) && !window.record(&rule, &slow));
        assert!(window.record(&rule, &slow));
    }
}
