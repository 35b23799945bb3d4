//! What is wrong or suspicious in the settings of a budget, of a rate limiter or of an
//! adaptive strategy.

use super::together::{Pace, Pool};
use super::{Finding, Lint, Parts, Report, Value, count};
use crate::backoff::AdaptiveConfig;
use crate::budget::{LimitWindow, LimiterConfig, RETRY, RatioConfig, RollingConfig};

impl Lint for AdaptiveConfig {
    fn lint(&self, report: Report<'_>) {
        self.errors(&mut |error| report(error.into()));
        let (min, max) = (self.min_multiplier_milli, self.max_multiplier_milli);
        if min == max {
            let (field, problem) = ("adaptive.max_multiplier_milli", "leaves nothing to adapt");
            let help = "raise it above min_multiplier_milli";
            let found = Finding::warning(field, count(max), problem, help);
            report(found.beside("adaptive.min_multiplier_milli", count(min)));
        }
    }
}

impl Lint for RollingConfig {
    fn lint(&self, report: Report<'_>) {
        self.errors(usize::MAX, &mut |error| report(error.into()));
        if self.max_retries == 0 {
            let problem = "grants no retry at all";
            report(Finding::warning("budget.max_retries", Value::Count(0), problem, "raise it"));
        }
    }

    fn part(&self, parts: &mut Parts) {
        let most = self.max_retries.into();
        parts.pool = Some(Pool { field: "budget.max_retries", most, is_empty_for_key: false });
    }
}

impl Lint for RatioConfig {
    fn lint(&self, report: Report<'_>) {
        self.errors(&mut |error| report(error.into()));
        let ratio_milli = self.deposit / 1000;
        if ratio_milli > 1000 {
            let problem = "lets every call earn more than one retry";
            let help = "lower it to 1000 or less";
            report(Finding::warning("budget.ratio_milli", count(ratio_milli), problem, help));
        }
        let (floor, initial) = (u64::from(self.floor()), u64::from(self.initial.unwrap_or(1)));
        for (field, retries) in [("budget.floor_per_sec", floor), ("budget.initial", initial)] {
            if self.limit >= RETRY && retries * RETRY > self.limit {
                let problem = "is more than the budget can hold";
                let help = "lower it to the limit or less, or raise the limit";
                let found = Finding::warning(field, count(retries), problem, help);
                report(found.beside("budget.limit", count(self.limit / RETRY)));
            }
        }
        // Without a ratio, too, it is an error.
        if initial == 0 && floor == 0 && self.deposit > 0 {
            report(empty_at_the_start("grants no retry to the first calls of a program"));
        }
    }

    fn part(&self, parts: &mut Parts) {
        // Only the default of the floor is another one for a key.
        let is_empty_for_key =
            self.initial == Some(0) && self.floor_per_sec.is_none() && self.deposit > 0;
        let most = self.limit / RETRY;
        parts.pool = Some(Pool { field: "budget.limit", most, is_empty_for_key });
    }
}

fn empty_at_the_start(problem: &'static str) -> Finding {
    let help = "raise it, or floor_per_sec";
    let found = Finding::warning("budget.initial", Value::Count(0), problem, help);
    found.beside("budget.floor_per_sec", Value::Count(0))
}

/// Wrap the settings of the budgets in a [`Keyed`](crate::Keyed) map, which have other defaults:
/// a new key starts with one retry, and earns none by time.
///
/// ```
/// use redress::lint::EachKey;
/// use redress::budget::RatioConfig;
/// use redress::assert_clean;
/// const BY_HOST: RatioConfig = RatioConfig::new(100);
/// assert_clean!(EachKey(BY_HOST));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct EachKey<L>(pub L);

impl<L: Lint> Lint for EachKey<L> {
    fn lint(&self, report: Report<'_>) {
        self.0.lint(report);
        let mut parts = Parts::default();
        self.0.part(&mut parts);
        if parts.pool.is_some_and(|pool| pool.is_empty_for_key) {
            report(empty_at_the_start("grants no retry to the first calls of each key"));
        }
    }

    fn part(&self, parts: &mut Parts) {
        self.0.part(parts);
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
                let problem = "is never reached: another window, as long or longer, grants no more";
                let help = "lower it below the limit of that window, or leave its own window out";
                report(Finding::warning("limiter.limit", count(window.limit), problem, help));
            }
        }
    }

    fn part(&self, parts: &mut Parts) {
        parts.pace = Some(Pace { least: self.least().unwrap_or(u32::MAX) });
    }
}

/// The highest cost of an attempt, in a tuple with the [`LimiterConfig`] of the limiter.
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
            let problem = "takes nothing out of a window, so nothing is limited";
            report(Finding::warning("limiter.cost", Value::Count(0), problem, "raise it"));
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
    use crate::policy::Policy;
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
                "error: budget.window (0s) is out of range: it must be 1 us or more",
            ),
            (
                &RollingConfig::new(0, SECOND),
                "warning: budget.max_retries (0) grants no retry at all; raise it",
            ),
            (
                &RatioConfig::new(100).initial(11).limit(10),
                "warning: budget.initial (11) is more than the budget can hold: budget.limit is 10; lower it to the limit or less, or raise the limit",
            ),
            (
                &RatioConfig::new(100).initial(0).floor_per_sec(0),
                "warning: budget.initial (0) grants no retry to the first calls of a program: budget.floor_per_sec is 0; raise it, or floor_per_sec",
            ),
            (
                &RatioConfig::new(0),
                "error: budget.ratio_milli (0) is out of range: it must be 1 or more, or floor_per_sec must be",
            ),
            (
                &RatioConfig::new(1).limit(0),
                "error: budget.limit (0) is out of range: it must be 1 to 100000",
            ),
            (
                &RatioConfig::new(1001),
                "warning: budget.ratio_milli (1001) lets every call earn more than one retry; lower it to 1000 or less",
            ),
            (
                &RatioConfig::new(100).floor_per_sec(11).limit(10),
                "warning: budget.floor_per_sec (11) is more than the budget can hold: budget.limit is 10; lower it to the limit or less, or raise the limit",
            ),
        ] {
            assert_eq!(lines(config), [line]);
        }
    }

    #[test]
    fn a_budget_that_grants_nothing_at_the_start_of_a_key_is_found() {
        let ratio = RatioConfig::new(100);
        let line = "warning: budget.initial (0) grants no retry to the first calls of each key: budget.floor_per_sec is 0; raise it, or floor_per_sec";
        assert_clean!(ratio.initial(0));
        assert_eq!(lines(&EachKey(ratio.initial(0))), [line]);
        assert_eq!(lines(&(EachKey(&ratio.initial(0)), AttemptCost(1))), [line]);
        assert_clean!(EachKey(ratio));
        assert_clean!(EachKey(ratio.floor_per_sec(0)));
        assert_clean!(EachKey(ratio.initial(0).floor_per_sec(1)));
        assert_clean!(EachKey(RollingConfig::new(1, SECOND)));
        // Each of these is a finding of its own.
        let never = EachKey(ratio.initial(0).floor_per_sec(0));
        assert_eq!(lines(&never), lines(&never.0));
        let wrong = EachKey(RatioConfig::new(0).initial(0));
        assert_eq!(lines(&wrong), lines(&wrong.0));
        assert_eq!(lines(&EachKey(RollingConfig::new(0, SECOND))).len(), 1);
        // The budget of a key, too, is one of its upstream.
        let policy = Policy::builder().backoff(Backoff::constant(SECOND));
        assert_eq!(lines(&(policy, EachKey(ratio.limit(4)))).len(), 1);
    }

    #[test]
    fn every_error_of_an_adaptive_strategy_is_found_and_that_it_never_adapts() {
        let config = AdaptiveConfig::new(Backoff::constant(SECOND));
        assert_clean!(config);
        let wrong = config.window(Duration::ZERO).target_success_milli(0);
        assert_eq!(
            lines(&wrong.multipliers_milli(4_000_002, 4_000_001)),
            [
                "error: adaptive.window (0s) is out of range: it must be 1 us or more",
                "error: adaptive.target_success_milli (0) is out of range: it must be 1 to 1000",
                "error: adaptive.max_multiplier_milli (4000001) is out of range: it must be 0 to 4000000",
                "error: adaptive.min_multiplier_milli (4000002) is out of range: it must be at most max_multiplier_milli",
            ]
        );
        assert_eq!(
            lines(&config.multipliers_milli(2000, 2000)),
            [
                "warning: adaptive.max_multiplier_milli (2000) leaves nothing to adapt: adaptive.min_multiplier_milli is 2000; raise it above min_multiplier_milli"
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
        let never = "is never reached: another window, as long or longer, grants no more; lower it below the limit of that window, or leave its own window out";
        for (config, line) in [
            (
                &LimiterConfig::new() as &dyn Lint,
                "error: limiter.windows (0) is out of range: it must be 1 to 4, or there must be a phase",
            ),
            (
                &LimiterConfig::new().window(0, hour),
                "error: limiter.limit (0) is out of range: it must be 1 or more",
            ),
            (
                &LimiterConfig::new().phase(1, Duration::ZERO),
                "error: limiter.window (0s) is out of range: it must be 1 us or more, as must every phase",
            ),
            (&three.window(4, SECOND), &std::format!("warning: limiter.limit (4) {never}")),
            (&three.window(3, hour), &std::format!("warning: limiter.limit (3) {never}")),
            (
                &(AttemptCost(4), three),
                "warning: limiter.cost (4) is more than a window ever grants, so no attempt is made: limiter.limit is 3; lower it to the limit or less, or raise the limit",
            ),
            (
                &(three, AttemptCost(0)),
                "warning: limiter.cost (0) takes nothing out of a window, so nothing is limited; raise it",
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
