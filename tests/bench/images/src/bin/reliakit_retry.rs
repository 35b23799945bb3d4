//! reliakit-retry: retry with exponential backoff.

#![no_std]
#![no_main]

use core::time::Duration;

use bench_images::{image, operation, output, sleep};
use reliakit_retry::{Backoff, RetryError, RetryPolicy, retry_with_sleep};

const BACKOFF: Backoff =
    Backoff::exponential(Duration::from_millis(10), 2).with_max_delay(Duration::from_secs(1));
const POLICY: RetryPolicy = RetryPolicy::new(6, BACKOFF).unwrap();

fn job() {
    let result =
        retry_with_sleep(&POLICY, operation, |_| true, |span| sleep(span.as_micros() as u64));
    match result {
        Ok(value) => output(value),
        Err(error) => {
            output(error.attempts());
            output(RetryError::into_last_error(error));
        }
    }
}

image!(job);
