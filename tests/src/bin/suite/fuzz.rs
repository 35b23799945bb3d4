//! Inputs that a fuzzer finds, against the properties that must hold for all: `tests/fuzz`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

use crate::{Count, Suite, exists, progress};

/// The tool, in the version that is built where it is missing.
const VERSION: &str = "0.13.1";

/// The usual length of all targets together.
const MINUTES: u32 = 10;

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

impl Suite {
    /// All targets, for as many minutes as were named.
    pub(crate) fn fuzz(&mut self) {
        let minutes = self.minutes.unwrap_or(MINUTES);
        let secs = 60 * u64::from(minutes) / TARGETS.len() as u64;
        self.fuzz_until(&format!("-max_total_time={secs}"), "corpus");
    }

    /// All targets, for a minute and always the same inputs.
    pub(crate) fn fuzz_shortly(&mut self) {
        let _ = fs::remove_dir_all(self.root.join("target/fuzz/short"));
        self.fuzz_until(SHORT, "short");
    }

    /// All targets, each until `end`, with what was found before in the folder `corpus`.
    fn fuzz_until(&mut self, end: &str, corpus: &str) {
        let is_there = (exists("g++", "--version") || self.install("g++")) && self.has_tool();
        if !is_there {
            self.failed += 1;
            return;
        }
        println!("== fuzz targets: cargo fuzz build {BUILD}");
        let build = self.tool(&format!("build {BUILD}"));
        let before = self.failed;
        self.run("fuzz targets", build, Count::One);
        if self.failed > before {
            return;
        }
        for (target, about) in TARGETS {
            if let Err(why) = self.fuzz_target(target, about, end, corpus) {
                println!("FAILED {target}: {why}");
                self.failed += 1;
            }
        }
    }

    /// `cargo fuzz`, with where the tool is in the path.
    fn tool(&self, line: &str) -> Command {
        let mut command = self.command(&format!("cargo fuzz {line}"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let tools = std::iter::once(self.root.join("target/tools/bin"));
        if let Ok(path) = std::env::join_paths(tools.chain(std::env::split_paths(&path))) {
            command.env("PATH", path);
        }
        command
    }

    /// The tool, built once: compile time counts, not its speed.
    fn has_tool(&self) -> bool {
        let is_there = |suite: &Self| {
            let version = suite.tool("--version").output();
            version.is_ok_and(|output| output.stdout.trim_ascii_end().ends_with(VERSION.as_bytes()))
        };
        if is_there(self) {
            return true;
        }
        let install = format!(
            "cargo install cargo-fuzz --locked --force --version {VERSION} --root target/tools \
             --target-dir target/tools/build"
        );
        println!("== cargo-fuzz is missing: {install}");
        let mut command = self.command(&install);
        command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
        let installed = progress::output(&mut command);
        if installed.is_ok_and(|output| output.status.success()) && is_there(self) {
            return true;
        }
        println!("cargo-fuzz cannot be installed: run `{install}`");
        false
    }

    /// Runs one target; says with which input it failed, and how to run that again.
    fn fuzz_target(
        &mut self,
        target: &str,
        about: &str,
        end: &str,
        corpus: &str,
    ) -> Result<(), String> {
        println!("== {about}: cargo fuzz run {target} -- {end}");
        let seeds = self.seeds(target).map_err(|why| format!("no seeds: {why}"))?;
        // What was found before is kept there, and the first to be tried.
        let corpus = self.root.join("target/fuzz").join(corpus).join(target);
        fs::create_dir_all(&corpus).map_err(|why| format!("no corpus: {why}"))?;
        let mut command = self.tool(&format!("run {BUILD} {target}"));
        command.arg(&corpus).arg(&seeds).arg("--").args(LIMITS.split(' '));
        command.args(end.split(' '));
        let output = progress::output(&mut command).map_err(|why| format!("cannot run: {why}"))?;
        let text = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            let wanted = |line: &&str| line.contains("DONE") || line.starts_with("Done ");
            text.lines().filter(wanted).for_each(|line| println!("   {line}"));
            self.passed += 1;
            return Ok(());
        }
        let first = text.lines().position(|line| line.contains("panicked at")).unwrap_or(0);
        let shown = text.lines().skip(first).filter(|line| !line.starts_with('#'));
        shown.take(60).for_each(|line| println!("{line}"));
        let written = |line: &str| Some(line.split_once("Test unit written to ")?.1.to_owned());
        Err(match text.lines().find_map(written) {
            Some(input) => format!(
                "fails with the input {input}; to run it again: \
                 PATH=\"$PWD/target/tools/bin:$PATH\" cargo fuzz run {BUILD} {target} {input}"
            ),
            None => format!("{}, without an input", output.status),
        })
    }

    /// Inputs to begin with: the errors of the vectors, or bytes of several lengths that look
    /// random.
    fn seeds(&self, target: &str) -> Result<PathBuf, String> {
        let folder = self.root.join("target/fuzz/seeds").join(target);
        fs::create_dir_all(&folder).map_err(|why| why.to_string())?;
        let write = |nth: usize, bytes: &[u8]| {
            fs::write(folder.join(nth.to_string()), bytes).map_err(|why| why.to_string())
        };
        if target == "classifiers" {
            for (nth, text) in errors(&self.root)?.iter().enumerate() {
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
        Ok(folder)
    }
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
