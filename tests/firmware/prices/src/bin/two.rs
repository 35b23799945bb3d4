//! redress, two operations in one task, each under a policy and behind a breaker of its own.

#![no_std]
#![no_main]

use prices::sensor::Sensor;
use prices::{image, operation};

operation!(temperature, 50, 1_000);
operation!(humidity, 80, 2_000);

async fn call(sensor: &mut Sensor) -> Option<u16> {
    let temperature = temperature::call(sensor).await?;
    let humidity = humidity::call(sensor).await?;
    (temperature == humidity).then_some(humidity)
}

image!(call);
