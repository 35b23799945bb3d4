//! The budget of a call.

use redress::Instant;
use redress::budget::Withdraw;

use crate::budget_slot::at;
use crate::table;

/// The budget of a call, on its own clock; slot 0 for none.
pub(crate) struct CallBudget {
    pub(crate) slot: u32,
    pub(crate) now: f64,
}

impl Withdraw for CallBudget {
    fn withdraw(&self, now: Instant) -> bool {
        let now = if self.now.is_nan() { now } else { table::instant(self.now) };
        self.slot == 0 || at(self.slot).consume(1, now)
    }
}
