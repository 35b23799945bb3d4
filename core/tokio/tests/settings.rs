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
            "retry.strategy is missing: a strategy, for all classes here or for some in `strategies`",
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
            "retry.strategies.AUTH.delaysMs[1]: -2 is out of range: a number of at least 0, at most 9007199254740.992",
        ),
        (
            retry(
                "strategies.AUTH = { kind = \"retryAfterOr\", fallback = { kind = \"constant\", delayMs = -3 } }",
            ),
            "retry.strategies.AUTH.fallback.delayMs: -3 is out of range: a number of at least 0, at most 9007199254740.992",
        ),
        (
            retry("budget = { ratio = 2 }"),
            "retry.budget.ratio: 2 is out of range: a number of at least 0.001, at most 1",
        ),
        (
            retry("budget = {}"),
            "retry.budget.maxRetries is missing: a whole number of at least 0, at most 4096",
        ),
        (
            retry("budget = { ratio = 0.1, maxRetries = 2 }"),
            "retry.budget.maxRetries is no option; there are floorPerSec, initial, limit, ratio",
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
fn everything_that_is_wrong_is_refused_at_once_with_the_nearest_option_that_exists() {
    let text = r#"
        maxAttempt = 4
        deadlineMs = "10s"
        strategy = { kind = "fullJitter", base = 4 }
        attemptTimeoutMs = -1
    "#;
    let refused = toml(text).policy().unwrap_err();
    let mut lines: Vec<_> = refused.issues().iter().map(ToString::to_string).collect();
    lines.sort();
    let expected = [
        "retry.attemptTimeoutMs: -1 is out of range: a number of at least 0.001",
        "retry.deadlineMs: \"10s\" is not a number of at least 0",
        "retry.maxAttempt is no option; the nearest is maxAttempts",
        "retry.strategy.base is no option; the nearest is baseMs",
    ];
    assert_eq!(lines, expected);
    assert_eq!(refused.to_string().lines().count(), 4);
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

/// An adaptive strategy at 100 ms, or so many more, and a number of attempts.
fn adaptive(attempts: u32, target: f64) -> UpstreamSettings {
    toml(&format!(
        "[retry]\nmaxAttempts = {attempts}\n[retry.strategy]\nkind = \"retryAfterOr\"\n[retry.strategy.fallback]\n\
         kind = \"adaptive\"\ntargetSuccess = {target}\nfallback = {{ kind = \"constant\", delayMs = 100 }}"
    ))
}

#[tokio::test(start_paused = true)]
async fn a_strategy_that_adapts_keeps_its_memory_while_its_settings_are_the_same() {
    let upstream = Upstream::from_settings(&adaptive(2, 0.5)).unwrap();
    let delay = async || {
        let began = tokio::time::Instant::now();
        let failing = |attempt: redress::Attempt| {
            std::future::ready(if attempt.number == 1 {
                Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused))
            } else {
                Ok(())
            })
        };
        upstream.call(failing).await.unwrap();
        began.elapsed().as_millis()
    };
    for _ in 0..20 {
        upstream.call(|_| std::future::ready(Ok::<_, std::io::Error>(()))).await.unwrap();
    }
    assert_eq!(delay().await, 100);
    upstream.update(&adaptive(3, 0.5)).unwrap();
    assert_eq!(delay().await, 100);
    // A new one knows of one failure, and nothing else.
    upstream.update(&adaptive(3, 0.6)).unwrap();
    assert_eq!(delay().await, 500);
    // Another upstream of the same settings has a memory of its own.
    let other = Upstream::from_settings(&adaptive(2, 0.5)).unwrap();
    let failing = |_| {
        std::future::ready(Err::<(), _>(std::io::Error::from(
            std::io::ErrorKind::ConnectionRefused,
        )))
    };
    let began = tokio::time::Instant::now();
    other.call(failing).await.unwrap_err();
    assert_eq!(began.elapsed().as_millis(), 500);
}
