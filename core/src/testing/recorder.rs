//! What happened, remembered: [`Recorder`].

use heapless::Vec;

use crate::event::{
    AttemptContext, AttemptDecision, Event, EventKind, Observer, Timeline, TimelineEntry,
};

/// An observer that remembers the first `N` events and how each attempt ended.
#[derive(Clone, Debug, Default)]
pub struct Recorder<const N: usize> {
    timeline: Timeline<N>,
    kinds: Vec<EventKind, N>,
    attempts: Vec<(u32, AttemptDecision), N>,
    started: u32,
}

impl<const N: usize> Recorder<N> {
    /// Nothing is recorded yet.
    pub const fn new() -> Self {
        Self { timeline: Timeline::new(), kinds: Vec::new(), attempts: Vec::new(), started: 0 }
    }

    /// The events.
    pub fn events(&self) -> &[TimelineEntry] {
        self.timeline.entries()
    }

    /// What kinds of events they were.
    pub fn kinds(&self) -> &[EventKind] {
        &self.kinds
    }

    /// The number of each attempt that ended, and how.
    pub fn attempts(&self) -> &[(u32, AttemptDecision)] {
        &self.attempts
    }

    /// How many attempts were started.
    pub const fn started(&self) -> u32 {
        self.started
    }
}

impl<const N: usize> Observer for Recorder<N> {
    fn event(&mut self, event: &Event<'_>) {
        self.timeline.event(event);
        // What does not fit is counted by the timeline.
        let _ = self.kinds.push(event.kind);
    }

    fn attempt_start(&mut self, _: &AttemptContext<'_>) {
        self.started += 1;
    }

    fn attempt_end(&mut self, attempt: &AttemptContext<'_>) {
        if let Some(decision) = attempt.decision {
            let _ = self.attempts.push((attempt.attempt, decision));
        }
    }
}
