//! redress, the full policy: classes with strategies of their own, jitter, deadline, attempt
//! timeout, a breaker of 5 and a rolling budget of 16 that all tasks and interrupts may
//! share.

#![no_std]
#![no_main]

use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use prices::image;
use prices::sensor::{Sensor, SensorError, random};
use redress::breaker::{FailureRule, FailureTimes};
use redress::budget::RollingConfig;
use redress::random::from_fn;
use redress::{
    Backoff, Breaker, BreakerConfig, Duration, ErrorClass, Policy, Retry, RollingBudget, policy,
    settings,
};
use redress_embassy::{EmbassyTime, Locked};

const SLOW: Backoff = Backoff::equal_jitter(Duration::from_millis(100), Duration::from_secs(5));
settings! {
    Calls: Policy = policy! {
    Policy::builder()
        .max_attempts(6)
        .deadline(Duration::from_secs(60))
        .attempt_timeout(Duration::from_millis(50))
        .backoff(Backoff::decorrelated_jitter(Duration::from_millis(10), Duration::from_secs(1)))
        .backoff_for(ErrorClass::RateLimit, SLOW)
}
}
settings! { Rule: BreakerConfig<FailureRule> = BreakerConfig::failures(5, Duration::from_secs(60)) }
settings! { Retries: RollingConfig = RollingConfig::new(16, Duration::from_secs(10)) }

type Circuit = Breaker<FailureTimes<5>, 1, Rule>;
type Tokens = RollingBudget<16, Retries>;

static BREAKER: Locked<CriticalSectionRawMutex, Circuit> = Locked::new(Circuit::fixed(Rule));
static BUDGET: Locked<CriticalSectionRawMutex, Tokens> = Locked::new(Tokens::fixed(Retries));

async fn call(sensor: &mut Sensor) -> Option<u16> {
    let mut retry = Retry::new(Calls, EmbassyTime, from_fn(random))
        .classify(SensorError::class)
        .breaker(&BREAKER)
        .budget(&BUDGET);
    retry.call_async(async |_| sensor.read().await).await.ok()
}

image!(call);
