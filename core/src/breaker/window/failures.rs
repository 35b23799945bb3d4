//! Open at a number of failures within a window: [`FailureRule`], counted by [`FailureTimes`].

use crate::breaker::Counts;
use crate::breaker::window::{Empty, Observation, Window};
use crate::class::{ClassSet, ErrorClass};
use crate::config::error::{ConfigError, demands};
use crate::time::reach::Reach;
use crate::time::{Duration, Instant};

/// Open at a number of failures within a window; see
/// [`BreakerConfig::failures`](crate::BreakerConfig::failures).
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
    pub(crate) const fn needs(&self) -> usize {
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

/// The times of the latest failures, at most `N` (1 to 255): 9 bytes each. `N` is at least the
/// threshold: [`failures(5, ..)`](crate::BreakerConfig::failures) needs `FailureTimes<5>` or
/// larger.
///
/// Opens when the failures within the window reach the threshold. Failures of a class with its
/// own threshold ([`class_threshold`](crate::BreakerConfig::class_threshold)) are counted
/// separately and do not count towards the common threshold. Source: `CircuitBreaker` of redress
/// for Python, where they count towards both.
///
/// The entries are in the window. If their number is known only at run time, they are in storage
/// of yours, `U` and `P`: see [`with_storage`](Self::with_storage). `N` is then the most that
/// there may be.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct FailureTimes<const N: usize, U = [Instant; N], P = [u8; N]> {
    /// When each failure leaves the window.
    pub(crate) until: U,
    pub(crate) place: P,
}

impl<const N: usize> FailureTimes<N> {
    pub(crate) const EMPTY: Self = Self { until: [Instant::ZERO; N], place: [FREE; N] };
}

impl<const N: usize> Empty for FailureTimes<N> {
    const EMPTY: Self = Self::EMPTY;
}

impl<const N: usize, U, P> FailureTimes<N, U, P>
where
    U: AsRef<[Instant]> + AsMut<[Instant]>,
    P: AsRef<[u8]> + AsMut<[u8]>,
{
    /// A window of as many entries as the storage has, for
    /// [`Breaker::with_window`](crate::Breaker::with_window). Both parts have the same length,
    /// which is the threshold or more: [`BreakerConfig::entries`](crate::BreakerConfig::entries).
    /// They may be slices, or a `Vec` each. What they hold is overwritten. `None` if one is longer
    /// than the other, or longer than `N`.
    ///
    /// ```
    /// use redress::breaker::FailureTimes;
    /// use redress::{Breaker, BreakerConfig, Duration, Instant};
    ///
    /// let config = BreakerConfig::failures(40, Duration::from_secs(60));
    /// let (times, places) = (vec![Instant::ZERO; config.entries()], vec![0; config.entries()]);
    /// let window = FailureTimes::<255, _, _>::with_storage(times, places).unwrap();
    /// let breaker = Breaker::<_, 1, _>::with_window(config, window)?;
    /// # let _ = breaker;
    /// # Ok::<(), redress::config::ConfigError>(())
    /// ```
    pub fn with_storage(mut until: U, mut place: P) -> Option<Self> {
        let len = until.as_ref().len();
        if len > N || len != place.as_ref().len() {
            return None;
        }
        until.as_mut().fill(Instant::ZERO);
        place.as_mut().fill(FREE);
        Some(Self { until, place })
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.until.as_ref().len()
    }
}

impl<const N: usize, U, P> Window for FailureTimes<N, U, P>
where
    U: AsRef<[Instant]> + AsMut<[Instant]>,
    P: AsRef<[u8]> + AsMut<[u8]>,
{
    type Rule = FailureRule;
    type Attempts = ();

    const COUNTS_SUCCESS: bool = false;

    fn check(&self, rule: &Self::Rule) -> Result<(), ConfigError> {
        rule.check(self.len())
    }

    fn record(&mut self, rule: &FailureRule, seen: &Observation) -> bool {
        let Some(class) = seen.failure else { return false };
        let (place, threshold) = rule.place(class);
        let reach = Reach::stale(rule.window);
        let mut count = 1_u32;
        let mut free = 0;
        let (untils, places) = (self.until.as_mut(), self.place.as_mut());
        for (index, (until, at)) in untils.iter_mut().zip(&mut *places).enumerate() {
            if *at == FREE || reach.wait(until, seen.now).is_zero() {
                // Never used or left the window. There is one such entry, as long as the
                // rule fits the capacity.
                free = index;
            } else {
                count += u32::from(rule.apart.is_empty() || *at == place);
            }
        }
        if let (Some(until), Some(at)) = (untils.get_mut(free), places.get_mut(free)) {
            (*until, *at) = (seen.now.saturating_add(rule.window), place);
        }
        count >= u32::from(threshold)
    }

    fn counts(&self, rule: &FailureRule, now: Instant) -> Counts {
        let reach = Reach::stale(rule.window);
        let entries = self.until.as_ref().iter().zip(self.place.as_ref());
        let inside = entries.filter(|&(&until, &at)| {
            let mut until = until;
            at != FREE && !reach.wait(&mut until, now).is_zero()
        });
        Counts { failures: inside.count() as u32, calls: None }
    }

    fn clear(&mut self) {
        self.place.as_mut().fill(FREE);
    }

    fn counts_apart(rule: &FailureRule, class: ErrorClass) -> bool {
        rule.apart.contains(class)
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
}
