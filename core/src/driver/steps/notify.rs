//! What the observer of a call is notified of, and when.

use crate::classify::Verdict;
use crate::driver::Parts;
use crate::driver::failure::Failure;
use crate::driver::steps::Steps;
use crate::event::{
    AttemptContext, AttemptDecision, CircuitState, Event, EventKind, Observers, StopReason, Text,
};
use crate::time::Duration;

impl<'a, X: Parts> Steps<'_, 'a, X> {
    pub(crate) fn observe(&mut self, notify: impl FnOnce(&mut X::Observer)) {
        self.observing = true;
        notify(&mut self.engine.observer);
        self.observing = false;
    }

    /// Notifies the observer of the end of the attempt in flight, if there is one.
    pub(crate) fn end_attempt(&mut self, decision: AttemptDecision, delay: Duration) {
        if self.in_flight {
            self.in_flight = false;
            let context = self.attempt(Some(decision), delay);
            self.observe(|observer| observer.on_attempt_end(&context));
        }
    }

    pub(crate) fn event(&self, kind: EventKind) -> Event<'a> {
        let mut event = Event::new(kind, self.engine.operation);
        event.attempt = self.call.attempts;
        event.elapsed = self.call.taken();
        event
    }

    pub(crate) fn attempt(
        &self,
        decision: Option<AttemptDecision>,
        delay: Duration,
    ) -> AttemptContext<'a> {
        let failed = !matches!(decision, None | Some(AttemptDecision::Success));
        let last = self.call.last.filter(|_| failed);
        AttemptContext {
            attempt: self.call.attempts,
            operation: self.engine.operation,
            decision,
            class: last.map(|(class, _)| class),
            cause: last.map(|(_, cause)| cause),
            delay,
            elapsed: self.call.taken(),
        }
    }

    pub(crate) fn observe_end(
        &mut self,
        reason: StopReason,
        failure: Option<&Failure>,
        text: Option<Text<'_>>,
    ) {
        let mut event: Event<'_> = self.event(reason.event());
        event.stop_reason = Some(reason);
        let decision = match reason {
            StopReason::Aborted => AttemptDecision::Aborted,
            StopReason::Scheduled => AttemptDecision::Scheduled,
            _ => AttemptDecision::Raise,
        };
        if decision == AttemptDecision::Raise
            && let Some(Failure { verdict: Verdict::Failure(classification), error, .. }) = failure
        {
            event.error = *error;
            event.text = text;
            event.detail = classification.detail;
        }
        if reason != StopReason::Aborted {
            self.fill_failure(&mut event);
        }
        if reason == StopReason::Scheduled {
            event.delay = self.call.previous;
        }
        if reason == StopReason::CircuitOpen {
            event.state = Some(CircuitState::Open);
        }
        self.end_attempt(decision, event.delay);
        self.observe(|observer| observer.on_event(&event));
    }

    pub(crate) fn fill_failure(&self, event: &mut Event<'_>) {
        if let Some((class, cause)) = self.call.last {
            event.class = Some(class);
            event.cause = Some(cause);
        }
    }
}
