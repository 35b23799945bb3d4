//! APIs of language models: the codes of errors, which are more exact than their status.

use crate::class::ErrorClass;

/// The class of an error by its code or type, or `None` if the status determines the class:
/// `insufficient_quota` (which comes with 429) and `context_length_exceeded` PERMANENT;
/// `overloaded_error` `SERVER_ERROR`, as its status 529.
///
/// Source: *Error codes* of `OpenAI`; *Errors* of Anthropic.
pub fn llm_code(code: &str) -> Option<ErrorClass> {
    Some(match code {
        "insufficient_quota" | "context_length_exceeded" => ErrorClass::Permanent,
        "overloaded_error" => ErrorClass::ServerError,
        _ => return None,
    })
}
