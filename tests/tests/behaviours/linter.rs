//! What the linter says of settings.

use std::panic::{AssertUnwindSafe, catch_unwind};

use redress::backoff::AdaptiveConfig;
use redress::budget::{RatioConfig, RollingConfig};
use redress::classify::ClassSet;
use redress::lint::{self, Blocking, Classes, EachKey, Help, Lint, Severity, Value};
use redress::{Backoff, BreakerConfig, Duration, ErrorClass, Policy, assert_clean};

use crate::each_second;

use crate::snapshots::{RATE, TIMES};

const SECOND: Duration = Duration::from_secs(1);
const ONCE: Policy = Policy::once();
const TRANSIENT: ErrorClass = ErrorClass::Transient;

fn findings(config: &dyn Lint) -> Vec<(Severity, &'static str)> {
    let mut findings = Vec::new();
    config.lint(&mut |finding| findings.push((finding.severity, finding.field)));
    findings
}

/// Lines 116, 117.
#[test]
fn the_linter_finds_errors_and_lets_legal_extremes_pass() {
    use Severity::{Error, Warning};
    let plain = each_second();
    for (config, found) in [
        (plain, &[][..]),
        // 0 attempts for a class are legal: never retry it.
        (plain.max_attempts_for(ErrorClass::RateLimit, 0), &[]),
        (plain.no_deadline().no_unknown_limit(), &[]),
        (plain.max_attempts(0), &[(Error, "max_attempts")]),
        (plain.attempt_timeout(Duration::ZERO), &[(Error, "attempt_timeout")]),
        (Policy::builder(), &[(Error, "backoff")]),
        (Policy::builder().max_attempts(0), &[(Error, "max_attempts"), (Error, "backoff")]),
        (plain.deadline(Duration::ZERO), &[(Warning, "deadline")]),
        (plain.attempt_timeout(Duration::from_secs(60)), &[(Warning, "attempt_timeout")]),
    ] {
        assert_eq!(findings(&config), found, "{config:?}");
    }
}

/// Lines 116, 117: breakers and adaptive strategies, too.
#[test]
fn the_linter_knows_breakers_and_adaptive_strategies() {
    use Severity::{Error, Warning};
    assert_eq!(findings(&TIMES), []);
    assert_eq!(findings(&TIMES.trip_on(ClassSet::EMPTY)), [(Warning, "breaker.trip_on")]);
    assert_eq!(findings(&RATE.trip_on(ClassSet::EMPTY)), [(Warning, "breaker.trip_on")]);
    let adaptive = AdaptiveConfig::new(Backoff::constant(SECOND));
    assert_eq!(findings(&adaptive), []);
    let wrong = adaptive.target_success_milli(1001);
    assert_eq!(findings(&wrong), [(Error, "adaptive.target_success_milli")]);
    let fixed = adaptive.multipliers_milli(1000, 1000);
    assert_eq!(findings(&fixed), [(Warning, "adaptive.max_multiplier_milli")]);
}

/// Line 117: whoever corrects one mistake is not sent back for the next.
#[test]
fn all_mistakes_of_a_part_are_found_at_once() {
    use Severity::Error;
    let policy = Policy::builder().max_attempts(0).attempt_timeout(Duration::ZERO);
    let three = [(Error, "max_attempts"), (Error, "attempt_timeout"), (Error, "backoff")];
    assert_eq!(findings(&policy), three);
    let breaker = BreakerConfig::failures(0, Duration::ZERO).successes_to_close(0);
    let three = [
        (Error, "breaker.failure_threshold"),
        (Error, "breaker.window"),
        (Error, "breaker.successes_to_close"),
    ];
    assert_eq!(findings(&breaker), three);
    let adaptive = AdaptiveConfig::new(Backoff::constant(SECOND)).window(Duration::ZERO);
    let three = [
        (Error, "adaptive.window"),
        (Error, "adaptive.target_success_milli"),
        (Error, "adaptive.min_multiplier_milli"),
    ];
    assert_eq!(findings(&adaptive.target_success_milli(0).multipliers_milli(2, 1)), three);
}

/// Parts that are fine alone and cannot be meant together: the settings of one upstream
/// are a tuple, in any order, and what is left out is `None`.
#[test]
fn what_does_not_go_together_is_found() {
    use Severity::Warning;
    let policy = each_second().attempt_timeout(Duration::from_secs(10));
    let budget = RollingConfig::new(5, SECOND);
    assert_clean!((policy, TIMES, budget));
    assert_clean!((policy, RATE, None::<RollingConfig>));
    for (breaker, budget, found) in [
        (TIMES.lease(SECOND), budget, "breaker.lease"),
        (TIMES.lease(Duration::from_secs(59)), budget, "breaker.lease"),
        (TIMES, RollingConfig::new(4, SECOND), "budget.max_retries"),
    ] {
        assert_clean!(breaker);
        assert_clean!(budget);
        assert_eq!(findings(&(policy, breaker, budget)), [(Warning, found)]);
        assert_eq!(findings(&(budget, &breaker, policy.build().unwrap())), [(Warning, found)]);
    }
    let slow = BreakerConfig::slices(SECOND, 500, 5).slow_calls(Duration::from_secs(11), 500);
    assert_eq!(findings(&(policy, slow)), [(Warning, "breaker.slow_after")]);
}

/// A breaker that only opens for what retrying cannot help stays closed in every outage;
/// a single delay that is longer than the deadline ends the call.
#[test]
fn classes_and_delays_that_cannot_be_meant_are_found() {
    use Severity::Warning;
    const STEPS: [Duration; 2] = [SECOND, Duration::from_secs(60)];
    let final_only = TIMES.trip_on(ClassSet::of(&[ErrorClass::Auth]));
    assert_eq!(findings(&final_only), [(Warning, "breaker.trip_on")]);
    let stepwise = each_second().backoff(Backoff::sequence(&STEPS));
    assert_eq!(findings(&stepwise), [(Warning, "backoff")]);
    assert_clean!(stepwise.deadline(Duration::from_secs(61)));
}

/// Line 118.
#[test]
fn the_linter_warns_of_limits_that_are_never_reached() {
    let config = each_second().max_attempts(3);
    for (config, line) in [
        (
            config.max_unknown_attempts(4),
            "warning: max_unknown_attempts (4) is never reached: max_attempts is 3; lower it to max_attempts or less, or leave it out",
        ),
        (
            config.max_attempts_for(ErrorClass::RateLimit, 3),
            "warning: max_attempts_for(RATE_LIMIT, 3) is never reached: max_attempts is 3; lower it below max_attempts, or leave it out",
        ),
    ] {
        let mut lines = Vec::new();
        config.lint(&mut |finding| lines.push(finding.to_string()));
        assert_eq!(lines, [line]);
    }
    assert_eq!(findings(&config.max_unknown_attempts(3)), []);
}

/// A program reads the parts of a finding, not its line.
#[test]
fn a_finding_is_data_with_the_setting_that_it_comes_from() {
    let config = each_second().max_attempts(3).max_attempts_for(ErrorClass::RateLimit, 4);
    let mut found = Vec::new();
    config.lint(&mut |finding| found.push(finding));
    let [finding] = found[..] else { panic!("{found:?}") };
    assert_eq!(finding.field, "max_attempts_for");
    assert_eq!((finding.class, finding.part), (Some(ErrorClass::RateLimit), None));
    assert_eq!((finding.value, finding.problem), (Value::Count(4), "is never reached"));
    assert_eq!(finding.beside, Some(("max_attempts", Value::Count(3))));
    assert_eq!(finding.help, Help::Change("lower it below max_attempts, or leave it out"));
}

/// What works for a while and hurts later: waits that nothing bounds, callers in step, a
/// breaker that counts nothing, a budget that is empty when it is needed first.
#[test]
fn risks_of_settings_that_build_are_found() {
    use Severity::{Note, Warning};
    const SLOW: Backoff = Backoff::equal_jitter(SECOND, Duration::from_secs(9));
    let endless = each_second().no_deadline();
    let hinted = Backoff::retry_after_or(&SLOW, SECOND);
    let in_step = Backoff::exponential(SECOND, Duration::from_secs(9));
    let empty = RatioConfig::new(100).initial(0);
    for (settings, found) in [
        (&Blocking(endless) as &dyn Lint, (Warning, "attempt_timeout")),
        (&Blocking(each_second()), (Note, "deadline")),
        (&endless.backoff(hinted), (Warning, "backoff")),
        (&each_second().backoff(in_step), (Note, "backoff")),
        (&(TIMES, Classes(ClassSet::of(&[ErrorClass::Auth]))), (Warning, "breaker.trip_on")),
        (&EachKey(empty), (Warning, "budget.initial")),
        (&empty.floor_per_sec(0), (Warning, "budget.initial")),
    ] {
        assert_eq!(findings(settings), [found]);
    }
    let bounded = endless.backoff(hinted.at_most(SECOND));
    for clean in [
        &bounded as &dyn Lint,
        &each_second().backoff(hinted),
        &each_second().backoff(SLOW),
        &(TIMES, Classes(ClassSet::of(&[ErrorClass::Auth, TRANSIENT]))),
        &EachKey(RatioConfig::new(100)),
        &empty,
    ] {
        assert_eq!(findings(clean), []);
    }
}

/// Line 118: `--show`.
#[test]
fn the_printed_form_has_strategies_and_limits_of_each_class() {
    let config = each_second()
        .attempt_timeout(Duration::from_millis(1500))
        .backoff_for(TRANSIENT, Backoff::fibonacci(SECOND, Duration::from_secs(9)))
        .backoff_for(ErrorClass::Concurrency, Backoff::constant(Duration::ZERO))
        .max_attempts_for(ErrorClass::RateLimit, 0);
    let shown = lint::show(&config, "app:POLICY").to_string();
    assert_eq!(
        shown.lines().collect::<Vec<_>>(),
        [
            "Config snapshot:",
            "  source: app:POLICY",
            "  deadline_s: 60",
            "  attempt_timeout_s: 1.5",
            "  max_attempts: 6",
            "  max_unknown_attempts: 2",
            "  default_strategy: constant(1s)",
            "  class_strategies:",
            "    CONCURRENCY: constant(0s)",
            "    TRANSIENT: fibonacci(1s, 9s)",
            "  per_class_max_attempts:",
            "    RATE_LIMIT: 0",
        ]
    );
}

/// Line 116: what the command's exit code is to a shell, the macro is to a test.
#[test]
fn assert_clean_passes_what_is_clean_and_lists_what_is_not() {
    assert_clean!(each_second());
    assert_clean!(ONCE);
    assert_clean!(TIMES);
    let suspicious = each_second().deadline(Duration::ZERO).max_unknown_attempts(9);
    let panic = catch_unwind(AssertUnwindSafe(|| assert_clean!(suspicious))).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    let lines: Vec<_> = message.lines().collect();
    assert_eq!(
        lines,
        [
            "suspicious",
            "  warning: deadline (0s) leaves no time for a retry; raise it",
            "  warning: max_unknown_attempts (9) is never reached: max_attempts is 6; lower it to max_attempts or less, or leave it out",
        ]
    );
}
