//! Cancellations: the names that libraries use when the program cancelled an operation.

use crate::classify::Verdict;

/// The names and codes that [`abort_name`] knows.
pub const ABORT_NAMES: &[&str] =
    &["AbortError", "ERR_CANCELED", "ABORT_ERR", "UND_ERR_ABORTED", "APIUserAbortError"];

/// [`Verdict::Abort`] for the name or code of a cancellation by the program, otherwise `None`:
/// `AbortError`, `ERR_CANCELED`, `ABORT_ERR`, `UND_ERR_ABORTED` and `APIUserAbortError`. A
/// cancellation is not retried and does not count as a failure.
///
/// Use it after the other tables: if an attempt was ended by its own timeout or deadline, or its
/// reason is a `TimeoutError`, it is a time-out, whatever was thrown.
///
/// Source: the `DOMException` names of Web IDL; *Errors* of Node.js and of undici; `AxiosError`
/// of axios; the SDKs of `OpenAI` and Anthropic.
pub fn abort_name(name: &str) -> Option<Verdict> {
    ABORT_NAMES.contains(&name).then_some(Verdict::Abort)
}
