//! The steps of a session, which its drivers take: [`SessionSteps`].

use core::fmt;

use crate::breaker::CircuitOpen;
use crate::call::{Attempt, Call, Decision};
use crate::class::{Classification, ErrorClass};
use crate::classify::{NoText, Verdict};
use crate::config::Settings;
use crate::driver::failure::Failure;
use crate::driver::retry::Engine;
use crate::driver::{Parts, Steps};
use crate::event::{Cause, EventKind, Observers, StopReason, Text};
use crate::outcome::{Error, Last};
use crate::random::{Draw, uniform};
use crate::session::SessionConfig;
use crate::time::{Clock, Duration, Instant};

/// What an application may show of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SessionState {
    /// Waits this long before the next connect.
    Waiting(Duration),
    /// Connects, for the nth time since the last healthy connection.
    Connecting(u32),
    /// The connection is up, not yet long enough to be healthy.
    Up,
    /// The connection has been up for [`healthy_after`](SessionConfig::healthy_after).
    Healthy,
    /// The operation has ended the session with a value.
    Closed,
    /// The session has ended for this reason.
    Over(StopReason),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SessionStep {
    /// Wait this long, and ask again. Asked earlier, it says what is left.
    Wait(Duration),
    /// Connect.
    Connect(Attempt),
}

/// A session, step by step.
///
/// Ask [`next`](Self::next) what to do. Once a connection is there call [`up`](Self::up); when it breaks, or
/// could not be made, call [`broke`](Self::broke), and ask again. While it is up, [`check`](Self::check) says when
/// it will be healthy; if it is never called, that is decided when the connection breaks.
///
/// ```
/// # use core::cell::Cell;
/// use redress::session::{SessionConfig, SessionState, SessionStep};
/// use redress::{Backoff, Duration, ErrorClass, Policy, policy};
///
/// const LINK: Policy =
///     policy! { Policy::builder().backoff(Backoff::constant(Duration::from_secs(5))) };
/// let clock = Cell::new(0_u64);
/// let mut retry = LINK.on(&clock, redress::random::NoRandom);
/// let mut session = retry.session_steps(SessionConfig::new());
///
/// let Ok(SessionStep::Connect(attempt)) = session.next() else { panic!("no wait before it") };
/// assert_eq!(attempt.number, 1);
/// session.broke(ErrorClass::Transient);
/// assert_eq!(session.next(), Ok(SessionStep::Wait(Duration::from_secs(5))));
/// clock.set(5_000_000);
/// let Ok(SessionStep::Connect(attempt)) = session.next() else { panic!("the wait is over") };
/// assert_eq!(attempt.number, 2);
/// session.up();
/// assert_eq!(session.check(), Some(Duration::from_secs(30)));
/// clock.set(35_000_000);
/// assert_eq!((session.check(), session.state()), (None, SessionState::Healthy));
/// ```
pub struct SessionSteps<'r, 'a, X: Parts> {
    /// Its call is one series of connects; it has ended if there is no pass.
    steps: Steps<'r, 'a, X>,
    config: SessionConfig,
    place: Place,
    /// What was left of a wait at this instant.
    wait: Option<(Instant, Duration)>,
    /// The rejection that ended the session.
    rejection: Option<CircuitOpen>,
}

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A series is to begin, after a random wait.
    Spread,
    /// A series is to begin.
    Begin,
    /// The delay after a connect that failed is over.
    Wake,
    /// The wait for a rate limiter is over.
    Turn,
    /// The next connect of the series may start, as soon as a rate limiter allows it.
    Start,
    Connecting,
    /// At this instant it had been up for this long. Added up, as the clock may be set back.
    Up(Instant, Duration),
    Healthy,
    Closed,
    Over(StopReason),
}

impl<'r, 'a, X: Parts> SessionSteps<'r, 'a, X> {
    pub(super) fn new(engine: &'r mut Engine<'a, X>, config: SessionConfig) -> Self {
        let call = Call::begin(engine.policy.settings(), Instant::ZERO);
        let steps = Steps::new(engine, call, None);
        Self { steps, config, place: Place::Spread, wait: None, rejection: None }
    }

    /// What to do next. A connect that is under way, or a connection that is up, counts as broken.
    ///
    /// # Errors
    ///
    /// The reason for which the session has ended.
    // No iterator: it says whether it has ended, and why.
    #[expect(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<SessionStep, StopReason> {
        loop {
            if let Some(left) = self.wait_left() {
                return Ok(SessionStep::Wait(left));
            }
            match self.place {
                Place::Spread => {
                    self.place = Place::Begin;
                    let spread = self.draw_spread();
                    self.wait_for(spread);
                }
                Place::Begin => match self.steps.begin_again() {
                    Ok(()) => self.place = Place::Start,
                    Err(rejection) => self.rejected(rejection),
                },
                Place::Wake | Place::Turn => match self.steps.on_wake() {
                    Ok(()) => self.place = Place::Start,
                    Err(reason) => self.stopped(reason),
                },
                Place::Start => match self.start() {
                    Ok(Some(attempt)) => return Ok(SessionStep::Connect(attempt)),
                    Ok(None) => {}
                    // The breaker says how long it is open.
                    Err(StopReason::CircuitOpen) => self.place = Place::Begin,
                    Err(reason) => self.stopped(reason),
                },
                Place::Connecting | Place::Up(..) | Place::Healthy => {
                    self.broke(ErrorClass::Transient);
                }
                Place::Closed => return Err(StopReason::Aborted),
                Place::Over(reason) => return Err(reason),
            }
        }
    }

    /// The breaker is not closed: waits until it admits a probe, if it knows when.
    fn rejected(&mut self, rejection: CircuitOpen) {
        if let Some(after) = rejection.retry_after {
            self.wait_for(after.max(Duration::from_micros(1)));
        } else {
            self.rejection = Some(rejection);
            self.stopped(StopReason::CircuitOpen);
        }
    }

    /// Starts a connect, or waits for a rate limiter.
    fn start(&mut self) -> Result<Option<Attempt>, StopReason> {
        if let Some(wait) = self.steps.turn()? {
            self.wait_for(wait);
            self.place = Place::Turn;
            return Ok(None);
        }
        let attempt = self.steps.start()?;
        self.place = Place::Connecting;
        Ok(Some(attempt))
    }

    /// The connection is up: the attempt timeout and the deadline no longer count.
    pub fn up(&mut self) {
        let now = self.now();
        self.up_since(now);
    }

    pub(super) fn up_since(&mut self, since: Instant) {
        if self.place == Place::Connecting {
            self.place = Place::Up(since, Duration::ZERO);
        }
    }

    /// How long the connection must still be up to be healthy, for a timer; `None` if it is healthy,
    /// or not up.
    pub fn check(&mut self) -> Option<Duration> {
        let up = self.time_up()?;
        let left = self.config.healthy_after.saturating_sub(up);
        if !left.is_zero() {
            return Some(left);
        }
        self.steps.call.exclude(up);
        self.steps.settle_success(true);
        self.place = Place::Healthy;
        None
    }

    /// How long the connection has been up, until it is healthy.
    fn time_up(&mut self) -> Option<Duration> {
        let Place::Up(seen, up) = self.place else { return None };
        let now = self.now();
        let up = up.saturating_add(now.since(seen));
        self.place = Place::Up(now, up);
        Some(up)
    }

    /// The connection broke, or could not be made, with an error of this class.
    pub fn broke(&mut self, classification: impl Into<Classification>) {
        let verdict = classification.into().into();
        let failure = Failure { verdict, cause: Cause::Exception, error: None, is_cut: false };
        self.failed(&failure, None::<NoText>);
    }

    /// The connect was ended at its [timeout](Attempt::timeout), which is a failure of class TRANSIENT.
    pub fn cut(&mut self) {
        let verdict = Classification::from(ErrorClass::Transient).into();
        let failure = Failure { verdict, cause: Cause::Exception, error: None, is_cut: true };
        self.failed(&failure, None::<NoText>);
    }

    pub(super) fn failed(&mut self, failure: &Failure, text: Option<impl fmt::Display + Copy>) {
        if self.check().is_some()
            && let Some(up) = self.time_up()
        {
            self.steps.call.exclude(up);
        }
        let reason = match self.place {
            Place::Healthy => {
                self.place = Place::Begin;
                let spread = self.draw_spread();
                self.wait_for(spread);
                self.observe_break(failure, text, spread);
                return;
            }
            Place::Connecting | Place::Up(..) => match self.steps.decide(failure, text) {
                Decision::Retry { after } => {
                    self.place = Place::Wake;
                    self.wait_for(after);
                    return;
                }
                Decision::TooLong { .. } => StopReason::DeadlineExceeded,
                Decision::Stop(reason) => reason,
            },
            _ => return,
        };
        self.steps.end(reason, Some(failure), text);
        self.stopped(reason);
    }

    /// Notifies the observer that a healthy connection broke, and of the wait before the next connect.
    fn observe_break(
        &mut self,
        failure: &Failure,
        text: Option<impl fmt::Display + Copy>,
        delay: Duration,
    ) {
        if X::Observer::OBSERVES
            && let Verdict::Failure(classification) = &failure.verdict
        {
            let mut event = self.steps.event(EventKind::Retry);
            event.delay = delay;
            event.class = Some(classification.class);
            event.cause = Some(failure.cause);
            event.retry_after = classification.retry_after;
            event.detail = classification.detail;
            event.error = failure.error;
            event.text = text.as_ref().map(|text| Text::new(text));
            self.steps.observe(|observer| observer.on_event(&event));
        }
    }

    /// Ends the session on purpose. A connection that is up counts as a success; a connect that is
    /// under way is cancelled.
    pub fn close(mut self) {
        if matches!(self.place, Place::Up(..)) {
            self.succeed();
        }
    }

    /// The operation has ended the session, and succeeded.
    pub(super) fn succeed(&mut self) {
        if let Some(up) = self.time_up() {
            self.steps.call.exclude(up);
        }
        self.steps.settle_success(true);
        self.place = Place::Closed;
    }

    /// What an application may show.
    pub fn state(&self) -> SessionState {
        match self.place {
            Place::Spread | Place::Begin | Place::Wake | Place::Turn | Place::Start => {
                SessionState::Waiting(self.wait.map_or(Duration::ZERO, |(_, span)| span))
            }
            Place::Connecting => SessionState::Connecting(self.steps.call().attempts()),
            Place::Up(..) => SessionState::Up,
            Place::Healthy => SessionState::Healthy,
            Place::Closed => SessionState::Closed,
            Place::Over(reason) => SessionState::Over(reason),
        }
    }

    /// The policy has stopped the series.
    fn stopped(&mut self, reason: StopReason) {
        let is_final = matches!(
            reason,
            StopReason::NonRetryableClass | StopReason::NoStrategy | StopReason::Aborted
        );
        if is_final || self.config.pause.is_zero() {
            self.place = Place::Over(reason);
            return;
        }
        let next_sleep = self.steps.call().next_sleep(reason).unwrap_or_default();
        self.place = Place::Spread;
        self.wait_for(self.config.pause.max(next_sleep));
    }

    pub(super) fn error<E, R>(&self, reason: StopReason, last: Option<Last<E, R>>) -> Error<E, R> {
        match self.rejection {
            Some(rejection) if reason == StopReason::CircuitOpen => Error::CircuitOpen(rejection),
            _ => self.steps.exhausted(reason, last),
        }
    }

    /// A hook, or the deadline that ended it, stops the series.
    pub(super) fn end(&mut self, reason: StopReason) {
        self.steps.stop(reason);
        self.stopped(reason);
    }

    /// Whether the next step is another connect of the same series, after a failed one.
    pub(super) fn is_retry(&self) -> bool {
        self.place == Place::Wake
    }

    pub(super) fn steps(&mut self) -> &mut Steps<'r, 'a, X> {
        &mut self.steps
    }

    fn now(&self) -> Instant {
        self.steps.engine.time.now()
    }

    fn wait_for(&mut self, span: Duration) {
        self.wait = if span.is_zero() { None } else { Some((self.now(), span)) };
    }

    /// What is left of the wait. Added up, as the clock may be set back.
    fn wait_left(&mut self) -> Option<Duration> {
        let (seen, left) = self.wait?;
        let now = self.now();
        let left = left.saturating_sub(now.since(seen));
        self.wait = if left.is_zero() { None } else { Some((now, left)) };
        self.wait.map(|(_, left)| left)
    }

    fn draw_spread(&mut self) -> Duration {
        let (most, random) = (self.config.spread.as_micros(), &mut self.steps.engine.random);
        if most == 0 || random.is_empty() {
            return Duration::ZERO;
        }
        Duration::from_micros(uniform(0, most, random).unwrap_or(0))
    }
}

impl<X: Parts> fmt::Debug for SessionSteps<'_, '_, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionSteps")
            .field("state", &self.state())
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
