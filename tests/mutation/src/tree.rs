//! The mutated copy of the tree: what is mutated, how it is written, how it is built.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::weave::{Map, Source};

/// Files and folders of the core whose mutants are counted.
const MUTATED: [&str; 24] = [
    "backoff",
    "breaker",
    "budget",
    "call.rs",
    "class.rs",
    "classify",
    "config/settings.rs",
    "driver/by_hand.rs",
    "driver/control.rs",
    "driver/failure.rs",
    "driver/retry.rs",
    "driver/steps/mod.rs",
    "driver/steps/start.rs",
    "driver/suspend.rs",
    "event/timeline.rs",
    "keyed.rs",
    "outcome.rs",
    "policy.rs",
    "random/mod.rs",
    "shared.rs",
    "snapshot",
    "time/mod.rs",
    "time/reach.rs",
    "time/widened.rs",
];

/// The module that says which mutant is chosen.
const SWITCH: &str = include_str!("../switch.rs");

/// The features of the core that the tests use.
const FEATURES: &str = "redress/std,redress/testing,redress/serde";

pub(crate) struct Tree {
    root: PathBuf,
    /// The copy.
    pub(crate) copy: PathBuf,
    build: PathBuf,
    pub(crate) sources: Vec<Source>,
    /// Mutants that do not compile.
    pub(crate) removed: HashSet<u32>,
    /// One more than the highest number.
    end: u32,
}

impl Tree {
    /// Copies the tree and finds the mutants.
    pub(crate) fn new(root: &Path) -> Result<Self, String> {
        let place = root.join("target/mutation");
        let mut tree = Self {
            root: root.to_owned(),
            copy: place.join("tree"),
            build: place.join("build"),
            sources: Vec::new(),
            removed: HashSet::new(),
            end: 1,
        };
        tree.copy_files()?;
        let from = root.join("core/src");
        let mut files = Vec::new();
        for name in MUTATED {
            collect(&from.join(name), &mut files)?;
        }
        files.sort();
        for path in files {
            let text = read(&path)?;
            let name = path.strip_prefix(&from).unwrap_or(&path).to_string_lossy().into_owned();
            tree.sources.push(Source::new(name, text, &mut tree.end)?);
        }
        Ok(tree)
    }

    /// Copies what git knows, so that nothing built is in the copy. Files that are the same
    /// are left alone, so that cargo does not build again what depends on them.
    fn copy_files(&self) -> Result<(), String> {
        let mut list = Command::new("git");
        list.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listed = output(list.current_dir(&self.root))?;
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        let wanted: HashSet<&str> = text.split('\0').filter(|file| !file.is_empty()).collect();
        let mut there = Vec::new();
        if self.copy.is_dir() {
            collect(&self.copy, &mut there)?;
        }
        for path in there {
            let name = path.strip_prefix(&self.copy).unwrap_or(&path).to_string_lossy();
            if !wanted.contains(&*name) {
                std::fs::remove_file(&path).map_err(|why| format!("{name}: {why}"))?;
            }
        }
        let mutated: Vec<String> = MUTATED.iter().map(|name| format!("core/src/{name}")).collect();
        for file in wanted {
            let from = self.root.join(file);
            let is_mutated = mutated.iter().any(|name| {
                file.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            if from.is_file() && !is_mutated && file != "core/src/lib.rs" {
                let bytes = std::fs::read(&from).map_err(|why| format!("{file}: {why}"))?;
                write(&self.copy.join(file), &bytes)?;
            }
        }
        let lib = read(&self.root.join("core/src/lib.rs"))?;
        let switched = lib
            .replacen("#![no_std]\n", "#![no_std]\n#![feature(core_intrinsics, const_eval_select)]\n#![allow(internal_features)]\n", 1)
            .replacen("\nmod outcome;\n", "\nmod mutant;\nmod outcome;\n", 1);
        if !switched.contains("mod mutant") || !switched.contains("const_eval_select") {
            return Err("core/src/lib.rs has no `#![no_std]` or no `mod outcome;`".into());
        }
        write(&self.copy.join("core/src/lib.rs"), switched.as_bytes())
    }

    /// Writes all mutants but those removed.
    fn weave(&self) -> Result<Vec<Map>, String> {
        let folder = self.copy.join("core/src");
        let switch = SWITCH.replace("; MUTANTS]", &format!("; {}]", self.end));
        write(&folder.join("mutant.rs"), switch.as_bytes())?;
        let mut maps = Vec::new();
        for source in &self.sources {
            let (text, map) = source.woven(&self.removed);
            write(&folder.join(&source.file), text.as_bytes())?;
            maps.push(map);
        }
        Ok(maps)
    }

    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("cargo");
        command
            .args(arguments)
            .args(["--features", FEATURES, "--message-format=json"])
            .current_dir(&self.copy)
            .stdin(Stdio::null())
            .env("CARGO_TARGET_DIR", &self.build)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
            // A switch that is read at run time and is 0 in a constant is an intrinsic.
            .env("RUSTC_BOOTSTRAP", "redress")
            .env("RUSTFLAGS", "--cap-lints allow");
        command
    }

    /// Removes the mutants that do not compile; says how many rounds it took.
    pub(crate) fn compile(&mut self, say: &mut dyn FnMut(&str)) -> Result<usize, String> {
        for round in 1.. {
            let maps = self.weave()?;
            let output = output(&mut self.cargo(&["check", "-p", "redress", "--lib"]))?;
            if output.status.success() {
                return Ok(round);
            }
            let errors = errors(&output);
            let before = self.removed.len();
            let mut unblamed = None;
            for error in &errors {
                let blamed = self.blamed(error, &maps);
                match (blamed.is_empty(), blamed) {
                    (false, numbers) => self.removed.extend(numbers),
                    (true, _) => unblamed = Some(error),
                }
            }
            if self.removed.len() == before {
                let text = String::from_utf8_lossy(&output.stderr);
                let shown = unblamed.map_or(&*text, |error| &error.rendered);
                return Err(format!("the mutated core does not compile:\n{shown}"));
            }
            let count = self.removed.len() - before;
            say(&format!("round {round}: {} errors, {count} mutants removed", errors.len()));
        }
        Ok(0)
    }

    /// The mutants because of which there is an error.
    fn blamed(&self, error: &CompilerError, maps: &[Map]) -> Vec<u32> {
        let of = |file: &str| {
            let name = file.strip_prefix("core/src/")?;
            self.sources.iter().zip(maps).find(|(source, _)| source.file == name)
        };
        if error.of_borrows
            && let Some((file, first)) = error.spans.first()
            && let Some((source, map)) = of(file)
        {
            let blamed = Source::blamed_alternative(map, first);
            if blamed.is_some() {
                return blamed.into_iter().collect();
            }
            let here = error.spans.iter().filter(|(other, _)| other == file);
            let within = here.fold(first.clone(), |whole, (_, span)| {
                whole.start.min(span.start)..whole.end.max(span.end)
            });
            let names: Vec<&str> = error.rendered.split('`').skip(1).step_by(2).collect();
            let blamed = source.blamed_for_borrow(map, &within, &names, &self.removed);
            if blamed.is_some() {
                return blamed.into_iter().collect();
            }
        }
        let mut blamed = error.spans.iter().map(|(file, at)| {
            of(file).map(|(source, map)| source.blamed(map, at, &self.removed)).unwrap_or_default()
        });
        blamed.find(|numbers| !numbers.is_empty()).unwrap_or_default()
    }

    /// Builds the tests; the programs, each with the name of its target.
    pub(crate) fn programs(&self) -> Result<Vec<(String, PathBuf)>, String> {
        let mut command = self.cargo(&["test", "--no-run", "-p", "redress", "-p", "redress-tests"]);
        command.args(["--lib", "--test", "behaviours", "--test", "promises"]);
        command.args(["--test", "adversaries", "--bin", "conformance"]);
        let tests = output(&mut command)?;
        let bin =
            output(&mut self.cargo(&["build", "-p", "redress-tests", "--bin", "conformance"]))?;
        let mut programs = Vec::new();
        for output in [tests, bin] {
            if !output.status.success() {
                let text: String =
                    errors(&output).into_iter().map(|error| error.rendered).collect();
                let stderr = String::from_utf8_lossy(&output.stderr);
                return Err(format!("the tests cannot be built:\n{text}{stderr}"));
            }
            for line in String::from_utf8_lossy(&output.stdout).lines() {
                let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
                let text = |pointer| message.pointer(pointer).and_then(Value::as_str);
                if text("/reason") != Some("compiler-artifact") {
                    continue;
                }
                let (Some(name), Some(path)) = (text("/target/name"), text("/executable")) else {
                    continue;
                };
                let is_test = message.pointer("/profile/test") == Some(&Value::Bool(true));
                if is_test != (name == "conformance") {
                    programs.push((name.to_owned(), PathBuf::from(path)));
                }
            }
        }
        Ok(programs)
    }
}

struct CompilerError {
    rendered: String,
    of_borrows: bool,
    /// File and bytes, primary ones first.
    spans: Vec<(String, Range<usize>)>,
}

fn errors(output: &Output) -> Vec<CompilerError> {
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let errors = messages.filter(|message| {
        message.pointer("/message/level").and_then(Value::as_str) == Some("error")
    });
    let errors = errors.map(|message| {
        let rendered = message.pointer("/message/rendered").and_then(Value::as_str);
        let all = message.pointer("/message/spans").and_then(Value::as_array);
        let mut spans = Vec::new();
        for primary in [true, false] {
            for span in all.into_iter().flatten() {
                if span.get("is_primary") == Some(&Value::Bool(primary)) {
                    spans.extend(range(span));
                    let expansion = span.pointer("/expansion/span");
                    spans.extend(expansion.and_then(range));
                }
            }
        }
        let code = message.pointer("/message/code/code").and_then(Value::as_str);
        let of_borrows = code.is_some_and(|code| {
            code.starts_with("E05") || ["E0381", "E0382", "E0384", "E0499"].contains(&code)
        });
        CompilerError { rendered: rendered.unwrap_or_default().to_owned(), of_borrows, spans }
    });
    errors.collect()
}

fn range(span: &Value) -> Option<(String, Range<usize>)> {
    let byte = |name| span.get(name).and_then(Value::as_u64).map(|byte| byte as usize);
    let file = span.get("file_name").and_then(Value::as_str)?;
    Some((file.to_owned(), byte("byte_start")?..byte("byte_end")?))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |why: std::io::Error| format!("{} cannot be read: {why}", path.display());
    if path.is_dir() {
        for entry in std::fs::read_dir(path).map_err(failed)? {
            collect(&entry.map_err(failed)?.path(), files)?;
        }
    } else if path.is_file() {
        files.push(path.to_owned());
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))
}

/// Writes a file unless it has these bytes.
fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    if std::fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, bytes));
    written.map_err(|why| format!("{}: {why}", path.display()))
}

pub(crate) fn output(command: &mut Command) -> Result<Output, String> {
    command.output().map_err(|why| format!("{command:?} cannot be run: {why}"))
}
