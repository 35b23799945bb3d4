//! What is suspicious only in company: a policy, its breaker, its budget and its rate limiter
//! held against one another.

use super::{Finding, Lint, Report, Value, count};
use crate::class::{ClassSet, ErrorClass};
use crate::time::Duration;

/// The facts about the settings of one upstream that the linter compares.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts {
    pub(super) call: Option<Call>,
    pub(super) door: Option<Door>,
    pub(super) pool: Option<Pool>,
    pub(super) pace: Option<Pace>,
    /// What an attempt costs.
    pub(super) cost: Option<u32>,
    /// The classes that the classifier gives.
    pub(super) given: Option<ClassSet>,
}

/// Of a policy: what one call of it may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// The attempt timeout.
    pub(super) timeout: Value,
    /// The deadline.
    pub(super) deadline: Value,
    /// Its first attempt, at most.
    pub(super) attempt: Duration,
    /// All of it, at most.
    pub(super) whole: Duration,
    /// How many attempts, at most; [`u32::MAX`] for any number.
    pub(super) attempts: u32,
}

/// Of a breaker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Door {
    pub(super) lease: Duration,
    /// From which length on an attempt is slow, where it asks for that.
    pub(super) slow_after: Option<Duration>,
    /// The classes that it counts.
    pub(super) counts: ClassSet,
}

/// Of a budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pool {
    /// The field that says how many retries it grants at once.
    pub(super) field: &'static str,
    /// So many.
    pub(super) most: u64,
    /// Whether it grants none at the start if it is that of a key, and only then.
    pub(super) is_empty_for_key: bool,
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
            let problem = "is more than a window ever grants, so no attempt is made";
            let help = "lower it to the limit or less, or raise the limit";
            let found = Finding::warning("limiter.cost", count(cost), problem, help);
            report(found.beside("limiter.limit", count(pace.least)));
        }
        if let (Some(door), Some(given)) = (self.door, self.given) {
            door.lint_given(given, report);
        }
        let Some(call) = self.call else { return };
        if let Some(door) = self.door {
            call.lint_door(door, report);
        }
        if let Some(pool) = self.pool
            && call.attempts < u32::MAX
            && pool.most < u64::from(call.attempts.saturating_sub(1))
            && pool.most > 0
        {
            let problem = "is used up by a single call, which then stops early";
            let help = "raise it to max_attempts - 1 or more, or lower max_attempts";
            let found = Finding::warning(pool.field, count(pool.most), problem, help);
            report(found.beside("max_attempts", count(call.attempts)));
        }
    }
}

impl Door {
    /// What it is to the classes of its classifier. Final classes alone are a finding of
    /// their own.
    fn lint_given(self, given: ClassSet, report: Report<'_>) {
        let is_given = |class| given.contains(class);
        if !self.counts.iter().any(is_given) && !self.counts.iter().all(ErrorClass::is_final) {
            let value = Value::Classes(self.counts);
            let problem = "counts no class that the classifier gives";
            let help = "add one of those to it, or use a classifier that gives one of its own";
            let found = Finding::warning("breaker.trip_on", value, problem, help);
            report(found.beside("lint::Classes", Value::Classes(given)));
        }
    }
}

impl Call {
    fn lint_door(self, door: Door, report: Report<'_>) {
        // A lease of zero is an error of its own.
        if !door.lease.is_zero() {
            let lease = Value::Span(door.lease);
            let problem = "can end while a probe still runs, which then loses its place";
            if self.attempt != Duration::MAX && door.lease < self.attempt {
                let help = "raise it to the longest time of an attempt or more";
                let found = Finding::warning("breaker.lease", lease, problem, help);
                let (field, value) = self.bound_of_attempt();
                report(found.beside(field, value));
            } else if self.whole != Duration::MAX && door.lease < self.whole {
                let help = "raise it to the longest time of a call or more";
                let found = Finding::warning("breaker.lease", lease, problem, help);
                let is_deadline = self.deadline == Value::Span(self.whole);
                let field = if is_deadline { "deadline" } else { "the longest call" };
                report(found.beside(field, Value::Span(self.whole)));
            }
        }
        if let Some(after) = door.slow_after
            && after > self.attempt
        {
            let (value, problem) = (Value::Span(after), "is never reached by an attempt");
            let (field, bound) = self.bound_of_attempt();
            let help = "lower it to the longest time of an attempt or less";
            let found = Finding::warning("breaker.slow_after", value, problem, help);
            report(found.beside(field, bound));
        }
    }

    /// What an attempt is ended by, where it is.
    fn bound_of_attempt(self) -> (&'static str, Value) {
        let is_timeout = self.timeout == Value::Span(self.attempt);
        if is_timeout { ("attempt_timeout", self.timeout) } else { ("deadline", self.deadline) }
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
    use crate::lint::{Classes, lines};
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
                "warning: deadline (0s) leaves no time for a retry; raise it",
                "error: breaker.lease (0s) is out of range: it must be 1 us or more",
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
        const TIMEOUT: &str =
            "attempt_timeout is 6s; raise it to the longest time of an attempt or more";
        const DEADLINE: &str = "deadline is 6s; raise it to the longest time of an attempt or more";
        let call = |longest| {
            Some(std::format!("{longest}; raise it to the longest time of a call or more"))
        };
        let six = Duration::from_secs(6);
        let quick = PLAIN.attempt_timeout(SECOND).max_attempts(3);
        let hinted =
            quick.backoff_for(ErrorClass::RateLimit, Backoff::retry_after_or(&NONE, SECOND));
        for (policy, found) in [
            (PLAIN.deadline(FIVE), None),
            (PLAIN.deadline(six), Some(DEADLINE.into())),
            (PLAIN.attempt_timeout(six), Some(TIMEOUT.into())),
            (PLAIN.attempt_timeout(FIVE), call("the longest call is 35s")),
            (PLAIN.attempt_timeout(FIVE).no_deadline(), call("the longest call is 35s")),
            (PLAIN.attempt_timeout(FIVE).max_attempts(1), None),
            // Three attempts and two delays of a second each.
            (quick, None),
            (quick.max_attempts(4), call("the longest call is 7s")),
            (
                quick.backoff_for(ErrorClass::RateLimit, Backoff::constant(FIVE)),
                call("the longest call is 13s"),
            ),
            // Of a class that is never retried.
            (quick.backoff_for(ErrorClass::Auth, Backoff::constant(FIVE)), None),
            // The other side may ask for any time, so the deadline counts.
            (hinted, call("deadline is 60s")),
            (hinted.deadline(FIVE), None),
            (quick.backoff(Backoff::retry_after_or(&NONE, SECOND).at_most(NO_TIME)), None),
            (
                quick.backoff(Backoff::retry_after_or(&NONE, SECOND).at_most(SECOND)),
                call("the longest call is 7s"),
            ),
            (hinted.no_deadline(), None),
            (PLAIN.no_deadline(), None),
        ] {
            let lines = lines(&(policy, BREAKER.lease(FIVE)));
            let mut leases = lines.iter().filter(|line| line.contains("lease"));
            let problem = "warning: breaker.lease (5s) can end while a probe still runs, which then loses its place";
            let found = found.map(|found| std::format!("{problem}: {found}"));
            assert_eq!(leases.next(), found.as_ref(), "{policy:?}");
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
                "warning: breaker.slow_after (5s) is never reached by an attempt: attempt_timeout is 1s; lower it to the longest time of an attempt or less"
            ]
        );
    }

    #[test]
    fn a_breaker_that_counts_no_class_of_its_classifier_is_found() {
        let classes = |classes| Classes(ClassSet::of(classes));
        let unknown = ClassSet::of(&[ErrorClass::Unknown]);
        assert_eq!(
            lines(&(PLAIN, BREAKER, Classes::PLAIN_ERRORS)),
            [
                "warning: breaker.trip_on (SERVER_ERROR, TRANSIENT) counts no class that the classifier gives: lint::Classes is UNKNOWN; add one of those to it, or use a classifier that gives one of its own"
            ]
        );
        assert_eq!(lines(&(classes(&[ErrorClass::RateLimit]), BREAKER)).len(), 1);
        assert_eq!(lines(&(BREAKER, classes(&[]))).len(), 1);
        for config in [BREAKER.trip_on(unknown), BREAKER.class_threshold(ErrorClass::Unknown, 1)] {
            assert_clean!((config, Classes::PLAIN_ERRORS));
        }
        assert_clean!((BREAKER, classes(&[ErrorClass::Auth, ErrorClass::Transient])));
        // Of a breaker that no outage opens that is all there is to say.
        for config in [ClassSet::EMPTY, ClassSet::FINAL].map(|classes| BREAKER.trip_on(classes)) {
            assert_eq!(lines(&(config, Classes::PLAIN_ERRORS)), lines(&config));
        }
        for (slices, found) in [
            (BreakerConfig::slices(SECOND, 500, 5), 1),
            (BreakerConfig::slices(SECOND, 500, 5).trip_on(unknown), 0),
        ] {
            assert_eq!(lines(&(slices, Classes::PLAIN_ERRORS)).len(), found);
        }
        let outcomes = BreakerConfig::outcomes(9, 500, 5);
        assert_eq!(lines(&(outcomes, Classes::PLAIN_ERRORS)).len(), 1);
        assert_clean!((outcomes.trip_on(unknown), Classes::PLAIN_ERRORS));
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
                    "warning: budget.{field} (4) is used up by a single call, which then stops early: max_attempts is 6; raise it to max_attempts - 1 or more, or lower max_attempts"
                )]
            );
            assert_clean!((PLAIN.max_attempts(5), budget));
            // Whoever sets no limit of attempts means others to bind.
            assert_clean!((PLAIN.max_attempts(u32::MAX), budget));
        }
    }
}
