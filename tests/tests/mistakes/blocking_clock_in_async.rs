use redress::{Backoff, Duration, ErrorClass, Policy, policy};

const UPSTREAM: Policy = policy! { Policy::builder().backoff(Backoff::constant(Duration::ZERO)) };

async fn fetch() {
    let mut retry = UPSTREAM.on_system().classify(|(): &()| ErrorClass::Transient);
    let _ = retry.call_async(async |_| Ok(())).await;
}

fn main() {
    let _ = fetch();
}
