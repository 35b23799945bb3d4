//! The board while it changes: in a terminal a live picture, else plain lines.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use console::{StyledObject, style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use redress::event::CircuitState;
use redress::{ErrorClass, EventKind};

use crate::board::{Board, Ending, Note, Tally};
use crate::guarded::{Condition, SAVED_RETRIES};
use crate::service::{FlakyService, Phase};

/// How often the view looks at the board.
pub const TICK: Duration = Duration::from_millis(80);

/// Shows a board until the loads are over.
#[derive(Debug)]
pub struct View {
    total: u32,
    with_naive: bool,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Live(Live),
    Plain(Plain),
}

/// What there is to see at one time.
struct Scene<'s> {
    elapsed: Duration,
    phases: &'s [Phase],
    phase: usize,
    guarded: Tally,
    naive: Option<Tally>,
    total: u32,
    condition: Condition,
    notes: Vec<Note>,
}

impl View {
    /// A view of a board with so many calls to make on each side: live if stdout is a
    /// terminal that can move its cursor.
    pub fn new(total: u32, with_naive: bool) -> Self {
        let live = io::stdout().is_terminal() && !console::is_dumb();
        let form = if live {
            Form::Live(Live::new(total, with_naive))
        } else {
            Form::Plain(Plain::default())
        };
        Self { total, with_naive, form }
    }

    /// Shows the board as it is now, and the phase of the service if it is ours.
    ///
    /// # Errors
    ///
    /// If stdout is closed.
    pub fn show(&mut self, board: &Board, service: Option<&FlakyService>) -> io::Result<()> {
        let scene = Scene {
            elapsed: board.elapsed(),
            phases: service.map_or(&[], |service| service.script().phases),
            phase: service.map_or(0, FlakyService::phase),
            guarded: board.guarded(|tally| *tally),
            naive: self.with_naive.then(|| board.naive(|tally| *tally)),
            total: self.total,
            condition: Condition::now(),
            notes: board.take_notes(),
        };
        match &mut self.form {
            Form::Live(live) => {
                live.show(&scene);
                Ok(())
            }
            Form::Plain(plain) => plain.show(&scene),
        }
    }

    /// Shows the board for the last time.
    ///
    /// # Errors
    ///
    /// If stdout is closed.
    pub fn finish(&mut self, board: &Board, service: Option<&FlakyService>) -> io::Result<()> {
        if let Form::Plain(plain) = &mut self.form {
            plain.next_status = Duration::ZERO;
        }
        self.show(board, service)?;
        if let Form::Live(live) = &self.form {
            live.lines().for_each(ProgressBar::abandon);
        }
        Ok(())
    }
}

impl Scene<'_> {
    fn phase_name(&self) -> Option<&'static str> {
        self.phases.get(self.phase).map(|phase| phase.name)
    }
}

/// A few lines that are drawn over and over: the state above, the latest events below.
#[derive(Debug)]
struct Live {
    phases: ProgressBar,
    guarded: ProgressBar,
    naive: Option<ProgressBar>,
    breaker: ProgressBar,
    budget: ProgressBar,
    classes: ProgressBar,
    events: Vec<ProgressBar>,
    recent: VecDeque<Note>,
}

impl Live {
    const EVENTS: usize = 8;

    fn new(total: u32, with_naive: bool) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stdout_with_hz(12));
        let line = |template: &str, length: u32| {
            let bar = all.add(ProgressBar::new(length.into()));
            // A template that is not one would show as indicatif's own default.
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar
        };
        let text = || line("{wide_msg}", 0);
        Self {
            phases: text(),
            guarded: line("redress  {bar:28.green/dim} {pos:>4}/{len}  {wide_msg}", total),
            naive: with_naive
                .then(|| line("naive    {bar:28.blue/dim} {pos:>4}/{len}  {wide_msg}", total)),
            breaker: text(),
            budget: line("budget   {bar:28.yellow/dim} {pos:>4}/{len}  {wide_msg}", SAVED_RETRIES),
            classes: text(),
            events: (0..Self::EVENTS).map(|_| text()).collect(),
            recent: VecDeque::new(),
        }
    }

    fn lines(&self) -> impl Iterator<Item = &ProgressBar> {
        [&self.phases, &self.guarded]
            .into_iter()
            .chain(&self.naive)
            .chain([&self.breaker, &self.budget, &self.classes])
            .chain(&self.events)
    }

    fn show(&mut self, scene: &Scene<'_>) {
        self.phases.set_message(phase_line(scene));
        self.guarded.set_position(scene.guarded.calls().into());
        self.guarded.set_message(guarded_counts(&scene.guarded));
        if let (Some(bar), Some(tally)) = (&self.naive, &scene.naive) {
            bar.set_position(tally.calls().into());
            bar.set_message(naive_counts(tally));
        }
        self.breaker.set_message(format!("breaker  {}", breaker_state(&scene.condition)));
        self.budget.set_position(scene.condition.retries_left.into());
        self.budget.set_message("retries left for all callers");
        self.classes.set_message(class_line(&scene.guarded));
        for note in &scene.notes {
            self.recent.push_back(note.clone());
            if self.recent.len() > Self::EVENTS {
                self.recent.pop_front();
            }
        }
        for (line, note) in self.events.iter().zip(&self.recent) {
            line.set_message(styled(note).to_string());
        }
    }
}

fn phase_line(scene: &Scene<'_>) -> String {
    let mut text = format!("service {:5.1}s ", scene.elapsed.as_secs_f32());
    for (index, phase) in scene.phases.iter().enumerate() {
        let name = style(format!(" {} ", phase.name));
        let name = match index.cmp(&scene.phase) {
            std::cmp::Ordering::Less => name.dim(),
            std::cmp::Ordering::Equal => name.reverse(),
            std::cmp::Ordering::Greater => name,
        };
        text.push_str(&name.to_string());
    }
    text
}

fn guarded_counts(tally: &Tally) -> String {
    format!("{}, {} rejected", naive_counts(tally), tally.ended(Ending::Rejected))
}

fn naive_counts(tally: &Tally) -> String {
    let failed = tally.ended(Ending::Refused) + tally.ended(Ending::Failed);
    format!("{} attempts: {} ok, {failed} failed", tally.requests, tally.successes())
}

fn breaker_state(condition: &Condition) -> StyledObject<String> {
    match condition.breaker {
        CircuitState::Closed => style("closed".to_owned()).green(),
        CircuitState::HalfOpen => style("half-open, a probe is on its way".to_owned()).yellow(),
        CircuitState::Open => match condition.probe_in {
            Some(wait) => {
                let wait = Duration::from(wait).as_secs_f32();
                style(format!("OPEN, next probe in {wait:.2}s")).red().bold()
            }
            None => style("OPEN, the next call is a probe".to_owned()).red().bold(),
        },
    }
}

fn class_line(tally: &Tally) -> String {
    let mut text = "classes  ".to_owned();
    for (class, count) in ErrorClass::ALL.iter().zip(tally.classes).filter(|(_, n)| *n > 0) {
        text.extend([class.as_str(), " ", &style(count).bold().to_string(), "  "]);
    }
    text + &format!("(slept {:.1}s in all)", tally.waited.as_secs_f32())
}

fn styled(note: &Note) -> StyledObject<String> {
    let text = style(note.to_string());
    match note.kind {
        EventKind::Success | EventKind::CircuitClosed => text.green(),
        EventKind::Retry => text,
        EventKind::CircuitHalfOpen => text.yellow(),
        _ => text.red(),
    }
}

/// A line for each second and each change, and of each kind of event the first two in
/// a phase.
#[derive(Debug, Default)]
struct Plain {
    phase: Option<&'static str>,
    next_status: Duration,
    seen: BTreeMap<(u8, Option<ErrorClass>), u32>,
    unshown: usize,
}

impl Plain {
    const OF_A_KIND: u32 = 2;

    fn show(&mut self, scene: &Scene<'_>) -> io::Result<()> {
        let mut out = io::stdout().lock();
        for note in &scene.notes {
            let seen = self.seen.entry((note.kind as u8, note.class)).or_default();
            *seen += 1;
            if *seen <= Self::OF_A_KIND {
                writeln!(out, "{note}")?;
            } else {
                self.unshown += 1;
            }
        }
        let phase = scene.phase_name();
        if phase != self.phase {
            self.phase = phase;
            // Refusals come in every phase alike.
            self.seen.retain(|(_, class), _| class.is_some_and(ErrorClass::is_final));
            if let Some(name) = phase {
                writeln!(out, "{:7.3}s  == {name} ==", scene.elapsed.as_secs_f32())?;
            }
        }
        if scene.elapsed < self.next_status {
            return out.flush();
        }
        self.next_status = scene.elapsed + Duration::from_secs(1);
        let (time, total) = (scene.elapsed.as_secs_f32(), scene.total);
        write!(out, "{time:7.3}s  {}/{total} calls, ", scene.guarded.calls())?;
        write!(out, "{}", guarded_counts(&scene.guarded))?;
        write!(out, "; breaker {}", scene.condition.breaker.as_str())?;
        write!(out, ", budget {}/{SAVED_RETRIES}", scene.condition.retries_left)?;
        if let Some(naive) = &scene.naive {
            write!(out, "; naive {}/{total} calls, {}", naive.calls(), naive_counts(naive))?;
        }
        match std::mem::take(&mut self.unshown) {
            0 => writeln!(out)?,
            more => writeln!(out, " (and {more} more events)")?,
        }
        out.flush()
    }
}
