//! `cargo suite --list`: every step, what it shows, what it needs, and how long it takes.

use std::fmt::Write as _;
use std::path::Path;

use crate::plan::Step;
use crate::took::Took;
use crate::{Part, Project};

/// The steps of these parts, as they would run.
pub(crate) fn of(parts: &[Part], project: &Project) -> String {
    let took = Took::read(&project.root);
    let mut text = String::new();
    for part in parts {
        let steps = part.steps(project);
        let count = count(&steps);
        let _ = writeln!(text, "{}: {}", part.name(), part.about());
        let _ = writeln!(text, "{count} steps, {}", part.time());
        for step in &steps {
            show(&mut text, step, "", &took);
        }
        text.push('\n');
    }
    let folder = Path::new("target").join("suite.json");
    let _ = writeln!(
        text,
        "Every part needs rustup, git and a C compiler. What else a step needs is installed if it is \
         missing: by apt-get as root or by a sudo that asks for no password, by npm, or by cargo. Times \
         are of the last run here ({}), in seconds.",
        folder.display()
    );
    text
}

/// How many steps there are, with those that run beside others.
pub(crate) fn count(steps: &[Step]) -> usize {
    steps.iter().map(|step| 1 + count(&step.meanwhile)).sum()
}

fn show(text: &mut String, step: &Step, indent: &str, took: &Took) {
    let _ = write!(text, "{indent}- {}", step.shows);
    if let Some(secs) = took.secs(&step.line) {
        let _ = write!(text, " ({secs} s)");
    }
    let needs: Vec<String> = step.needs.iter().map(ToString::to_string).collect();
    if !needs.is_empty() {
        let _ = write!(text, "\n{indent}    needs {}", needs.join(", "));
    }
    let _ = writeln!(text, "\n{indent}    {}", step.line);
    if !step.meanwhile.is_empty() {
        let _ = writeln!(text, "{indent}    and beside it:");
        step.meanwhile.iter().for_each(|step| show(text, step, &format!("{indent}    "), took));
    }
}
