//! What stands in most firmware: some attempts, each with a timeout, a fixed delay.

#![no_std]
#![no_main]

use embassy_time::{Duration, Timer, with_timeout};
use prices::image;
use prices::sensor::Sensor;

async fn call(sensor: &mut Sensor) -> Option<u16> {
    for _ in 0..6 {
        if let Ok(Ok(reading)) = with_timeout(Duration::from_millis(50), sensor.read()).await {
            return Some(reading);
        }
        Timer::after_millis(10).await;
    }
    None
}

image!(call);
