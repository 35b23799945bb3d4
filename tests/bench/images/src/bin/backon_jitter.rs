//! backon: retry with exponential backoff and jitter.

#![no_std]
#![no_main]

use core::time::Duration;

use backon::{BlockingRetryable, ExponentialBuilder};
use bench_images::{image, operation, output, sleep};

const DELAYS: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(10))
    .with_max_delay(Duration::from_secs(1))
    .with_max_times(5)
    .with_jitter();

fn job() {
    let result =
        operation.retry(DELAYS).sleep(|span: Duration| sleep(span.as_micros() as u64)).call();
    match result {
        Ok(value) => output(value),
        Err(error) => output(error),
    }
}

image!(job);
