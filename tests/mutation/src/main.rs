//! Changes the core in thousands of small ways, all in one build, and says which of them the
//! tests notice.

mod excluded;
mod fates;
mod find;
mod operators;
mod run;
mod same;
mod tree;
mod weave;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;

use run::Fate;
use tree::Tree;

/// How many in a hundred must be killed, and how many may be excluded.
const GOAL: usize = 95;
const MOST_EXCLUDED: usize = 3;

/// Mutates the core and runs the tests that reach each mutant.
///
/// The mutants are in one build of a copy of the tree; a variable of the environment chooses
/// one. One that does not compile is none. A mutant is killed by a test that fails, or that
/// no longer ends; these are listed apart. Those that tests/mutation/excluded.txt names are the
/// same program, or differ in speed alone: they are not among the M, and are counted apart.
/// Prints the survivors as they are found, a table by file, and `N of M killed (P %)`. Exits
/// with 0 if at least 95 % are killed and at most 3 % of all are excluded.
#[derive(Parser)]
#[command(name = "mutants")]
struct Arguments {
    /// Prints the name of each mutant, with its number, and runs nothing
    #[arg(long)]
    list: bool,
    /// Only mutants of files whose path in core/src begins so
    #[arg(long, value_name = "FILE")]
    only: Option<String>,
    /// Only the mutant with this number, with the output of its tests
    #[arg(long, value_name = "NUMBER")]
    mutant: Option<u32>,
    /// Only mutants that the latest run did not kill, with what became of the others then. What
    /// was killed stays so as long as tests are only added
    #[arg(long)]
    again: bool,
    /// Only one of so many mutants: a sample, soon
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    every: u32,
    /// How many tests run at a time
    #[arg(long, value_name = "NUMBER", default_value_t = jobs())]
    jobs: usize,
}

fn jobs() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

/// One mutant that compiles.
struct Mutant {
    number: u32,
    /// The number of the first one at its place.
    first: u32,
    file: String,
    line: usize,
    name: String,
}

impl Mutant {
    fn shown(&self) -> String {
        format!("{} {} (line {})", self.number, self.name, self.line)
    }
}

/// All mutants, each with a name of its own.
fn mutants(tree: &Tree) -> Vec<Mutant> {
    let mut all = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for source in &tree.sources {
        for (nth, place) in source.places.iter().enumerate() {
            for (number, alternative) in source.left(nth, &tree.removed) {
                let Some(other) = place.alternatives.get(alternative) else { continue };
                let was = short(source.text.get(place.range.clone()).unwrap_or_default());
                let mut name = format!("{} {} [{}]", source.file, place.function, other.operator);
                for part in [was, short(&other.text)].iter().filter(|part| !part.is_empty()) {
                    let _ = write!(name, " `{part}`");
                }
                let same = seen.entry(name.clone()).or_default();
                *same += 1;
                if *same > 1 {
                    let _ = write!(name, " #{same}");
                }
                let first = source.firsts.get(nth).copied().unwrap_or(number);
                let (file, line) = (source.file.clone(), place.line);
                all.push(Mutant { number, first, file, line, name });
            }
        }
    }
    all
}

/// A text on one line, of which the middle may be missing.
fn short(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let all: Vec<char> = words.join(" ").chars().collect();
    match (all.get(..60), all.get(all.len().saturating_sub(20)..)) {
        (Some(start), Some(end)) if all.len() > 90 => {
            format!("{} .. {}", start.iter().collect::<String>(), end.iter().collect::<String>())
        }
        _ => all.into_iter().collect(),
    }
}

/// Shows how far it is: in place on a terminal, else a line every half a minute.
struct Progress {
    started: Instant,
    next: Mutex<Duration>,
    in_place: bool,
}

impl Progress {
    fn new() -> Self {
        let in_place = std::io::stdout().is_terminal();
        Self { started: Instant::now(), next: Mutex::new(Duration::ZERO), in_place }
    }

    fn say(&self, what: &str) {
        let passed = self.started.elapsed();
        let Ok(mut next) = self.next.lock() else { return };
        if passed < *next {
            return;
        }
        let interval = if self.in_place { 1 } else { 30 };
        *next = passed + Duration::from_secs(interval);
        if self.in_place {
            print!("\r\x1b[K.. {} s: {what}", passed.as_secs());
        } else {
            println!(".. {} s: {what}", passed.as_secs());
        }
        let _ = std::io::stdout().flush();
    }

    fn line(&self, what: &str) {
        let start = if self.in_place { "\r\x1b[K" } else { "" };
        println!("{start}{:>4} s: {what}", self.started.elapsed().as_secs());
    }
}

fn run(arguments: &Arguments) -> Result<bool, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let root = root.ok_or("this crate is not in tests/mutation")?;
    let excluded = excluded::excluded()?;
    let progress = Progress::new();
    let mut tree = Tree::new(root)?;
    let rounds = tree.compile(&mut |what| progress.line(what))?;
    let mut mutants = mutants(&tree);
    let total = mutants.len();
    let removed = tree.removed.len();
    progress
        .line(&format!("{total} mutants; {removed} more do not compile, known in {rounds} rounds"));
    let unknown: Vec<&str> = excluded
        .keys()
        .copied()
        .filter(|name| mutants.iter().all(|mutant| mutant.name != **name))
        .collect();
    mutants.retain(|mutant| {
        arguments.only.as_ref().is_none_or(|only| mutant.file.starts_with(only.as_str()))
            && arguments.mutant.is_none_or(|number| mutant.number == number)
            && mutant.number % arguments.every == 0
    });
    if arguments.list {
        for mutant in &mutants {
            println!("{:>5} {}", mutant.number, mutant.name);
        }
        return Ok(true);
    }
    let file = tree.copy.with_file_name("fates.txt");
    let known = if arguments.again { fates::killed(&file)? } else { HashMap::new() };
    progress.line("building the tests");
    let programs = tree.programs()?;
    let tests = run::record(&tree, &programs, arguments.jobs, &|what| progress.say(&what))?;
    progress.line(&format!("{} tests recorded", tests.len()));
    let (done, alive) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let killers = run::Killers::default();
    let shows = arguments.mutant.is_some();
    let fates = run::in_parallel(arguments.jobs, &mutants, |_, mutant| {
        if let Some(fate) = known.get(&mutant.name) {
            done.fetch_add(1, Ordering::Relaxed);
            return fate.clone();
        }
        let fate = run::fate(&tree, &tests, &killers, mutant, shows);
        let found = match &fate {
            Fate::Killed(_) => None,
            Fate::TimedOut(by) => Some(format!("timed out in {by}")),
            Fate::Survived => Some("survived".to_owned()),
            Fate::NotReached => Some("reached by no test".to_owned()),
        };
        if matches!(fate, Fate::Survived | Fate::NotReached) {
            alive.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(found) = found
            && !excluded.contains_key(&*mutant.name)
        {
            progress.line(&format!("{found}: {}", mutant.shown()));
        }
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        let alive = alive.load(Ordering::Relaxed);
        progress.say(&format!("{done} of {} mutants tried, {alive} alive", mutants.len()));
        fate
    });
    progress.line("all mutants tried");
    fates::save(&file, &mutants, &fates)?;
    println!("what became of each is in {}", file.display());
    Ok(report(&mutants, &fates, &excluded, &unknown))
}

#[derive(Default)]
struct Counts {
    mutants: usize,
    killed: usize,
    timed_out: usize,
    survived: usize,
    excluded: usize,
}

impl Counts {
    fn row(&self, name: &str) -> String {
        format!(
            "{name:<28}{:>9}{:>9}{:>11}{:>10}{:>10}",
            self.mutants, self.killed, self.timed_out, self.survived, self.excluded
        )
    }
}

fn report(
    mutants: &[Mutant],
    fates: &[Fate],
    excluded: &BTreeMap<&str, &str>,
    unknown: &[&str],
) -> bool {
    let mut files: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut all = Counts::default();
    let mut wrong: Vec<String> = unknown
        .iter()
        .map(|name| format!("excluded, but there is no such mutant: {name}"))
        .collect();
    for (mutant, fate) in mutants.iter().zip(fates) {
        let is_excluded = excluded.contains_key(&*mutant.name);
        for counts in [&mut all, files.entry(&mutant.file).or_default()] {
            counts.mutants += 1;
            match fate {
                Fate::Killed(_) => counts.killed += 1,
                Fate::TimedOut(_) => {
                    counts.killed += 1;
                    counts.timed_out += 1;
                }
                _ if is_excluded => counts.excluded += 1,
                _ => counts.survived += 1,
            }
        }
        if let Fate::Killed(by) | Fate::TimedOut(by) = fate
            && is_excluded
        {
            wrong.push(format!("excluded, but {by} notices it: {}", mutant.name));
        }
    }
    println!(
        "{:<28}{:>9}{:>9}{:>11}{:>10}{:>10}",
        "file", "mutants", "killed", "timed out", "survived", "excluded"
    );
    for (file, counts) in &files {
        println!("{}", counts.row(file));
    }
    println!("{}", all.row("all"));
    for line in &wrong {
        println!("{line}");
    }
    if all.excluded * 100 > all.mutants * MOST_EXCLUDED {
        println!("{} are excluded: at most {MOST_EXCLUDED} % may be", all.excluded);
        wrong.push(String::new());
    }
    // One that is excluded, but killed, is among the wrong ones above.
    let counted = all.mutants - all.excluded;
    println!("{} timed out, {} excluded of {}", all.timed_out, all.excluded, all.mutants);
    let tenths = (all.killed * 1000).checked_div(counted).unwrap_or(0);
    println!("{} of {counted} killed ({}.{} %)", all.killed, tenths / 10, tenths % 10);
    wrong.is_empty() && all.killed * 100 >= counted * GOAL
}
