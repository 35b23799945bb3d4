use redress::{policy, Backoff, Duration, Policy};

const HASTY: Policy = policy! {
    Policy::builder()
        .attempt_timeout(Duration::ZERO)
        .backoff(Backoff::constant(Duration::from_secs(1)))
};

fn main() {
    let _ = HASTY;
}
