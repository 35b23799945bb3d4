//! What is wrong or suspicious in the settings of a budget, of a rate limiter or of an
//! adaptive strategy.

use super::together::{Pace, Pool};
use super::{Lint, Parts, Report, Value, count, warn};
use crate::backoff::AdaptiveConfig;
use crate::budget::{LimitWindow, LimiterConfig, RETRY, RatioConfig, RollingConfig};

impl Lint for AdaptiveConfig {
    fn lint(&self, report: Report<'_>) {
        self.errors(&mut |error| report(error.into()));
        let (min, max) = (self.min_multiplier_milli, self.max_multiplier_milli);
        if min == max {
            let right = "more than min_multiplier_milli: it never adapts";
            warn(report, "adaptive.max_multiplier_milli", None, count(max), right);
        }
    }
}

impl Lint for RollingConfig {
    fn lint(&self, report: Report<'_>) {
        self.errors(usize::MAX, &mut |error| report(error.into()));
        if self.max_retries == 0 {
            let right = "1 or more: nothing is ever retried";
            warn(report, "budget.max_retries", None, Value::Count(0), right);
        }
    }

    fn part(&self, parts: &mut Parts) {
        parts.pool = Some(Pool { field: "budget.max_retries", most: self.max_retries.into() });
    }
}

impl Lint for RatioConfig {
    fn lint(&self, report: Report<'_>) {
        self.errors(&mut |error| report(error.into()));
        let ratio_milli = self.deposit / 1000;
        if ratio_milli > 1000 {
            let right = "at most 1000: every call earns more than one retry";
            warn(report, "budget.ratio_milli", None, count(ratio_milli), right);
        }
        let (floor, initial) = (u64::from(self.floor()), u64::from(self.initial.unwrap_or(1)));
        if self.limit >= RETRY && floor * RETRY > self.limit {
            let right = "at most the limit: a second's retries do not fit into it";
            warn(report, "budget.floor_per_sec", None, count(floor), right);
        }
        if self.limit >= RETRY && initial * RETRY > self.limit {
            let right = "at most the limit: more do not fit into it";
            warn(report, "budget.initial", None, count(initial), right);
        }
        // Without a ratio, too, it is an error.
        if initial == 0 && floor == 0 && self.deposit > 0 {
            let right =
                "1 or more, or floor_per_sec must be: the first calls of a program get no retry";
            warn(report, "budget.initial", None, Value::Count(0), right);
        }
    }

    fn part(&self, parts: &mut Parts) {
        parts.pool = Some(Pool { field: "budget.limit", most: self.limit / RETRY });
    }
}

impl Lint for LimiterConfig {
    fn lint(&self, report: Report<'_>) {
        self.errors(usize::MAX, &mut |error| report(error.into()));
        for (index, window) in self.windows().enumerate() {
            // A window that is not longer and grants no less says all that this one does.
            let says_all = |(other, at): (usize, &LimitWindow)| {
                let is_same = at.limit == window.limit && at.per == window.per;
                other != index
                    && at.from <= window.from
                    && at.limit <= window.limit
                    && at.per >= window.per
                    && (!is_same || other < index)
            };
            if self.windows().enumerate().any(says_all) {
                let right = "less than in any window that is as long or longer: it never binds";
                warn(report, "limiter.limit", None, count(window.limit), right);
            }
        }
    }

    fn part(&self, parts: &mut Parts) {
        parts.pace = Some(Pace { least: self.least().unwrap_or(u32::MAX) });
    }
}

/// What an attempt costs at most, in a tuple with the [`LimiterConfig`] that it is spent from.
///
/// ```
/// use redress::lint::AttemptCost;
/// use redress::budget::LimiterConfig;
/// use redress::{assert_clean, Duration};
/// const AIRTIME: LimiterConfig =
///     LimiterConfig::new().window(8_700, Duration::from_secs(86_400));
/// assert_clean!((AIRTIME, AttemptCost(1_500)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct AttemptCost(pub u32);

impl Lint for AttemptCost {
    fn lint(&self, report: Report<'_>) {
        if self.0 == 0 {
            let right = "1 or more: a limiter limits nothing that costs nothing";
            warn(report, "limiter.cost", None, Value::Count(0), right);
        }
    }

    fn part(&self, parts: &mut Parts) {
        parts.cost = Some(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_clean;
    use crate::backoff::Backoff;
    use crate::lint::lines;
    use crate::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_budget_that_never_grants_or_never_binds_is_found() {
        assert_clean!(RollingConfig::new(1, SECOND));
        assert_clean!(RatioConfig::new(1000).floor_per_sec(10).limit(10));
        assert_clean!(RatioConfig::new(0).floor_per_sec(1));
        assert_clean!(RatioConfig::new(100).limit(1));
        assert_clean!(RatioConfig::new(100).initial(0));
        assert_clean!(RatioConfig::new(100).floor_per_sec(0));
        for (config, line) in [
            (
                &RollingConfig::new(1, Duration::ZERO) as &dyn Lint,
                "error: budget.window is 0s: it must be 1 us or more",
            ),
            (
                &RollingConfig::new(0, SECOND),
                "warning: budget.max_retries is 0: it must be 1 or more: nothing is ever retried",
            ),
            (
                &RatioConfig::new(100).initial(11).limit(10),
                "warning: budget.initial is 11: it must be at most the limit: more do not fit into it",
            ),
            (
                &RatioConfig::new(100).initial(0).floor_per_sec(0),
                "warning: budget.initial is 0: it must be 1 or more, or floor_per_sec must be: the first calls of a program get no retry",
            ),
            (
                &RatioConfig::new(0),
                "error: budget.ratio_milli is 0: it must be 1 or more, or floor_per_sec must be",
            ),
            (&RatioConfig::new(1).limit(0), "error: budget.limit is 0: it must be 1 to 100000"),
            (
                &RatioConfig::new(1001),
                "warning: budget.ratio_milli is 1001: it must be at most 1000: every call earns more than one retry",
            ),
            (
                &RatioConfig::new(100).floor_per_sec(11).limit(10),
                "warning: budget.floor_per_sec is 11: it must be at most the limit: a second's retries do not fit into it",
            ),
        ] {
            assert_eq!(lines(config), [line]);
        }
    }

    #[test]
    fn every_error_of_an_adaptive_strategy_is_found_and_that_it_never_adapts() {
        let config = AdaptiveConfig::new(Backoff::constant(SECOND));
        assert_clean!(config);
        let wrong = config.window(Duration::ZERO).target_success_milli(0);
        assert_eq!(
            lines(&wrong.multipliers_milli(4_000_002, 4_000_001)),
            [
                "error: adaptive.window is 0s: it must be 1 us or more",
                "error: adaptive.target_success_milli is 0: it must be 1 to 1000",
                "error: adaptive.max_multiplier_milli is 4000001: it must be 0 to 4000000",
                "error: adaptive.min_multiplier_milli is 4000002: it must be at most max_multiplier_milli",
            ]
        );
        assert_eq!(
            lines(&config.multipliers_milli(2000, 2000)),
            [
                "warning: adaptive.max_multiplier_milli is 2000: it must be more than min_multiplier_milli: it never adapts"
            ]
        );
    }

    #[test]
    fn a_limiter_that_grants_nothing_or_never_binds_is_found() {
        let hour = Duration::from_secs(3600);
        let three = LimiterConfig::new().window(3, hour);
        assert_clean!(three.window(20, Duration::from_secs(86_400)));
        assert_clean!(LimiterConfig::new().phase(0, hour).phase(9, hour).window(3, SECOND));
        assert_clean!((three, AttemptCost(3)));
        let never = "it must be less than in any window that is as long or longer: it never binds";
        for (config, line) in [
            (
                &LimiterConfig::new() as &dyn Lint,
                "error: limiter.windows is 0: it must be 1 to 4, or there must be a phase",
            ),
            (
                &LimiterConfig::new().window(0, hour),
                "error: limiter.limit is 0: it must be 1 or more",
            ),
            (
                &LimiterConfig::new().phase(1, Duration::ZERO),
                "error: limiter.window is 0s: it must be 1 us or more, as must every phase",
            ),
            (&three.window(4, SECOND), &std::format!("warning: limiter.limit is 4: {never}")),
            (&three.window(3, hour), &std::format!("warning: limiter.limit is 3: {never}")),
            (
                &(AttemptCost(4), three),
                "warning: limiter.cost is 4: it must be at most the limit of every window: such an attempt never fits",
            ),
            (
                &(three, AttemptCost(0)),
                "warning: limiter.cost is 0: it must be 1 or more: a limiter limits nothing that costs nothing",
            ),
        ] {
            assert_eq!(lines(config), [line]);
        }
    }

    #[test]
    fn every_error_of_a_ratio_is_found() {
        assert_eq!(lines(&RatioConfig::new(0).limit(0)).len(), 2);
    }
}
