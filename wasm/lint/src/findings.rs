//! Findings as JSON.

use redress::lint::{self, Finding};
use serde_json::{Value, json};

/// `{ severity, field, class, part, value, problem, beside, help }`; `beside` is null or
/// `{ field, value }`.
pub(crate) fn json(finding: Finding) -> Value {
    json!({
        "severity": finding.severity.as_str(),
        "field": finding.field,
        "class": finding.class.map(redress::ErrorClass::as_str),
        "part": finding.part,
        "value": value(finding.value),
        "problem": finding.problem,
        "beside": finding.beside.map(|(field, other)| json!({ "field": field, "value": value(other) })),
        "help": finding.help.to_string(),
    })
}

/// A span is `{ micros }`, a strategy `{ strategy }`, classes are an array of their names, and
/// a setting that is not there is null.
fn value(value: lint::Value) -> Value {
    match value {
        lint::Value::Count(count) => json!(count),
        lint::Value::Span(span) => json!({ "micros": span.as_micros() }),
        lint::Value::Strategy(name) => json!({ "strategy": name }),
        lint::Value::Classes(classes) => classes.iter().map(redress::ErrorClass::as_str).collect(),
        lint::Value::Flag(on) => json!(on),
        lint::Value::Unset => Value::Null,
        // What a newer core adds is text here.
        other => json!(other.to_string()),
    }
}
