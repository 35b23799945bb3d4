use redress::{Backoff, Duration, ErrorClass, Event, Policy, policy};

const UPSTREAM: Policy = policy! { Policy::builder().backoff(Backoff::constant(Duration::ZERO)) };

fn main() {
    let log = |event: &Event<'_>| println!("{event:?}");
    let mut retry =
        UPSTREAM.on_system().classify(|(): &()| ErrorClass::Transient).observer(log);
    let _ = retry.call(|_| Ok(()));
}
