//! redress, one operation: deadline, attempt timeout, jitter, a breaker.

#![no_std]
#![no_main]

use prices::sensor::Sensor;
use prices::{image, operation};

operation!(temperature, 50, 1_000);

async fn call(sensor: &mut Sensor) -> Option<u16> {
    temperature::call(sensor).await
}

image!(call);
