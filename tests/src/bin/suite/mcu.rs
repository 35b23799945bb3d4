//! What microcontrollers show, in an emulator.

use crate::needs::{BARE_TARGETS, NPM, Need, QEMU_ARM, QEMU_RISCV};
use crate::plan::{Count, Step};

const EMULATORS: [Need; 2] = [QEMU_ARM, QEMU_RISCV];

/// What the node's session has beside its emulator.
const BROKER: [Need; 4] = [
    QEMU_ARM,
    Need::Program("mosquitto", "mosquitto"),
    Need::Program("mosquitto_sub", "mosquitto-clients"),
    Need::Program("dnsmasq", "dnsmasq-base"),
];

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

/// The core as it is, for every processor.
fn bare() -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for target in BARE_TARGETS {
        let build = format!("cargo build -p redress --target {target}");
        steps.push(Step::new(format!("no alloc on {target}"), build, Count::One));
    }
    let features = "cargo build -p redress --target thumbv6m-none-eabi \
                    --features defmt,embedded-hal,embedded-hal-async,serde";
    steps.push(Step::new("the core's features on thumbv6m-none-eabi", features, Count::One));
    let panics = "cargo run --quiet --release -p redress-tests --bin nopanic";
    steps.push(Step::new("no panic is left", panics, Count::Runner));
    steps
}

/// What needs no emulator of redress-embassy.
fn adapter() -> Vec<Step> {
    let features = "defmt,log,rand-core-06,rand-core-09,embedded-hal,embedded-hal-nb,embedded-io,\
                    embedded-can,embassy-net,embassy-net-udp,reqwless,rust-mqtt,minimq,cyw43,atat,\
                    storage,sequential-storage";
    let build =
        format!("cargo build -p redress-embassy --target thumbv6m-none-eabi --features {features}");
    let program = format!("{FIRMWARE} driverless");
    let recipes = "cargo test --quiet --doc --manifest-path tests/firmware/Cargo.toml -p recipes";
    vec![
        Step::new("redress-embassy with all features on thumbv6m-none-eabi", build, Count::One),
        Step::new("the program in the docs, with and without a driver", program, Count::Runner),
        Step::new("the recipes of redress-embassy", recipes, Count::Tests),
    ]
}

/// Every board in its emulator.
fn emulated() -> Vec<Step> {
    let mut steps = Vec::new();
    for (board, processor) in BOARDS {
        let images = format!("{FIRMWARE} images {board}");
        steps.push((format!("images for {processor} build"), images));
        let vectors = format!(
            "{FIRMWARE} conformance {board} tests/vectors/engine.json tests/vectors/classifiers.json"
        );
        steps.push((format!("conformance vectors on {processor}"), vectors));
        for (part, name) in PARTS {
            steps.push((format!("{name} on {processor}"), format!("{FIRMWARE} {part} {board}")));
        }
    }
    for (part, shows) in [
        ("hal", "classes of a HAL's own errors"),
        ("loops", "a bare loop, and tasks of RTIC"),
        ("ticks", "delays and images at 32,768 Hz"),
        ("figures", "figures of all processors, beside peers"),
    ] {
        steps.push((shows.to_owned(), format!("{FIRMWARE} {part}")));
    }
    let step = |(shows, line): (String, String)| Step::new(shows, line, Count::Runner);
    steps.into_iter().map(|one| step(one).needs(&EMULATORS)).collect()
}

/// Workspaces of their own, which the host's lints do not see.
fn lints() -> Vec<Step> {
    let firmware = "cargo clippy --release --manifest-path tests/firmware/Cargo.toml \
                    -p board -p firmware -p loops -p prices -p redress-wire \
                    --target thumbv7m-none-eabi -- -D warnings";
    let nrf = "cargo clippy --release --manifest-path tests/firmware/Cargo.toml \
               -p hal -p thermometer -p prices --no-default-features \
               --features prices/tick-hz-32_768,prices/further,thermometer/time-driver \
               --target thumbv7em-none-eabihf -- -D warnings";
    let cuts = "cargo clippy --release --manifest-path tests/power-cut/Cargo.toml \
                --workspace --target thumbv7m-none-eabi -- -D warnings";
    let node = "cargo clippy --release --manifest-path examples/sensor-node/Cargo.toml \
                --target thumbv7m-none-eabi -- -D warnings";
    vec![
        Step::new("the firmware images are without lints", firmware, Count::One),
        Step::new("the images at 32,768 Hz are without lints", nrf, Count::One),
        Step::new("the image for power cuts is without lints", cuts, Count::One),
        Step::new("the sensor node is without lints", node, Count::One),
    ]
}

pub(crate) fn steps() -> Vec<Step> {
    let cuts = "cargo run --quiet -p redress-tests --bin power_cut";
    let node = "cargo run --quiet -p flaky-service --bin demo -- --mcu";
    let mut steps = bare();
    steps.extend(adapter());
    steps.extend(emulated());
    steps.extend(lints());
    steps.extend([
        Step::new("power cuts while the state is saved", cuts, Count::Runner).needs(&[QEMU_ARM]),
        Step::new("the sensor node comes through every fault", node, Count::One).needs(&[QEMU_ARM]),
        // Ten kills are a minute and a half of waiting.
        session(10).beside(boards()),
    ]);
    steps
}

fn lints_of(program: &Owned) -> Step {
    let lints = program.cargo("clippy") + " -- -D warnings";
    Step::new(format!("the program for {} is without lints", program.board), lints, Count::One)
}

fn build_of(program: &Owned) -> Step {
    let build = program.cargo("build");
    Step::new(format!("the program for {} builds", program.board), build, Count::One)
}

/// Programs for boards that people own, and one of them in an emulator of its chip.
fn boards() -> Vec<Step> {
    let mut steps: Vec<Step> =
        [PICO, NUCLEO].iter().flat_map(|program| [lints_of(program), build_of(program)]).collect();
    let emulated = "node tests/boards/emulate.mjs \
                    target/boards/thumbv6m-none-eabi/release/pico";
    let emulated = Step::new("a thermometer on an RP2040", emulated, Count::Runner);
    steps.push(emulated.needs(&[NPM, Need::Npm("tests/boards")]));
    steps
}

/// The node's session with a broker: a hundred kills, and ten minutes of one that accepts and drops;
/// beside it, the boards that take long to build, and what more costs.
pub(crate) fn long() -> Vec<Step> {
    let mut beside: Vec<Step> = [ESP, PICO_NODE]
        .iter()
        .flat_map(|program| [lints_of(program), build_of(program)])
        .collect();
    let further = format!("{FIRMWARE} further");
    let further =
        Step::new("what a further operation and a longer window take", further, Count::Runner);
    beside.push(further.needs(&EMULATORS));
    vec![session(100).beside(beside)]
}

/// The node's session with a broker, which is killed this many times.
fn session(kills: u32) -> Step {
    let node = format!("cargo run --quiet -p flaky-service --bin demo -- --mcu --kills {kills}");
    let shows = format!("the sensor node keeps its session through {kills} kills of its broker");
    Step::new(shows, node, Count::One).needs(&BROKER)
}
