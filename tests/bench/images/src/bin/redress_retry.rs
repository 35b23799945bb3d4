//! redress: retry with exponential backoff.

#![no_std]
#![no_main]

use bench_images::{Board, image, operation, output};
use redress::random::NoRandom;
use redress::{Backoff, Duration, ErrorClass, Policy, Retry, policy, settings};

settings! {
    Calls: Policy = policy! {
    Policy::builder()
        .max_attempts(6)
        .backoff(Backoff::exponential(Duration::from_millis(10), Duration::from_secs(1)))
}
}

fn job() {
    let outcome = Retry::new(Calls, Board, NoRandom)
        .classify(|_: &u32| ErrorClass::Transient)
        .execute(|_| operation());
    output(outcome.attempts);
    match outcome.result {
        Ok(value) => output(value),
        Err(error) => output(error.into_error().unwrap_or(0)),
    }
}

image!(job);
