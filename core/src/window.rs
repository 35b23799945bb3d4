//! What a breaker counts while it is closed: [`FailureTimes`], [`LastOutcomes`],
//! [`TimeSlices`]. All have a fixed size and all slide.

use crate::config_error::{ConfigError, demands};
use crate::reach::Reach;
use crate::{ClassSet, Duration, ErrorClass, Instant};

/// One result, as a window gets it. Results of classes that do not count
/// are kept from it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Observation {
    /// The class of the failure; `None` for a success.
    pub failure: Option<ErrorClass>,
    /// The longest attempt of the call, sleeps excluded; zero where the window
    /// does not ask for it.
    pub longest: Duration,
    /// When the call ended.
    pub now: Instant,
}

/// What a call remembers of how long its attempts took.
pub trait Stopwatch: Copy + Default + core::fmt::Debug {
    /// Whether it remembers anything.
    const RUNS: bool;

    /// An attempt took this long.
    fn note(&mut self, span: Duration);

    /// The longest attempt; zero if that is not remembered.
    fn longest(self) -> Duration;
}

impl Stopwatch for () {
    const RUNS: bool = false;

    #[inline]
    fn note(&mut self, _: Duration) {}

    #[inline]
    fn longest(self) -> Duration {
        Duration::ZERO
    }
}

impl Stopwatch for Duration {
    const RUNS: bool = true;

    #[inline]
    fn note(&mut self, span: Duration) {
        *self = (*self).max(span);
    }

    #[inline]
    fn longest(self) -> Duration {
        self
    }
}

/// A window of a breaker: it counts results and says when to open.
pub trait Window {
    /// The rule it is read by.
    type Rule: Copy + 'static;

    /// Whether successes change it, too.
    const HEARS_SUCCESS: bool;

    /// What it wants to know of how long attempts took: `()` nothing, [`Duration`] the
    /// longest of a call.
    type Attempts: Stopwatch;

    /// Counts a result and says whether the breaker must open.
    fn record(&mut self, rule: &Self::Rule, seen: &Observation) -> bool;

    /// Forgets everything.
    fn clear(&mut self);

    /// Whether failures of `class` count although the breaker does not trip on it.
    fn counts_apart(rule: &Self::Rule, class: ErrorClass) -> bool {
        let _ = (rule, class);
        false
    }

    /// Whether a success was too slow to be one for a probe.
    fn is_slow(rule: &Self::Rule, seen: &Observation) -> bool {
        let _ = (rule, seen);
        false
    }
}

/// Open at so many failures within a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct FailureRule {
    pub(crate) threshold: u8,
    pub(crate) window: Duration,
    /// Classes with a threshold of their own, so that a rule without any never looks at
    /// the table.
    pub(crate) apart: ClassSet,
    /// Their thresholds; 0 for the others.
    pub(crate) own: [u8; ErrorClass::COUNT],
}

impl FailureRule {
    pub(crate) const fn new(threshold: u8, window: Duration) -> Self {
        Self { threshold, window, apart: ClassSet::EMPTY, own: [0; ErrorClass::COUNT] }
    }

    pub(crate) const fn apart(mut self, class: ErrorClass, threshold: u8) -> Self {
        self.own[class as usize] = threshold;
        self.apart =
            if threshold == 0 { self.apart.without(class) } else { self.apart.with(class) };
        self
    }

    /// Where failures of `class` are counted (its own place, or the common one),
    /// and how many open.
    const fn place(&self, class: ErrorClass) -> (u8, u8) {
        if self.apart.contains(class) {
            (class as u8 + 1, self.own[class as usize & 7])
        } else {
            (COMMON, self.threshold)
        }
    }

    /// Whether failures may have this place, or none does.
    pub(crate) fn has_place(&self, place: u8) -> bool {
        let own = |class: ErrorClass| self.apart.contains(class) && place == class as u8 + 1;
        place == FREE || place == COMMON || ErrorClass::ALL.into_iter().any(own)
    }

    /// How many entries a window needs for this rule.
    const fn needs(&self) -> usize {
        let mut entries = self.threshold as usize;
        let mut i = 0;
        while i < self.own.len() {
            entries += self.own[i].saturating_sub(1) as usize;
            i += 1;
        }
        entries
    }

    demands! {
        self, capacity;
        self.threshold > 0 => ConfigError::new("breaker.failure_threshold", 0, "1 to 255"),
        !self.window.is_zero() =>
            ConfigError::of_span("breaker.window", self.window, "1 us or more"),
        self.needs() <= capacity => ConfigError::new(
            "breaker.thresholds",
            self.needs() as u64,
            "at most the capacity of FailureTimes: the sum of threshold - 1 over all thresholds, plus 1",
        ),
    }
}

/// The place of an entry that holds no failure, whatever its time says: forgetting all
/// of them touches a byte each.
const FREE: u8 = 0;
/// The place of failures whose class has no threshold of its own.
const COMMON: u8 = ErrorClass::COUNT as u8 + 1;

/// The times of the latest failures, at most `N` (1 to 255): 9 bytes each.
///
/// Opens when the failures of the window reach the threshold. A class with a
/// threshold of its own is counted apart: its failures open at that and do not
/// count towards the common one. Source: `CircuitBreaker` of redress for Python,
/// where they do count.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct FailureTimes<const N: usize> {
    /// When each failure leaves the window.
    pub(crate) until: [Instant; N],
    pub(crate) place: [u8; N],
}

impl<const N: usize> FailureTimes<N> {
    pub(crate) const EMPTY: Self = Self { until: [Instant::ZERO; N], place: [FREE; N] };
}

impl<const N: usize> Window for FailureTimes<N> {
    type Rule = FailureRule;
    type Attempts = ();

    const HEARS_SUCCESS: bool = false;

    fn record(&mut self, rule: &FailureRule, seen: &Observation) -> bool {
        let Some(class) = seen.failure else { return false };
        let (place, threshold) = rule.place(class);
        let reach = Reach::stale(rule.window);
        let mut count = 1_u32;
        let mut free = 0;
        for (index, (until, at)) in self.until.iter_mut().zip(&mut self.place).enumerate() {
            if *at == FREE || reach.wait(until, seen.now).is_zero() {
                // Never used or left the window. There is one such entry, as long as the
                // rule fits the capacity.
                free = index;
            } else {
                count += u32::from(rule.apart.is_empty() || *at == place);
            }
        }
        if let (Some(until), Some(at)) = (self.until.get_mut(free), self.place.get_mut(free)) {
            (*until, *at) = (seen.now.saturating_add(rule.window), place);
        }
        count >= u32::from(threshold)
    }

    fn clear(&mut self) {
        self.place = [FREE; N];
    }

    fn counts_apart(rule: &FailureRule, class: ErrorClass) -> bool {
        rule.apart.contains(class)
    }
}

/// Open at a share of failures among the last results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct OutcomeRule {
    pub(crate) size: u16,
    pub(crate) rate_milli: u16,
    pub(crate) min_calls: u16,
}

impl OutcomeRule {
    demands! {
        self, capacity;
        self.size > 0 && self.size as usize <= capacity =>
            ConfigError::new("breaker.size", self.size as u64, "1 to the capacity of LastOutcomes (32 for each word)"),
        // A size that is wrong is said once.
        self.min_calls > 0 && (self.min_calls <= self.size || self.size == 0) =>
            ConfigError::new("breaker.min_calls", self.min_calls as u64, "1 to the size"),
        is_rate(self.rate_milli) => wrong_rate("breaker.failure_rate_milli", self.rate_milli),
    }
}

const fn is_rate(milli: u16) -> bool {
    milli > 0 && milli <= 1000
}

const fn wrong_rate(field: &'static str, milli: u16) -> ConfigError {
    ConfigError::new(field, milli as u64, "1 to 1000")
}

/// Whether `part` of `whole` is `milli` thousandths or more.
const fn reaches(part: u32, whole: u32, milli: u16) -> bool {
    part.saturating_mul(1000) >= whole.saturating_mul(milli as u32)
}

/// The last results, one bit each: `WORDS` words hold 32 each, up to 2047 words.
///
/// Opens when there are `min_calls` results and the share of failures among the
/// last `size` reaches the rate. Old results leave one by one, so the window
/// really slides.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LastOutcomes<const WORDS: usize> {
    /// Bit set for a failure.
    pub(crate) failed: [u32; WORDS],
    /// Where the next result goes.
    pub(crate) next: u16,
    pub(crate) count: u16,
    pub(crate) failures: u16,
}

impl<const WORDS: usize> LastOutcomes<WORDS> {
    pub(crate) const EMPTY: Self = Self { failed: [0; WORDS], next: 0, count: 0, failures: 0 };

    /// Whether its counts are those of its bits.
    pub(crate) fn agrees(&self, rule: &OutcomeRule) -> bool {
        let (mut unseen, mut failures) = (u32::from(self.count), 0);
        for word in self.failed {
            let used = unseen.min(32);
            unseen -= used;
            // No bit is left over in a full word.
            if word & u32::MAX.checked_shl(used).unwrap_or(0) != 0 {
                return false;
            }
            failures += word.count_ones();
        }
        // The next result takes the place after the last until all places are taken.
        failures == u32::from(self.failures) && (self.count == rule.size || self.next == self.count)
    }
}

impl<const WORDS: usize> Window for LastOutcomes<WORDS> {
    type Rule = OutcomeRule;
    type Attempts = ();

    const HEARS_SUCCESS: bool = true;

    fn record(&mut self, rule: &OutcomeRule, seen: &Observation) -> bool {
        let failed = seen.failure.is_some();
        let bit = 1_u32 << (self.next & 31);
        let Some(word) = self.failed.get_mut(usize::from(self.next >> 5)) else { return false };
        // An entry that was never used is a zero bit, so it leaves like a success.
        self.failures -= u16::from(*word & bit != 0).min(self.failures);
        *word = if failed { *word | bit } else { *word & !bit };
        self.failures += u16::from(failed);
        self.next = if self.next + 1 < rule.size { self.next + 1 } else { 0 };
        self.count = (self.count + 1).min(rule.size);
        self.count >= rule.min_calls
            && reaches(u32::from(self.failures), u32::from(self.count), rule.rate_milli)
    }

    fn clear(&mut self) {
        *self = Self::EMPTY;
    }
}

/// Open at a share of failures, or of slow calls, over a time.
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
/// The window is the running slice and the `N - 1` before it. It moves on by at
/// most `N` slices at once, however long nothing was called. A call is slow if its
/// longest attempt took `slow_after` or longer; its delays do not count.
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
}

impl<const N: usize> Window for TimeSlices<N> {
    type Rule = SliceRule;
    type Attempts = Duration;

    const HEARS_SUCCESS: bool = true;

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
        let (mut calls, mut failures, mut slows) = (0_u32, 0_u32, 0_u32);
        for slice in &self.slices {
            calls = calls.saturating_add(u32::from(slice.calls));
            failures = failures.saturating_add(u32::from(slice.failures));
            slows = slows.saturating_add(u32::from(slice.slow));
        }
        calls >= u32::from(rule.min_calls)
            && (reaches(failures, calls, rule.failure_rate_milli)
                || reaches(slows, calls, rule.slow_rate_milli))
    }

    fn clear(&mut self) {
        *self = Self::EMPTY;
    }

    fn is_slow(rule: &SliceRule, seen: &Observation) -> bool {
        rule.is_slow(seen.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(failed: bool, at: u64) -> Observation {
        Observation {
            failure: failed.then_some(ErrorClass::Transient),
            longest: Duration::ZERO,
            now: Instant::from_micros(at),
        }
    }

    fn failure_rule(threshold: u8) -> FailureRule {
        FailureRule::new(threshold, Duration::from_micros(100))
    }

    #[test]
    fn each_wrong_setting_is_named_and_no_other() {
        let (rate, size, min) = ("breaker.failure_rate_milli", "breaker.size", "breaker.min_calls");
        for (rule, wrong) in [
            ((32, 1, 1), &[][..]),
            ((1, 1_000, 1), &[]),
            ((20, 500, 20), &[]),
            ((33, 500, 1), &[size]),
            // The least number of calls is not compared with a size that is wrong.
            ((0, 500, 5), &[size]),
            ((0, 500, 0), &[size, min]),
            ((20, 500, 0), &[min]),
            ((20, 500, 21), &[min]),
            ((20, 0, 1), &[rate]),
            ((20, 1_001, 1), &[rate]),
        ] {
            let (size, rate_milli, min_calls) = rule;
            let mut found = std::vec::Vec::new();
            let rule = OutcomeRule { size, rate_milli, min_calls };
            rule.errors(32, &mut |error| found.push(error.field()));
            assert_eq!(found, wrong, "{rule:?}");
        }
    }

    #[test]
    fn failures_open_at_the_threshold_and_leave_at_exactly_the_window() {
        let rule = failure_rule(3);
        for (last, opens) in [(99, true), (100, false)] {
            let mut window = FailureTimes::<3>::EMPTY;
            assert!(
                !window.record(&rule, &seen(true, 0)) && !window.record(&rule, &seen(true, 50))
            );
            assert_eq!(window.record(&rule, &seen(true, last)), opens, "{last}");
        }
    }

    #[test]
    fn a_class_with_its_own_threshold_is_counted_apart() {
        let rule = failure_rule(3).apart(ErrorClass::RateLimit, 2);
        assert_eq!(rule.needs(), 4);
        let mut window = FailureTimes::<4>::EMPTY;
        let of = |class| Observation { failure: Some(class), ..seen(true, 1) };
        assert!(!window.record(&rule, &of(ErrorClass::Transient)));
        assert!(!window.record(&rule, &of(ErrorClass::RateLimit)));
        assert!(!window.record(&rule, &of(ErrorClass::ServerError)));
        assert!(window.record(&rule, &of(ErrorClass::RateLimit)));
        assert!(window.record(&rule, &of(ErrorClass::ServerError)));
    }

    #[test]
    fn after_a_jump_back_failures_still_leave_after_one_window() {
        let rule = failure_rule(2);
        let mut window = FailureTimes::<2>::EMPTY;
        assert!(!window.record(&rule, &seen(true, 1_000_000)));
        window.record(&rule, &seen(true, 0));
        assert!(!window.record(&rule, &seen(true, 100)));
    }

    #[test]
    fn a_stale_instant_shortens_the_memory_of_no_failure() {
        let rule = failure_rule(3);
        let mut window = FailureTimes::<3>::EMPTY;
        assert!(!window.record(&rule, &seen(true, 1_000)));
        assert!(!window.record(&rule, &seen(true, 950)));
        // The first is in its window until 1_100, the second until 1_050.
        assert!(!window.record(&rule, &seen(true, 1_060)));
        assert!(window.record(&rule, &seen(true, 1_099)));
    }

    #[test]
    fn a_window_of_the_last_hundred_opens_after_fifty_failures_whatever_came_before() {
        let rule = OutcomeRule { size: 100, rate_milli: 500, min_calls: 10 };
        let mut window = LastOutcomes::<4>::EMPTY;
        for _ in 0..if cfg!(miri) { 300 } else { 100_000 } {
            assert!(!window.record(&rule, &seen(false, 0)));
        }
        let opened = (1..=100).find(|_| window.record(&rule, &seen(true, 0)));
        assert_eq!(opened, Some(50));
    }

    #[test]
    fn too_few_calls_never_open() {
        let rule = OutcomeRule { size: 10, rate_milli: 1, min_calls: 5 };
        let mut window = LastOutcomes::<1>::EMPTY;
        let opened = (1..=10).find(|_| window.record(&rule, &seen(true, 0)));
        assert_eq!(opened, Some(5));
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
