use redress::budget::RollingConfig;
use redress::{checked, Duration, RollingBudget};

static CONFIG: RollingConfig = RollingConfig::new(17, Duration::from_secs(60));

static BUDGET: RollingBudget<16> = checked!(RollingBudget::new(&CONFIG));

fn main() {
    let _ = &BUDGET;
}
