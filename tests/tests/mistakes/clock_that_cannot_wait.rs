use redress::random::SystemRandom;
use redress::time::FnClock;
use redress::{policy, Backoff, Duration, ErrorClass, Policy};

const UPSTREAM: Policy = policy! { Policy::builder().backoff(Backoff::constant(Duration::ZERO)) };

fn main() {
    let clock = FnClock(|| 0);
    let mut retry = UPSTREAM.on(clock, SystemRandom).classify(|(): &()| ErrorClass::Transient);
    let _ = retry.call(|_| Ok(()));
}
