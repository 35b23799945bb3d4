//! What every image has: the operation, the clock, the output.

#![no_std]
#![no_main]

use bench_images::{image, now, operation, output, sleep};

fn job() {
    match operation() {
        Ok(value) => output(value),
        Err(error) => output(error),
    }
    sleep(now());
}

image!(job);
