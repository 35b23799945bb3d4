//! Runs a scenario through one of the three drivers and digests everything that the
//! engine says. All decisions are taken here; the host only fed the inputs.

use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use redress::backoff::{AdaptiveConfig, BackoffContext, Memory};
use redress::breaker::FailureTimes;
use redress::budget::{Budget, RollingConfig};
use redress::classify::{ClassSet, Classify, Verdict};
use redress::config::LongDelay;
use redress::driver::{Control, Decision, SleepDecision};
use redress::event::{AttemptContext, AttemptDecision};
use redress::random::from_fn;
use redress::time::{Sleep, Timer};
use redress::{
    Attempt, Backoff, Breaker, BreakerConfig, Classification, Clock, Duration, ErrorClass, Event,
    Instant, Observer, Policy, RollingBudget, Shared, StopReason,
};
use redress_wire::answer::Refusal;
use redress_wire::digest::{Digest, Ended};
use redress_wire::{Items, case};

use crate::arena::Places;

/// Which driver runs the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// `Retry::execute`.
    Blocking,
    /// `Retry::execute_async`.
    Async,
    /// `Retry::begin` and its steps.
    Steps,
}

impl Driver {
    /// All of them, in the order of an answer.
    pub const ALL: [Self; 3] = [Self::Blocking, Self::Async, Self::Steps];
}

/// The room on a target: what tests/vectors/README.md says that a file needs.
const FAILURES: usize = 22;
const TOKENS: usize = 12;
const OUTCOMES: usize = 24;

type Circuit = Breaker<FailureTimes<FAILURES>>;
type Tokens = RollingBudget<TOKENS>;

/// Runs a scenario, adds it to the digest, and returns the digest of what was observed
/// after each call.
///
/// # Errors
///
/// Why it cannot be run on this target.
pub fn run(
    scenario: &case::Scenario<'_>,
    driver: Driver,
    digest: &mut Digest,
    places: Places,
) -> Result<Digest, Refusal> {
    let world = World {
        driver,
        policy: policy(&scenario.policy, places)?,
        breaker: breaker(&scenario.policy, places)?.map(RefCell::new),
        budget: budget(&scenario.policy, places)?.map(RefCell::new),
        clock: Cell::new(0),
        script: RefCell::new(Items::new(scenario.rng)),
        drawn: Cell::new(0),
        digest: Cell::new(*digest),
        observed: Cell::new(Digest::default()),
    };
    for call in Items::<case::Call<'_>>::new(scenario.calls) {
        world.run_call(&call);
    }
    *digest = world.digest.get();
    Ok(world.observed.get())
}

/// Policy, state, clock and script of one scenario.
struct World<'s> {
    driver: Driver,
    policy: Policy,
    breaker: Option<RefCell<Circuit>>,
    budget: Option<RefCell<Tokens>>,
    clock: Cell<u64>,
    script: RefCell<Items<'s, u32>>,
    drawn: Cell<u32>,
    digest: Cell<Digest>,
    observed: Cell<Digest>,
}

impl World<'_> {
    fn now(&self) -> Instant {
        Instant::from_micros(self.clock.get())
    }

    fn advance(&self, micros: u64) {
        self.clock.set(self.clock.get().saturating_add(micros));
    }

    /// A draw beyond the script is counted like any other, and so differs from the
    /// expected number of draws.
    fn draw(&self) -> u32 {
        self.drawn.set(self.drawn.get() + 1);
        self.script.borrow_mut().next().unwrap_or(0)
    }

    fn run_call(&self, call: &case::Call<'_>) {
        self.advance(call.gap_us);
        let run = CallRun {
            world: self,
            abort_from: call.abort_from,
            attempts: RefCell::new(Items::new(call.attempts)),
            current: Cell::new(None),
            delays: RefCell::new(Items::new(call.delays)),
            consulted: Cell::new(0),
            asked: Cell::new(None),
            in_flight: Cell::new(false),
        };
        let ended = run.drive();
        let mut digest = self.digest.get();
        digest.call(&ended);
        self.digest.set(digest);
        let mut observed = self.observed.get();
        observed.observed(
            self.breaker.as_ref().map(|breaker| breaker.borrow().state()),
            self.budget.as_ref().map(|budget| budget.borrow().remaining(self.now())),
            self.drawn.get(),
            self.clock.get(),
        );
        self.observed.set(observed);
    }
}

/// One call of a scenario, and every role that the engine asks it to play.
struct CallRun<'w, 's> {
    world: &'w World<'s>,
    abort_from: Option<u32>,
    attempts: RefCell<Items<'w, case::Attempt<'w>>>,
    /// The attempt under way or just over; `None` beyond the script.
    current: Cell<Option<case::Attempt<'w>>>,
    delays: RefCell<Items<'w, u64>>,
    /// How often the abort predicate was asked: start, failure, sleep in turn.
    consulted: Cell<u32>,
    in_flight: Cell<bool>,
    /// The delay of which the engine said that it would sleep it.
    asked: Cell<Option<Duration>>,
}

#[derive(Debug)]
enum ScriptedError {
    Abort,
    Failure(Classification),
}

#[derive(Debug)]
struct ScriptedValue(Option<Classification>);

impl CallRun<'_, '_> {
    fn drive(&self) -> Ended {
        let world = self.world;
        let mut retry = world
            .policy
            .on(self, from_fn(|| world.draw()))
            .classifier(Scripted)
            .breaker(world.breaker.as_ref())
            .budget(world.budget.as_ref())
            .observer(self)
            .control(self);
        match world.driver {
            Driver::Blocking => retry.execute(|_| self.operation()).into(),
            Driver::Async => {
                let operation = async |_: Attempt| {
                    yield_once().await;
                    self.operation()
                };
                block_on(retry.execute_async(operation)).into()
            }
            Driver::Steps => {
                let mut steps = match retry.begin() {
                    Ok(steps) => steps,
                    Err(rejection) => return Ended::Rejected(rejection.state),
                };
                let stop_reason = loop {
                    if let Err(reason) = steps.start() {
                        break Some(reason);
                    }
                    let decision = match self.operation() {
                        Ok(ScriptedValue(None)) => {
                            steps.succeed();
                            break None;
                        }
                        Ok(ScriptedValue(Some(class))) => steps.fail_by_value(class),
                        Err(ScriptedError::Failure(class)) => steps.fail(class),
                        Err(ScriptedError::Abort) => Decision::Stop(steps.abort()),
                    };
                    match decision {
                        Decision::Stop(reason) => break Some(reason),
                        // Delays are cut to the deadline here.
                        Decision::TooLong { .. } => break Some(StopReason::NoStrategy),
                        Decision::Retry { after } if !after.is_zero() => self.slept(after),
                        Decision::Retry { .. } => {}
                    }
                    if let Err(reason) = steps.on_wake() {
                        break Some(reason);
                    }
                };
                let scheduled = stop_reason == Some(StopReason::Scheduled);
                Ended::Ran {
                    stop_reason,
                    attempts: steps.call().attempts(),
                    last: steps.call().last().filter(|_| stop_reason.is_some()),
                    elapsed: steps.elapsed(),
                    next_sleep: scheduled.then(|| steps.call().previous()),
                }
            }
        }
    }

    fn operation(&self) -> Result<ScriptedValue, ScriptedError> {
        let attempt = self.attempts.borrow_mut().next();
        self.current.set(attempt);
        let Some(attempt) = attempt else { return Ok(ScriptedValue(None)) };
        for call in Items::<case::Call<'_>>::new(attempt.during) {
            self.world.run_call(&call);
        }
        self.world.advance(attempt.takes_us);
        let classified = |class, hint: Option<u64>| {
            let mut classification = Classification::new(class);
            classification.retry_after = hint.map(Duration::from_micros);
            classification
        };
        match attempt.outcome {
            case::Outcome::Ok => Ok(ScriptedValue(None)),
            case::Outcome::Abort => Err(ScriptedError::Abort),
            case::Outcome::Result(class, hint) => Ok(ScriptedValue(Some(classified(class, hint)))),
            case::Outcome::Exception(class, hint) => {
                Err(ScriptedError::Failure(classified(class, hint)))
            }
        }
    }

    /// The driver sleeps exactly what was decided; anything else shows in the digest of
    /// what was observed, as the clock then goes wrong.
    fn slept(&self, span: Duration) {
        if self.asked.take() != Some(span) {
            self.world.advance(1);
        }
    }
}

impl Clock for CallRun<'_, '_> {
    fn now(&self) -> Instant {
        self.world.now()
    }
}

impl Sleep for &CallRun<'_, '_> {
    fn sleep(&mut self, span: Duration) {
        self.slept(span);
    }
}

impl Timer for &CallRun<'_, '_> {
    /// A timer that limits an attempt never fires: the scripts say how long attempts take.
    async fn sleep(&mut self, span: Duration) {
        if self.in_flight.get() {
            return core::future::pending().await;
        }
        yield_once().await;
        self.slept(span);
    }
}

impl Observer for &CallRun<'_, '_> {
    fn event(&mut self, event: &Event<'_>) {
        let mut digest = self.world.digest.get();
        digest.event(event);
        self.world.digest.set(digest);
    }

    fn attempt_start(&mut self, _: &AttemptContext<'_>) {
        self.in_flight.set(true);
    }

    /// Drives the clock with the vectors: by the expected delay, not by ours.
    fn attempt_end(&mut self, ended: &AttemptContext<'_>) {
        self.in_flight.set(false);
        if ended.decision != Some(AttemptDecision::Retry) {
            return;
        }
        self.asked.set(Some(ended.delay));
        let expected = self.delays.borrow_mut().next();
        self.world.advance(expected.unwrap_or(ended.delay.as_micros()));
        self.world.advance(self.current.get().map_or(0, |attempt| attempt.oversleep_us));
    }
}

impl Control for &CallRun<'_, '_> {
    fn aborted(&mut self) -> bool {
        let nth = self.consulted.get();
        self.consulted.set(nth + 1);
        self.abort_from.is_some_and(|from| nth >= from)
    }

    fn sleep_decision(&mut self, _: &BackoffContext, _: Duration) -> SleepDecision {
        match self.current.get().map(|attempt| attempt.decision) {
            Some(case::Decision::Defer) => SleepDecision::Defer,
            Some(case::Decision::Abort) => SleepDecision::Abort,
            _ => SleepDecision::Sleep,
        }
    }
}

struct Scripted;

impl Classify<ScriptedValue, ScriptedError> for Scripted {
    type Rejected = ScriptedValue;

    fn error(&mut self, error: &ScriptedError) -> Verdict {
        match error {
            ScriptedError::Abort => Verdict::Abort,
            ScriptedError::Failure(classification) => (*classification).into(),
        }
    }

    fn value(&mut self, value: ScriptedValue) -> Result<ScriptedValue, (ScriptedValue, Verdict)> {
        match value.0 {
            None => Ok(value),
            Some(classification) => Err((value, classification.into())),
        }
    }
}

fn policy(spec: &case::Policy<'_>, places: Places) -> Result<Policy, Refusal> {
    let mut config = Policy::builder()
        .deadline(Duration::from_micros(spec.deadline_us))
        .long_delay(LongDelay::Cut)
        .max_attempts(spec.max_attempts);
    config = match spec.max_unknown_attempts {
        Some(failures) => config.max_unknown_attempts(failures),
        None => config.no_unknown_limit(),
    };
    for (class, failures) in Items::<(ErrorClass, u16)>::new(spec.per_class_max_attempts) {
        config = config.max_attempts_for(class, failures);
    }
    if let Some(strategy) = &spec.default_strategy {
        config = config.backoff(backoff(strategy, places)?);
    }
    for (class, strategy) in Items::<(ErrorClass, case::Strategy<'_>)>::new(spec.strategies) {
        config = config.backoff_for(class, backoff(&strategy, places)?);
    }
    if spec.default_strategy.is_none() && spec.strategies.is_empty() {
        // A policy without any strategy does not build; one for a class that is
        // never retried decides the same.
        config = config.backoff_for(ErrorClass::Permanent, Backoff::constant(Duration::ZERO));
    }
    config.build().map_err(|_| Refusal::Config)
}

fn backoff(spec: &case::Strategy<'_>, places: Places) -> Result<Backoff, Refusal> {
    let us = Duration::from_micros;
    let fallback = |bytes| {
        let spec = Items::<case::Strategy<'_>>::new(bytes).next().ok_or(Refusal::Garbled)?;
        backoff(&spec, places)
    };
    Ok(match *spec {
        case::Strategy::Fixed(delays) => {
            let mut room = [Duration::ZERO; 8];
            let mut len = 0;
            for delay in Items::<u64>::new(delays) {
                *room.get_mut(len).ok_or(Refusal::Room)? = us(delay);
                len += 1;
            }
            let room = &*places.put(room).ok_or(Refusal::Room)?;
            Backoff::sequence(room.get(..len).ok_or(Refusal::Room)?)
        }
        case::Strategy::DecorrelatedJitter { base_us, max_us } => {
            Backoff::decorrelated_jitter(us(base_us), us(max_us))
        }
        case::Strategy::EqualJitter { base_us, max_us } => {
            Backoff::equal_jitter(us(base_us), us(max_us))
        }
        case::Strategy::TokenBackoff { base_us, max_us } => {
            Backoff::token_backoff(us(base_us), us(max_us))
        }
        case::Strategy::RetryAfterOr { fallback: bytes, jitter_us } => {
            let fallback = places.put(fallback(bytes)?).ok_or(Refusal::Room)?;
            Backoff::retry_after_or(fallback, us(jitter_us))
        }
        case::Strategy::Adaptive {
            fallback: bytes,
            window_us,
            target_success_milli,
            min_multiplier_milli,
            max_multiplier_milli,
        } => {
            let adaptive = AdaptiveConfig::new(fallback(bytes)?)
                .window(us(window_us))
                .target_success_milli(target_success_milli)
                .multipliers_milli(min_multiplier_milli, max_multiplier_milli)
                .build()
                .map_err(|_| Refusal::Config)?
                .memory(Locked(critical_section::Mutex::new(RefCell::new(Memory::new()))));
            Backoff::own(places.put(adaptive).ok_or(Refusal::Room)?)
        }
    })
}

/// A strategy may be used from anywhere, so its memory has a lock.
struct Locked(critical_section::Mutex<RefCell<Memory<OUTCOMES>>>);

impl Shared for Locked {
    type Item = Memory<OUTCOMES>;

    fn with<R>(&self, f: impl FnOnce(&mut Self::Item) -> R) -> Option<R> {
        critical_section::with(|cs| self.0.borrow(cs).with(f))
    }
}

fn breaker(spec: &case::Policy<'_>, places: Places) -> Result<Option<Circuit>, Refusal> {
    let Some(spec) = &spec.breaker else { return Ok(None) };
    let window = Duration::from_micros(spec.window_us);
    let mut config = BreakerConfig::failures(spec.failure_threshold, window)
        .recovery_timeout(Duration::from_micros(spec.recovery_timeout_us))
        // The reference knows no lease: none of a script's probes is lost.
        .lease(Duration::MAX);
    if let Some(bytes) = spec.trip_on {
        let mut classes = heapless::Vec::<ErrorClass, 8>::new();
        for class in Items::new(bytes) {
            classes.push(class).map_err(|_| Refusal::Garbled)?;
        }
        config = config.trip_on(ClassSet::of(&classes));
    }
    for (class, threshold) in Items::<(ErrorClass, u8)>::new(spec.class_thresholds) {
        config = config.class_threshold(class, threshold);
    }
    let config = places.put(config).ok_or(Refusal::Room)?;
    Circuit::new(config).map(Some).map_err(|_| Refusal::Config)
}

fn budget(spec: &case::Policy<'_>, places: Places) -> Result<Option<Tokens>, Refusal> {
    let Some(spec) = &spec.budget else { return Ok(None) };
    let config = RollingConfig::new(spec.max_retries, Duration::from_micros(spec.window_us));
    let config = places.put(config).ok_or(Refusal::Room)?;
    Tokens::new(config).map(Some).map_err(|_| Refusal::Config)
}

/// Pending once, so that the driver really suspends.
async fn yield_once() {
    let mut yielded = false;
    core::future::poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Polls until it is done: nothing here waits for anything outside.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
