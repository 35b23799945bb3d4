//! The steps of a call, which every driver walks and none decides: [`Steps`].

use crate::breaker::{CallResult, CircuitOpen};
use crate::budget::Pool;
use crate::call::{Attempt, Call, Decision};
use crate::classifier::Verdict;
use crate::control::{Control, SleepDecision};
use crate::event::{AttemptContext, AttemptDecision};
use crate::failure::Failure;
use crate::gate::Gate;
use crate::outcome::{Error, Last, RetryExhausted};
use crate::random::{Draw, NoRandom};
use crate::retry::{Engine, Retry};
use crate::window::Stopwatch as _;
use crate::{
    BackoffContext, Cause, CircuitState, Classification, Clock, Duration, ErrorClass, Event,
    EventKind, Instant, Observer, Policy, Settings, StopReason,
};

/// A call under way, step by step.
///
/// For schedulers of your own: [`begin`](Retry::begin), then [`start`](Self::start)
/// an attempt, run it, and tell that it [`succeed`](Self::succeed)ed or
/// [`fail`](Self::fail)ed. After [`Decision::Retry`] wait in whatever way you wait,
/// say [`woke`](Self::woke), and start again. Dropping it cancels the call: a
/// probe's place in a half-open breaker is free again and nothing is counted.
///
/// ```
/// # use core::cell::Cell;
/// # use redress::{Backoff, Decision, Duration, ErrorClass, Policy, policy};
/// const UPSTREAM: Policy =
///     policy! { Policy::new().backoff(Backoff::constant(Duration::from_secs(2))) };
/// let clock = Cell::new(0_u64);
/// let mut retry = UPSTREAM.on(&clock, redress::random::NoRandom);
///
/// let mut steps = retry.begin()?;
/// let attempt = steps.start().unwrap();
/// assert_eq!(attempt.number, 1);
/// let decision = steps.fail(ErrorClass::Transient);
/// assert_eq!(decision, Decision::Retry { after: Duration::from_secs(2) });
/// clock.set(2_000_000);
/// steps.woke().unwrap();
/// assert_eq!(steps.start().unwrap().number, 2);
/// steps.succeed();
/// # Ok::<(), redress::CircuitOpen>(())
/// ```
#[derive(Debug)]
pub struct Steps<'r, 'a, T, R, B: Gate, U, O, H, P = &'a Policy> {
    pub(crate) engine: &'r mut Engine<'a, T, R, B, U, O, H, P>,
    /// That of `engine`, where the compiler can see that nothing changes it: a `const`
    /// policy is then worked into the code.
    pub(crate) policy: P,
    pub(crate) call: Call,
    /// Held until the call is settled.
    pub(crate) pass: Option<B::Pass>,
    /// The latest time that is known; the attempt in flight started at it.
    pub(crate) now: Instant,
    attempts: B::Attempts,
}

impl<'a, T, R, K, B, U, O, H, P> Retry<'a, T, R, K, B, U, O, H, P>
where
    T: Clock,
    R: Draw,
    B: Gate,
    U: Pool,
    O: Observer,
    H: Control,
    P: Settings<Policy>,
{
    /// Begins a call that is walked step by step.
    ///
    /// # Errors
    ///
    /// [`CircuitOpen`] if the breaker rejects it.
    #[inline]
    pub fn begin(&mut self) -> Result<Steps<'_, 'a, T, R, B, U, O, H, P>, CircuitOpen> {
        self.engine.enter(true)
    }
}

impl<'a, T, R, B, U, O, H, P> Engine<'a, T, R, B, U, O, H, P>
where
    T: Clock,
    R: Draw,
    B: Gate,
    U: Pool,
    O: Observer,
    H: Control,
    P: Settings<Policy>,
{
    /// Begins a call; `timed` if its start must be known in any case.
    // Always: a success at once then needs little of what is made here.
    #[inline(always)]
    pub(crate) fn enter(
        &mut self,
        timed: bool,
    ) -> Result<Steps<'_, 'a, T, R, B, U, O, H, P>, CircuitOpen> {
        if let Some(pass) = self.breaker.enter() {
            return Ok(self.set_out(pass, timed));
        }
        let (pass, half_opened) = self.admit()?;
        let steps = self.set_out(pass, timed);
        if O::OBSERVES && half_opened {
            steps.engine.circuit_event(EventKind::CircuitHalfOpen, CircuitState::HalfOpen);
        }
        Ok(steps)
    }

    /// Begins an admitted call.
    #[inline]
    pub(crate) fn set_out(
        &mut self,
        pass: B::Pass,
        timed: bool,
    ) -> Steps<'_, 'a, T, R, B, U, O, H, P> {
        self.budget.deposit();
        let timed = timed || self.policy.settings().is_timed() || O::OBSERVES || B::Attempts::RUNS;
        let now = if timed { self.time.now() } else { Instant::ZERO };
        let policy = self.policy;
        Steps::new(self, policy, Some(pass), now)
    }

    /// Asks a breaker that is not closed.
    fn admit(&mut self) -> Result<(B::Pass, bool), CircuitOpen> {
        let now = self.time.now();
        let admitted = self.breaker.admit(now);
        if O::OBSERVES
            && let Err(rejection) = &admitted
        {
            self.circuit_event(EventKind::CircuitRejected, rejection.state);
        }
        admitted
    }

    fn circuit_event(&mut self, kind: EventKind, state: CircuitState) {
        let event = Event { state: Some(state), ..Event::new(kind, self.operation) };
        self.observer.event(&event);
    }
}

impl<'a, T, R, B, U, O, H, P> Steps<'_, 'a, T, R, B, U, O, H, P>
where
    T: Clock,
    R: Draw,
    B: Gate,
    U: Pool,
    O: Observer,
    H: Control,
    P: Settings<Policy>,
{
    /// Starts an attempt.
    ///
    /// # Errors
    ///
    /// [`StopReason::Aborted`] if the abort predicate says so; the call is over.
    #[inline]
    pub fn start(&mut self) -> Result<Attempt, StopReason> {
        self.next().map_err(|reason| self.end(reason, None))
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Result<Attempt, StopReason> {
        if self.engine.control.aborted() {
            return Err(StopReason::Aborted);
        }
        let attempt = self.call.start(self.policy.settings(), self.now);
        if O::OBSERVES {
            let context = self.attempt(None, Duration::ZERO);
            self.engine.observer.attempt_start(&context);
        }
        Ok(attempt)
    }

    /// The attempt succeeded, and with it the call, however late it is.
    #[inline]
    pub fn succeed(&mut self) {
        self.settle_success(true);
    }

    // Always: called twice; as a call it would keep the steps in memory.
    #[inline(always)]
    pub(crate) fn settle_success(&mut self, timed: bool) {
        let listens = self.policy.settings().listens();
        // The pass is held until observers have run: one that panics cancels the call.
        let Some(pass) = &self.pass else { return };
        let hears = B::hears_success(pass);
        if timed || listens || O::OBSERVES || hears {
            let now = self.engine.time.now();
            self.spent(now);
            self.now = now;
        }
        if listens {
            self.call.succeed(self.policy.settings(), self.now);
        }
        if O::OBSERVES {
            let context = self.attempt(Some(AttemptDecision::Success), Duration::ZERO);
            self.engine.observer.attempt_end(&context);
            let event = self.event(EventKind::Success);
            self.engine.observer.event(&event);
        }
        if let Some(pass) = self.pass.take()
            && hears
        {
            self.settle(pass, CallResult::Success);
        }
    }

    /// The attempt failed by an error of this class; says what follows.
    ///
    /// After [`Decision::Stop`] the call is over.
    pub fn fail(&mut self, classification: impl Into<Classification>) -> Decision {
        self.fail_by(classification.into(), Cause::Exception)
    }

    /// The attempt returned a value that counts as a failure of this class; says
    /// what follows.
    pub fn fail_by_value(&mut self, classification: impl Into<Classification>) -> Decision {
        self.fail_by(classification.into(), Cause::Result)
    }

    fn fail_by(&mut self, classification: Classification, cause: Cause) -> Decision {
        let failure = Failure { verdict: classification.into(), cause, error: None };
        let decision = self.decide(&failure);
        if let Decision::Stop(reason) = decision {
            self.end(reason, Some(&failure));
        }
        decision
    }

    /// The operation asked to stop: nothing has failed, the call is over.
    pub fn abort(&mut self) -> StopReason {
        self.now = self.engine.time.now();
        self.end(StopReason::Aborted, None)
    }

    /// The retry just decided is put off or given up after all: the call is over.
    /// Its token of the budget stays spent.
    pub fn chosen(&mut self, choice: SleepDecision) -> Decision {
        match choice {
            SleepDecision::Sleep => Decision::Retry { after: self.call.previous },
            SleepDecision::Defer => Decision::Stop(self.end(StopReason::Scheduled, None)),
            SleepDecision::Abort => Decision::Stop(self.end(StopReason::Aborted, None)),
        }
    }

    /// The delay is over.
    ///
    /// # Errors
    ///
    /// [`StopReason::DeadlineExceeded`] if the deadline has passed meanwhile; the
    /// call is over.
    #[inline]
    pub fn woke(&mut self) -> Result<(), StopReason> {
        self.awake().map_err(|reason| self.end(reason, None))
    }

    #[inline]
    pub(crate) fn awake(&mut self) -> Result<(), StopReason> {
        self.now = self.engine.time.now();
        self.call.woke(self.now)
    }

    /// Gives the call up: a probe's place is free again, nothing is counted. The
    /// same as dropping it.
    pub fn cancel(self) {}

    /// The state of the call.
    pub const fn call(&self) -> &Call {
        &self.call
    }

    /// Time from the start of the call to its latest step.
    #[inline]
    pub const fn elapsed(&self) -> Duration {
        self.call.elapsed(self.now)
    }

    /// Says what follows a failure. After [`Decision::Stop`] somebody must
    /// [`end`](Self::end) the call: once for all ways to stop, so that the code of it is
    /// there once.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    pub(crate) fn decide(&mut self, failure: &Failure) -> Decision {
        const OVERDUE: Classification = Classification::new(ErrorClass::Transient);
        let now = self.engine.time.now();
        let Verdict::Failure(classification) = &failure.verdict else {
            self.now = now;
            return Decision::Stop(StopReason::Aborted);
        };
        let policy = self.policy;
        let policy = policy.settings();
        let overdue = policy.attempt_timeout() != Duration::MAX && self.is_overdue(now);
        let classification = if overdue { &OVERDUE } else { classification };
        self.spent(now);
        self.now = now;
        if self.engine.control.aborted() {
            return Decision::Stop(StopReason::Aborted);
        }
        let mut none = NoRandom;
        let random: &mut dyn Draw =
            if self.engine.random.is_empty() { &mut none } else { &mut self.engine.random };
        let (cause, budget) = (failure.cause, &self.engine.budget);
        let decision = self.call.fail(policy, now, classification, cause, random, budget);
        let Decision::Retry { after } = decision else { return decision };
        if O::OBSERVES {
            let mut event = self.event(EventKind::Retry);
            event.delay = after;
            event.retry_after = classification.retry_after;
            event.detail = classification.detail;
            event.error = failure.error;
            self.fill_failure(&mut event);
            self.engine.observer.event(&event);
        }
        if self.engine.control.aborted() {
            return Decision::Stop(StopReason::Aborted);
        }
        let context = BackoffContext {
            attempt: self.call.attempts,
            classification: *classification,
            cause: failure.cause,
            previous: after,
            remaining: self.call.remaining(policy, now),
            now,
        };
        match self.engine.control.choose(&context, after) {
            SleepDecision::Sleep => {}
            SleepDecision::Defer => return Decision::Stop(StopReason::Scheduled),
            SleepDecision::Abort => return Decision::Stop(StopReason::Aborted),
        }
        if O::OBSERVES {
            let ended = self.attempt(Some(AttemptDecision::Retry), after);
            self.engine.observer.attempt_end(&ended);
        }
        if !after.is_zero() {
            self.engine.control.before_sleep(&context, after);
        }
        decision
    }

    /// Whether the attempt in flight has taken longer than it was given.
    fn is_overdue(&self, now: Instant) -> bool {
        let policy = self.policy.settings();
        let given = policy.attempt_timeout().min(self.call.remaining(policy, self.now));
        now.since(self.now) > given
    }

    /// Notes how long the attempt in flight took, where somebody wants to know.
    fn spent(&mut self, now: Instant) {
        if B::Attempts::RUNS {
            self.attempts.note(now.since(self.now));
        }
    }

    /// Ends the call without a success: `failure` if it is what ended it.
    #[inline]
    pub(crate) fn end(&mut self, reason: StopReason, failure: Option<&Failure>) -> StopReason {
        if self.pass.is_none() {
            return reason;
        }
        if O::OBSERVES {
            self.observe_end(reason, failure);
        }
        let Some(pass) = self.pass.take() else { return reason };
        match (reason, self.call.last) {
            (StopReason::Aborted, _) | (_, None) => self.engine.breaker.cancel(pass),
            (_, Some((class, _))) => self.settle(pass, CallResult::Failure(class)),
        }
        reason
    }

    fn observe_end(&mut self, reason: StopReason, failure: Option<&Failure>) {
        let mut event = self.event(reason.event());
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
            event.detail = classification.detail;
        }
        if reason != StopReason::Aborted {
            self.fill_failure(&mut event);
        }
        if reason == StopReason::Scheduled {
            event.delay = self.call.previous;
        }
        if self.call.attempts > 0 {
            let ended = self.attempt(Some(decision), event.delay);
            self.engine.observer.attempt_end(&ended);
        }
        self.engine.observer.event(&event);
    }

    // Once: in a small image all that it takes is there for every operation else.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn settle(&mut self, pass: B::Pass, result: CallResult) {
        let changed = self.engine.breaker.settle(pass, result, self.attempts.longest(), self.now);
        if O::OBSERVES
            && let Some(state) = changed
        {
            let kind = match state {
                CircuitState::Closed => EventKind::CircuitClosed,
                CircuitState::Open => EventKind::CircuitOpened,
                CircuitState::HalfOpen => EventKind::CircuitHalfOpen,
            };
            let mut event = self.event(kind);
            event.attempt = 0;
            event.state = Some(state);
            if let CallResult::Failure(class) = result {
                event.class = Some(class);
            }
            self.engine.observer.event(&event);
        }
    }

    fn event(&self, kind: EventKind) -> Event<'a> {
        let mut event = Event::new(kind, self.engine.operation);
        event.attempt = self.call.attempts;
        event.elapsed = self.elapsed();
        event
    }

    fn fill_failure(&self, event: &mut Event<'_>) {
        if let Some((class, cause)) = self.call.last {
            event.class = Some(class);
            event.cause = Some(cause);
        }
    }

    fn attempt(&self, decision: Option<AttemptDecision>, delay: Duration) -> AttemptContext<'a> {
        let failed = !matches!(decision, None | Some(AttemptDecision::Success));
        let last = self.call.last.filter(|_| failed);
        AttemptContext {
            attempt: self.call.attempts,
            operation: self.engine.operation,
            decision,
            class: last.map(|(class, _)| class),
            cause: last.map(|(_, cause)| cause),
            delay,
            elapsed: self.elapsed(),
        }
    }
}

impl<'r, 'a, T, R, B, U, O, H, P> Steps<'r, 'a, T, R, B, U, O, H, P>
where
    T: Clock,
    R: Draw,
    B: Gate,
    U: Pool,
    O: Observer,
    H: Control,
    P: Settings<Policy>,
{
    #[inline]
    pub(crate) fn new(
        engine: &'r mut Engine<'a, T, R, B, U, O, H, P>,
        policy: P,
        pass: Option<B::Pass>,
        now: Instant,
    ) -> Self {
        let call = Call::begin(policy.settings(), now);
        Self { engine, policy, call, pass, now, attempts: B::Attempts::default() }
    }

    /// The error of a call that stopped.
    #[inline]
    pub(crate) fn exhausted<V, E>(
        &self,
        stop_reason: StopReason,
        last: Option<Last<V, E>>,
    ) -> Error<V, E> {
        let scheduled = stop_reason == StopReason::Scheduled;
        Error::Exhausted(RetryExhausted {
            stop_reason,
            attempts: self.call.attempts,
            last_class: self.call.last.map(|(class, _)| class),
            cause: self.call.last.map(|(_, cause)| cause),
            last,
            next_sleep: scheduled.then_some(self.call.previous),
        })
    }
}

#[cfg(feature = "defmt")]
impl<T, R, B: Gate, U, O, H, P> defmt::Format for Steps<'_, '_, T, R, B, U, O, H, P> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Steps({})", self.call);
    }
}

impl<T, R, B: Gate, U, O, H, P> Drop for Steps<'_, '_, T, R, B, U, O, H, P> {
    #[inline]
    fn drop(&mut self) {
        if let Some(pass) = self.pass.take() {
            self.engine.breaker.cancel(pass);
        }
    }
}
