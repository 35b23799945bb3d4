//! reliakit: breaker, retry and jitter, put together by hand.

#![no_std]
#![no_main]

use core::time::Duration;

use bench_images::{image, now, operation, output, random, sleep};
use reliakit_backoff::equal_jitter;
use reliakit_circuit::RollingBreaker;
use reliakit_retry::{Backoff, RetryError, RetryPolicy, retry_with_sleep};

const BACKOFF: Backoff =
    Backoff::exponential(Duration::from_millis(10), 2).with_max_delay(Duration::from_secs(1));
const POLICY: RetryPolicy = RetryPolicy::new(6, BACKOFF).unwrap();

static mut BREAKER: RollingBreaker<16> = RollingBreaker::<16>::new(5, 30_000_000);

fn job() {
    let breaker = &raw mut BREAKER;
    // SAFETY: the only reference, in the only thread.
    let breaker = unsafe { &mut *breaker };
    if !breaker.allow(now()) {
        output(7);
        return;
    }
    let jittered = |span| sleep(equal_jitter(span, random()).as_micros() as u64);
    match retry_with_sleep(&POLICY, operation, |_| true, jittered) {
        Ok(value) => {
            breaker.on_success();
            output(value);
        }
        Err(error) => {
            breaker.on_failure(now());
            output(error.attempts());
            output(RetryError::into_last_error(error));
        }
    }
}

image!(job);
