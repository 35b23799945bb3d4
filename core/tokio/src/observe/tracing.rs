//! Spans and events of tracing: [`Tracing`].

use ::tracing::field::Empty;
use ::tracing::{Level, Span, event, span};
use redress::event::{AttemptContext, CallTarget, CircuitState, Event, EventKind, Observer};
use redress::{ErrorClass, StopReason};

use super::{ends_call, follows_call};

/// A span for each call (`redress.call`), and an event for each retry, for the end of the call and
/// for each change of the breaker.
///
/// The span is a child of the one that the call began in, and has the fields `upstream` and `key`, if
/// the call has them, `operation`, `attempts`, `event` and `class`. Levels: `INFO` for the span; `DEBUG` for a success, `WARN` for a
/// retry, for a call that stopped and for a breaker that opens, `INFO` for one that closes.
///
/// ```
/// # use redress::{Backoff, Duration, Policy};
/// use redress_tokio::observe::Tracing;
/// use redress_tokio::Upstream;
/// # fn example(policy: Policy) {
/// let upstream = Upstream::new(policy).observer(Tracing::new());
/// # let _ = upstream;
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Tracing {
    /// The span of the latest call.
    span: Option<Span>,
    /// Whether that call has ended.
    has_ended: bool,
    upstream: String,
    key: String,
}

impl Tracing {
    /// An observer that reports to the subscriber of tracing.
    pub const fn new() -> Self {
        Self { span: None, has_ended: false, upstream: String::new(), key: String::new() }
    }

    /// The span of the call that runs, a new one if there is none.
    fn span(&mut self, operation: &str) -> &Span {
        if std::mem::take(&mut self.has_ended) {
            self.span = None;
        }
        // A field without a value is not there.
        let upstream = Some(self.upstream.as_str()).filter(|name| !name.is_empty());
        let key = Some(self.key.as_str()).filter(|key| !key.is_empty());
        self.span.get_or_insert_with(|| {
            span!(
                Level::INFO,
                "redress.call",
                upstream,
                key,
                operation,
                attempts = Empty,
                event = Empty,
                class = Empty
            )
        })
    }
}

/// Observes calls of its own.
impl Clone for Tracing {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl Observer for Tracing {
    fn event(&mut self, event: &Event<'_>) {
        let ends = ends_call(event);
        let span = match &self.span {
            Some(span) if follows_call(event) => span,
            _ => self.span(event.operation),
        };
        let kind = event.kind.as_str();
        let attempt = event.attempt;
        let class = event.class.map(ErrorClass::as_str);
        let reason = event.stop_reason.map(StopReason::as_str);
        let delay_ms = event.delay.as_millis();
        let elapsed_ms = event.elapsed.as_millis();
        let error = event.text.map(::tracing::field::display);
        match event.kind {
            EventKind::Success => event!(parent: span, Level::DEBUG, attempt, elapsed_ms, "{kind}"),
            EventKind::Retry => {
                event!(parent: span, Level::WARN, attempt, class, delay_ms, error, "{kind}");
            }
            EventKind::CircuitOpened | EventKind::CircuitClosed | EventKind::CircuitHalfOpen => {
                let state = event.state.map(CircuitState::as_str);
                if event.kind == EventKind::CircuitOpened {
                    event!(parent: span, Level::WARN, state, class, "{kind}");
                } else {
                    event!(parent: span, Level::INFO, state, "{kind}");
                }
            }
            _ => event!(
                parent: span, Level::WARN, attempt, class, reason, elapsed_ms, error, "{kind}"
            ),
        }
        if ends {
            span.record("attempts", attempt).record("event", kind);
            if let Some(class) = class {
                span.record("class", class);
            }
            self.has_ended = true;
        }
    }

    fn attempt_start(&mut self, attempt: &AttemptContext<'_>) {
        self.span(attempt.operation);
    }

    fn call_target(&mut self, target: &CallTarget<'_>) {
        target.upstream.clone_into(&mut self.upstream);
        target.key.clone_into(&mut self.key);
    }
}
