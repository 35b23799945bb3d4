//! `cargo suite`: installs what is missing, runs everything that exists, and closes
//! with the counts.

mod clients;
mod fuzz;
mod host;
mod hosts;
mod js;
mod mcu;
mod miri;
mod progress;
mod web;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};

/// Runs everything that exists and closes with `N passed, N failed, N skipped`.
///
/// Installs what is missing, as root or by a sudo that asks for no password; else it says the
/// one command to run. A step that takes long shows every half a minute how far it is. Exit
/// code 0 if nothing failed, 1 if something did.
#[derive(Parser)]
#[command(name = "suite")]
struct Arguments {
    /// What to run
    #[arg(value_enum, default_value_t = Part::All)]
    part: Part,

    /// For how many minutes, 10 by default; of `fuzz` alone
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    minutes: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The engine: lints, tests, vectors, promises, proofs, documentation
    Host,
    /// The core on bare targets, and the adapter for microcontrollers
    Mcu,
    /// The npm package
    Js,
    /// What real clients for JavaScript throw, the classes that the npm package gives it, and
    /// its adapters with their peers
    Clients,
    /// What real Rust clients return, and the classes that redress-tokio gives it
    Hosts,
    /// All of the above
    All,
    /// The programs that try to break the engine, and the mutants, for some minutes; not part
    /// of `all`
    Long,
    /// The core in thousands of mutants, and how many of them its tests notice; not part of
    /// `all`
    Mutants,
    /// Inputs that a fuzzer finds, against the core's properties; about a minute of it, always the same inputs, is in `host`
    Fuzz,
    /// The core's tests and its threads in Miri; not part of `all`, but of `long`
    Miri,
    /// The benchmarks beside peers, as tables; not part of `all`
    Bench,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.minutes.is_some() && arguments.part != Part::Fuzz {
        let why = "MINUTES is of `fuzz` alone: the other parts take as long as they take";
        Arguments::command().error(ErrorKind::ArgumentConflict, why).exit();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let (root, minutes) = (root.to_owned(), arguments.minutes);
    let (passed, failed, skipped, closing) = (0, 0, 0, Vec::new());
    let mut suite = Suite { root, passed, failed, skipped, minutes, closing };
    if let Err(why) = suite.install_toolchain() {
        eprintln!("error: {why}");
        return ExitCode::FAILURE;
    }
    let in_all = |one: Part| {
        !matches!(one, Part::Long | Part::Mutants | Part::Fuzz | Part::Miri | Part::Bench)
    };
    let runs = |one: Part| {
        arguments.part == one
            || (arguments.part == Part::All && in_all(one))
            || (arguments.part == Part::Long && matches!(one, Part::Mutants | Part::Miri))
    };
    let parts: [(Part, &str, fn(&mut Suite)); 10] = [
        (Part::Host, "host", Suite::host),
        (Part::Mcu, "mcu", Suite::mcu),
        (Part::Js, "js", Suite::js),
        (Part::Clients, "clients", Suite::clients),
        (Part::Hosts, "hosts", Suite::hosts),
        (Part::Long, "long", Suite::long),
        (Part::Mutants, "mutants", Suite::mutants),
        (Part::Fuzz, "fuzz", Suite::fuzz),
        (Part::Miri, "miri", Suite::miri),
        (Part::Bench, "bench", Suite::bench),
    ];
    let mut times = Vec::new();
    for (part, name, run) in parts {
        if runs(part) {
            let started = Instant::now();
            run(&mut suite);
            let secs = started.elapsed().as_secs();
            times.push(format!("{name} {} min {} s", secs / 60, secs % 60));
        }
    }
    println!("{}", times.join(", "));
    println!("{} passed, {} failed, {} skipped", suite.passed, suite.failed, suite.skipped);
    suite.closing.iter().for_each(|line| println!("{line}"));
    if suite.failed == 0 && suite.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How the output of a step is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Count {
    /// By the exit code alone: one.
    One,
    /// By the lines `test result: ok. N passed; ..`.
    Tests,
    /// By its last line, `N passed, N failed, N skipped`.
    Runner,
    /// By the exit code, and it is shown.
    Shown,
    /// As [`Shown`](Self::Shown), and its last line closes the suite.
    Closing,
}

struct Suite {
    root: PathBuf,
    passed: usize,
    failed: usize,
    skipped: usize,
    /// For how many minutes the fuzzer runs, if that was named.
    minutes: Option<u32>,
    /// What is printed after the counts.
    closing: Vec<String>,
}

const BARE_TARGETS: [&str; 4] = [
    "thumbv6m-none-eabi",
    "thumbv7m-none-eabi",
    "thumbv7em-none-eabihf",
    "riscv32imac-unknown-none-elf",
];

impl Suite {
    fn command(&self, line: &str) -> Command {
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or("false"));
        command.args(words).current_dir(&self.root).stdin(Stdio::null());
        command
    }

    fn step(&mut self, name: &str, line: &str, count: Count) {
        let command = self.announce(name, line);
        self.run(name, command, count);
    }

    fn announce(&self, name: &str, line: &str) -> Command {
        println!("== {name}: {}", line.split_whitespace().collect::<Vec<_>>().join(" "));
        self.command(line)
    }

    /// Runs a step that mostly waits, and `meanwhile` beside it.
    fn step_beside(
        &mut self,
        name: &str,
        line: &str,
        count: Count,
        meanwhile: impl FnOnce(&mut Self),
    ) {
        let mut command = self.announce(name, line);
        let started = Instant::now();
        let step = std::thread::spawn(move || {
            let output = progress::output(&mut command);
            (output, started.elapsed())
        });
        meanwhile(self);
        let panicked = |_| (Err(std::io::Error::other("its thread panicked")), started.elapsed());
        println!("== {name}, which ran beside these steps");
        let (output, took) = step.join().unwrap_or_else(panicked);
        self.judge(name, output, count, took);
    }

    /// Runs a step and counts it; its output is shown if it failed.
    fn run(&mut self, name: &str, mut command: Command, count: Count) {
        let _ = std::io::stdout().flush();
        let started = Instant::now();
        let output = progress::output(&mut command);
        self.judge(name, output, count, started.elapsed());
    }

    fn judge(&mut self, name: &str, output: std::io::Result<Output>, count: Count, took: Duration) {
        let output = match output {
            Ok(output) => output,
            Err(why) => {
                println!("FAILED {name}: cannot be run: {why}");
                self.failed += 1;
                return;
            }
        };
        let text = String::from_utf8_lossy(&output.stdout);
        let (passed, mut failed, skipped) = match count {
            Count::One | Count::Shown | Count::Closing => {
                (usize::from(output.status.success()), 0, 0)
            }
            Count::Tests => sum(text.lines().filter(|line| line.starts_with("test result: "))),
            Count::Runner => sum(text.lines().last().into_iter()),
        };
        if failed == 0 && (!output.status.success() || passed == 0) {
            failed = 1;
        }
        if failed > 0 {
            println!("{text}\n{}", String::from_utf8_lossy(&output.stderr));
        } else if matches!(count, Count::Shown | Count::Closing) {
            println!("{text}");
        } else if count == Count::Runner {
            let skips = text.lines().filter(|line| line.starts_with("skipped "));
            skips.for_each(|line| println!("   {line}"));
        }
        if count == Count::Closing {
            self.closing.extend(text.lines().last().map(str::to_owned));
        }
        let word = if failed > 0 { "FAILED" } else { "ok" };
        let secs = took.as_secs();
        println!("   {word}: {passed} passed, {failed} failed, {skipped} skipped, in {secs} s");
        self.passed += passed;
        self.failed += failed;
        self.skipped += skipped;
    }

    /// The pinned toolchain with its targets; rustup fetches only what is missing.
    fn install_toolchain(&self) -> Result<(), String> {
        // Under `cargo run` the environment names the toolchain; then rustup would not read
        // what else `rust-toolchain.toml` asks for.
        let rustup = |line: &str| {
            let mut command = self.command(line);
            command.env_remove("RUSTUP_TOOLCHAIN");
            command
        };
        let installed = rustup("rustup target list --installed").output();
        let installed = installed.map_err(|why| format!("rustup cannot be run: {why}"))?;
        let installed = String::from_utf8_lossy(&installed.stdout).into_owned();
        let wanted = BARE_TARGETS.into_iter().chain(["wasm32-unknown-unknown"]);
        if wanted.into_iter().all(|target| installed.lines().any(|line| line == target)) {
            return Ok(());
        }
        println!("== toolchain: rustup toolchain install --no-self-update");
        match rustup("rustup toolchain install --no-self-update").status() {
            Ok(status) if status.success() => Ok(()),
            _ => Err("the toolchain cannot be installed: run `rustup toolchain install`".into()),
        }
    }

    /// A package of the system, as root or by sudo; else the command is printed.
    fn install(&self, package: &str) -> bool {
        let root = self.command("id -u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"));
        let sudo = if root { "" } else { "sudo -n " };
        if !root && !self.command("sudo -n true").output().is_ok_and(|sudo| sudo.status.success()) {
            println!("{package} is missing: run `sudo apt-get install -y {package}`");
            return false;
        }
        println!("== {package} is missing: {sudo}apt-get install {package}");
        let run = |line: String| {
            let mut command = self.command(&line);
            command.env("DEBIAN_FRONTEND", "noninteractive");
            progress::output(&mut command).is_ok_and(|output| output.status.success())
        };
        let install = format!("{sudo}apt-get install -qy --no-install-recommends {package}");
        // An old list of packages may do, and a new one may not be had for every source.
        let _ = run(format!("{sudo}apt-get update -q"));
        let installed = run(install);
        if !installed {
            println!("{package} cannot be installed: run `sudo apt-get install -y {package}`");
        }
        installed
    }
}

fn exists(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
}

/// The numbers before `passed`, `failed` and `skipped` or `ignored`, over all lines.
fn sum<'l>(lines: impl Iterator<Item = &'l str>) -> (usize, usize, usize) {
    let mut counts = (0, 0, 0);
    for line in lines {
        let words: Vec<&str> = line.split([' ', ',', ';', '.']).filter(|w| !w.is_empty()).collect();
        for pair in words.windows(2) {
            let [number, what] = pair else { continue };
            let number = number.parse::<usize>().unwrap_or(0);
            match *what {
                "passed" => counts.0 += number,
                "failed" => counts.1 += number,
                "skipped" | "ignored" => counts.2 += number,
                _ => {}
            }
        }
    }
    counts
}
