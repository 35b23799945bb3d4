//! What a breaker counts while it is closed: [`FailureTimes`], [`LastOutcomes`],
//! [`TimeSlices`]. None of them grows, and all slide.

mod failures;
mod outcomes;
mod slices;

pub use failures::{FailureRule, FailureTimes};
pub use outcomes::{LastOutcomes, OutcomeRule};
pub(crate) use slices::Slice;
pub use slices::{SliceRule, TimeSlices};

use crate::breaker::Counts;
use crate::class::ErrorClass;
use crate::config::ConfigError;
use crate::time::{Duration, Instant};

/// One result, as a window counts it. A window gets no failures of classes that do not count.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Observation {
    /// The class of the failure; `None` for a success.
    pub failure: Option<ErrorClass>,
    /// The longest attempt of the call, sleeps excluded; zero if the window does not measure
    /// attempts ([`Window::Attempts`]).
    pub longest: Duration,
    /// When the call ended.
    pub now: Instant,
}

/// How a call measures its attempts: `()` not at all, [`Duration`] keeps the longest attempt.
pub trait Stopwatch: Copy + Default + core::fmt::Debug {
    /// Whether anything is measured.
    const RUNS: bool;

    /// Records an attempt that took `span`.
    fn note(&mut self, span: Duration);

    /// The longest attempt; zero if nothing is measured.
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

/// A window of a breaker: it counts results and decides when to open.
pub trait Window: Sized {
    /// The rule when to open, which is part of the settings.
    type Rule: Copy + 'static;

    /// Whether the window counts successes, too.
    const COUNTS_SUCCESS: bool;

    /// How calls measure their attempts for this window: `()` not at all, [`Duration`] keeps the
    /// longest attempt of a call.
    type Attempts: Stopwatch;

    /// Checks a rule, and whether this window is large enough for it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first setting that is out of its range.
    fn check(&self, rule: &Self::Rule) -> Result<(), ConfigError>;

    /// Counts a result and returns whether the breaker must open.
    fn record(&mut self, rule: &Self::Rule, seen: &Observation) -> bool;

    /// What is in the window at `now`.
    fn counts(&self, rule: &Self::Rule, now: Instant) -> Counts;

    /// Forgets everything.
    fn clear(&mut self);

    /// Whether failures of `class` count although [`trip_on`](crate::BreakerConfig::trip_on) does
    /// not name the class.
    fn counts_apart(rule: &Self::Rule, class: ErrorClass) -> bool {
        let _ = (rule, class);
        false
    }

    /// Whether a successful probe was so slow that the breaker opens again.
    fn is_slow(rule: &Self::Rule, seen: &Observation) -> bool {
        let _ = (rule, seen);
        false
    }
}

/// A window whose size is known from its type.
pub trait Empty: Window {
    /// A window that has counted nothing.
    const EMPTY: Self;
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
