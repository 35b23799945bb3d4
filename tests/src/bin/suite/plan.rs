//! What the suite does, as data: the steps of a part are listed and run from the same values.

use std::path::Path;

use crate::needs::Need;

/// One command, what it shows, and what must be there before it can run.
pub(crate) struct Step {
    /// What holds when it passes.
    pub(crate) shows: String,
    /// The command, in words that are separated by spaces.
    pub(crate) line: String,
    pub(crate) count: Count,
    pub(crate) needs: Vec<Need>,
    /// Variables of the environment that the command gets, or lacks.
    pub(crate) environment: Vec<(&'static str, Option<String>)>,
    /// What is done before the command runs.
    pub(crate) prepare: Option<Prepare>,
    /// Steps that run beside this one, which mostly waits.
    pub(crate) meanwhile: Vec<Step>,
}

type Prepare = Box<dyn Fn(&Path) -> Result<(), String>>;

/// How the output of a step is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// By the exit code alone: one.
    One,
    /// One, if `git grep` finds nothing.
    NoMatch,
    /// By the lines `test result: ok. N passed; ..`.
    Tests,
    /// By its last line, `N passed, N failed, N skipped`.
    Runner,
    /// By the exit code, and it is shown.
    Shown,
    /// As [`Shown`](Self::Shown), and its last line closes the suite.
    Closing,
    /// By the exit code; a failure shows the input and how to run it again.
    Fuzz,
}

impl Step {
    pub(crate) fn new(shows: impl Into<String>, line: impl AsRef<str>, count: Count) -> Self {
        let line = line.as_ref().split_whitespace().collect::<Vec<_>>().join(" ");
        let (needs, environment, meanwhile) = (Vec::new(), Vec::new(), Vec::new());
        Self { shows: shows.into(), line, count, needs, environment, prepare: None, meanwhile }
    }

    pub(crate) fn needs(mut self, needs: &[Need]) -> Self {
        self.needs.extend_from_slice(needs);
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, Some(value.into())));
        self
    }

    pub(crate) fn without(mut self, name: &'static str) -> Self {
        self.environment.push((name, None));
        self
    }

    pub(crate) fn after(mut self, prepare: impl Fn(&Path) -> Result<(), String> + 'static) -> Self {
        self.prepare = Some(Box::new(prepare));
        self
    }

    pub(crate) fn beside(mut self, steps: Vec<Self>) -> Self {
        self.meanwhile = steps;
        self
    }
}
