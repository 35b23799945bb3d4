//! `cargo suite`: installs what is missing, runs everything that exists, and closes
//! with the counts.

mod clients;
mod fuzz;
mod host;
mod hosts;
mod js;
mod list;
mod mcu;
mod miri;
mod needs;
mod plan;
mod progress;
mod release;
mod run;
mod took;
mod tools;
mod web;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};

use crate::plan::Step;
use crate::run::Runner;

/// Runs everything that exists and closes with `N passed, N failed, N skipped`.
///
/// Installs what is missing, as root or by a sudo that asks for no password; else it says the
/// one command to run. A step that takes long shows every half a minute how far it is. Exit
/// code 0 if nothing failed, 1 if something did.
#[derive(Parser)]
#[command(name = "suite", bin_name = "cargo suite")]
struct Arguments {
    /// What to run
    #[arg(value_enum, default_value_t = Part::All)]
    part: Part,

    /// For how many minutes, 10 by default; of `fuzz` alone
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    minutes: Option<u32>,

    /// Run nothing: print every step, what it shows, what it needs, and how long it took here; of all
    /// parts, if none is named
    #[arg(long)]
    list: bool,

    /// Run only the steps that show something with these words
    #[arg(long, value_name = "WORDS", conflicts_with = "list")]
    only: Option<String>,
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
    /// A dry run of the release: crates and package from a fresh clone, in empty projects; the crates
    /// of the tree as it is are in `host`
    Release,
    /// The benchmarks beside peers, as tables; not part of `all`
    Bench,
}

/// What the steps depend on.
pub(crate) struct Project {
    root: PathBuf,
    /// For how many minutes the fuzzer runs, if that was named.
    minutes: Option<u32>,
}

impl Part {
    /// The parts that this one runs, in their order.
    fn runs(self) -> Vec<Self> {
        match self {
            Self::All => vec![Self::Host, Self::Mcu, Self::Js, Self::Clients, Self::Hosts],
            Self::Long => vec![Self::Long, Self::Mutants, Self::Miri],
            one => vec![one],
        }
    }

    fn steps(self, project: &Project) -> Vec<Step> {
        match self {
            Self::Host => host::steps(&project.root),
            Self::Mcu => mcu::steps(),
            Self::Js => js::steps(),
            Self::Clients => clients::steps(),
            Self::Hosts => hosts::steps(),
            Self::All => Vec::new(),
            Self::Long => [host::long(), hosts::long(), clients::long(), mcu::long()]
                .into_iter()
                .flatten()
                .collect(),
            Self::Mutants => host::mutants(),
            Self::Fuzz => fuzz::steps(project.minutes),
            Self::Miri => miri::steps(),
            Self::Release => release::steps(),
            Self::Bench => host::bench(),
        }
    }

    /// The most minutes it takes on two cores with nothing built, where there is a bound.
    fn minutes(self) -> Option<u32> {
        match self {
            Self::Host => Some(14),
            Self::Mcu => Some(16),
            Self::Js | Self::Hosts => Some(12),
            Self::Clients => Some(10),
            Self::Release => Some(release::MINUTES),
            Self::All => self.runs().into_iter().map(Self::minutes).sum(),
            Self::Long | Self::Mutants | Self::Fuzz | Self::Miri | Self::Bench => None,
        }
    }

    fn time(self) -> String {
        match self.minutes() {
            Some(most) => {
                format!("at most {most} minutes on two cores where nothing is built yet")
            }
            None if self == Self::Fuzz => {
                format!("{} minutes, or as many as are named, after its build", fuzz::MINUTES)
            }
            None => "without a bound of time: `all` does not run it".to_owned(),
        }
    }

    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    fn about(self) -> String {
        let value = self.to_possible_value();
        value.and_then(|value| Some(value.get_help()?.to_string())).unwrap_or_default()
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.minutes.is_some() && arguments.part != Part::Fuzz {
        let why = "MINUTES is of `fuzz` alone: the other parts take as long as they take";
        Arguments::command().error(ErrorKind::ArgumentConflict, why).exit();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let project = Project { root: root.to_owned(), minutes: arguments.minutes };
    if arguments.list {
        let every = |part: &Part| *part != Part::All;
        let parts: Vec<Part> = match arguments.part {
            Part::All => Part::value_variants().iter().copied().filter(every).collect(),
            part => part.runs(),
        };
        // The reader may be gone, as after `| head`.
        let _ = std::io::stdout().write_all(list::of(&parts, &project).as_bytes());
        return ExitCode::SUCCESS;
    }
    run(&arguments, &project)
}

fn run(arguments: &Arguments, project: &Project) -> ExitCode {
    let chosen = |step: &Step| {
        arguments.only.as_ref().is_none_or(|words| {
            step.shows.contains(words)
                || step.meanwhile.iter().any(|step| step.shows.contains(words))
        })
    };
    let parts: Vec<(Part, Vec<Step>)> = arguments
        .part
        .runs()
        .into_iter()
        .map(|part| (part, part.steps(project).into_iter().filter(chosen).collect()))
        .collect();
    let count: usize = parts.iter().map(|(_, steps)| list::count(steps)).sum();
    println!(
        "`cargo suite {}` installs what is missing, runs {count} steps and closes with the counts: {}; \
         `cargo suite --list` tells every step",
        arguments.part.name(),
        arguments.part.time(),
    );
    if let Err(why) = needs::toolchain(&project.root) {
        eprintln!("error: {why}");
        return ExitCode::FAILURE;
    }
    let mut runner = Runner::new(project.root.clone());
    let mut times = Vec::new();
    for (part, steps) in parts {
        let started = Instant::now();
        runner.steps(steps);
        let secs = started.elapsed().as_secs();
        times.push(format!("{} {} min {} s", part.name(), secs / 60, secs % 60));
    }
    println!("{}", times.join(", "));
    println!("{} passed, {} failed, {} skipped", runner.passed, runner.failed, runner.skipped);
    runner.closing.iter().for_each(|line| println!("{line}"));
    if runner.failed == 0 && runner.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> Project {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
        Project { root: root.to_owned(), minutes: None }
    }

    /// Each command with its environment.
    fn lines(steps: &[Step], all: &mut Vec<(String, String)>) {
        for step in steps {
            assert!(!step.shows.is_empty(), "{} shows nothing", step.line);
            all.push((format!("{:?}", step.environment), step.line.clone()));
            lines(&step.meanwhile, all);
        }
    }

    #[test]
    fn no_step_runs_twice_in_what_is_run_at_once() {
        for part in [Part::All, Part::Long] {
            let mut all = Vec::new();
            part.runs().into_iter().for_each(|part| lines(&part.steps(&project()), &mut all));
            let count = all.len();
            assert!(count > 5, "{} has {count} steps", part.name());
            all.sort();
            all.dedup();
            assert_eq!(all.len(), count);
        }
    }

    #[test]
    fn the_list_has_every_step_of_every_part_with_what_it_needs() {
        let parts: Vec<Part> = Part::value_variants().to_vec();
        let text = list::of(&parts, &project());
        for part in parts {
            assert!(text.contains(&format!("{}: {}", part.name(), part.about())));
            let mut all = Vec::new();
            lines(&part.steps(&project()), &mut all);
            let missing = |(_, line): &&(String, String)| !text.contains(line.as_str());
            assert_eq!(all.iter().find(missing), None, "{}", part.name());
        }
        assert!(text.contains("needs qemu-system-arm, qemu-system-riscv32 (qemu-system-misc)"));
    }
}
