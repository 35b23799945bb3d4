//! Stopping a call by a signal of embassy-sync: [`cancel_on`] drops it at once, [`signaled`]
//! aborts it before the next attempt or delay.

use embassy_futures::select::{Either, select};
use embassy_sync::blocking_mutex::raw::RawMutex;
use embassy_sync::signal::Signal;

/// The call was dropped because of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Cancelled<T>(
    /// What the signal carried.
    pub T,
);

impl<T> core::fmt::Display for Cancelled<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("call cancelled by a signal")
    }
}

impl<T: core::fmt::Debug> core::error::Error for Cancelled<T> {}

/// Runs `call`, and drops it when `signal` is set, at any of its awaits: in an attempt or in a
/// delay.
///
/// The dropped call counts neither as success nor as failure, and the place of a probe in
/// a half-open breaker is free again. A call that has its result when the signal comes
/// returns it, and the signal stays set. One task may wait for a signal at a time.
///
/// # Errors
///
/// [`Cancelled`] with what the signal carried; the signal is taken.
pub async fn cancel_on<M: RawMutex, T: Send, F: Future>(
    signal: &Signal<M, T>,
    call: F,
) -> Result<F::Output, Cancelled<T>> {
    match select(call, signal.wait()).await {
        Either::First(output) => Ok(output),
        Either::Second(why) => Err(Cancelled(why)),
    }
}

/// Whether `signal` is set, for `Retry::abort_if`: the call then ends with the stop reason
/// ABORTED before its next attempt or delay, and its observers are notified. An attempt
/// in flight runs to its end. The signal stays set for others; take it with
/// [`Signal::reset`].
pub fn signaled<M: RawMutex, T: Send>(signal: &Signal<M, T>) -> impl FnMut() -> bool + '_ {
    || signal.signaled()
}
