use redress::breaker::{FailureRule, FailureTimes};
use redress::{settings, Breaker, BreakerConfig, Duration};

settings! { Upstream: BreakerConfig<FailureRule> = BreakerConfig::failures(7, Duration::from_secs(60)) }

type Circuit = Breaker<FailureTimes<5>, 1, Upstream>;

static BREAKER: Circuit = Circuit::fixed(Upstream);

fn main() {}
