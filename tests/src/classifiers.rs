//! Runs the classifiers' cases: a described error, and the class it must get.

use redress::classify::{self, AwsError, Facts, Library, Marker, RetryAfter};
use redress::{Classification, Duration, ErrorClass};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Tags of cases that depend on what redress does otherwise on purpose.
pub const DEVIATIONS: &[(&str, &str)] = &[
    ("retry_after_only_429", "a Retry-After counts with every class that is retried"),
    ("lenient_integer", "seconds are plain digits, as RFC 9110 has them"),
    ("lenient_date", "dates are in one of the three forms of RFC 9110, exactly"),
    ("sqlstate_any_word", "a word like ERROR, or a bare number, is no SQLSTATE"),
    ("aws_short_list", "AWS's documented codes are known, and 408 and 409 without a code"),
];

/// A field that says of what kind a case is does not change what the case expects.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    classifier: String,
    error: ErrorSpec,
    expect: Expected,
    #[serde(default, rename = "quirk")]
    _quirk: Option<String>,
    #[serde(default, rename = "beyond")]
    _beyond: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    class: ErrorClass,
    retry_after_us: Option<u64>,
    retry_after_at_least_us: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct ErrorSpec {
    marker: Option<MarkerSpec>,
    name: Option<String>,
    status: Option<i64>,
    status_code: Option<i64>,
    code: Option<i64>,
    args: Option<Vec<i64>>,
    message: Option<String>,
    sqlstate: Option<String>,
    retry_after: Value,
    headers: Option<Map<String, Value>>,
    now_unix_s: Option<i64>,
    #[serde(deserialize_with = "present")]
    grpc: Option<GrpcStatus>,
    aws_error: Option<AwsSpec>,
    library: Option<String>,
    ancestors: Option<Vec<String>>,
}

/// The status of a gRPC error: null stands for an error without one, a missing field
/// for an error that is not gRPC's.
struct GrpcStatus(Option<String>);

fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<GrpcStatus>, D::Error> {
    Option::deserialize(from).map(|status| Some(GrpcStatus(status)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AwsSpec {
    code: Option<String>,
    status: Option<i64>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum MarkerSpec {
    Timeout,
    Permanent,
    RateLimit,
    Concurrency,
    ServerError,
}

/// Runs one case.
///
/// # Errors
///
/// Says how the answer differs, or why the case is none.
pub fn run(case: &Value) -> Result<(), String> {
    judge(case, classify)
}

/// Judges what `classify`, given the name of a classifier and what is known of an
/// error, says of a case.
///
/// # Errors
///
/// Says how the answer differs, or why the case is none, or the error of `classify`.
pub fn judge(
    case: &Value,
    classify: impl FnOnce(&str, &Facts<'_>) -> Result<Classification, String>,
) -> Result<(), String> {
    let case: Case = serde_json::from_value(case.clone())
        .map_err(|error| format!("not of the schema: {error}"))?;
    let got = describe(&case.error, |facts| classify(&case.classifier, facts))?;
    let want = case.expect;
    if got.class != want.class {
        return Err(format!("class is {}, expected {}", got.class, want.class));
    }
    let hint = got.retry_after.map(Duration::as_micros);
    match want.retry_after_at_least_us {
        Some(least) if hint.is_some_and(|hint| hint >= least) => Ok(()),
        Some(least) => Err(format!("hint is {hint:?} us, expected at least {least}")),
        None if hint == want.retry_after_us => Ok(()),
        None => Err(format!("hint is {hint:?} us, expected {:?}", want.retry_after_us)),
    }
}

fn describe<R>(
    error: &ErrorSpec,
    classify: impl FnOnce(&Facts<'_>) -> Result<R, String>,
) -> Result<R, String> {
    let marker = error.marker.map(|marker| match marker {
        MarkerSpec::Timeout => Marker::Timeout,
        MarkerSpec::Permanent => Marker::Permanent,
        MarkerSpec::RateLimit => Marker::RateLimit,
        MarkerSpec::Concurrency => Marker::Concurrency,
        MarkerSpec::ServerError => Marker::ServerError,
    });
    let library = match error.library.as_deref() {
        None => Library::Other,
        Some("botocore") => Library::Aws,
        Some("redis") => Library::Redis,
        Some(other) => return Err(format!("library {other:?} is not in the schema")),
    };
    let headers: Vec<(&str, String)> =
        error.headers.iter().flatten().map(|(name, value)| (name.as_str(), text(value))).collect();
    let pairs = headers.iter().map(|(name, value)| (*name, value.as_str()));
    let ancestors: Vec<&str> = error.ancestors.iter().flatten().map(String::as_str).collect();
    let facts = Facts {
        marker,
        name: error.name.as_deref().unwrap_or_else(|| marker.map_or("", Marker::name)),
        status: error.status,
        status_code: error.status_code,
        code: error.code,
        args: error.args.as_deref().unwrap_or_default(),
        message: error.message.as_deref().unwrap_or_default(),
        sqlstate: error.sqlstate.as_deref().unwrap_or_default(),
        retry_after: hint(&error.retry_after)?,
        now_unix_secs: error.now_unix_s.unwrap_or_default(),
        library,
        ancestors: &ancestors,
        grpc: error.grpc.as_ref().map(|status| status.0.as_deref().unwrap_or_default()),
        aws: error.aws_error.as_ref().map(|aws| AwsError {
            code: aws.code.as_deref().unwrap_or_default(),
            status: aws.status,
        }),
        ..Facts::NONE
    };
    classify(&facts.with_headers(pairs))
}

fn classify(classifier: &str, facts: &Facts<'_>) -> Result<Classification, String> {
    Ok(match classifier {
        "default" => classify::default(facts),
        "strict" => classify::strict(facts),
        "http" => classify::http(facts),
        "http_retry_after" => classify::http_retry_after(facts),
        "sqlstate" => classify::sqlstate(facts),
        "pyodbc" => classify::odbc(facts),
        "grpc" => classify::grpc(facts),
        "boto3" => classify::aws(facts),
        "redis" => classify::redis(facts),
        other => return Err(format!("classifier {other:?} is not in the schema")),
    })
}

/// Header values may stand as numbers.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A hint in seconds, perhaps with a fraction, or as a text.
fn hint(value: &Value) -> Result<Option<RetryAfter<'_>>, String> {
    Ok(match value {
        Value::Null => None,
        Value::String(text) => Some(RetryAfter::Text(text)),
        Value::Number(number) => {
            let secs = number.as_f64().unwrap_or_default();
            // To the nearest microsecond, ties to even, as the vectors are. The cast
            // saturates: what is negative is 0.
            #[expect(clippy::cast_sign_loss)]
            let micros = (secs * 1e6).round_ties_even() as u64;
            Some(RetryAfter::Span(Duration::from_micros(micros)))
        }
        other => return Err(format!("retry_after {other} is neither number nor string")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rate_limit(error: &Value, hint_us: u64) -> Value {
        let expect = json!({"class": "RATE_LIMIT", "retry_after_us": hint_us});
        json!({"classifier": "http_retry_after", "error": error, "expect": expect})
    }

    #[test]
    fn a_case_outside_the_schema_is_an_error_that_names_what_is_wrong() {
        let expect = json!({"class": "UNKNOWN"});
        for (case, named) in [
            (json!(null), "schema"),
            (json!({}), "classifier"),
            (json!({"classifier": "ftp", "error": {}, "expect": expect}), "ftp"),
            (json!({"classifier": "http", "error": {"stats": 1}, "expect": expect}), "stats"),
            (json!({"classifier": "http", "error": {"status": "x"}, "expect": expect}), "schema"),
            (json!({"classifier": "http", "error": {}, "expect": {"class": "ODD"}}), "ODD"),
            (json!({"classifier": "http", "error": {}, "expect": expect, "tag": 1}), "tag"),
            (json!({"classifier": "http", "error": {}, "expect": expect, "beyond": 1}), "schema"),
            (json!({"classifier": "redis", "error": {"library": "x"}, "expect": expect}), "\"x\""),
            (json!({"classifier": "http", "error": {"marker": "x"}, "expect": expect}), "`x`"),
            (json!({"classifier": "http", "error": {"retry_after": []}, "expect": expect}), "[]"),
        ] {
            let why = run(&case).expect_err("the case is not of the schema");
            assert!(why.contains(named), "{why:?} does not name {named:?}");
        }
    }

    #[test]
    fn null_is_the_same_as_missing_but_for_a_grpc_error_without_status() {
        let nulls = json!({
            "marker": null, "name": null, "status": null, "status_code": null, "code": null,
            "args": null, "message": null, "sqlstate": null, "retry_after": null,
            "headers": null, "now_unix_s": null, "aws_error": null, "library": null,
            "ancestors": null
        });
        for classifier in ["default", "strict", "http", "sqlstate", "pyodbc", "boto3", "redis"] {
            let case = json!({
                "classifier": classifier, "error": nulls, "expect": {"class": "UNKNOWN"}
            });
            assert_eq!(run(&case), Ok(()), "{classifier}");
        }
        let grpc = |error: Value, class: &str| {
            run(&json!({"classifier": "grpc", "error": error, "expect": {"class": class}}))
        };
        assert_eq!(grpc(json!({"name": "TimeoutError"}), "TRANSIENT"), Ok(()));
        assert_eq!(grpc(json!({"name": "TimeoutError", "grpc": null}), "UNKNOWN"), Ok(()));
    }

    #[test]
    fn a_wrong_class_or_hint_is_told_with_both_values() {
        let error = json!({"status": 429, "retry_after": 2});
        assert_eq!(run(&rate_limit(&error, 2_000_000)), Ok(()));
        let why = run(&rate_limit(&error, 3)).unwrap_err();
        assert!(why.contains("2000000") && why.contains('3'), "{why}");
        let expect = json!({"class": "AUTH"});
        let case = json!({"classifier": "http", "error": error, "expect": expect});
        let why = run(&case).unwrap_err();
        assert!(why.contains("RATE_LIMIT") && why.contains("AUTH"), "{why}");
    }

    #[test]
    fn hints_in_seconds_are_rounded_to_even_microseconds_and_saturate() {
        for (secs, micros) in [
            (json!(2.5), 2_500_000),
            (json!(0.000_000_5), 0),
            (json!(0.000_001_5), 2),
            (json!(-3), 0),
            (json!(1e300), u64::MAX),
        ] {
            let case = rate_limit(&json!({"status": 429, "retry_after": secs}), micros);
            assert_eq!(run(&case), Ok(()), "{secs}");
        }
    }
}
