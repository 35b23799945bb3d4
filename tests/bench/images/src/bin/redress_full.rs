//! redress: classes, jitter, breaker, ratio budget, deadline, attempt timeout.

#![no_std]
#![no_main]

use bench_images::{full, operation};

full! {
    operation: |error: u32| *error as u16,
}
