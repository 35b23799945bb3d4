use redress::{Breaker, BreakerConfig, Duration, FailureRule, FailureTimes, settings};

settings! { Upstream: BreakerConfig<FailureRule> = BreakerConfig::failures(7, Duration::from_secs(60)) }

type Circuit = Breaker<FailureTimes<5>, 1, Upstream>;

static BREAKER: Circuit = Circuit::fixed(Upstream);

fn main() {}
