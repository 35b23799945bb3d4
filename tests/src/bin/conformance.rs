//! Runs conformance vectors: engine scenarios in all four drivers, classifier
//! cases, or both, told apart by what is in the file.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use redress_tests::classifiers;
use redress_tests::digest::Digest;
use redress_tests::engine::{self, Driver};
use redress_tests::report::Report;
use redress_tests::schema::Scenario;
use serde_json::Value;

/// Runs conformance vectors of the schema in tests/vectors/README.md.
///
/// Prints every failure, a line for each tag that was skipped, how many cases expect more
/// than the reference knows, the digest of all engine scenarios, and the counts. Exits with 1 if something failed, with 2 if a
/// file cannot be read.
#[derive(Parser)]
struct Arguments {
    /// JSON files of engine scenarios or classifier cases
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut report = Report::default();
    let mut digests = [Digest::default(); 4];
    let mut beyond = 0;
    for file in &arguments.files {
        let cases = match read(file) {
            Ok(cases) => cases,
            Err(why) => {
                eprintln!("error: {}: {why}", file.display());
                return ExitCode::from(2);
            }
        };
        for (i, case) in cases.into_iter().enumerate() {
            if case.get("classifier").is_some() {
                beyond += usize::from(case.get("beyond") == Some(&Value::Bool(true)));
                run_classifier(i, &case, &mut report);
            } else {
                run_engine(i, case, &mut digests, &mut report);
            }
        }
    }
    report.print_skipped();
    if beyond > 0 {
        println!("{beyond} cases go beyond the reference, by tests/vectors/classes.tsv");
    }
    println!("digest {}", digests[0]);
    println!("{report}");
    if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(file: &PathBuf) -> Result<Vec<Value>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| format!("not a JSON array of cases: {error}"))
}

fn deviation(
    tags: &[(&'static str, &'static str)],
    tag: &str,
) -> Option<(&'static str, &'static str)> {
    tags.iter().copied().find(|(name, _)| *name == tag)
}

fn run_classifier(index: usize, case: &Value, report: &mut Report) {
    let tag = case.get("quirk").and_then(Value::as_str).unwrap_or_default();
    if let Some((tag, reason)) = deviation(classifiers::DEVIATIONS, tag) {
        return report.skip(tag, reason);
    }
    report.count(&format!("classifier case {}", index + 1), classifiers::run(case));
}

fn run_engine(index: usize, case: Value, digests: &mut [Digest; 4], report: &mut Report) {
    let scenario: Scenario = match serde_json::from_value(case) {
        Ok(scenario) => scenario,
        Err(error) => {
            let name = format!("scenario {}", index + 1);
            return report.count(&name, Err(format!("not of the schema: {error}")));
        }
    };
    // Scenarios that are not compared are run all the same: the digest is of all.
    let mut result = Ok(());
    for (driver, digest) in Driver::ALL.into_iter().zip(digests.iter_mut()) {
        result = result.and(engine::run(&scenario, driver, digest));
    }
    let quirks = &scenario.quirks;
    if let Some((tag, reason)) = quirks.iter().find_map(|q| deviation(engine::DEVIATIONS, q)) {
        report.skip(tag, reason);
    } else {
        report.count(&scenario.name, result);
    }
    if digests.iter().any(|digest| *digest != digests[0]) {
        let name = format!("{} (digest)", scenario.name);
        report.count(&name, Err("the drivers take different decisions".into()));
    }
}
