use redress::breaker::{FailureRule, FailureTimes};
use redress::{policy, Backoff, Breaker, BreakerConfig, Duration, ErrorClass, Policy};

const UPSTREAM: Policy = policy! { Policy::builder().backoff(Backoff::constant(Duration::ZERO)) };
const SETTINGS: BreakerConfig<FailureRule> = BreakerConfig::failures(5, Duration::from_secs(60));

fn main() {
    let breaker = Breaker::<FailureTimes<5>>::new(&SETTINGS).unwrap();
    let mut retry = UPSTREAM.on_system().classify(|(): &()| ErrorClass::Transient).breaker(breaker);
    let _ = retry.call(|_| Ok(()));
}
