//! redress: a breaker of rates over time: failures and slow calls.

#![no_std]
#![no_main]

use bench_images::{image, now, operation, output, sleep};
use redress::breaker::{CallResult, SliceRule, TimeSlices};
use redress::{Breaker, BreakerConfig, Duration, ErrorClass, Instant, settings};

settings! {
    Upstream: BreakerConfig<SliceRule> = BreakerConfig::slices(Duration::from_secs(6), 500, 20).slow_calls(Duration::from_secs(1), 500)
}
type Circuit = Breaker<TimeSlices<10>, 1, Upstream>;
static mut BREAKER: Circuit = Circuit::fixed(Upstream);

fn job() {
    let breaker = &raw mut BREAKER;
    // SAFETY: the only reference, in the only thread.
    let breaker = unsafe { &mut *breaker };
    match breaker.admit(Instant::from_micros(now())) {
        Ok(admitted) => {
            let start = Instant::from_micros(now());
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
            let changed = {
                let end = Instant::from_micros(now());
                breaker.settle_timed(admitted.permit, result, end.since(start), 0, end)
            };
            if changed.is_some() {
                output(7);
            }
        }
        Err(rejection) => output(rejection.retry_after.unwrap_or_default().as_micros() as u32),
    }
    sleep(now());
}

image!(job);
