//! A share of failures among the last calls: [`OutcomeRule`], counted by [`LastOutcomes`].

use crate::breaker::Counts;
use crate::breaker::window::{Empty, Observation, Window, is_rate, reaches, wrong_rate};
use crate::config::error::{ConfigError, demands};
use crate::time::Instant;

/// Open at a share of failures among the last results; see
/// [`BreakerConfig::outcomes`](crate::BreakerConfig::outcomes).
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

/// The last results, one bit each. Each of the `WORDS` words (1 to 2047) holds 32 results.
///
/// Opens when there are `min_calls` results and the share of failures among the last `size`
/// results reaches the rate. Each new result replaces the oldest, so the window slides result by
/// result.
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

    const COUNTS_SUCCESS: bool = true;

    fn check(&self, rule: &Self::Rule) -> Result<(), ConfigError> {
        rule.check(WORDS.saturating_mul(32))
    }

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

    fn counts(&self, _: &OutcomeRule, _: Instant) -> Counts {
        Counts { failures: u32::from(self.failures), calls: Some(u32::from(self.count)) }
    }

    fn clear(&mut self) {
        *self = Self::EMPTY;
    }
}

impl<const WORDS: usize> Empty for LastOutcomes<WORDS> {
    const EMPTY: Self = Self::EMPTY;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::ErrorClass;
    use crate::time::Duration;

    fn seen(failed: bool, at: u64) -> Observation {
        Observation {
            failure: failed.then_some(ErrorClass::Transient),
            longest: Duration::ZERO,
            now: Instant::from_micros(at),
        }
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
}
