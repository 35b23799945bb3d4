use redress::{Backoff, Duration, Error, ErrorClass, Policy, policy};

const UPSTREAM: Policy = policy! { Policy::builder().backoff(Backoff::constant(Duration::ZERO)) };

fn status() -> Result<u16, Error<()>> {
    UPSTREAM
        .on_system()
        .classify(|(): &()| ErrorClass::Transient)
        .classify_value(|status: &u16| (*status >= 500).then_some(ErrorClass::ServerError))
        .call(|_| Ok(503))
}

fn main() {
    let _ = status();
}
