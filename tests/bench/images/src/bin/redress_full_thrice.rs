//! redress: as `redress_full_twice`, and a third operation: what each one more costs.

#![no_std]
#![no_main]

use bench_images::{full, operation, other_operation, third_operation};

full! {
    operation: |error: u32| *error as u16,
    other_operation: |error: u16| *error,
    third_operation: |error: i16| error.unsigned_abs(),
}
