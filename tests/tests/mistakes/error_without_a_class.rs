use redress::{Backoff, Duration, Policy, policy};

const UPSTREAM: Policy = policy! { Policy::builder().backoff(Backoff::constant(Duration::ZERO)) };

#[derive(Debug)]
struct BusError;

fn main() {
    let _ = UPSTREAM.on_system().call(|_| Err::<(), _>(BusError));
}
