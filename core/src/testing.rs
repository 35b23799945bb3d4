//! For tests of code that uses redress: a clock that only you move, randomness and
//! operations from a script, an observer that remembers, a breaker that obeys.
//!
//! ```
//! use redress::testing::{MockClock, Recorder, ScriptedRandom, Script};
//! use redress::{Backoff, Duration, ErrorClass, EventKind, Policy, policy};
//!
//! const UPSTREAM: Policy = policy! {
//!     Policy::new().backoff(Backoff::full_jitter(Duration::from_secs(2), Duration::from_secs(9)))
//! };
//! let clock = MockClock::new();
//! let mut operation = Script::new([Err("busy"), Ok(21)]);
//! let mut recorder = Recorder::<8>::new();
//! let value = UPSTREAM
//!     .on(&clock, ScriptedRandom::new(&[1 << 31]))
//!     .classify(|_: &&str| ErrorClass::Transient)
//!     .observer(&mut recorder)
//!     .call(|_| operation.next());
//! assert_eq!(value, Ok(21));
//! assert_eq!(clock.elapsed(), Duration::from_secs(1));
//! assert_eq!(recorder.kinds(), [EventKind::Retry, EventKind::Success]);
//! ```

use core::cell::Cell;

use heapless::Vec;

use crate::breaker::{Admitted, CallResult, CircuitOpen, Permit};
use crate::event::{AttemptContext, AttemptDecision};
use crate::gate::Circuit;
use crate::random::Draw;
use crate::timeline::{Timeline, TimelineEntry};
use crate::{
    Backoff, CircuitState, Clock, Duration, Event, EventKind, Instant, Observer, Policy, Sleep,
    Timer,
};

/// A clock that only moves when it is told to; sleeping on it moves it.
#[derive(Debug, Default)]
pub struct MockClock {
    micros: Cell<u64>,
    frozen: Cell<bool>,
    slept: Cell<u64>,
}

impl MockClock {
    /// A clock at its origin.
    pub const fn new() -> Self {
        Self { micros: Cell::new(0), frozen: Cell::new(false), slept: Cell::new(0) }
    }

    /// Moves it on, unless it is frozen.
    pub fn advance(&self, span: Duration) {
        if !self.frozen.get() {
            self.micros.set(self.micros.get().saturating_add(span.as_micros()));
        }
    }

    /// Sets it to any time, also an earlier one, frozen or not.
    pub fn jump_to(&self, now: Instant) {
        self.micros.set(now.as_micros());
    }

    /// From now on it stands still, also while somebody sleeps.
    pub fn freeze(&self) {
        self.frozen.set(true);
    }

    /// It moves again.
    pub fn thaw(&self) {
        self.frozen.set(false);
    }

    /// Time since its origin.
    pub fn elapsed(&self) -> Duration {
        Duration::from_micros(self.micros.get())
    }

    /// How long was slept in total.
    pub fn slept(&self) -> Duration {
        Duration::from_micros(self.slept.get())
    }

    fn pass(&self, span: Duration) {
        self.slept.set(self.slept.get().saturating_add(span.as_micros()));
        self.advance(span);
    }
}

impl Clock for MockClock {
    fn now(&self) -> Instant {
        Instant::from_micros(self.micros.get())
    }
}

impl Sleep for &MockClock {
    fn sleep(&mut self, span: Duration) {
        self.pass(span);
    }
}

/// The time passes at the first poll.
impl Timer for &MockClock {
    async fn sleep(&mut self, span: Duration) {
        self.pass(span);
    }
}

/// Random numbers from a script; after its end there are none.
#[derive(Clone, Debug)]
pub struct ScriptedRandom<'s> {
    numbers: &'s [u32],
    drawn: usize,
}

impl<'s> ScriptedRandom<'s> {
    /// These numbers, in order.
    pub const fn new(numbers: &'s [u32]) -> Self {
        Self { numbers, drawn: 0 }
    }

    /// How many were drawn.
    pub const fn drawn(&self) -> usize {
        self.drawn
    }
}

impl Draw for ScriptedRandom<'_> {
    fn draw(&mut self) -> Option<u32> {
        let number = self.numbers.get(self.drawn).copied();
        self.drawn += usize::from(number.is_some());
        number
    }
}

impl Draw for &mut ScriptedRandom<'_> {
    fn draw(&mut self) -> Option<u32> {
        (**self).draw()
    }
}

/// An operation that returns what a script says, and its last line from then on.
#[derive(Clone, Debug)]
pub struct Script<V, E, const N: usize> {
    results: [Result<V, E>; N],
    runs: usize,
}

impl<V: Clone, E: Clone, const N: usize> Script<V, E, N> {
    const FITS: () = assert!(N > 0, "a script has one line or more");

    /// These results, in order.
    pub const fn new(results: [Result<V, E>; N]) -> Self {
        let () = Self::FITS;
        Self { results, runs: 0 }
    }

    /// Runs the operation once.
    ///
    /// # Errors
    ///
    /// If the script says so.
    #[expect(clippy::should_implement_trait, reason = "it is an operation, no iterator")]
    pub fn next(&mut self) -> Result<V, E> {
        let nth = self.runs.min(N - 1);
        self.runs += 1;
        self.results[nth].clone()
    }

    /// How often it was run.
    pub const fn runs(&self) -> usize {
        self.runs
    }
}

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

/// A breaker that admits and rejects as a script says, and remembers the results.
///
/// After the end of the script it admits.
#[derive(Clone, Debug)]
pub struct FakeBreaker<'s> {
    decisions: &'s [Result<(), CircuitOpen>],
    asked: usize,
    results: Vec<CallResult, 16>,
}

impl<'s> FakeBreaker<'s> {
    /// Answers with these decisions, in order.
    pub const fn new(decisions: &'s [Result<(), CircuitOpen>]) -> Self {
        Self { decisions, asked: 0, results: Vec::new() }
    }

    /// A rejection, to put into a script.
    ///
    /// # Errors
    ///
    /// Always: it is one.
    pub const fn rejection(retry_after: Duration) -> Result<(), CircuitOpen> {
        Err(CircuitOpen { state: CircuitState::Open, retry_after })
    }

    /// How often it was asked.
    pub const fn asked(&self) -> usize {
        self.asked
    }

    /// The first 16 results that it was told.
    pub fn results(&self) -> &[CallResult] {
        &self.results
    }
}

impl Circuit for FakeBreaker<'_> {
    type Attempts = ();

    const HEARS_SUCCESS: bool = true;

    fn enter(&mut self) -> Option<Permit> {
        None
    }

    fn admit(&mut self, _: Instant) -> Result<Admitted, CircuitOpen> {
        let decision = self.decisions.get(self.asked).copied().unwrap_or(Ok(()));
        self.asked += 1;
        let permit = Permit::closed(0);
        decision.map(|()| Admitted { permit, half_opened: false })
    }

    fn settle(
        &mut self,
        _: Permit,
        result: CallResult,
        _: Duration,
        _: Instant,
    ) -> Option<CircuitState> {
        let _ = self.results.push(result);
        None
    }

    fn cancel(&mut self, _: Permit) {
        let _ = self.results.push(CallResult::Cancelled);
    }
}

/// The same policy without any delay: every strategy gives zero.
pub const fn instant_retries(policy: &Policy) -> Policy {
    policy.with_delays_of(Backoff::constant(Duration::ZERO))
}

/// The same policy with one attempt only.
pub const fn no_retries(policy: &Policy) -> Policy {
    policy.with_attempts(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorClass;
    use core::cell::RefCell;

    fn backed_off(policy: &Policy, clock: &MockClock) -> u32 {
        let mut retry =
            policy.on(clock, ScriptedRandom::new(&[])).classify(|(): &()| ErrorClass::Transient);
        retry.execute(|_| Err::<(), ()>(())).attempts
    }

    #[test]
    fn instant_and_no_retry_policies_change_only_that() {
        let policy = Policy::new()
            .max_attempts(4)
            .backoff(Backoff::constant(Duration::from_secs(1)))
            .backoff_for(ErrorClass::Transient, Backoff::constant(Duration::from_secs(2)))
            .build()
            .unwrap();
        let clock = MockClock::new();
        assert_eq!((backed_off(&policy, &clock), clock.slept()), (4, Duration::from_secs(6)));
        let clock = MockClock::new();
        let instant = instant_retries(&policy);
        assert_eq!((backed_off(&instant, &clock), clock.slept()), (4, Duration::ZERO));
        let clock = MockClock::new();
        assert_eq!(backed_off(&no_retries(&policy), &clock), 1);
    }

    #[test]
    fn a_fake_breaker_follows_its_script_and_remembers() {
        const ONCE: Policy = Policy::once();
        let script = [Ok(()), FakeBreaker::rejection(Duration::from_secs(7))];
        let breaker = RefCell::new(FakeBreaker::new(&script));
        let clock = MockClock::new();
        let mut retry = ONCE
            .on(&clock, ScriptedRandom::new(&[]))
            .classify(|(): &()| ErrorClass::Permanent)
            .breaker(&breaker);
        assert_eq!(retry.call(|_| Ok(1)), Ok(1));
        let rejected = retry.execute(|_| Ok::<_, ()>(2)).rejection().unwrap();
        assert_eq!(rejected.retry_after, Duration::from_secs(7));
        assert!(retry.call(|_| Err::<(), ()>(())).is_err());
        let failure = CallResult::Failure(ErrorClass::Permanent);
        assert_eq!(breaker.borrow().results(), [CallResult::Success, failure]);
        assert_eq!(breaker.borrow().asked(), 3);
    }

    #[test]
    fn a_frozen_clock_stands_still_and_a_jump_moves_it_anywhere() {
        let clock = MockClock::new();
        clock.advance(Duration::from_secs(5));
        clock.freeze();
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.elapsed(), Duration::from_secs(5));
        clock.thaw();
        clock.jump_to(Instant::from_micros(3));
        assert_eq!(clock.now(), Instant::from_micros(3));
    }
}
