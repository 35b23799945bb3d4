//! What is printed, and what must hold: [`Report`].

use std::collections::BTreeMap;
use std::process::ExitCode;

use crate::load::Answer;

/// Counts the checks.
#[derive(Default)]
pub(crate) struct Report {
    passed: u32,
    failed: u32,
}

impl Report {
    /// Something that must hold.
    pub(crate) fn check(&mut self, what: &str, holds: bool) {
        let word = if holds { "ok" } else { "FAILED" };
        println!("  {word:<8} {what}");
        if holds { self.passed += 1 } else { self.failed += 1 }
    }

    pub(crate) fn close(self) -> ExitCode {
        println!("\n{} checks passed, {} failed", self.passed, self.failed);
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// The heading of a phase.
pub(crate) fn phase(name: &str) {
    println!("\n== {name} ==");
}

/// The answers by status.
pub(crate) fn statuses(answers: &[Answer]) -> String {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.word()).or_insert(0) += 1;
    }
    let counts: Vec<_> = counts.iter().map(|(name, count)| format!("{count} x {name}")).collect();
    let longest = answers.iter().map(|answer| answer.elapsed.as_millis()).max().unwrap_or(0);
    format!("{} requests: {}; longest {longest} ms", answers.len(), counts.join(", "))
}

/// What the service has logged of its calls.
#[derive(Default)]
pub(crate) struct Calls {
    counts: BTreeMap<String, u32>,
    attempts: u32,
    ended: u32,
    /// The delays before retries, in milliseconds.
    pub(crate) delays_ms: Vec<u64>,
}

impl Calls {
    /// Reads the lines of the observer for tracing.
    pub(crate) fn of(log: &str) -> Self {
        let mut calls = Self::default();
        let events = log.lines().filter_map(|line| line.split_once("observe::tracing: "));
        for (_, event) in events {
            let mut words = event.split(' ');
            let kind = words.next().unwrap_or_default();
            let number = |name: &str| {
                let value = event.split(' ').find_map(|word| word.strip_prefix(name));
                value.and_then(|value| value.parse::<u64>().ok())
            };
            *calls.counts.entry(kind.to_owned()).or_default() += 1;
            if kind == "retry" {
                calls.delays_ms.extend(number("delay_ms="));
            } else if let Some(attempts) = number("attempt=") {
                calls.ended += 1;
                calls.attempts += u32::try_from(attempts).unwrap_or(0);
            }
        }
        calls
    }

    /// How many events of this kind there were.
    pub(crate) fn count(&self, kind: &str) -> u32 {
        self.counts.get(kind).copied().unwrap_or(0)
    }

    pub(crate) fn text(&self) -> String {
        let shown = self.counts.iter().map(|(kind, count)| format!("{kind} {count}"));
        let shown: Vec<_> = shown.collect();
        format!("attempts {} in calls {}: {}", self.attempts, self.ended, shown.join(", "))
    }
}
