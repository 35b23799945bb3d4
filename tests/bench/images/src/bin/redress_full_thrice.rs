//! redress: as `redress_full_twice`, and a third operation: what each one more costs.

#![no_std]
#![no_main]

use core::cell::RefCell;

use bench_images::{
    Board, OneThread, image, operation, other_operation, output, random, third_operation,
};
use redress::random::from_fn;
use redress::{
    Backoff, Breaker, BreakerConfig, Duration, ErrorClass, FailureRule, FailureTimes, Policy,
    RatioBudget, RatioConfig, Retry, classify, policy, settings,
};

const SLOW: Backoff = Backoff::equal_jitter(Duration::from_millis(100), Duration::from_secs(5));
settings! {
    Calls: Policy = policy! {
    Policy::new()
        .max_attempts(6)
        .attempt_timeout(Duration::from_secs(1))
        .backoff(Backoff::decorrelated_jitter(Duration::from_millis(10), Duration::from_secs(1)))
        .backoff_for(ErrorClass::RateLimit, SLOW)
}
}

type Upstream = Breaker<FailureTimes<5>, 1, UpstreamCircuit>;

settings! {
    UpstreamCircuit: BreakerConfig<FailureRule> = BreakerConfig::failures(5, Duration::from_secs(60))
}
static BREAKER: OneThread<RefCell<Upstream>> =
    OneThread(RefCell::new(Upstream::fixed(UpstreamCircuit)));
settings! {
    Retries: RatioConfig = RatioConfig::new(100).floor_per_sec(1)
}
static BUDGET: OneThread<RefCell<RatioBudget<Retries>>> =
    OneThread(RefCell::new(RatioBudget::fixed(Retries)));

fn job() {
    let outcome = Retry::fixed(Calls, Board, from_fn(random))
        .classify(|error: &u32| classify::http_status(*error as u16))
        .breaker(&BREAKER.0)
        .budget(&BUDGET.0)
        .execute(|_| operation());
    output(outcome.attempts);
    match outcome.result {
        Ok(value) => output(value),
        Err(error) => output(error.into_error().unwrap_or(0)),
    }
    let outcome = Retry::fixed(Calls, Board, from_fn(random))
        .classify(|error: &u16| classify::http_status(*error))
        .breaker(&BREAKER.0)
        .budget(&BUDGET.0)
        .execute(|_| other_operation());
    output(outcome.attempts);
    match outcome.result {
        Ok(value) => output(value as u32),
        Err(error) => output(u32::from(error.into_error().unwrap_or(0))),
    }
    let outcome = Retry::fixed(Calls, Board, from_fn(random))
        .classify(|error: &i16| classify::http_status(error.unsigned_abs()))
        .breaker(&BREAKER.0)
        .budget(&BUDGET.0)
        .execute(|_| third_operation());
    output(outcome.attempts);
    match outcome.result {
        Ok(value) => output(value as u32),
        Err(error) => output(error.into_error().map_or(0, i32::from) as u32),
    }
}

image!(job);
