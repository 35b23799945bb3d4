//! What microcontrollers show, in an emulator.

use crate::{BARE_TARGETS, Count, Suite, exists};

/// Emulators, and the package each is in.
const EMULATORS: [(&str, &str); 2] =
    [("qemu-system-arm", "qemu-system-arm"), ("qemu-system-riscv32", "qemu-system-misc")];

const BOARDS: [(&str, &str); 4] = [
    ("microbit", "Cortex-M0"),
    ("lm3s6965evb", "Cortex-M3"),
    ("mps2-an386", "Cortex-M4F"),
    ("virt", "RISC-V"),
];

const PARTS: [(&str, &str); 11] = [
    ("timing", "delays and timeouts to the tick"),
    ("bus", "a bus that hangs, and one that is recovered"),
    ("timerless", "no timer where nothing takes time"),
    ("blocking", "firmware without an executor"),
    ("together", "calls together at a breaker and a budget"),
    ("cancelling", "calls that are cancelled and aborted"),
    ("crowd", "more tasks than a timer queue holds"),
    ("deep-sleep", "a call that sleeps through its delays"),
    ("restart", "a clock that begins anew"),
    ("sharing", "a breaker shared with interrupts"),
    ("endurance", "a million calls"),
];

/// A program for a board that people own.
struct Owned {
    board: &'static str,
    /// In examples.
    folder: &'static str,
    package: &'static str,
    target: &'static str,
}

const PICO: Owned = Owned {
    board: "a Raspberry Pi Pico",
    folder: "boards",
    package: "pico",
    target: "thumbv6m-none-eabi",
};
const NUCLEO: Owned = Owned {
    board: "a Nucleo-F411RE",
    folder: "boards",
    package: "nucleo-f411re",
    target: "thumbv7em-none-eabihf",
};
/// Long to build: it is in the long form.
const ESP: Owned = Owned {
    board: "an ESP32-C6",
    folder: "boards",
    package: "esp32-c6",
    target: "riscv32imac-unknown-none-elf",
};
/// Likewise.
const PICO_NODE: Owned = Owned {
    board: "a W5500-EVB-Pico",
    folder: "pico-node",
    package: "pico-node",
    target: "thumbv6m-none-eabi",
};

impl Owned {
    /// With a target folder for all of them, so that they share what is built for the host.
    fn cargo(&self, command: &str) -> String {
        let Self { folder, package, target, .. } = self;
        format!(
            "cargo {command} --release --locked --manifest-path examples/{folder}/Cargo.toml \
             -p {package} --target {target} --target-dir target/boards"
        )
    }
}

const FIRMWARE: &str = "cargo run --quiet --release -p redress-tests --bin firmware --";

impl Suite {
    /// The core as it is, for every processor.
    fn bare(&mut self) {
        for target in BARE_TARGETS {
            let build = format!("cargo build -p redress --target {target}");
            self.step(&format!("no alloc on {target}"), &build, Count::One);
        }
        let features = "cargo build -p redress --target thumbv6m-none-eabi \
                        --features defmt,embedded-hal,embedded-hal-async,serde";
        self.step("features on thumbv6m-none-eabi", features, Count::One);
        let panics = "cargo run --quiet --release -p redress-tests --bin nopanic";
        self.step("no panic left", panics, Count::Runner);
    }

    pub(crate) fn mcu(&mut self) {
        self.bare();
        let features = "defmt,log,rand-core-06,rand-core-09,embedded-hal,embedded-hal-nb,embedded-io,\
                        embedded-can,embassy-net,embassy-net-udp,reqwless,rust-mqtt,minimq,cyw43,atat,\
                        storage,sequential-storage";
        let build = format!(
            "cargo build -p redress-embassy --target thumbv6m-none-eabi --features {features}"
        );
        self.step("embassy adapter with all features on thumbv6m-none-eabi", &build, Count::One);
        let program = format!("{FIRMWARE} driverless");
        self.step("the program in the docs, with and without a driver", &program, Count::Runner);
        let recipes =
            "cargo test --quiet --doc --manifest-path tests/firmware/Cargo.toml -p recipes";
        self.step("recipes of redress-embassy", recipes, Count::Tests);
        for (emulator, package) in EMULATORS {
            if !exists(emulator, "--version") && !self.install(package) {
                self.failed += 1;
                return;
            }
        }
        for (board, processor) in BOARDS {
            let images = format!("{FIRMWARE} images {board}");
            self.step(&format!("images for {processor} build"), &images, Count::Runner);
            let vectors = format!(
                "{FIRMWARE} conformance {board} \
                 tests/vectors/engine.json tests/vectors/classifiers.json"
            );
            self.step(&format!("conformance vectors on {processor}"), &vectors, Count::Runner);
            for (part, name) in PARTS {
                let line = format!("{FIRMWARE} {part} {board}");
                self.step(&format!("{name} on {processor}"), &line, Count::Runner);
            }
        }
        let hal = format!("{FIRMWARE} hal");
        self.step("classes of a HAL's own errors", &hal, Count::Runner);
        let loops = format!("{FIRMWARE} loops");
        self.step("a bare loop, and tasks of RTIC", &loops, Count::Runner);
        let ticks = format!("{FIRMWARE} ticks");
        self.step("delays and images at 32,768 Hz", &ticks, Count::Runner);
        let figures = format!("{FIRMWARE} figures");
        self.step("figures of all processors, beside peers", &figures, Count::Runner);
        let firmware = "cargo clippy --release --manifest-path tests/firmware/Cargo.toml \
                        -p board -p firmware -p loops -p prices -p redress-wire \
                        --target thumbv7m-none-eabi -- -D warnings";
        self.step("lints of the firmware images", firmware, Count::One);
        let nrf = "cargo clippy --release --manifest-path tests/firmware/Cargo.toml \
                   -p hal -p thermometer -p prices --no-default-features \
                   --features prices/tick-hz-32_768,prices/further,thermometer/time-driver \
                   --target thumbv7em-none-eabihf -- -D warnings";
        self.step("lints of the images at 32,768 Hz", nrf, Count::One);
        let cuts = "cargo clippy --release --manifest-path tests/power-cut/Cargo.toml \
                    --workspace --target thumbv7m-none-eabi -- -D warnings";
        self.step("lints of the image for power cuts", cuts, Count::One);
        let cuts = "cargo run --quiet -p redress-tests --bin power_cut";
        self.step("power cuts while the state is saved", cuts, Count::Runner);
        // A workspace of its own, which the host's lints do not see.
        let node = "cargo clippy --release --manifest-path examples/sensor-node/Cargo.toml \
                    --target thumbv7m-none-eabi -- -D warnings";
        self.step("lints of the sensor node", node, Count::One);
        let node = "cargo run --quiet -p flaky-service --bin demo -- --mcu";
        self.step("sensor node comes through every fault", node, Count::One);
        // Ten kills are a minute and a half of waiting.
        self.session(10, Self::boards);
    }

    fn lints_of(&mut self, program: &Owned) {
        let lints = program.cargo("clippy") + " -- -D warnings";
        self.step(&format!("lints of the program for {}", program.board), &lints, Count::One);
    }

    fn build_of(&mut self, program: &Owned) {
        let build = program.cargo("build");
        self.step(&format!("the program for {} builds", program.board), &build, Count::One);
    }

    /// Programs for boards that people own, and one of them in an emulator of its chip.
    fn boards(&mut self) {
        for program in [PICO, NUCLEO] {
            self.lints_of(&program);
            self.build_of(&program);
        }
        for program in ["npm", "node"] {
            if !exists(program, "--version") && !self.install("npm") {
                self.failed += 1;
                return;
            }
        }
        if !self.is_installed("tests/boards") {
            let install = "npm ci --prefix tests/boards";
            self.step("the emulator of an RP2040", install, Count::One);
        }
        let emulated = "node tests/boards/emulate.mjs \
                        target/boards/thumbv6m-none-eabi/release/pico";
        self.step("a thermometer on an RP2040", emulated, Count::Runner);
    }

    /// The node's session with a broker: a hundred kills, and ten minutes of one that accepts and drops;
    /// beside it, the boards that take long to build, and what more costs.
    pub(crate) fn mcu_long(&mut self) {
        self.session(100, |suite| {
            for program in [ESP, PICO_NODE] {
                suite.lints_of(&program);
                suite.build_of(&program);
            }
            let further = format!("{FIRMWARE} further");
            suite.step(
                "what a further operation and a longer window take",
                &further,
                Count::Runner,
            );
        });
    }

    /// The node's session with a broker, which is killed this many times, and `meanwhile` beside it.
    fn session(&mut self, kills: u32, meanwhile: impl FnOnce(&mut Self)) {
        for (program, package) in [
            ("mosquitto", "mosquitto"),
            ("mosquitto_sub", "mosquitto-clients"),
            ("dnsmasq", "dnsmasq-base"),
        ] {
            // What they exit with when asked for help differs. By `-h` dnsmasq starts to serve.
            let is_there = || std::process::Command::new(program).arg("--help").output().is_ok();
            if !is_there() && !self.install(package) {
                self.failed += 1;
                return;
            }
        }
        let node =
            format!("cargo run --quiet -p flaky-service --bin demo -- --mcu --kills {kills}");
        let name = format!("sensor node keeps its session through {kills} kills of its broker");
        self.step_beside(&name, &node, Count::One, meanwhile);
    }
}
