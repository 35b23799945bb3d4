//! The steps of a call, which every driver takes: [`Steps`].

mod notify;
mod start;

use core::fmt;

use crate::backoff::BackoffContext;
use crate::breaker::{CallResult, CircuitOpen, Gate, Stopwatch as _, WANTS_HINTS, WANTS_RANDOM};
use crate::budget::Pool;
use crate::call::{Call, Decision, OVERDUE};
use crate::class::{Classification, ErrorClass};
use crate::classify::{NoText, Verdict};
use crate::config::Settings;
use crate::driver::failure::Failure;
use crate::driver::retry::{Engine, Retry};
use crate::driver::{Control, Parts, SleepDecision, Slots};
use crate::event::{
    AttemptContext, AttemptDecision, Cause, CircuitState, Event, EventKind, Observers, StopReason,
    Text,
};
use crate::outcome::{Error, Last, Outcome, RetryExhausted};
use crate::random::{Draw, NoRandom};
use crate::time::{Clock, Duration, Instant};

/// A call under way, step by step.
///
/// For schedulers of your own. Call [`begin`](Retry::begin), then [`start`](Self::start) an
/// attempt, run it, and report [`succeed`](Self::succeed) or [`fail`](Self::fail). After
/// [`Decision::Retry`] wait in any way you like, call [`on_wake`](Self::on_wake), and start
/// again. After [`Decision::TooLong`] defer the call
/// ([`on_sleep_decision`](Self::on_sleep_decision)), [`suspend`](Self::suspend) it, or answer
/// [`SleepDecision::Sleep`], which ends it with [`StopReason::DeadlineExceeded`].
///
/// Dropping `Steps` before the end cancels the call. The breaker then counts nothing, a probe
/// frees its slot in a half-open breaker, and the observer is notified of `aborted`.
///
/// ```
/// # use core::cell::Cell;
/// # use redress::driver::Decision;
/// # use redress::{policy, Backoff, Duration, ErrorClass, Policy};
/// const UPSTREAM: Policy =
///     policy! { Policy::builder().backoff(Backoff::constant(Duration::from_secs(2))) };
/// let clock = Cell::new(0_u64);
/// let mut retry = UPSTREAM.on(&clock, redress::random::NoRandom);
///
/// let mut steps = retry.begin()?;
/// let attempt = steps.start().unwrap();
/// assert_eq!(attempt.number, 1);
/// let decision = steps.fail(ErrorClass::Transient);
/// assert_eq!(decision, Decision::Retry { after: Duration::from_secs(2) });
/// clock.set(2_000_000);
/// steps.on_wake().unwrap();
/// assert_eq!(steps.start().unwrap().number, 2);
/// steps.succeed();
/// # Ok::<(), redress::CircuitOpen>(())
/// ```
pub struct Steps<'r, 'a, X: Parts> {
    pub(crate) engine: &'r mut Engine<'a, X>,
    /// That of `engine`, where the compiler can see that nothing changes it: a `const`
    /// policy is then inlined.
    pub(crate) policy: X::Policy,
    pub(crate) call: Call,
    /// Held until the call is settled.
    pub(crate) pass: Option<<X::Breaker as Gate>::Pass>,
    attempts: <X::Breaker as Gate>::Attempts,
    /// An attempt has started, and the observer is not notified of its end yet.
    pub(crate) in_flight: bool,
    /// A rate limiter has granted the next attempt.
    has_turn: bool,
    /// The observer runs. If it panics, it is not notified of the end of the call.
    pub(crate) observing: bool,
}

impl<'a, X: Parts, K> Retry<'a, X, K> {
    /// Begins a call that you run step by step.
    ///
    /// # Errors
    ///
    /// [`CircuitOpen`] if the breaker rejects it.
    #[inline]
    pub fn begin(&mut self) -> Result<Steps<'_, 'a, X>, CircuitOpen> {
        self.engine.begin(true)
    }
}

impl<'a, X: Parts> Engine<'a, X> {
    /// Begins a call; `timed` if its start must be known in any case.
    #[inline(always)]
    pub(crate) fn begin(&mut self, timed: bool) -> Result<Steps<'_, 'a, X>, CircuitOpen> {
        if let Some(pass) = self.breaker.admit_closed() {
            return Ok(self.begin_admitted(pass, timed));
        }
        let (pass, half_opened) = self.admit()?;
        let mut steps = self.begin_admitted(pass, timed);
        if X::Observer::OBSERVES && half_opened {
            let event =
                steps.engine.circuit_event(EventKind::CircuitHalfOpen, CircuitState::HalfOpen);
            steps.observe(|observer| observer.on_event(&event));
        }
        Ok(steps)
    }

    /// Begins an admitted call.
    #[inline]
    pub(crate) fn begin_admitted(
        &mut self,
        pass: <X::Breaker as Gate>::Pass,
        timed: bool,
    ) -> Steps<'_, 'a, X> {
        // A budget, a clock or a control that panics must not keep the pass.
        let guard = Guard { breaker: &self.breaker, pass };
        self.budget.deposit();
        let policy = self.policy.clone();
        let timed = timed
            || policy.settings().is_timed()
            || X::Control::HAS_DEADLINE
            || X::Observer::OBSERVES
            || <X::Breaker as Gate>::Attempts::RUNS
            || X::Budget::LIMITS;
        let now = if timed { self.time.now() } else { Instant::ZERO };
        let call = match self.own_deadline() {
            Some(deadline) => Call::begin_within(policy.settings(), deadline, now),
            None => Call::begin(policy.settings(), now),
        };
        core::mem::forget(guard);
        Steps::new(self, call, Some(pass))
    }

    /// The deadline of these calls alone, where the control says that it may give one.
    #[inline]
    pub(crate) fn own_deadline(&self) -> Option<Duration> {
        if X::Control::HAS_DEADLINE { self.control.deadline() } else { None }
    }

    /// Asks a breaker that is not closed.
    pub(super) fn admit(&mut self) -> Result<(<X::Breaker as Gate>::Pass, bool), CircuitOpen> {
        let now = self.time.now();
        let admitted = self.breaker.admit(now);
        if X::Observer::OBSERVES
            && let Err(rejection) = &admitted
        {
            let event = self.circuit_event(EventKind::CircuitRejected, rejection.state);
            self.observer.on_event(&event);
        }
        admitted
    }
}

/// Takes a pass back from a call that panics before it has begun.
struct Guard<'g, B: Gate> {
    breaker: &'g B,
    pass: B::Pass,
}

impl<B: Gate> Drop for Guard<'_, B> {
    fn drop(&mut self) {
        self.breaker.cancel(self.pass);
    }
}

impl<'a, X: Slots> Engine<'a, X> {
    pub(crate) fn circuit_event(&self, kind: EventKind, state: CircuitState) -> Event<'a> {
        Event { state: Some(state), ..Event::new(kind, self.operation) }
    }
}

impl<'a, X: Parts> Steps<'_, 'a, X> {
    /// The attempt succeeded, and the call with it, even after its timeout or deadline.
    #[inline]
    pub fn succeed(&mut self) {
        self.settle_success(true);
    }

    #[inline(always)]
    pub(crate) fn settle_success(&mut self, timed: bool) {
        let listens = self.policy.settings().listens();
        // The pass is held until observers have run: one that panics cancels the call.
        let Some(pass) = &self.pass else { return };
        let counts = X::Breaker::counts_success(pass);
        if timed || listens || X::Observer::OBSERVES || counts {
            let now = self.engine.time.now();
            self.advance(now);
            self.call.pass_on_success(self.policy.settings());
        }
        if X::Observer::OBSERVES {
            self.end_attempt(AttemptDecision::Success, Duration::ZERO);
            let event = self.event(EventKind::Success);
            self.observe(|observer| observer.on_event(&event));
        }
        if let Some(pass) = self.pass.take()
            && counts
        {
            self.settle(pass, CallResult::Success);
        }
    }

    /// The attempt failed with an error of this class. Returns what follows.
    ///
    /// After [`Decision::Stop`] the call is over.
    pub fn fail(&mut self, classification: impl Into<Classification>) -> Decision {
        self.fail_by(classification.into(), Cause::Exception, false)
    }

    /// The attempt returned a value that counts as a failure of this class. Returns what follows.
    pub fn fail_by_value(&mut self, classification: impl Into<Classification>) -> Decision {
        self.fail_by(classification.into(), Cause::Result, false)
    }

    /// The attempt was ended at its [timeout](crate::Attempt::timeout), which is a failure of
    /// class TRANSIENT. If the deadline is what ended it, the call stops. Returns what follows.
    pub fn cut(&mut self) -> Decision {
        self.fail_by(ErrorClass::Transient.into(), Cause::Exception, true)
    }

    fn fail_by(&mut self, classification: Classification, cause: Cause, is_cut: bool) -> Decision {
        let failure = Failure { verdict: classification.into(), cause, error: None, is_cut };
        let decision = self.decide(&failure, None::<NoText>);
        if let Decision::Stop(reason) = decision {
            self.end(reason, Some(&failure), None::<NoText>);
        }
        decision
    }

    /// The operation asked to stop. Nothing has failed, and the call is over. Returns
    /// [`StopReason::Aborted`].
    pub fn abort(&mut self) -> StopReason {
        let now = self.engine.time.now();
        self.call.advance(now);
        self.stop(StopReason::Aborted)
    }

    /// Chooses what to do with the delay that [`fail`](Self::fail) decided. A token (one retry of
    /// the budget) that the retry has taken stays spent.
    ///
    /// * [`SleepDecision::Sleep`] returns [`Decision::Retry`]. After [`Decision::TooLong`] it
    ///   ends the call with [`StopReason::DeadlineExceeded`].
    /// * [`SleepDecision::Defer`] ends the call with [`StopReason::Scheduled`]. After
    ///   [`Decision::TooLong`] it takes a token first; without a token the call ends with
    ///   [`StopReason::BudgetExhausted`].
    /// * [`SleepDecision::Abort`] ends the call with [`StopReason::Aborted`].
    pub fn on_sleep_decision(&mut self, choice: SleepDecision) -> Decision {
        let reason = match choice {
            SleepDecision::Sleep if self.call.is_too_long() => StopReason::DeadlineExceeded,
            SleepDecision::Sleep => return Decision::Retry { after: self.call.previous },
            SleepDecision::Defer => self.call.defer(&self.engine.budget),
            SleepDecision::Abort => StopReason::Aborted,
        };
        Decision::Stop(self.stop(reason))
    }

    /// The delay is over.
    ///
    /// # Errors
    ///
    /// [`StopReason::DeadlineExceeded`] if the deadline has passed meanwhile. The call is over.
    #[inline]
    pub fn on_wake(&mut self) -> Result<(), StopReason> {
        self.wake().map_err(|reason| self.stop(reason))
    }

    #[inline]
    pub(crate) fn wake(&mut self) -> Result<(), StopReason> {
        let now = self.engine.time.now();
        self.call.on_wake(now)
    }

    /// Cancels the call, as dropping it does: the breaker counts nothing, and a probe frees its
    /// slot.
    pub fn cancel(self) {}

    /// The state of the call.
    pub const fn call(&self) -> &Call {
        &self.call
    }

    /// Time from the start of the call to its latest step.
    #[inline]
    pub const fn elapsed(&self) -> Duration {
        self.call.taken()
    }

    /// Says what follows a failure. After [`Decision::Stop`] the caller must
    /// [`end`](Self::end) the call: once for all ways to stop, so that the code of it is
    /// there once.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    pub(crate) fn decide(
        &mut self,
        failure: &Failure,
        text: Option<impl fmt::Display + Copy>,
    ) -> Decision {
        let now = self.engine.time.now();
        let took = self.advance(now);
        let Verdict::Failure(classification) = &failure.verdict else {
            return Decision::Stop(StopReason::Aborted);
        };
        if self.engine.control.aborted() {
            return Decision::Stop(StopReason::Aborted);
        }
        let policy = self.policy.clone();
        let policy = policy.settings();
        if failure.is_cut && self.call.cut_by_deadline(policy, took) {
            return Decision::Stop(self.call.end_at_deadline());
        }
        let overdue = self.call.is_overdue(policy, took, classification.class);
        let classification = if overdue { &OVERDUE } else { classification };
        self.hold(classification);
        let mut none = NoRandom;
        let random: &mut dyn Draw =
            if self.engine.random.is_empty() { &mut none } else { &mut self.engine.random };
        let (cause, budget) = (failure.cause, &self.engine.budget);
        let decision = self.call.decide(policy, classification, cause, random, budget);
        let after = match decision {
            Decision::Retry { after } | Decision::TooLong { after } => after,
            Decision::Stop(_) => return decision,
        };
        let fits = !self.call.is_too_long();
        if X::Observer::OBSERVES && fits {
            let mut event = self.event(EventKind::Retry);
            event.delay = after;
            event.retry_after = classification.retry_after;
            event.detail = classification.detail;
            event.error = failure.error;
            event.text = text.as_ref().map(|text| Text::new(text));
            self.fill_failure(&mut event);
            self.observe(|observer| observer.on_event(&event));
        }
        if self.engine.control.aborted() {
            return Decision::Stop(StopReason::Aborted);
        }
        let context = BackoffContext {
            attempt: self.call.attempts,
            classification: *classification,
            cause: failure.cause,
            previous: after,
            remaining: self.call.remaining(now),
            now,
        };
        match self.engine.control.sleep_decision(&context, after) {
            SleepDecision::Sleep => {}
            SleepDecision::Defer => {
                return Decision::Stop(self.call.defer(&self.engine.budget));
            }
            SleepDecision::Abort => return Decision::Stop(StopReason::Aborted),
        }
        if fits {
            if X::Observer::OBSERVES {
                self.end_attempt(AttemptDecision::Retry, after);
            }
            if !after.is_zero() {
                self.engine.control.before_sleep(&context, after);
            }
        }
        decision
    }

    /// Has the breaker open for the other side's hint, where it is configured to.
    #[inline]
    fn hold(&mut self, classification: &Classification) {
        if X::Breaker::WANTS & WANTS_HINTS == 0 {
            return;
        }
        let Some(hint) = classification.retry_after else { return };
        let class = classification.class;
        if !matches!(class, ErrorClass::RateLimit | ErrorClass::ServerError) {
            return;
        }
        let Some(pass) = self.pass else { return };
        if X::Breaker::permit(&pass).is_some_and(|permit| permit.wants_hints()) {
            let changed = self.engine.breaker.hold(pass, hint, self.call.seen);
            self.circuit_changed(changed, Some(class));
        }
    }

    /// Ends the time of the attempt in flight at `now` and returns how long it took; a breaker
    /// that counts slow calls gets it, too.
    #[inline]
    fn advance(&mut self, now: Instant) -> Duration {
        let took = self.call.advance(now);
        if <X::Breaker as Gate>::Attempts::RUNS {
            self.attempts.note(took);
        }
        took
    }

    /// Ends the call between two attempts, or before the first.
    #[inline]
    pub(crate) fn stop(&mut self, reason: StopReason) -> StopReason {
        self.end(reason, None, None::<NoText>)
    }

    /// Ends the call without a success: `failure` if it is what ended it.
    #[inline]
    pub(crate) fn end(
        &mut self,
        reason: StopReason,
        failure: Option<&Failure>,
        text: Option<impl fmt::Display + Copy>,
    ) -> StopReason {
        if self.pass.is_none() {
            return reason;
        }
        if X::Observer::OBSERVES {
            let text = text.as_ref().map(|text| Text::new(text));
            self.observe_end(reason, failure, text);
        }
        let Some(pass) = self.pass.take() else { return reason };
        match self.call.counted_failure(reason) {
            Some(class) => self.settle(pass, CallResult::Failure(class)),
            None => self.engine.breaker.cancel(pass),
        }
        reason
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn settle(&mut self, pass: <X::Breaker as Gate>::Pass, result: CallResult) {
        let class = match result {
            CallResult::Failure(class) => Some(class),
            _ => None,
        };
        let wants_random = X::Breaker::WANTS & WANTS_RANDOM != 0
            && X::Breaker::permit(&pass).is_some_and(|permit| permit.wants_random());
        let mut random = 0;
        if wants_random {
            // Held meanwhile: a generator that panics cancels the call.
            self.pass = Some(pass);
            random = self.engine.random.draw().unwrap_or(0);
            self.pass = None;
        }
        let longest = self.attempts.longest();
        let changed = self.engine.breaker.settle(pass, result, longest, random, self.call.seen);
        self.circuit_changed(changed, class);
    }

    /// Notifies the observer of a new state of the breaker.
    #[inline]
    fn circuit_changed(&mut self, changed: Option<CircuitState>, class: Option<ErrorClass>) {
        if X::Observer::OBSERVES
            && let Some(state) = changed
        {
            let mut event = self.event(state.event());
            event.attempt = 0;
            event.state = Some(state);
            event.class = class;
            self.observe(|observer| observer.on_event(&event));
        }
    }

    /// The attempt that failed, for the hook before the next one.
    #[inline]
    pub(crate) fn retry_context(&self) -> AttemptContext<'a> {
        self.attempt(Some(AttemptDecision::Retry), self.call.previous)
    }
}

impl<'r, 'a, X: Parts> Steps<'r, 'a, X> {
    #[inline]
    pub(crate) fn new(
        engine: &'r mut Engine<'a, X>,
        call: Call,
        pass: Option<<X::Breaker as Gate>::Pass>,
    ) -> Self {
        let (policy, attempts) = (engine.policy.clone(), <X::Breaker as Gate>::Attempts::default());
        Self {
            engine,
            policy,
            call,
            pass,
            attempts,
            in_flight: false,
            has_turn: false,
            observing: false,
        }
    }

    /// Begins another call, after one that has ended.
    pub(crate) fn begin_again(&mut self) -> Result<(), CircuitOpen> {
        let (pass, half_opened) = match self.engine.breaker.admit_closed() {
            Some(pass) => (pass, false),
            None => self.engine.admit()?,
        };
        // From here on a panic gives it back, when this is dropped.
        self.pass = Some(pass);
        self.engine.budget.deposit();
        let now = self.engine.time.now();
        let policy = self.policy.clone();
        let deadline = self.engine.own_deadline().unwrap_or(policy.settings().deadline());
        self.call = Call::begin_within(policy.settings(), deadline, now);
        self.attempts = <X::Breaker as Gate>::Attempts::default();
        (self.in_flight, self.has_turn) = (false, false);
        if X::Observer::OBSERVES && half_opened {
            let event =
                self.engine.circuit_event(EventKind::CircuitHalfOpen, CircuitState::HalfOpen);
            self.observe(|observer| observer.on_event(&event));
        }
        Ok(())
    }

    /// The call ended in this result.
    #[inline]
    pub(crate) fn outcome<V, E, R>(&self, result: Result<V, Error<E, R>>) -> Outcome<V, E, R> {
        Outcome::new(result, self.call.attempts, self.elapsed())
    }

    /// The call stopped between two attempts, or before the first.
    #[inline]
    pub(crate) fn stopped<V, E, R>(
        &self,
        reason: StopReason,
        last: Option<Last<E, R>>,
    ) -> Outcome<V, E, R> {
        self.outcome(Err(self.exhausted(reason, last)))
    }

    /// The error of a call that stopped.
    #[inline]
    pub(crate) fn exhausted<E, R>(
        &self,
        stop_reason: StopReason,
        last: Option<Last<E, R>>,
    ) -> Error<E, R> {
        Error::Exhausted(RetryExhausted {
            stop_reason,
            attempts: self.call.attempts,
            last_class: self.call.last.map(|(class, _)| class),
            cause: self.call.last.map(|(_, cause)| cause),
            last,
            next_sleep: self.call.next_sleep(stop_reason),
        })
    }
}

impl<X: Parts> fmt::Debug for Steps<'_, '_, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steps").field("call", &self.call).finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<X: Parts> defmt::Format for Steps<'_, '_, X> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Steps({})", self.call);
    }
}

/// A call that is dropped is cancelled, and the observer is notified that it was aborted.
impl<X: Parts> Drop for Steps<'_, '_, X> {
    #[inline]
    fn drop(&mut self) {
        let Some(pass) = self.pass.take() else { return };
        self.engine.breaker.cancel(pass);
        if X::Observer::OBSERVES && !self.observing {
            self.end_attempt(AttemptDecision::Aborted, Duration::ZERO);
            let mut event = self.event(EventKind::Aborted);
            event.stop_reason = Some(StopReason::Aborted);
            self.observe(|observer| observer.on_event(&event));
        }
    }
}
