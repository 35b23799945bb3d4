//! What is wrong or suspicious in the settings of a budget or of an adaptive strategy.

use super::together::Pool;
use super::{Lint, Parts, Report, Value, count, warn};
use crate::budget::RETRY;
use crate::{AdaptiveConfig, RatioConfig, RollingConfig};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::lines;
    use crate::{Backoff, Duration, assert_clean};

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
    fn every_error_of_a_ratio_is_found() {
        assert_eq!(lines(&RatioConfig::new(0).limit(0)).len(), 2);
    }
}
