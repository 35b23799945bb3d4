//! What the terminal shows while the loads run: bars and the latest events where
//! there is a terminal, a plain line each half second where there is none.

use std::collections::{BTreeMap, VecDeque};
use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use redress::{Event, EventKind};

/// How many of the latest events are shown.
const LATEST: usize = 6;

/// Everything that the guarded client reported.
#[derive(Debug)]
pub struct Log {
    started: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    latest: VecDeque<String>,
    transitions: Vec<String>,
    by_kind: BTreeMap<&'static str, u64>,
    by_class: BTreeMap<&'static str, u64>,
}

impl Default for Log {
    fn default() -> Self {
        Self { started: Instant::now(), inner: Mutex::default() }
    }
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happened.
    pub fn add(&self, event: &Event<'_>) {
        let at = self.started.elapsed().as_secs_f64();
        let mut inner = self.lock();
        *inner.by_kind.entry(event.kind.as_str()).or_default() += 1;
        if let Some(class) = event.class {
            *inner.by_class.entry(class.as_str()).or_default() += 1;
        }
        let line = format!("{at:5.2}s {}", describe(event));
        if event.state.is_some() && event.kind != EventKind::CircuitRejected {
            inner.transitions.push(line.clone());
        }
        inner.latest.push_back(line);
        if inner.latest.len() > LATEST {
            inner.latest.pop_front();
        }
    }

    /// When the breaker changed, a line each.
    pub fn transitions(&self) -> Vec<String> {
        self.lock().transitions.clone()
    }

    /// How often what happened.
    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        self.lock().by_kind.iter().map(|(kind, count)| (*kind, *count)).collect()
    }

    fn classes(&self) -> String {
        let inner = self.lock();
        let classes = inner.by_class.iter().map(|(class, count)| format!("{class} {count}"));
        classes.collect::<Vec<_>>().join(", ")
    }

    fn count(&self, kind: EventKind) -> u64 {
        self.lock().by_kind.get(kind.as_str()).copied().unwrap_or(0)
    }

    fn latest(&self) -> Vec<String> {
        self.lock().latest.iter().cloned().collect()
    }
}

/// `retry GET /orders attempt 1 SERVER_ERROR, again in 0.052s`.
fn describe(event: &Event<'_>) -> String {
    let mut text = format!("{:<22} {:<9}", event.kind.as_str(), event.operation);
    if event.attempt > 0 {
        text += &format!(" attempt {}", event.attempt);
    }
    if let Some(class) = event.class {
        text += &format!(" {class}");
    }
    if let Some(reason) = event.stop_reason {
        text += &format!(", stop: {reason}");
    }
    if event.kind == EventKind::Retry {
        text += &format!(", again in {}", event.delay);
    }
    if let Some(hint) = event.retry_after {
        text += &format!(" (asked for {hint})");
    }
    text
}

/// What is shown of the state of things.
#[derive(Clone, Debug)]
pub struct Status {
    /// What the service does wrong; empty if nobody knows.
    pub phase: &'static str,
    /// What the breaker does.
    pub circuit: &'static str,
    /// How many retries the budget has left.
    pub budget: u32,
    /// Guarded calls that ended, and that ended well.
    pub guarded: (u64, u64),
    /// Naive calls that ended, and that ended well.
    pub naive: (u64, u64),
}

/// The terminal, or the lines that stand in for it.
#[derive(Debug)]
pub enum View {
    /// Bars, redrawn.
    Live(Box<Live>),
    /// Lines, printed once each half second.
    Plain {
        /// When the last one was printed.
        last: Instant,
        /// When the first could have been.
        started: Instant,
    },
}

/// The bars of a live view.
#[derive(Debug)]
pub struct Live {
    guarded: ProgressBar,
    naive: ProgressBar,
    status: ProgressBar,
    classes: ProgressBar,
    latest: Vec<ProgressBar>,
}

impl View {
    /// Bars if standard output is a terminal, else lines.
    pub fn new(total: u64) -> Self {
        if !std::io::stdout().is_terminal() {
            let now = Instant::now();
            return Self::Plain { last: now, started: now };
        }
        let all = MultiProgress::new();
        let bar = |name| {
            let style = ProgressStyle::with_template("{prefix:8} [{bar:40}] {pos}/{len} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            all.add(ProgressBar::new(total))
                .with_style(style.progress_chars("=> "))
                .with_prefix(name)
        };
        let line = || {
            let style = ProgressStyle::with_template("{msg}");
            all.add(ProgressBar::new(1))
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        };
        Self::Live(Box::new(Live {
            guarded: bar("redress"),
            naive: bar("naive"),
            status: line(),
            classes: line(),
            latest: (0..LATEST).map(|_| line()).collect(),
        }))
    }

    /// Shows the state of things.
    pub fn show(&mut self, status: &Status, log: &Log) {
        let retries = log.count(EventKind::Retry);
        let rejected = log.count(EventKind::CircuitRejected);
        let (phase, circuit, budget) = (status.phase, status.circuit, status.budget);
        let text = format!(
            "service {phase:<13} breaker {circuit:<9} budget {budget:>2} retries left, {retries} made, {rejected} rejected"
        );
        match self {
            Self::Live(live) => {
                for (bar, (done, ok)) in
                    [(&live.guarded, status.guarded), (&live.naive, status.naive)]
                {
                    bar.set_position(done);
                    bar.set_message(format!("{ok} ok"));
                }
                live.status.set_message(text);
                live.classes.set_message(format!("failures by class: {}", log.classes()));
                for (line, event) in live.latest.iter().zip(log.latest()) {
                    line.set_message(event);
                }
            }
            Self::Plain { last, started } => {
                if last.elapsed() >= Duration::from_millis(500) {
                    *last = Instant::now();
                    let at = started.elapsed().as_secs_f64();
                    let (done, ok) = status.guarded;
                    let (naive, naive_ok) = status.naive;
                    println!(
                        "{at:5.1}s redress {ok}/{done} ok, naive {naive_ok}/{naive} ok, {text}"
                    );
                }
            }
        }
    }

    /// Leaves the terminal as it is.
    pub fn finish(&self) {
        if let Self::Live(live) = self {
            for bar in [&live.guarded, &live.naive, &live.status, &live.classes] {
                bar.abandon();
            }
            live.latest.iter().for_each(ProgressBar::abandon);
        }
    }
}
