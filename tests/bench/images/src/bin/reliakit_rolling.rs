//! reliakit-circuit: `RollingBreaker<16>`.

#![no_std]
#![no_main]

use bench_images::{image, now, operation, output, sleep};
use reliakit_circuit::RollingBreaker;

static mut BREAKER: RollingBreaker<16> = RollingBreaker::<16>::new(5, 30_000_000);

fn job() {
    let breaker = &raw mut BREAKER;
    // SAFETY: the only reference, in the only thread.
    let breaker = unsafe { &mut *breaker };
    if breaker.allow(now()) {
        match operation() {
            Ok(value) => {
                output(value);
                breaker.on_success();
            }
            Err(error) => {
                output(error);
                breaker.on_failure(now());
            }
        }
    } else {
        output(7);
    }
    sleep(now());
}

image!(job);
