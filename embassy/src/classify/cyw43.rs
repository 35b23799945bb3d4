//! Wi-Fi of a CYW43439.

use redress::{Classification, ErrorClass};

use super::of;

/// A network that cyw43 did not join.
///
/// | class | errors |
/// | --- | --- |
/// | TRANSIENT | `NetworkNotFound`, `JoinFailure` |
/// | AUTH | `AuthenticationFailure` |
///
/// The chip reports `AuthenticationFailure` for a wrong password, and also for a handshake that was lost in
/// a weak signal. `Policy::builder().retriable(ErrorClass::Auth, 2)` retries it twice in a call.
///
/// A join without an answer never ends: it needs an attempt timeout, and `Control::leave` in a hook before the retry.
pub fn cyw43_join(error: &cyw43::JoinError) -> Classification {
    use cyw43::JoinError;
    match error {
        JoinError::NetworkNotFound => of(ErrorClass::Transient, "network not found"),
        JoinError::JoinFailure(_) => of(ErrorClass::Transient, "network not joined"),
        JoinError::AuthenticationFailure => of(ErrorClass::Auth, "authentication failed"),
    }
}
