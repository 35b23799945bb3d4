//! The clock of embassy, which tests move.

use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, MutexGuard, PoisonError};

use embassy_time::{Duration, MockDriver};

/// The driver is one for all: tests take turns, each from time zero.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    MockDriver::get().reset();
    turn
}

/// Moves the time by `step` until the future is done.
pub(crate) fn run<F: Future>(step: Duration, future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..10_000_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        MockDriver::get().advance(step);
    }
    panic!("still running after ten million steps of {} us", step.as_micros());
}
