use redress::{Backoff, Duration, Policy, policy};

const NEVER: Policy = policy! {
    Policy::new().max_attempts(0).backoff(Backoff::constant(Duration::ZERO))
};

fn main() {
    let _ = NEVER;
}
