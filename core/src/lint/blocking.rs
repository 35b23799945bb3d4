//! The limits of a policy that is called blockingly.

use super::{Finding, Lint, Parts, Report, Value};

/// Wrap a policy that you call blockingly, to get notes on timeouts that the driver cannot
/// enforce. The linter also warns if the policy has no limit at all, because an attempt that
/// hangs then never ends.
///
/// ```
/// use redress::lint::{Blocking, Lint};
/// use redress::{Backoff, Duration, Policy};
/// let config = Policy::builder().backoff(Backoff::constant(Duration::from_millis(20)));
/// Blocking(config).lint(&mut |finding| assert_eq!(finding.field, "deadline"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Blocking<L>(pub L);

impl<L: Lint> Lint for Blocking<L> {
    fn lint(&self, report: Report<'_>) {
        self.0.lint(report);
        let mut parts = Parts::default();
        self.0.part(&mut parts);
        let Some(call) = parts.call else { return };
        // The attempt timeout, unless only the deadline is set.
        let (field, value) = match (call.timeout, call.deadline) {
            (Value::Unset, deadline) if deadline != Value::Unset => ("deadline", deadline),
            (timeout, _) => ("attempt_timeout", timeout),
        };
        report(if value == Value::Unset {
            let problem = "is not set, so nothing ends a blocking attempt that hangs";
            let help = "set it, and pass Attempt::timeout to the operation's own time-outs";
            Finding::warning(field, value, problem, help).beside("deadline", call.deadline)
        } else {
            let problem = "does not end a blocking attempt: what hangs goes on beyond it";
            let help = "pass Attempt::timeout to the operation's own time-outs";
            Finding::note(field, value, problem, help)
        });
    }

    fn part(&self, parts: &mut Parts) {
        self.0.part(parts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_clean;
    use crate::backoff::Backoff;
    use crate::lint::lines;
    use crate::policy::{Policy, RetryConfig};
    use crate::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);
    const PLAIN: RetryConfig = Policy::builder().backoff(Backoff::constant(SECOND));

    #[test]
    fn the_limits_of_a_blocking_attempt_are_noted() {
        let note = |subject| {
            std::format!(
                "note: {subject} does not end a blocking attempt: what hangs goes on beyond it; pass Attempt::timeout to the operation's own time-outs"
            )
        };
        for (config, subject) in [
            (PLAIN, "deadline (60s)"),
            (PLAIN.attempt_timeout(SECOND), "attempt_timeout (1s)"),
            (PLAIN.attempt_timeout(SECOND).no_deadline(), "attempt_timeout (1s)"),
        ] {
            assert_eq!(lines(&Blocking(config)), [note(subject)]);
            assert_clean!(Blocking(config));
        }
    }

    #[test]
    fn a_blocking_attempt_that_nothing_bounds_is_found() {
        let line = "warning: attempt_timeout is not set, so nothing ends a blocking attempt that hangs: deadline is not set; set it, and pass Attempt::timeout to the operation's own time-outs";
        assert_eq!(lines(&Blocking(PLAIN.no_deadline())), [line]);
        assert_eq!(lines(&Blocking(Policy::once())), [line]);
        assert_clean!(PLAIN.no_deadline());
        assert_eq!(lines(&Blocking(None::<Policy>)).len(), 0);
    }
}
