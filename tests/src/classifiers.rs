//! Runs the classifiers' cases: a described error, and the class it must get.

use redress::classify::{self, AwsError, Facts, Library, Marker, RetryAfter};
use redress::{Classification, Duration, ErrorClass};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Tags of cases that depend on what redress does otherwise on purpose.
pub const DEVIATIONS: &[(&str, &str)] = &[
    ("retry_after_only_429", "a 503 carries a Retry-After, too"),
    ("lenient_integer", "seconds are plain digits, as RFC 9110 has them"),
    ("lenient_date", "dates are in one of the three forms of RFC 9110, exactly"),
    ("sqlstate_any_word", "a word like ERROR, or a bare number, is no SQLSTATE"),
    ("aws_short_list", "AWS's documented codes are known"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    classifier: String,
    error: ErrorSpec,
    expect: Expected,
    #[serde(default, rename = "quirk")]
    _quirk: Option<String>,
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
    args: Vec<i64>,
    message: String,
    sqlstate: String,
    retry_after: Value,
    headers: Map<String, Value>,
    now_unix_s: i64,
    #[serde(deserialize_with = "present")]
    grpc: Option<Option<String>>,
    aws_error: Option<AwsSpec>,
    library: Option<String>,
    ancestors: Vec<String>,
}

/// Tells a field that is null from one that is missing.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(from).map(Some)
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
    let case: Case = serde_json::from_value(case.clone())
        .map_err(|error| format!("not of the schema: {error}"))?;
    let got = classify(&case.classifier, &case.error)?;
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

fn classify(classifier: &str, error: &ErrorSpec) -> Result<Classification, String> {
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
        error.headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
    let pairs = headers.iter().map(|(name, value)| (*name, value.as_str()));
    let ancestors: Vec<&str> = error.ancestors.iter().map(String::as_str).collect();
    let facts = Facts {
        marker,
        name: error.name.as_deref().unwrap_or_else(|| marker.map_or("", Marker::name)),
        status: error.status,
        status_code: error.status_code,
        code: error.code,
        args: &error.args,
        message: &error.message,
        sqlstate: &error.sqlstate,
        retry_after: hint(&error.retry_after)?,
        retry_after_header: classify::header(pairs, "Retry-After"),
        now_unix_secs: error.now_unix_s,
        library,
        ancestors: &ancestors,
        grpc: error.grpc.as_ref().map(|status| status.as_deref().unwrap_or_default()),
        aws: error.aws_error.as_ref().map(|aws| AwsError {
            code: aws.code.as_deref().unwrap_or_default(),
            status: aws.status,
        }),
        ..Facts::NONE
    };
    Ok(match classifier {
        "default" => classify::default(&facts),
        "strict" => classify::strict(&facts),
        "http" => classify::http(&facts),
        "http_retry_after" => classify::http_retry_after(&facts),
        "sqlstate" => classify::sqlstate(&facts),
        "pyodbc" => classify::odbc(&facts),
        "grpc" => classify::grpc(&facts),
        "boto3" => classify::aws(&facts),
        "redis" => classify::redis(&facts),
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
            let secs = number.as_f64().unwrap_or_default().max(0.0);
            Some(RetryAfter::Span(std::time::Duration::try_from_secs_f64(secs).map_or(
                Duration::MAX,
                // To the nearest microsecond, as the vectors are.
                |span| {
                    Duration::from_micros(
                        u64::try_from((span.as_nanos() + 500) / 1000).unwrap_or(u64::MAX),
                    )
                },
            )))
        }
        other => return Err(format!("retry_after {other} is neither number nor string")),
    })
}
