//! An observer that keeps the events of a call: [`Timeline`].

use heapless::Vec;

use crate::class::ErrorClass;
use crate::event::{Cause, CircuitState, Event, EventKind, Observer, StopReason};
use crate::time::Duration;

/// One entry of a [`Timeline`]: an [`Event`] without its borrowed fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct TimelineEntry {
    /// What happened.
    pub kind: EventKind,
    /// The number of the attempt, from 1; 0 for events of the breaker.
    pub attempt: u32,
    /// The delay before the next attempt for `retry` and `scheduled`; otherwise zero.
    pub delay: Duration,
    /// The class of the failure, if there is one.
    pub class: Option<ErrorClass>,
    /// How the attempt failed, if one failed.
    pub cause: Option<Cause>,
    /// Why retrying stopped, for events that end a call.
    pub stop_reason: Option<StopReason>,
    /// The state of the breaker after the event, for events of the breaker.
    pub state: Option<CircuitState>,
    /// Time since the call began.
    pub elapsed: Duration,
}

/// An observer that keeps the first `N` events and counts the others.
///
/// ```
/// # #[cfg(feature = "std")] {
/// use redress::event::Timeline;
/// use redress::{ErrorClass, EventKind, Policy};
/// const ONCE: Policy = Policy::once();
/// let mut timeline = Timeline::<8>::new();
/// let result = ONCE
///     .on_system()
///     .classify(|_: &()| ErrorClass::Permanent)
///     .observer(&mut timeline)
///     .call(|_| Err::<(), _>(()));
/// assert!(result.is_err());
/// assert_eq!(timeline.entries()[0].kind, EventKind::PermanentFail);
/// assert_eq!(timeline.dropped(), 0);
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Timeline<const N: usize> {
    entries: Vec<TimelineEntry, N>,
    dropped: u32,
}

impl<const N: usize> Timeline<N> {
    /// An empty timeline.
    pub const fn new() -> Self {
        Self { entries: Vec::new(), dropped: 0 }
    }

    /// The events that were kept, in order.
    pub fn entries(&self) -> &[TimelineEntry] {
        &self.entries
    }

    /// How many events came after the timeline was full; saturates.
    pub const fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Forgets everything, for the next call.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.dropped = 0;
    }
}

impl<const N: usize> Observer for Timeline<N> {
    fn event(&mut self, event: &Event<'_>) {
        let entry = TimelineEntry {
            kind: event.kind,
            attempt: event.attempt,
            delay: event.delay,
            class: event.class,
            cause: event.cause,
            stop_reason: event.stop_reason,
            state: event.state,
            elapsed: event.elapsed,
        };
        if self.entries.push(entry).is_err() {
            self.dropped = self.dropped.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_timeline_keeps_the_first_and_counts_the_rest() {
        let mut timeline = Timeline::<2>::new();
        for kind in EventKind::ALL {
            timeline.event(&Event::new(kind, "op"));
        }
        let kinds: std::vec::Vec<_> = timeline.entries().iter().map(|e| e.kind).collect();
        assert_eq!(kinds, [EventKind::Success, EventKind::Retry]);
        assert_eq!(timeline.dropped(), 12);
        timeline.clear();
        assert!(timeline.entries().is_empty() && timeline.dropped() == 0);
    }
}
