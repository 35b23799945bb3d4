use redress::breaker::{FailureRule, FailureTimes};
use redress::{checked, Breaker, BreakerConfig, Duration, ErrorClass};

static CONFIG: BreakerConfig<FailureRule> =
    BreakerConfig::failures(5, Duration::from_secs(60)).class_threshold(ErrorClass::RateLimit, 3);

static BREAKER: Breaker<FailureTimes<5>> = checked!(Breaker::<FailureTimes<5>>::new(&CONFIG));

fn main() {
    let _ = &BREAKER;
}
