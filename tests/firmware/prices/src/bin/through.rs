//! redress, three operations through one `async fn`: under one policy, behind one breaker.

#![no_std]
#![no_main]

use prices::sensor::Sensor;
use prices::{image, operation};

operation!(register, 50, 1_000);

async fn call(sensor: &mut Sensor) -> Option<u16> {
    let temperature = register::call(sensor).await?;
    let humidity = register::call(sensor).await?;
    let pressure = register::call(sensor).await?;
    (temperature == humidity && humidity == pressure).then_some(pressure)
}

image!(call);
