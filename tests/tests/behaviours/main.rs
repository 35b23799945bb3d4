//! What users expect, one test for each behaviour; tests/BEHAVIOURS.md lists them.

#![allow(clippy::pedantic, clippy::drop_non_drop, reason = "scenarios, no interface")]

mod abort;
mod breaker;
mod budget;
mod calls;
mod circuit;
mod class_table;
mod classification;
mod counters;
mod errors;
mod extremes;
mod faults;
mod gates;
mod growing;
mod half_open;
mod hints;
mod keyed;
mod limiter;
mod limits;
mod linter;
mod long_delays;
mod observability;
mod outcomes;
mod permits;
mod rates;
mod readings;
mod renewal;
mod restarts;
mod retry;
mod sessions;
mod sharing;
mod sleep;
mod snapshots;
mod sockets;
mod state;
mod steps;
mod suspend;
mod suspended_calls;
mod timeout;
mod turns;
mod windows;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use redress::classify::{ByError, Classifier};
use redress::config::RetryConfig;
use redress::random::NoRandom;
use redress::testing::MockClock;
use redress::{Backoff, Duration, ErrorClass, Policy, Retry};

/// An error is its class.
type Plain<'p> = Retry<
    'p,
    (&'p MockClock, NoRandom, (), (), (), (), &'p Policy),
    Classifier<ByError<fn(&ErrorClass) -> ErrorClass>>,
>;

/// A policy at work on a mock clock, whose errors are classes.
fn on<'p>(policy: &'p Policy, clock: &'p MockClock) -> Plain<'p> {
    policy.on(clock, NoRandom).classify(|class: &ErrorClass| *class)
}

/// A second between attempts.
fn each_second() -> RetryConfig {
    Policy::builder().backoff(Backoff::constant(Duration::from_secs(1)))
}

/// Polls until it is done: nothing here waits for anything outside.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// Pending once, so that a driver really has to wait.
async fn yield_once() {
    let mut has_yielded = false;
    std::future::poll_fn(|context| {
        if has_yielded {
            return Poll::Ready(());
        }
        has_yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
