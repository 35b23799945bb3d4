//! What a breaker counts while it is closed: [`FailureTimes`], [`LastOutcomes`],
//! [`TimeSlices`]. All have a fixed size and all slide.

mod failures;
mod outcomes;
mod slices;

pub use failures::{FailureRule, FailureTimes};
pub use outcomes::{LastOutcomes, OutcomeRule};
pub(crate) use slices::Slice;
pub use slices::{SliceRule, TimeSlices};

use crate::class::ErrorClass;
use crate::config::ConfigError;
use crate::time::{Duration, Instant};

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
pub trait Window: Sized {
    /// The rule it is read by.
    type Rule: Copy + 'static;

    /// One that has counted nothing.
    const EMPTY: Self;

    /// Whether successes change it, too.
    const COUNTS_SUCCESS: bool;

    /// What it wants to know of how long attempts took: `()` nothing, [`Duration`] the
    /// longest of a call.
    type Attempts: Stopwatch;

    /// Checks a rule, and whether this window has room for what it counts.
    ///
    /// # Errors
    ///
    /// Names the first setting that is out of its range.
    fn check(rule: &Self::Rule) -> Result<(), ConfigError>;

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
