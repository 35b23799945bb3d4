//! What microcontrollers show, in an emulator.

use crate::{Count, Suite};

impl Suite {
    pub(crate) fn mcu(&mut self) {
        let build = "cargo build -p redress-embassy --target thumbv7em-none-eabihf";
        self.step("embassy adapter builds", build, Count::One);
        // Firmware is a workspace of its own: the host's formatting and lints do not see it.
        let node = "cargo fmt --check --manifest-path examples/sensor-node/Cargo.toml";
        self.step("formatting of the sensor node", node, Count::One);
        let node = "cargo clippy --release --manifest-path examples/sensor-node/Cargo.toml \
                    --target thumbv7m-none-eabi -- -D warnings";
        self.step("lints of the sensor node", node, Count::One);
        let node = "cargo run --quiet -p flaky-service --bin demo -- --mcu";
        self.step("sensor node comes through every fault", node, Count::One);
    }
}
