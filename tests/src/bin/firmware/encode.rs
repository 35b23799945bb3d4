//! Writes cases for the target, in the format of redress-wire.

use redress::classify::{Facts, RetryAfter};
use redress::{Duration, ErrorClass};
use redress_tests::schema::{
    AbortPoint, CallSpec, CauseSpec, DecisionSpec, Expect, OutcomeSpec, PolicySpec, Scenario,
    StrategySpec,
};
use redress_wire::case::{self, Case, LIBRARIES, MARKERS};
use serde::Serialize;

/// A scenario as the target reads it.
pub(crate) fn scenario(scenario: &Scenario) -> Result<Vec<u8>, String> {
    let policy = &scenario.policy;
    let limits = by_class(&policy.per_class_max_attempts, |&failures| limit(failures))?;
    let default = policy.default_strategy.as_ref().map(strategy).transpose()?;
    let default: Option<case::Strategy<'_>> = default
        .as_ref()
        .map(|bytes| postcard::from_bytes(bytes).map_err(|why| why.to_string()))
        .transpose()?;
    let mut strategies = Vec::new();
    for (name, spec) in &policy.strategies {
        // A pair is its two halves, one after the other.
        strategies.extend(bytes(&class(name)?)?);
        strategies.extend(strategy(spec)?);
    }
    let breaker = breaker(policy)?;
    let case = Case::Scenario(case::Scenario {
        policy: case::Policy {
            deadline_us: policy.deadline_us,
            max_attempts: policy.max_attempts,
            max_unknown_attempts: policy.max_unknown_attempts.map(limit),
            per_class_max_attempts: &limits,
            default_strategy: default,
            strategies: &strategies,
            budget: policy.budget.as_ref().map(|budget| case::Budget {
                max_retries: budget.max_retries,
                window_us: budget.window_us,
            }),
            breaker: policy.breaker.as_ref().map(|spec| case::Breaker {
                failure_threshold: spec.failure_threshold,
                window_us: spec.window_us,
                recovery_timeout_us: spec.recovery_timeout_us,
                trip_on: breaker.0.as_deref(),
                class_thresholds: &breaker.1,
            }),
        },
        rng: &run(scenario.rng.iter())?,
        calls: &calls(&scenario.calls, &scenario.expect)?,
    });
    bytes(&case)
}

/// An error as the target reads it.
pub(crate) fn error(classifier: &str, facts: &Facts<'_>) -> Result<Vec<u8>, String> {
    let place = |found: Option<usize>| {
        let place = found.and_then(|place| u8::try_from(place).ok());
        place.ok_or("a marker or library has no place in redress-wire")
    };
    let marker = |wanted| place(MARKERS.iter().position(|marker| *marker == wanted));
    let library = place(LIBRARIES.iter().position(|library| *library == facts.library))?;
    let case = Case::Error(case::Described {
        classifier: match classifier {
            "default" => case::Classifier::Default,
            "strict" => case::Classifier::Strict,
            "http" => case::Classifier::Http,
            "http_retry_after" => case::Classifier::HttpRetryAfter,
            "sqlstate" => case::Classifier::Sqlstate,
            "pyodbc" => case::Classifier::Odbc,
            "grpc" => case::Classifier::Grpc,
            "boto3" => case::Classifier::Aws,
            "redis" => case::Classifier::Redis,
            other => return Err(format!("classifier {other:?} is not in the schema")),
        },
        marker: facts.marker.map(marker).transpose()?,
        name: facts.name,
        status: facts.status,
        status_code: facts.status_code,
        code: facts.code,
        args: &run(facts.args.iter())?,
        message: facts.message,
        sqlstate: facts.sqlstate,
        retry_after: match facts.retry_after {
            None => None,
            Some(RetryAfter::Span(span)) => Some(case::Hint::Micros(span.as_micros())),
            Some(RetryAfter::Text(text)) => Some(case::Hint::Text(text)),
        },
        retry_after_header: facts.retry_after_header,
        limits: case::Limits {
            retry_after_us: facts.limits.retry_after.map(Duration::as_micros),
            exhausted: facts.limits.exhausted,
            reset_us: facts.limits.reset.map(Duration::as_micros),
        },
        now_unix_secs: facts.now_unix_secs,
        library,
        ancestors: &run(facts.ancestors.iter())?,
        grpc: facts.grpc,
        aws: facts.aws.as_ref().map(|aws| (aws.code, aws.status)),
    });
    bytes(&case)
}

fn bytes<T: Serialize>(item: &T) -> Result<Vec<u8>, String> {
    postcard::to_allocvec(item).map_err(|why| format!("cannot be encoded: {why}"))
}

fn run<T: Serialize>(items: impl Iterator<Item = T>) -> Result<Vec<u8>, String> {
    items.map(|item| bytes(&item)).collect::<Result<Vec<_>, _>>().map(|items| items.concat())
}

fn class(name: &str) -> Result<ErrorClass, String> {
    ErrorClass::from_name(name).ok_or_else(|| format!("{name:?} is no class"))
}

/// No script has 65,535 failures, so a higher limit is none.
fn limit(failures: u64) -> u16 {
    u16::try_from(failures).unwrap_or(u16::MAX)
}

fn by_class<V, W: Serialize>(
    map: &std::collections::BTreeMap<String, V>,
    value: impl Fn(&V) -> W,
) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    for (name, entry) in map {
        all.extend(bytes(&(class(name)?, value(entry)))?);
    }
    Ok(all)
}

fn breaker(policy: &PolicySpec) -> Result<(Option<Vec<u8>>, Vec<u8>), String> {
    let Some(spec) = &policy.breaker else { return Ok((None, Vec::new())) };
    let trip_on = spec.trip_on.as_ref().map(|classes| run(classes.iter())).transpose()?;
    Ok((trip_on, by_class(&spec.class_thresholds, |&threshold| threshold)?))
}

fn strategy(spec: &StrategySpec) -> Result<Vec<u8>, String> {
    Ok(match spec {
        StrategySpec::Fixed { sleeps_us } => {
            let delays = run(sleeps_us.iter().map(|&us| u64::try_from(us).unwrap_or(0)))?;
            bytes(&case::Strategy::Fixed(&delays))?
        }
        &StrategySpec::DecorrelatedJitter { base_us, max_us } => {
            bytes(&case::Strategy::DecorrelatedJitter { base_us, max_us })?
        }
        &StrategySpec::EqualJitter { base_us, max_us } => {
            bytes(&case::Strategy::EqualJitter { base_us, max_us })?
        }
        &StrategySpec::TokenBackoff { base_us, max_us } => {
            bytes(&case::Strategy::TokenBackoff { base_us, max_us })?
        }
        StrategySpec::RetryAfterOr { fallback, jitter_us } => {
            bytes(&case::Strategy::RetryAfterOr {
                fallback: &strategy(fallback)?,
                jitter_us: *jitter_us,
            })?
        }
        StrategySpec::Adaptive {
            fallback,
            window_us,
            target_success_milli,
            min_multiplier_milli,
            max_multiplier_milli,
        } => bytes(&case::Strategy::Adaptive {
            fallback: &strategy(fallback)?,
            window_us: *window_us,
            target_success_milli: *target_success_milli,
            min_multiplier_milli: *min_multiplier_milli,
            max_multiplier_milli: *max_multiplier_milli,
        })?,
    })
}

fn calls(specs: &[CallSpec], expects: &[Expect]) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    for (i, spec) in specs.iter().enumerate() {
        all.extend(call(spec, expects.get(i))?);
    }
    Ok(all)
}

fn call(spec: &CallSpec, expect: Option<&Expect>) -> Result<Vec<u8>, String> {
    let mut during = expect.map_or(&[][..], |expect| &expect.during);
    let mut attempts = Vec::new();
    for attempt in &spec.attempts {
        let (these, later) = during.split_at(attempt.during.len().min(during.len()));
        during = later;
        attempts.extend(bytes(&case::Attempt {
            takes_us: attempt.takes_us,
            outcome: outcome(&attempt.outcome),
            decision: match attempt.decision {
                DecisionSpec::Sleep => case::Decision::Sleep,
                DecisionSpec::Defer => case::Decision::Defer,
                DecisionSpec::Abort => case::Decision::Abort,
            },
            oversleep_us: attempt.oversleep_us,
            during: &calls(&attempt.during, these)?,
        })?);
    }
    let events = expect.map_or(&[][..], |expect| &expect.events);
    let delays = events.iter().filter(|event| event.event == "retry");
    let abort_from = spec.abort_if.as_ref().map(|abort| {
        let point = match abort.at {
            AbortPoint::Start => 0,
            AbortPoint::Failure => 1,
            AbortPoint::Sleep => 2,
        };
        u32::try_from(abort.attempt.saturating_sub(1) * 3 + point).unwrap_or(u32::MAX)
    });
    bytes(&case::Call {
        gap_us: spec.gap_us,
        abort_from,
        attempts: &attempts,
        delays: &run(delays.map(|event| event.sleep_us.unwrap_or(0)))?,
    })
}

fn outcome(spec: &OutcomeSpec) -> case::Outcome {
    if spec.ok {
        return case::Outcome::Ok;
    }
    let Some(class) = spec.class else { return case::Outcome::Abort };
    // Hints are unsigned here: a negative one is none to wait for.
    let hint = spec.retry_after_us.map(|hint| u64::try_from(hint).unwrap_or(0));
    match spec.cause {
        Some(CauseSpec::Result) => case::Outcome::Result(class, hint),
        _ => case::Outcome::Exception(class, hint),
    }
}
