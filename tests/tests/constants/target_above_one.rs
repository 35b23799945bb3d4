use redress::backoff::{Adaptive, AdaptiveConfig};
use redress::{policy, Backoff, Duration};

const EAGER: Adaptive = policy! {
    AdaptiveConfig::new(Backoff::constant(Duration::from_secs(1))).target_success_milli(1500)
};

fn main() {
    let _ = EAGER;
}
