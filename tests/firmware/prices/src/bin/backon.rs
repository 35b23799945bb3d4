//! backon with its feature `embassy-sleep`: exponential delays with jitter; a final error
//! ends the call.

#![no_std]
#![no_main]

use core::cell::RefCell;
use core::time::Duration;

use backon::{EmbassySleeper, ExponentialBuilder, Retryable};
use embassy_time::with_timeout;
use prices::image;
use prices::sensor::{Sensor, SensorError};

#[expect(clippy::await_holding_refcell_ref, reason = "attempts come one after the other")]
async fn call(sensor: &mut Sensor) -> Option<u16> {
    let delays = ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(10))
        .with_max_delay(Duration::from_secs(1))
        .with_max_times(5)
        .with_jitter();
    // Its closure returns a future, which cannot borrow from the closure.
    let sensor = RefCell::new(sensor);
    let read = || async {
        let timeout = embassy_time::Duration::from_millis(50);
        match with_timeout(timeout, sensor.borrow_mut().read()).await {
            Ok(result) => result,
            Err(_) => Err(SensorError::Silent),
        }
    };
    read.retry(delays)
        .sleep(EmbassySleeper)
        .when(|error| *error != SensorError::Unsupported)
        .await
        .ok()
}

image!(call);
