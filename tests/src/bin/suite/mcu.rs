//! What microcontrollers show, in an emulator.

use crate::{Count, Suite};

impl Suite {
    pub(crate) fn mcu(&mut self) {
        let build = "cargo build -p redress-embassy --target thumbv7em-none-eabihf";
        self.step("embassy adapter builds", build, Count::One);
        let node = "cargo run --quiet -p flaky-service --bin demo -- --mcu";
        self.step("sensor node comes through every fault", node, Count::One);
    }
}
