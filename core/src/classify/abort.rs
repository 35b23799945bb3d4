//! Cancellations: the names by which libraries say that the program cancelled.

use crate::classify::Verdict;

/// [`Verdict::Abort`] for the name or code of a cancellation by the program, else `None`:
/// `AbortError`, `ERR_CANCELED`, `ABORT_ERR`, `UND_ERR_ABORTED` and `APIUserAbortError`. It is
/// not retried and counts as no failure.
///
/// Ask it last: an attempt that its own timeout or deadline ended, and one whose reason is a
/// `TimeoutError`, is a time-out whatever was thrown.
///
/// Source: the `DOMException` names of Web IDL; *Errors* of Node.js and of undici; `AxiosError`
/// of axios; the SDKs of `OpenAI` and Anthropic.
pub fn abort_name(name: &str) -> Option<Verdict> {
    matches!(
        name,
        "AbortError" | "ERR_CANCELED" | "ABORT_ERR" | "UND_ERR_ABORTED" | "APIUserAbortError"
    )
    .then_some(Verdict::Abort)
}
