//! What a breaker has counted: [`Counts`].

use crate::breaker::window::Window;
use crate::breaker::{Breaker, BreakerConfig};
use crate::config::Settings;
use crate::time::Instant;

/// What is in the window of a breaker, for logs, metrics and user interfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Counts {
    /// The failures in the window.
    pub failures: u32,
    /// The calls in the window; `None` if only failures are counted
    /// ([`FailureTimes`](crate::breaker::FailureTimes)).
    pub calls: Option<u32>,
}

impl<W: Window, const PERMITS: usize, C: Settings<BreakerConfig<W::Rule>>> Breaker<W, PERMITS, C> {
    /// What the window holds at `now`. Probes are not counted, and a breaker that opens or closes
    /// begins with an empty window.
    pub fn counts(&self, now: Instant) -> Counts {
        self.window.counts(&self.config().rule, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::{CallResult, FailureTimes, LastOutcomes, TimeSlices};
    use crate::class::ErrorClass;
    use crate::time::Duration;

    fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    /// Counts a failure, a success and a failure, at 10, 11 and 12 us.
    fn counted<W: Window, C: Settings<BreakerConfig<W::Rule>>>(breaker: &mut Breaker<W, 1, C>) {
        let failure = CallResult::Failure(ErrorClass::Transient);
        for (now, result) in [(10, failure), (11, CallResult::Success), (12, failure)] {
            let permit = breaker.admit(at(now)).unwrap().permit;
            breaker.settle(permit, result, at(now));
        }
    }

    #[test]
    fn a_window_of_failures_counts_those_that_have_not_left_it() {
        let config = BreakerConfig::failures(5, Duration::from_micros(100));
        let mut breaker = Breaker::<FailureTimes<5>, 1, _>::from_settings(config).unwrap();
        counted(&mut breaker);
        for (now, failures) in [(12, 2), (109, 2), (110, 1), (111, 1), (112, 0)] {
            assert_eq!(breaker.counts(at(now)), Counts { failures, calls: None }, "{now}");
        }
        breaker.reset();
        assert_eq!(breaker.counts(at(12)), Counts::default());
    }

    #[test]
    fn a_share_of_calls_has_the_calls_too() {
        let config = BreakerConfig::outcomes(2, 1000, 2);
        let mut breaker = Breaker::<LastOutcomes<1>, 1, _>::from_settings(config).unwrap();
        counted(&mut breaker);
        assert_eq!(breaker.counts(at(1_000)), Counts { failures: 1, calls: Some(2) });
    }

    #[test]
    fn a_share_over_time_counts_the_slices_that_are_left_and_changes_none() {
        let config = BreakerConfig::slices(Duration::from_micros(10), 1000, 9);
        let mut breaker = Breaker::<TimeSlices<3>, 1, _>::from_settings(config).unwrap();
        counted(&mut breaker);
        for (now, counts) in [(12, (2, 3)), (39, (2, 3)), (40, (0, 0)), (12, (2, 3))] {
            let (failures, calls) = counts;
            assert_eq!(breaker.counts(at(now)), Counts { failures, calls: Some(calls) }, "{now}");
        }
    }
}
