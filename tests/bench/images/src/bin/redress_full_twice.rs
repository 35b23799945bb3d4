//! redress: as `redress_full`, and a second operation with an error type of its own
//! under the same policy.

#![no_std]
#![no_main]

use bench_images::{full, operation, other_operation};

full! {
    operation: |error: u32| *error as u16,
    other_operation: |error: u16| *error,
}
