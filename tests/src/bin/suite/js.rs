//! What JavaScript runtimes show.

use crate::{Count, Suite};

impl Suite {
    pub(crate) fn js(&mut self) {
        let build = "cargo build -p redress-wasm --target wasm32-unknown-unknown";
        self.step("wasm adapter builds", build, Count::One);
    }
}
