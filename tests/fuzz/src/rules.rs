//! What breakers count, with any numbers, and whether these are right.

use std::fmt::Debug;

use redress::breaker::{FailureTimes, LastOutcomes, TimeSlices, Window};
use redress::config::ConfigError;
use redress::{BreakerConfig, ErrorClass};

use crate::Input;
use crate::breakers::{Of, Settings};

/// How many failures are remembered.
const FAILURES: usize = 6;
/// How many words of results are.
const WORDS: usize = 2;

pub type Failures = FailureTimes<FAILURES>;
pub type Outcomes = LastOutcomes<WORDS>;
pub type Slices = TimeSlices<4>;

/// A window with any rule.
pub trait Counts: Window<Rule: 'static + Debug> + Clone + Debug {
    /// Settings, and whether they are right.
    fn any(input: &mut Input<'_>, settings: &Settings) -> (BreakerConfig<Self::Rule>, bool);

    fn breaker(config: &BreakerConfig<Self::Rule>) -> Result<Of<'_, Self>, ConfigError>;
}

impl Counts for Failures {
    fn any(input: &mut Input<'_>, settings: &Settings) -> (BreakerConfig<Self::Rule>, bool) {
        let (threshold, window) = (input.below(FAILURES as u64 + 2) as u8, input.span());
        let mut config = BreakerConfig::failures(threshold, window);
        let mut own = [0_u8; ErrorClass::COUNT];
        for _ in 0..input.below(3) {
            let (class, threshold) = (input.class(), input.below(5) as u8);
            own[class as usize] = threshold;
            config = config.class_threshold(class, threshold);
        }
        let needed = own.iter().map(|own| usize::from(own.saturating_sub(1))).sum::<usize>();
        let fits = usize::from(threshold) + needed <= FAILURES;
        let are_right = threshold > 0 && !window.is_zero() && fits && settings.are_right();
        (settings.of(config), are_right)
    }

    fn breaker(config: &BreakerConfig<Self::Rule>) -> Result<Of<'_, Self>, ConfigError> {
        Of::<'_, Self>::new(config)
    }
}

impl Counts for Outcomes {
    fn any(input: &mut Input<'_>, settings: &Settings) -> (BreakerConfig<Self::Rule>, bool) {
        let size = input.below(32 * WORDS as u64 + 2) as u16;
        let (rate, least) = (input.below(1002) as u16, input.below(u64::from(size) + 2) as u16);
        let are_right = (1..=32 * WORDS).contains(&size.into())
            && (1..=size).contains(&least)
            && (1..=1000).contains(&rate)
            && settings.are_right();
        (settings.of(BreakerConfig::outcomes(size, rate, least)), are_right)
    }

    fn breaker(config: &BreakerConfig<Self::Rule>) -> Result<Of<'_, Self>, ConfigError> {
        Of::<'_, Self>::new(config)
    }
}

impl Counts for Slices {
    fn any(input: &mut Input<'_>, settings: &Settings) -> (BreakerConfig<Self::Rule>, bool) {
        let (slice, rate, least) = (input.span(), input.below(1002) as u16, input.below(9) as u16);
        let mut config = BreakerConfig::slices(slice, rate, least);
        let mut slow = 1000;
        if input.any() {
            slow = input.below(1002) as u16;
            config = config.slow_calls(input.span(), slow);
        }
        let rates = [rate, slow].into_iter().all(|rate| (1..=1000).contains(&rate));
        let are_right = !slice.is_zero() && rates && least > 0 && settings.are_right();
        (settings.of(config), are_right)
    }

    fn breaker(config: &BreakerConfig<Self::Rule>) -> Result<Of<'_, Self>, ConfigError> {
        Of::<'_, Self>::new(config)
    }
}
