//! The files of settings that the npm package reads, too: each comes to the same policy here, or to
//! the same issues.
#![cfg(feature = "serde")]

use redress::breaker::CallResult;
use redress::breaker::Gate as _;
use redress::event::CircuitState;
use redress::{Duration, ErrorClass, Instant};
use redress_tokio::settings::Problem;
use redress_tokio::{SettingsError, Upstream, UpstreamSettings};
use serde_json::Value;

const CASES: &str = include_str!("../../../tests/vectors/settings.json");

#[tokio::test(start_paused = true)]
async fn every_file_comes_to_the_policy_or_the_issues_that_the_npm_package_finds() {
    let cases: Vec<Value> = serde_json::from_str(CASES).unwrap();
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let settings: UpstreamSettings = serde_json::from_value(case["settings"].clone()).unwrap();
        match Upstream::from_settings(&settings) {
            Ok(upstream) => check_policy(name, case, &upstream),
            Err(error) => check_issues(name, case, &error),
        }
    }
    assert!(cases.len() > 35);
}

fn check_policy(name: &str, case: &Value, upstream: &Upstream) {
    assert!(case["issues"].is_null(), "{name} is not refused");
    if let Some(lines) = case["policy"].as_array() {
        let printed = redress::lint::show(&upstream.policy().config(), "config").to_string();
        let lines: Vec<_> = lines.iter().map(|line| line.as_str().unwrap()).collect();
        assert_eq!(sorted(printed.lines().skip(2)), sorted(lines.into_iter()), "{name}");
    }
    let breaker = upstream.breaker_of("");
    assert_eq!(breaker.is_some(), !case["opensAfter"].is_null(), "{name}");
    if let Some(breaker) = breaker {
        let mut failures = 0;
        while breaker.state() == CircuitState::Closed {
            let (pass, _) = breaker.admit(Instant::ZERO).unwrap();
            let failed = CallResult::Failure(ErrorClass::Transient);
            breaker.settle(pass, failed, Duration::ZERO, 0, Instant::ZERO);
            failures += 1;
        }
        let wait = breaker.check_at(Instant::ZERO).unwrap_err().retry_after.unwrap();
        let recovery = wait.as_micros().div_ceil(1_000);
        assert_eq!(
            (Some(failures), Some(recovery)),
            (case["opensAfter"].as_u64(), case["recoveryMs"].as_u64()),
            "{name}"
        );
    }
    let left = upstream.retries_left("").map(u64::from);
    assert_eq!(left, case["retries"].as_u64(), "{name}");
}

/// The lines, without their order: a class with a strategy and one with a limit are listed by their
/// numbers here, by their names there.
fn sorted<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<&'l str> {
    let mut lines: Vec<_> = lines.collect();
    lines.sort_unstable();
    lines
}

fn check_issues(name: &str, case: &Value, error: &SettingsError) {
    let problem = |problem: Problem| match problem {
        Problem::OutOfRange => "is out of range",
        Problem::NoOption => "is no option",
        Problem::NoClass => "is no class",
        _ => "is not",
    };
    let mut found: Vec<_> = (error.issues().iter())
        .map(|issue| {
            let (path, expected) = (issue.path.clone(), issue.expected.clone());
            (path, issue.value.clone(), problem(issue.problem).to_owned(), expected)
        })
        .collect();
    let Some(issues) = case["issues"].as_array() else { panic!("{name}: {error}") };
    let text = |issue: &Value, field: &str| issue[field].as_str().unwrap().to_owned();
    let mut expected: Vec<_> = (issues.iter())
        .map(|issue| {
            let value = shown(issue.get("value"));
            (text(issue, "path"), value, text(issue, "problem"), text(issue, "expected"))
        })
        .collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "{name}");
}

/// A value as messages have it; nothing for one that is missing.
fn shown(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::Array(_)) => "an array".into(),
        Some(Value::Object(_)) => "an object".into(),
        Some(Value::Number(number)) => number.as_f64().unwrap().to_string(),
        Some(value) => value.to_string(),
    }
}
