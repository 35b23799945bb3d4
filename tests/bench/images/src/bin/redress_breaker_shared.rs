//! redress: as `redress_breaker`, its settings behind a reference.

#![no_std]
#![no_main]

use bench_images::{image, now, operation, output, sleep};
use redress::breaker::{CallResult, FailureRule, FailureTimes};
use redress::{Breaker, BreakerConfig, Duration, ErrorClass, Instant, checked};

static CONFIG: BreakerConfig<FailureRule> = BreakerConfig::failures(5, Duration::from_secs(60));
static mut BREAKER: Breaker<FailureTimes<5>> = checked!(Breaker::<FailureTimes<5>>::new(&CONFIG));

fn job() {
    let breaker = &raw mut BREAKER;
    // SAFETY: the only reference, in the only thread.
    let breaker = unsafe { &mut *breaker };
    match breaker.admit(Instant::from_micros(now())) {
        Ok(admitted) => {
            let result = match operation() {
                Ok(value) => {
                    output(value);
                    CallResult::Success
                }
                Err(error) => {
                    output(error);
                    CallResult::Failure(ErrorClass::Transient)
                }
            };
            let changed = breaker.settle(admitted.permit, result, Instant::from_micros(now()));
            if changed.is_some() {
                output(7);
            }
        }
        Err(rejection) => output(rejection.retry_after.unwrap_or_default().as_micros() as u32),
    }
    sleep(now());
}

image!(job);
