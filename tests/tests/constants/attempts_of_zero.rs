use redress::{policy, Backoff, Duration, Policy};

const NEVER: Policy = policy! {
    Policy::builder().max_attempts(0).backoff(Backoff::constant(Duration::ZERO))
};

fn main() {
    let _ = NEVER;
}
