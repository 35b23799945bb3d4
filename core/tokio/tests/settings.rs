//! Settings from files: the names and ranges of the npm package's JSON.
#![cfg(feature = "serde")]

use redress::{Duration, ErrorClass};
use redress_tokio::settings::Limit;
use redress_tokio::{Prepared, SettingsError, Upstream, UpstreamSettings};

const FULL: &str = r#"
capacity = 50

[retry]
maxAttempts = 4
deadlineMs = 10_000
attemptTimeoutMs = 2_000.5
maxUnknownAttempts = 0
longDelay = "cut"
perClassMaxAttempts = { CONCURRENCY = 9 }
retriable = { AUTH = 1 }
strategy = { kind = "decorrelatedJitter", baseMs = 50, maxMs = 2_000 }

[retry.strategies]
CONCURRENCY = "fullJitter"
RATE_LIMIT = { kind = "retryAfterOr", fallback = "equalJitter", atLeastMs = 100, atMostMs = 60_000 }
SERVER_ERROR = { kind = "exponential", baseMs = 10, maxMs = inf, factor = 3, jitterMs = 5 }
TRANSIENT = { kind = "sequence", delaysMs = [0, 10, 100] }
UNKNOWN = { kind = "constant", delayMs = 7 }

[retry.budget]
ratio = 0.1
initial = 3

[circuitBreaker]
window = { kind = "time", ms = 10_000, rate = 0.5, minCalls = 20, slow = { afterMs = 500, rate = 0.9 } }
recoveryTimeoutMs = 5_000
maxRecoveryTimeoutMs = 60_000
tripOn = ["SERVER_ERROR"]
halfOpenPermits = 4
"#;

fn toml(text: &str) -> UpstreamSettings {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_setting_is_read_from_toml_and_from_json_alike() {
    let settings = toml(FULL);
    let policy = settings.policy().unwrap();
    assert_eq!((policy.max_attempts(), policy.deadline()), (4, Duration::from_secs(10)));
    assert_eq!(policy.attempt_timeout(), Duration::from_micros(2_000_500));
    assert_eq!(policy.max_unknown_attempts(), Some(0));
    assert_eq!(policy.max_attempts_for(ErrorClass::Concurrency), Some(9));
    assert!(!policy.is_final(ErrorClass::Auth) && policy.is_final(ErrorClass::Permission));
    let shown = ErrorClass::ALL.map(|class| policy.backoff_of(class).unwrap().to_string());
    check_strategies(&shown);
    let json = serde_json::to_string(&settings).unwrap();
    let again: UpstreamSettings = serde_json::from_str(&json).unwrap();
    // JSON has no infinity: no limit is null there.
    assert!(json.contains(r#""maxMs":null"#), "{json}");
    assert_eq!(again, settings);
    Upstream::from_settings(&again).unwrap();
}

/// The strategies by class, as text.
fn check_strategies(shown: &[String; 8]) {
    let decorrelated = "decorrelated_jitter(0.05s, 2s)";
    assert_eq!(
        shown.each_ref().map(String::as_str)[..3],
        [decorrelated, decorrelated, decorrelated]
    );
    assert!(shown[3].starts_with("full_jitter(0.25s, 30s)"), "{shown:?}");
    assert!(shown[4].contains("equal_jitter(0.25s, 30s)"), "{shown:?}");
    assert!(shown[7].contains("0.007s"), "{shown:?}");
}

#[test]
fn what_is_left_out_has_the_defaults_of_the_core() {
    let settings = toml("[retry]\nstrategy = \"fullJitter\"");
    let policy = settings.policy().unwrap();
    assert_eq!((policy.max_attempts(), policy.deadline()), (6, Duration::from_secs(60)));
    assert_eq!((policy.attempt_timeout(), policy.max_unknown_attempts()), (Duration::MAX, Some(2)));
    assert_eq!(settings.retry.max_attempts, Limit::Default);
    let endless = toml("[retry]\nstrategy = \"fullJitter\"\ndeadlineMs = inf\nmaxAttempts = inf");
    let policy = endless.policy().unwrap();
    assert_eq!((policy.max_attempts(), policy.deadline()), (u32::MAX, Duration::MAX));
}

#[test]
fn a_setting_that_is_wrong_is_refused_by_its_path() {
    let retry = |line: &str| format!("[retry]\nstrategy = \"fullJitter\"\n{line}");
    let breaker = |line: &str| format!("{}\n[circuitBreaker]\n{line}", retry(""));
    for (text, message) in [
        (
            "[retry]".to_owned(),
            "retry.strategy is missing: give a strategy for all classes here, or for some in `strategies`",
        ),
        (
            retry("maxAttempts = 0"),
            "retry.maxAttempts: 0 is out of range: a whole number of at least 1, at most 4294967295",
        ),
        (
            retry("maxAttempts = 1.5"),
            "retry.maxAttempts: 1.5 is out of range: a whole number of at least 1, at most 4294967295",
        ),
        (retry("deadlineMs = -1"), "retry.deadlineMs: -1 is out of range: a number of at least 0"),
        (retry("deadlineMs = nan"), "retry.deadlineMs: NaN is not a number of at least 0"),
        (
            retry("attemptTimeoutMs = 0"),
            "retry.attemptTimeoutMs: 0 is out of range: a number of at least 0.001",
        ),
        (
            retry("retriable = { TRANSIENT = 1 }"),
            "retry.retriable.TRANSIENT: 1 is not of AUTH, PERMISSION and PERMANENT: other classes are retried anyway",
        ),
        (
            retry("strategies.OVERLOAD = \"fullJitter\""),
            "retry.strategies: \"OVERLOAD\" is no class; there are AUTH, PERMISSION, PERMANENT, CONCURRENCY, RATE_LIMIT, SERVER_ERROR, TRANSIENT, UNKNOWN",
        ),
        (
            retry("strategies.AUTH = { kind = \"sequence\", delaysMs = [1, -2] }"),
            "retry.strategies.AUTH.delaysMs[1]: -2 is out of range: a number of at least 0",
        ),
        (
            retry(
                "strategies.AUTH = { kind = \"retryAfterOr\", fallback = { kind = \"constant\", delayMs = -3 } }",
            ),
            "retry.strategies.AUTH.fallback.delayMs: -3 is out of range: a number of at least 0",
        ),
        (
            retry("budget = { ratio = 2 }"),
            "retry.budget.ratio: 2 is out of range: a number of at least 0.001, at most 1",
        ),
        (retry("budget = {}"), "retry.budget is missing: give `ratio` or `maxRetries`"),
        (
            retry("budget = { ratio = 0.1, maxRetries = 2 }"),
            "retry.budget.maxRetries: 2 is not used with `ratio`: give one or the other",
        ),
        (
            breaker("failureThreshold = 256"),
            "circuitBreaker.failureThreshold: 256 is out of range: a whole number of at least 1, at most 255",
        ),
        (
            breaker("window = { kind = \"calls\", size = 10, rate = 0.5, minCalls = 11 }"),
            "circuitBreaker.window.minCalls: 11 is out of range: a whole number of at least 1, at most 10",
        ),
        (
            breaker("recoveryTimeoutMs = 100\nmaxRecoveryTimeoutMs = 10"),
            "circuitBreaker.maxRecoveryTimeoutMs: 10 is out of range: a number of at least 100",
        ),
        (
            breaker("tripOn = [\"TRANSIENT\", \"transient\"]"),
            "circuitBreaker.tripOn[1]: \"transient\" is no class; there are AUTH, PERMISSION, PERMANENT, CONCURRENCY, RATE_LIMIT, SERVER_ERROR, TRANSIENT, UNKNOWN",
        ),
        (
            format!("capacity = 0\n{}", retry("")),
            "capacity: 0 is out of range: a whole number of at least 1, at most 100000",
        ),
    ] {
        let refused = Upstream::from_settings(&toml(&text)).unwrap_err();
        assert_eq!(refused.to_string(), message);
    }
}

#[test]
fn a_setting_that_does_not_exist_is_refused_with_its_line() {
    for (text, words) in [
        ("[retry]\nmaxAttempt = 4", ["line 2", "unknown field `maxAttempt`"]),
        ("[retry]\nstrategy = { kind = \"jitter\" }", ["line 2", "unknown variant `jitter`"]),
        (
            "[retry]\nstrategy = { kind = \"fullJitter\", base = 4 }",
            ["line 2", "unknown field `base`"],
        ),
        ("[retry]\ndeadlineMs = \"10s\"", ["line 2", "expected f64"]),
    ] {
        let refused = toml::from_str::<UpstreamSettings>(text).unwrap_err().to_string();
        assert!(words.iter().all(|word| refused.contains(word)), "{refused}");
    }
}

#[test]
fn several_upstreams_are_updated_all_or_none() {
    let before = toml("[retry]\nstrategy = \"fullJitter\"\nmaxAttempts = 3");
    let after = toml("[retry]\nstrategy = \"fullJitter\"\nmaxAttempts = 5");
    let wrong = toml("[retry]\nstrategy = \"fullJitter\"\nmaxAttempts = 0");
    let [orders, prices] = [(); 2].map(|()| Upstream::from_settings(&before).unwrap());
    let update = |of_prices| {
        let prepared = [orders.prepare(&after)?, prices.prepare(of_prices)?];
        prepared.into_iter().for_each(Prepared::apply);
        Ok(())
    };
    let attempts = || (orders.policy().max_attempts(), prices.policy().max_attempts());

    let refused: SettingsError = update(&wrong).unwrap_err();
    let text = refused.under("upstreams.prices").to_string();
    assert!(text.starts_with("upstreams.prices.retry.maxAttempts: 0 is out of range"), "{text}");
    assert_eq!(attempts(), (3, 3));

    update(&after).unwrap();
    assert_eq!(attempts(), (5, 5));
}
