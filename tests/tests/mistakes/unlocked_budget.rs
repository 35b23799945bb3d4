use redress::budget::RollingConfig;
use redress::{policy, Backoff, Duration, ErrorClass, Policy, RollingBudget};

const UPSTREAM: Policy = policy! { Policy::builder().backoff(Backoff::constant(Duration::ZERO)) };
const SETTINGS: RollingConfig = RollingConfig::new(16, Duration::from_secs(60));

fn main() {
    let budget = RollingBudget::<16>::new(&SETTINGS).unwrap();
    let mut retry = UPSTREAM.on_system().classify(|(): &()| ErrorClass::Transient).budget(&budget);
    let _ = retry.call(|_| Ok(()));
}
