//! The same loop with care: classes, exponential delays with jitter, a deadline. No
//! breaker and no budget.

#![no_std]
#![no_main]

use embassy_time::{Duration, Instant, Timer, with_timeout};
use prices::image;
use prices::sensor::{Sensor, SensorError, random};

async fn call(sensor: &mut Sensor) -> Option<u16> {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut cap = 10_000_u64;
    for _ in 0..6 {
        match with_timeout(Duration::from_millis(50), sensor.read()).await {
            Ok(Ok(reading)) => return Some(reading),
            Ok(Err(SensorError::Unsupported)) => return None,
            Ok(Err(SensorError::Silent | SensorError::Busy)) | Err(_) => {}
        }
        // Half of it is fixed, half is drawn.
        let drawn = (cap / 2 * u64::from(random())) >> 32;
        let wake = Instant::now() + Duration::from_micros(cap / 2 + drawn);
        if wake > deadline {
            return None;
        }
        Timer::at(wake).await;
        cap = (cap * 2).min(1_000_000);
    }
    None
}

image!(call);
