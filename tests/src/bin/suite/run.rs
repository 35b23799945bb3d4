//! Runs steps and counts what they show.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::needs::{self, Need};
use crate::plan::{Count, Step};
use crate::took::Took;
use crate::{fuzz, progress};

/// The counts of all steps so far.
pub(crate) struct Runner {
    root: PathBuf,
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
    /// What is printed after the counts.
    pub(crate) closing: Vec<String>,
    /// Each need that was looked for, and why it is not met.
    met: HashMap<Need, Result<(), String>>,
    took: Took,
}

impl Runner {
    pub(crate) fn new(root: PathBuf) -> Self {
        let took = Took::read(&root);
        let (passed, failed, skipped, closing, met) = (0, 0, 0, Vec::new(), HashMap::new());
        Self { root, passed, failed, skipped, closing, met, took }
    }

    pub(crate) fn steps(&mut self, steps: Vec<Step>) {
        for step in steps {
            self.step(step);
        }
    }

    /// Runs a step with those beside it; its output is shown if it failed.
    fn step(&mut self, mut step: Step) {
        let meanwhile = std::mem::take(&mut step.meanwhile);
        if let Err(why) = self.prepare(&step) {
            println!("FAILED {}: {why}", step.shows);
            self.failed += 1;
            self.steps(meanwhile);
            return;
        }
        println!("== {}: {}", step.shows, step.line);
        let _ = std::io::stdout().flush();
        let mut command = self.command(&step);
        let started = Instant::now();
        if meanwhile.is_empty() {
            let output = progress::output(&mut command);
            self.judge(&step, output, started.elapsed());
            return;
        }
        let running = std::thread::spawn(move || {
            let output = progress::output(&mut command);
            (output, started.elapsed())
        });
        self.steps(meanwhile);
        let panicked = |_| (Err(std::io::Error::other("its thread panicked")), started.elapsed());
        println!("== {}, which ran beside these steps", step.shows);
        let (output, took) = running.join().unwrap_or_else(panicked);
        self.judge(&step, output, took);
    }

    fn prepare(&mut self, step: &Step) -> Result<(), String> {
        for need in &step.needs {
            let met = self.met.entry(*need).or_insert_with(|| need.meet(&self.root));
            met.clone().map_err(|why| format!("it needs {need}: {why}"))?;
        }
        step.prepare.as_ref().map_or(Ok(()), |prepare| prepare(&self.root))
    }

    fn command(&self, step: &Step) -> Command {
        let mut command = needs::command(&self.root, &step.line);
        for (name, value) in &step.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    fn judge(&mut self, step: &Step, output: std::io::Result<Output>, took: Duration) {
        let output = match output {
            Ok(output) => output,
            Err(why) => {
                println!("FAILED {}: cannot be run: {why}", step.shows);
                self.failed += 1;
                return;
            }
        };
        let text = String::from_utf8_lossy(&output.stdout);
        let succeeded = output.status.success();
        let (passed, mut failed, skipped) = match step.count {
            Count::One | Count::Shown | Count::Closing | Count::Fuzz => (succeeded.into(), 0, 0),
            // It exits with 1 if nothing matches, and with 128 if it cannot look.
            Count::NoMatch => (usize::from(output.status.code() == Some(1)), 0, 0),
            Count::Tests => sum(text.lines().filter(|line| line.starts_with("test result: "))),
            Count::Runner => sum(text.lines().last().into_iter()),
        };
        if failed == 0 && (passed == 0 || (!succeeded && step.count != Count::NoMatch)) {
            failed = 1;
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        match step.count {
            Count::Fuzz => fuzz::show(&step.line, &errors, failed > 0),
            _ if failed > 0 => println!("{text}\n{errors}"),
            Count::Shown | Count::Closing => println!("{text}"),
            Count::Runner => {
                let skips = text.lines().filter(|line| line.starts_with("skipped "));
                skips.for_each(|line| println!("   {line}"));
            }
            Count::One | Count::NoMatch | Count::Tests => {}
        }
        if step.count == Count::Closing {
            self.closing.extend(text.lines().last().map(str::to_owned));
        }
        let word = if failed > 0 { "FAILED" } else { "ok" };
        let secs = took.as_secs();
        println!("   {word}: {passed} passed, {failed} failed, {skipped} skipped, in {secs} s");
        self.took.record(&step.line, took);
        self.passed += passed;
        self.failed += failed;
        self.skipped += skipped;
    }
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
