//! Findings as JSON.

use redress::lint::{self, Finding};
use serde_json::{Value, json};

/// `{ severity, field, class, value, right }`; a span is `{ micros }`, a setting that is
/// not there null.
pub(crate) fn json(finding: Finding) -> Value {
    let value = match finding.value {
        lint::Value::Count(count) => json!(count),
        lint::Value::Span(span) => json!({ "micros": span.as_micros() }),
        lint::Value::Strategy(name) => json!(name),
        lint::Value::Classes(classes) => json!(classes.to_string()),
        lint::Value::Unset => Value::Null,
        // What a newer core adds is text here.
        other => json!(other.to_string()),
    };
    json!({
        "severity": finding.severity.as_str(),
        "field": finding.field,
        "class": finding.class.map(redress::ErrorClass::as_str),
        "value": value,
        "right": finding.right,
    })
}
