use redress::breaker::{LastOutcomes, OutcomeRule};
use redress::{checked, Breaker, BreakerConfig};

static CONFIG: BreakerConfig<OutcomeRule> = BreakerConfig::outcomes(100, 0, 10);

static BREAKER: Breaker<LastOutcomes<4>> = checked!(Breaker::<LastOutcomes<4>>::new(&CONFIG));

fn main() {
    let _ = &BREAKER;
}
