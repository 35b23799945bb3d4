//! Inputs that a fuzzer finds, against the properties that must hold for all: `tests/fuzz`.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use crate::needs::Need;
use crate::plan::{Count, Step};
use crate::tools;

/// The usual length of all targets together.
pub(crate) const MINUTES: u32 = 10;

/// What `host` tries of each target: about a minute in all, and the same inputs in every run. They
/// follow from the seed, where neither the compared values, addresses among them, nor the time
/// decides.
const SHORT: &str = "-seed=1 -use_cmp=0 -reload=0 -runs=150000";

/// Its targets, and what each is about.
const TARGETS: [(&str, &str); 4] = [
    ("snapshots", "any bytes as a snapshot"),
    ("calls", "calls under any policy"),
    ("state", "breakers, budgets and limiters asked in any order"),
    ("classifiers", "errors with any texts, codes and headers"),
];

/// Where it builds; the pinned toolchain has no sanitizer, and the core no unsafe code.
const BUILD: &str = "--fuzz-dir tests/fuzz --sanitizer none --target-dir target/fuzz";
/// Inputs of at most so many bytes, from the start, each for ten seconds at most.
const LIMITS: &str = "-max_len=2048 -len_control=0 -timeout=10 -print_final_stats=1";

/// All targets, for as many minutes as were named.
pub(crate) fn steps(minutes: Option<u32>) -> Vec<Step> {
    let secs = 60 * u64::from(minutes.unwrap_or(MINUTES)) / TARGETS.len() as u64;
    until(&format!("-max_total_time={secs}"), "corpus")
}

/// All targets, for a minute and always the same inputs.
pub(crate) fn short() -> Vec<Step> {
    until(SHORT, "short")
}

/// All targets, each until `end`, with what was found before in the folder `corpus`.
fn until(end: &str, corpus: &'static str) -> Vec<Step> {
    let build = format!("cargo fuzz build {BUILD}");
    let mut steps = vec![tool(Step::new("the fuzz targets build", build, Count::One))];
    for (target, about) in TARGETS {
        // What was found before is kept there, and the first to be tried.
        let found = format!("target/fuzz/{corpus}/{target}");
        let seeds = format!("target/fuzz/seeds/{target}");
        let line = format!("cargo fuzz run {BUILD} {target} {found} {seeds} -- {LIMITS} {end}");
        let shows = format!("properties hold for {about}");
        let step = Step::new(shows, line, Count::Fuzz).after(move |root| {
            let found = root.join(&found);
            if corpus == "short" {
                let _ = fs::remove_dir_all(&found);
            }
            fs::create_dir_all(&found).map_err(|why| format!("no corpus: {why}"))?;
            write_seeds(target, root).map_err(|why| format!("no seeds: {why}"))
        });
        steps.push(tool(step));
    }
    steps
}

fn tool(step: Step) -> Step {
    step.needs(&[Need::Program("g++", "g++"), Need::CargoFuzz]).with("PATH", tools::path())
}

/// What the fuzzer said: how much it tried; or where it failed, and how to run that input again.
pub(crate) fn show(line: &str, errors: &str, failed: bool) {
    if !failed {
        let wanted = |line: &&str| line.contains("DONE") || line.starts_with("Done ");
        errors.lines().filter(wanted).for_each(|line| println!("   {line}"));
        return;
    }
    let first = errors.lines().position(|line| line.contains("panicked at")).unwrap_or(0);
    let shown = errors.lines().skip(first).filter(|line| !line.starts_with('#'));
    shown.take(60).for_each(|line| println!("{line}"));
    let written = |line: &str| Some(line.split_once("Test unit written to ")?.1.to_owned());
    if let Some(input) = errors.lines().find_map(written) {
        // Without the folders of inputs, which are the last two words before the limits.
        let run: Vec<&str> =
            line.split_once(" -- ").map_or(line, |(run, _)| run).split(' ').collect();
        let run = run[..run.len().saturating_sub(2)].join(" ");
        println!("to run the input again: PATH=\"$PWD/target/tools/bin:$PATH\" {run} {input}");
    }
}

/// Inputs to begin with: the errors of the vectors, or bytes of several lengths that look
/// random.
fn write_seeds(target: &str, root: &Path) -> Result<(), String> {
    let folder = root.join("target/fuzz/seeds").join(target);
    fs::create_dir_all(&folder).map_err(|why| why.to_string())?;
    let write = |nth: usize, bytes: &[u8]| {
        fs::write(folder.join(nth.to_string()), bytes).map_err(|why| why.to_string())
    };
    if target == "classifiers" {
        for (nth, text) in errors(root)?.iter().enumerate() {
            write(nth, text.as_bytes())?;
        }
    } else {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        for nth in 0..24 {
            let next = |_| {
                state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
                (state >> 56) as u8
            };
            write(nth, &(0..32_usize << (nth % 6)).map(next).collect::<Vec<_>>())?;
        }
    }
    Ok(())
}

/// The errors of the classifiers' vectors, as the target reads them: lines `key: value`.
fn errors(root: &Path) -> Result<Vec<String>, String> {
    let file = root.join("tests/vectors/classifiers.json");
    let text = fs::read_to_string(&file).map_err(|why| format!("{}: {why}", file.display()))?;
    let cases: Vec<Value> = serde_json::from_str(&text).map_err(|why| why.to_string())?;
    let errors = cases.iter().filter_map(|case| case["error"].as_object());
    let mut errors: Vec<String> = errors.map(|error| lines(error).join("\n")).collect();
    errors.sort();
    errors.dedup();
    Ok(errors)
}

fn lines(fields: &Map<String, Value>) -> Vec<String> {
    let mut all = Vec::new();
    for (key, value) in fields {
        match value {
            Value::Null => {}
            // Headers, and what an AWS client error carries, are lines themselves.
            Value::Object(inner) => {
                let code = inner.get("code").filter(|_| key == "aws_error");
                all.extend(lines(inner));
                all.extend(code.and_then(Value::as_str).map(|code| format!("{key}: {code}")));
            }
            Value::Array(values) => {
                all.extend(values.iter().map(|value| format!("{key}: {}", plain(value))));
            }
            value => all.push(format!("{key}: {}", plain(value))),
        }
    }
    all
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
