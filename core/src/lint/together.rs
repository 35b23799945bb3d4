//! What is suspicious only in company: a policy, its breaker, its budget and its rate limiter
//! held against one another.

use super::{Lint, Report, Value, count, warn};
use crate::time::Duration;

/// What the parts of one upstream say of themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts {
    pub(super) call: Option<Call>,
    pub(super) door: Option<Door>,
    pub(super) pool: Option<Pool>,
    pub(super) pace: Option<Pace>,
    /// What an attempt costs.
    pub(super) cost: Option<u32>,
}

/// Of a policy: what one call of it may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// The attempt timeout.
    pub(super) timeout: Value,
    /// Its first attempt, at most.
    pub(super) attempt: Duration,
    /// All of it, at most.
    pub(super) whole: Duration,
    /// How many retries, at most; `None` for any number.
    pub(super) retries: Option<u32>,
}

/// Of a breaker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Door {
    pub(super) lease: Duration,
    /// From which length on an attempt is slow, where it asks for that.
    pub(super) slow_after: Option<Duration>,
}

/// Of a budget: the field that says how many retries it grants at once, and the number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pool {
    pub(super) field: &'static str,
    pub(super) most: u64,
}

/// Of a rate limiter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// The most that an attempt may cost.
    pub(super) least: u32,
}

impl Parts {
    fn lint(&self, report: Report<'_>) {
        if let (Some(pace), Some(cost)) = (self.pace, self.cost)
            && pace.least < cost
            && pace.least > 0
        {
            let right = "at most the limit of every window: such an attempt never fits";
            warn(report, "limiter.cost", None, count(cost), right);
        }
        let Some(call) = self.call else { return };
        if let Some(door) = self.door {
            call.lint_door(door, report);
        }
        if let (Some(pool), Some(retries)) = (self.pool, call.retries)
            && pool.most < u64::from(retries)
            && pool.most > 0
        {
            let right = "max_attempts - 1 or more: a single call uses it up and stops early";
            warn(report, pool.field, None, count(pool.most), right);
        }
    }
}

impl Call {
    fn lint_door(self, door: Door, report: Report<'_>) {
        // A lease of zero is an error of its own.
        if !door.lease.is_zero() {
            let lease = Value::Span(door.lease);
            if self.attempt != Duration::MAX && door.lease < self.attempt {
                let right = "at least what an attempt may take: a probe loses its place while it still runs";
                warn(report, "breaker.lease", None, lease, right);
            } else if self.whole != Duration::MAX && door.lease < self.whole {
                let right = "at least what a call may take with its retries: a probe loses its place while it still runs";
                warn(report, "breaker.lease", None, lease, right);
            }
        }
        if let Some(after) = door.slow_after
            && after > self.attempt
        {
            let right = "at most what an attempt may take: none gets so far as to be slow";
            warn(report, "breaker.slow_after", None, Value::Span(after), right);
        }
    }
}

macro_rules! tuples {
    ($(($($part:ident $nth:tt),+))*) => {$(
        impl<$($part: Lint),+> Lint for ($($part,)+) {
            fn lint(&self, report: Report<'_>) {
                let mut parts = Parts::default();
                $(
                    self.$nth.lint(report);
                    self.$nth.part(&mut parts);
                )+
                parts.lint(report);
            }
        }
    )*};
}

tuples! {
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_clean;
    use crate::backoff::Backoff;
    use crate::breaker::BreakerConfig;
    use crate::breaker::FailureRule;
    use crate::budget::{RatioConfig, RollingConfig};
    use crate::class::ErrorClass;
    use crate::lint::lines;
    use crate::policy::{Policy, RetryConfig};

    const SECOND: Duration = Duration::from_secs(1);
    const FIVE: Duration = Duration::from_secs(5);
    const PLAIN: RetryConfig = Policy::builder().backoff(Backoff::constant(SECOND));
    const BREAKER: BreakerConfig<FailureRule> = BreakerConfig::failures(5, SECOND);

    #[test]
    fn the_defaults_go_together() {
        assert_clean!((PLAIN, BREAKER, RollingConfig::new(16, SECOND)));
        assert_clean!((RatioConfig::new(100), BREAKER, PLAIN));
        assert_clean!((Policy::once(), BREAKER));
        assert_clean!((
            PLAIN,
            None::<BreakerConfig<FailureRule>>,
            Some(&RollingConfig::new(5, SECOND))
        ));
    }

    #[test]
    fn a_tuple_says_what_each_part_says_and_then_what_they_are_to_one_another() {
        let parts = (PLAIN.deadline(Duration::ZERO), BREAKER.lease(Duration::ZERO));
        assert_eq!(
            lines(&parts),
            [
                "warning: deadline is 0s: it must be more than zero: only one attempt is made",
                "error: breaker.lease is 0s: it must be 1 us or more",
            ]
        );
    }

    #[test]
    fn what_a_part_says_is_not_said_again_in_company() {
        assert_eq!(lines(&(PLAIN, RollingConfig::new(0, SECOND))).len(), 1);
        assert_eq!(lines(&(PLAIN, BREAKER.lease(Duration::ZERO))).len(), 1);
    }

    #[test]
    fn a_lease_that_ends_before_the_probe_may_is_found() {
        const ATTEMPT: &str = "warning: breaker.lease is 5s: it must be at least what an attempt may take: a probe loses its place while it still runs";
        const CALL: &str = "warning: breaker.lease is 5s: it must be at least what a call may take with its retries: a probe loses its place while it still runs";
        let six = Duration::from_secs(6);
        let quick = PLAIN.attempt_timeout(SECOND).max_attempts(3);
        let hinted =
            quick.backoff_for(ErrorClass::RateLimit, Backoff::retry_after_or(&NONE, SECOND));
        for (policy, found) in [
            (PLAIN.deadline(FIVE), None),
            (PLAIN.deadline(six), Some(ATTEMPT)),
            (PLAIN.attempt_timeout(six), Some(ATTEMPT)),
            (PLAIN.attempt_timeout(FIVE), Some(CALL)),
            (PLAIN.attempt_timeout(FIVE).no_deadline(), Some(CALL)),
            (PLAIN.attempt_timeout(FIVE).max_attempts(1), None),
            // Three attempts and two delays of a second each.
            (quick, None),
            (quick.max_attempts(4), Some(CALL)),
            (quick.backoff_for(ErrorClass::RateLimit, Backoff::constant(FIVE)), Some(CALL)),
            // Of a class that is never retried.
            (quick.backoff_for(ErrorClass::Auth, Backoff::constant(FIVE)), None),
            // The other side may ask for any time, so the deadline counts.
            (hinted, Some(CALL)),
            (hinted.deadline(FIVE), None),
            (quick.backoff(Backoff::retry_after_or(&NONE, SECOND).at_most(NO_TIME)), None),
            (quick.backoff(Backoff::retry_after_or(&NONE, SECOND).at_most(SECOND)), Some(CALL)),
            (hinted.no_deadline(), None),
            (PLAIN.no_deadline(), None),
        ] {
            let lines = lines(&(policy, BREAKER.lease(FIVE)));
            let mut leases = lines.iter().filter(|line| line.contains("lease"));
            assert_eq!(leases.next().map(|line| &**line), found, "{policy:?}");
        }
    }

    const NO_TIME: Duration = Duration::ZERO;
    const NONE: Backoff = Backoff::constant(NO_TIME);

    #[test]
    fn slow_calls_that_no_attempt_lives_to_be_are_found() {
        let breaker = |after| BreakerConfig::slices(SECOND, 500, 10).slow_calls(after, 500);
        let policy = PLAIN.attempt_timeout(SECOND);
        assert_clean!((policy, breaker(SECOND)));
        assert_clean!((policy, BreakerConfig::slices(SECOND, 500, 10)));
        assert_eq!(
            lines(&(policy, breaker(FIVE))),
            [
                "warning: breaker.slow_after is 5s: it must be at most what an attempt may take: none gets so far as to be slow"
            ]
        );
    }

    #[test]
    fn a_budget_that_one_call_uses_up_is_found() {
        for (budget, field) in [
            (&RollingConfig::new(4, SECOND) as &dyn Lint, "max_retries"),
            (&RatioConfig::new(100).limit(4), "limit"),
        ] {
            assert_eq!(
                lines(&(PLAIN, budget)),
                [std::format!(
                    "warning: budget.{field} is 4: it must be max_attempts - 1 or more: a single call uses it up and stops early"
                )]
            );
            assert_clean!((PLAIN.max_attempts(5), budget));
            // Whoever sets no limit of attempts means others to bind.
            assert_clean!((PLAIN.max_attempts(u32::MAX), budget));
        }
    }
}
