//! The operation itself, again and again until it succeeds.

#![no_std]
#![no_main]

use embassy_time::Timer;
use prices::image;
use prices::sensor::Sensor;

async fn call(sensor: &mut Sensor) -> Option<u16> {
    loop {
        if let Ok(reading) = sensor.read().await {
            return Some(reading);
        }
        Timer::after_millis(10).await;
    }
}

image!(call);
