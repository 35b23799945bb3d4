use redress::time::MonotonicClock;
use redress::{policy, Backoff, Duration, ErrorClass, Policy};

const UPSTREAM: Policy = policy! { Policy::builder().backoff(Backoff::constant(Duration::ZERO)) };

fn main() {
    let mut retry = UPSTREAM.on(MonotonicClock, 4).classify(|(): &()| ErrorClass::Transient);
    let _ = retry.call(|_| Ok(()));
}
