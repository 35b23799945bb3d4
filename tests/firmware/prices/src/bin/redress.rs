//! redress: what the loop written by hand does, and its classes.

#![no_std]
#![no_main]

use prices::image;
use prices::sensor::{Sensor, SensorError, random};
use redress::random::from_fn;
use redress::{Backoff, Duration, Policy, Retry, policy, settings};
use redress_embassy::EmbassyTime;

settings! {
    Calls: Policy = policy! {
    Policy::builder()
        .max_attempts(6)
        .deadline(Duration::from_secs(60))
        .attempt_timeout(Duration::from_millis(50))
        .backoff(Backoff::equal_jitter(Duration::from_millis(10), Duration::from_secs(1)))
}
}

async fn call(sensor: &mut Sensor) -> Option<u16> {
    let mut retry = Retry::new(Calls, EmbassyTime, from_fn(random)).classify(SensorError::class);
    retry.call_async(async |_| sensor.read().await).await.ok()
}

image!(call);
