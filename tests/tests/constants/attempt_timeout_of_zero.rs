use redress::{Backoff, Duration, Policy, policy};

const HASTY: Policy = policy! {
    Policy::new()
        .attempt_timeout(Duration::ZERO)
        .backoff(Backoff::constant(Duration::from_secs(1)))
};

fn main() {
    let _ = HASTY;
}
