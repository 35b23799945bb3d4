//! Runs tests: each once to see what it reaches, then for each mutant those that reach it.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use wait_timeout::ChildExt;

use crate::Mutant;
use crate::tree::{Tree, output};

/// What the switch ends a program with that calls it too often.
const OUT_OF_FUEL: i32 = 97;

/// Tests that say nothing about the mutated core: they build something else.
const LEFT_OUT: [&str; 1] = ["wasm::"];

/// A test that takes less shares a process with others.
const QUICK: Duration = Duration::from_millis(150);

/// A test that reaches mutants more often is not run: it takes seconds, for each mutant.
const MOST_CALLS: u64 = 1 << 25;

/// One test, as it is without a mutant.
pub(crate) struct Test {
    program: PathBuf,
    target: String,
    /// `None` for a program that is a test as a whole.
    name: Option<String>,
    takes: Duration,
    /// How often it asks for the mutant, at most.
    calls: u64,
    /// The first numbers of the places that it reaches.
    reaches: HashSet<u32>,
}

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Noticed by these tests, of which at least one failed.
    Killed(String),
    /// These tests no longer ended.
    TimedOut(String),
    /// No test has noticed it.
    Survived,
    /// No test reaches it.
    NotReached,
}

/// Lists the tests of the programs and runs each once.
pub(crate) fn record(
    tree: &Tree,
    programs: &[(String, PathBuf)],
    jobs: usize,
    say: &(dyn Fn(String) + Sync),
) -> Result<Vec<Test>, String> {
    let mut names = Vec::new();
    for (target, program) in programs {
        if target == "conformance" {
            names.push((target, program, None));
            continue;
        }
        let listed = output(Command::new(program).args(["--list", "--format", "terse"]))?;
        for line in String::from_utf8_lossy(&listed.stdout).lines() {
            let Some(name) = line.strip_suffix(": test") else { continue };
            if !LEFT_OUT.iter().any(|left_out| name.starts_with(left_out)) {
                names.push((target, program, Some(name.to_owned())));
            }
        }
    }
    let folder = tree.copy.with_file_name("seen");
    fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let total = names.len();
    let recorded = in_parallel(jobs, &names, |nth, (target, program, name)| {
        let test = Test {
            program: (*program).clone(),
            target: (*target).clone(),
            name: name.clone(),
            takes: Duration::ZERO,
            calls: 0,
            reaches: HashSet::new(),
        };
        say(format!("{nth} of {total} tests recorded"));
        record_one(tree, test, &folder.join(nth.to_string()))
    });
    let mut tests = recorded.into_iter().collect::<Result<Vec<Test>, String>>()?;
    for test in tests.extract_if(.., |test| test.calls > MOST_CALLS) {
        println!("left out, as it is too long for each mutant: {}", test.shown());
    }
    tests.sort_by_key(|test| test.takes);
    Ok(tests)
}

fn record_one(tree: &Tree, mut test: Test, file: &Path) -> Result<Test, String> {
    let _ = fs::remove_file(file);
    let started = Instant::now();
    let mut command = command(tree, &[&test]);
    command.env("REDRESS_MUTANT", "0").env("REDRESS_MUTANT_SEEN", file);
    let ended = output(&mut command)?;
    test.takes = started.elapsed();
    if !ended.status.success() {
        let text = String::from_utf8_lossy(&ended.stdout);
        return Err(format!("{} fails without a mutant:\n{text}", test.shown()));
    }
    let text = fs::read_to_string(file).unwrap_or_default();
    let _ = fs::remove_file(file);
    for line in text.lines() {
        let Some((place, calls)) = line.split_once(' ') else { continue };
        test.reaches.extend(place.parse::<u32>().ok());
        test.calls = test.calls.max(calls.parse().unwrap_or(0));
    }
    Ok(test)
}

impl Test {
    fn shown(&self) -> String {
        let name = self.name.as_deref().map_or(String::new(), |name| format!("::{name}"));
        format!("{}{name}", self.target)
    }
}

/// A command that runs tests of one program, and stops at the first that fails.
fn command(tree: &Tree, tests: &[&Test]) -> Command {
    let program = tests.first().map_or_else(PathBuf::new, |test| test.program.clone());
    let mut command = Command::new(program);
    let folder = tree.copy.join(match tests.first().map(|test| test.target.as_str()) {
        Some("redress") => "core",
        _ => "tests",
    });
    command.current_dir(folder).stdin(Stdio::null());
    // So that a mutant meets the same cases in each run.
    command.env("PROPTEST_RNG_SEED", "1").env("RUST_BACKTRACE", "0");
    // Each of thousands of mutants meets these: the promises themselves are kept elsewhere.
    command.env("REDRESS_CASES", "100");
    // `--fail-fast` needs it.
    command.env("RUSTC_BOOTSTRAP", "1");
    let names: Vec<&String> = tests.iter().filter_map(|test| test.name.as_ref()).collect();
    if names.is_empty() {
        return with(command, &["vectors/engine.json", "vectors/classifiers.json"]);
    }
    command.args(names);
    with(command, &["--exact", "--test-threads=1", "-Zunstable-options", "--fail-fast"])
}

fn with(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments);
    command
}

/// Tests that have noticed mutants of a file, the latest first: they notice others, too.
#[derive(Default)]
pub(crate) struct Killers(Mutex<HashMap<String, Vec<String>>>);

impl Killers {
    fn of(&self, file: &str) -> Vec<String> {
        self.0.lock().ok().and_then(|all| all.get(file).cloned()).unwrap_or_default()
    }

    fn killed(&self, file: &str, test: &str) {
        let Ok(mut all) = self.0.lock() else { return };
        let of = all.entry(file.to_owned()).or_default();
        of.retain(|other| other != test);
        of.insert(0, test.to_owned());
    }
}

/// How many tests are in the first runs of a mutant; all others come after them.
const FIRST_RUNS: [usize; 3] = [6, 12, 40];

/// Tries a mutant at the place with the number `first`: runs the tests that reach it, those
/// first that have noticed others of the same file, then the quickest ones.
pub(crate) fn fate(
    tree: &Tree,
    tests: &[Test],
    killers: &Killers,
    mutant: &Mutant,
    shows: bool,
) -> Fate {
    let first = mutant.first;
    let reaching = tests.iter().filter(|test| test.reaches.contains(&first));
    let (mut quick, slow): (Vec<&Test>, Vec<&Test>) =
        reaching.partition(|test| test.takes < QUICK && test.name.is_some());
    if quick.is_empty() && slow.is_empty() {
        return Fate::NotReached;
    }
    let known = killers.of(&mutant.file);
    let rank = |test: &&Test| known.iter().position(|name| *name == test.shown());
    quick.sort_by_key(|test| rank(test).unwrap_or(usize::MAX));
    let mut runs: Vec<Vec<&Test>> = Vec::new();
    for size in FIRST_RUNS.into_iter().chain([usize::MAX]) {
        let rest = quick.split_off(size.min(quick.len()));
        let start = runs.len();
        for test in std::mem::replace(&mut quick, rest) {
            let mut later = runs.iter_mut().skip(start);
            match later.find(|run| run.first().is_some_and(|of| of.program == test.program)) {
                Some(run) => run.push(test),
                None => runs.push(vec![test]),
            }
        }
    }
    let (known, unknown): (Vec<&Test>, Vec<&Test>) =
        slow.into_iter().partition(|test| rank(test).is_some());
    runs.extend(known.into_iter().chain(unknown).map(|test| vec![test]));
    for run in runs {
        if let Some(fate) = run_one(tree, &run, mutant.number, shows) {
            if let Fate::Killed(test) | Fate::TimedOut(test) = &fate {
                killers.killed(&mutant.file, test);
            }
            return fate;
        }
    }
    Fate::Survived
}

fn run_one(tree: &Tree, run: &[&Test], number: u32, shows: bool) -> Option<Fate> {
    let calls: u64 = run.iter().map(|test| test.calls).sum();
    let takes: Duration = run.iter().map(|test| test.takes).sum();
    let mut command = command(tree, run);
    command.env("REDRESS_MUTANT", number.to_string());
    command.env("REDRESS_MUTANT_FUEL", (calls.saturating_mul(20) + 200_000).to_string());
    let file = tree.copy.with_file_name("seen").join(format!("output-{number}"));
    let mut shown = match run {
        [only] => only.shown(),
        [first, ..] => format!("{}: {} tests", first.target, run.len()),
        [] => String::new(),
    };
    if !shows {
        let Ok(said) = fs::File::create(&file) else {
            return Some(Fate::Killed(format!("{} cannot be written", file.display())));
        };
        command.stdout(said).stderr(Stdio::null());
    }
    let Ok(mut child) = command.spawn() else {
        return Some(Fate::Killed(format!("{shown} cannot be run")));
    };
    let limit = (takes * 10).max(Duration::from_secs(10));
    let status = child.wait_timeout(limit);
    if matches!(status, Ok(None) | Err(_)) {
        let _ = child.kill();
        let _ = child.wait();
    }
    let said = fs::read(&file).unwrap_or_default();
    let _ = fs::remove_file(&file);
    // The test that failed, or after whose name the output ends.
    for line in String::from_utf8_lossy(&said).lines() {
        if let Some((name, how)) = line.strip_prefix("test ").and_then(|l| l.split_once(" ... "))
            && (how.is_empty() || how.starts_with("FAILED"))
            && let Some(test) = run.iter().find(|test| test.name.as_deref() == Some(name))
        {
            shown = test.shown();
        }
    }
    match status {
        Ok(Some(status)) if status.success() => None,
        Ok(Some(status)) if status.code() != Some(OUT_OF_FUEL) => Some(Fate::Killed(shown)),
        _ => Some(Fate::TimedOut(shown)),
    }
}

/// Does something with each item, some at the same time; the results in the order of items.
pub(crate) fn in_parallel<I: Sync, R: Send>(
    jobs: usize,
    items: &[I],
    work: impl Fn(usize, &I) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(nth) else { return };
                    let result = work(nth, item);
                    if let Ok(mut results) = results.lock() {
                        results.push((nth, result));
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_default();
    results.sort_by_key(|(nth, _)| *nth);
    results.into_iter().map(|(_, result)| result).collect()
}
