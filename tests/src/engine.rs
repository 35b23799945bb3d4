//! Runs the engine's scenarios through each of the drivers and compares
//! everything that can be observed.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use redress::backoff::BackoffContext;
use redress::budget::Budget;
use redress::classify::{Classify, Verdict};
use redress::driver::{Control, Decision, SleepDecision};
use redress::event::{AttemptContext, AttemptDecision};
use redress::random::from_fn;
use redress::time::{Sleep, Timer};
use redress::{
    Attempt, Classification, Clock, Duration, Event, EventKind, Instant, Observer, Policy,
    StopReason,
};

#[cfg(not(target_family = "wasm"))]
use redress_tokio::TokioTime;

use crate::digest::{Digest, Ended};
use crate::parts::{Circuit, Tokens, breaker, budget, policy};
use crate::schema::{
    AbortPoint, CallSpec, CauseSpec, DecisionSpec, EndedSpec, EventSpec, Expect, ExpectOutcome,
    PolicySpec, Scenario,
};

/// Tags of scenarios that depend on what redress does otherwise on purpose.
pub const DEVIATIONS: &[(&str, &str)] = &[
    ("stale_completion", "a result belongs to its own permit; late ones change nothing"),
    ("class_threshold_shared_count", "a class's own threshold replaces the common one"),
    ("adaptive_uncredited_success", "an adaptive strategy records immediate successes, too"),
    ("adaptive_nested", "an adaptive strategy records outcomes at any depth of other strategies"),
    ("decorrelated_inverted_range", "decorrelated jitter never falls below its base"),
];

/// Which driver runs the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// `Retry::execute`.
    Blocking,
    /// `Retry::execute_async`.
    Async,
    /// `Retry::begin` and its steps.
    Steps,
    /// `Retry::execute_future` on tokio's clock, which is paused and moved by the scenario.
    #[cfg(not(target_family = "wasm"))]
    Tokio,
}

impl Driver {
    /// All of them.
    #[cfg(not(target_family = "wasm"))]
    pub const ALL: [Self; 4] = [Self::Blocking, Self::Async, Self::Steps, Self::Tokio];
}

/// Runs a scenario, adds it to the digest, and compares it with what is expected.
///
/// # Errors
///
/// Says what the first difference is, or why the scenario cannot be run.
pub fn run(scenario: &Scenario, driver: Driver, digest: &mut Digest) -> Result<(), String> {
    #[cfg(not(target_family = "wasm"))]
    if driver == Driver::Tokio {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        return runtime.block_on(async { run_here(scenario, driver, digest) });
    }
    run_here(scenario, driver, digest)
}

fn run_here(scenario: &Scenario, driver: Driver, digest: &mut Digest) -> Result<(), String> {
    let world = World::new(scenario, driver, *digest)?;
    for (i, call) in scenario.calls.iter().enumerate() {
        let expect = scenario.expect.get(i);
        world.run_call(call, expect, &format!("call {}", i + 1));
    }
    *digest = world.digest.get();
    match world.differences.borrow_mut().drain(..).next() {
        None => Ok(()),
        Some(first) => Err(format!("{driver:?}: {first}")),
    }
}

/// Policy, state, clock and script of one scenario.
struct World<'s> {
    spec: &'s PolicySpec,
    driver: Driver,
    policy: Policy,
    breaker: Option<RefCell<Circuit>>,
    budget: Option<RefCell<Tokens>>,
    clock: Cell<u64>,
    /// The reading of tokio's clock at the start.
    #[cfg(not(target_family = "wasm"))]
    origin: Instant,
    script: &'s [u32],
    drawn: Cell<usize>,
    digest: Cell<Digest>,
    differences: RefCell<Vec<String>>,
}

impl<'s> World<'s> {
    fn new(scenario: &'s Scenario, driver: Driver, digest: Digest) -> Result<Self, String> {
        let spec = &scenario.policy;
        Ok(Self {
            spec,
            driver,
            policy: policy(spec)?,
            breaker: breaker(spec)?.map(RefCell::new),
            budget: budget(spec)?.map(RefCell::new),
            clock: Cell::new(0),
            #[cfg(not(target_family = "wasm"))]
            origin: TokioTime.now(),
            script: &scenario.rng,
            drawn: Cell::new(0),
            digest: Cell::new(digest),
            differences: RefCell::default(),
        })
    }

    fn differ(&self, what: String) {
        self.differences.borrow_mut().push(what);
    }

    fn advance(&self, micros: u64) {
        #[cfg(not(target_family = "wasm"))]
        if self.driver == Driver::Tokio {
            let advanced = pin!(tokio::time::advance(std::time::Duration::from_micros(micros)));
            // The first poll moves the clock; the rest lets timers fire, and there are none.
            let _ = advanced.poll(&mut Context::from_waker(Waker::noop()));
        }
        self.clock.set(self.clock.get().saturating_add(micros));
    }

    fn now(&self) -> u64 {
        match self.driver {
            #[cfg(not(target_family = "wasm"))]
            Driver::Tokio => TokioTime.now().since(self.origin).as_micros(),
            _ => self.clock.get(),
        }
    }

    fn draw(&self) -> u32 {
        let nth = self.drawn.get();
        self.drawn.set(nth + 1);
        self.script.get(nth).copied().unwrap_or_else(|| {
            self.differ(format!("draw {} is beyond the script", nth + 1));
            0
        })
    }

    fn run_call(&self, spec: &CallSpec, expect: Option<&Expect>, name: &str) {
        let run = CallRun {
            world: self,
            spec,
            expect,
            name,
            attempt: Cell::new(0),
            consulted: Cell::new(0),
            nested: Cell::new(0),
            in_flight: Cell::new(false),
            asked: Cell::new(None),
            retries: Cell::new(0),
            started: Cell::new(0),
            events: RefCell::default(),
        };
        self.advance(spec.gap_us);
        run.started.set(self.now());
        let ended = run.drive();
        let mut digest = self.digest.get();
        digest.call(&ended);
        self.digest.set(digest);
        run.compare(&ended);
    }
}

/// One call of a scenario, and every role that the engine asks it to play.
struct CallRun<'w> {
    world: &'w World<'w>,
    spec: &'w CallSpec,
    expect: Option<&'w Expect>,
    name: &'w str,
    attempt: Cell<usize>,
    /// How often the abort predicate was asked: start, failure, sleep in turn.
    consulted: Cell<u64>,
    nested: Cell<usize>,
    in_flight: Cell<bool>,
    /// The delay of which the engine said that it would sleep it.
    asked: Cell<Option<Duration>>,
    retries: Cell<usize>,
    started: Cell<u64>,
    events: RefCell<Vec<(EventSpec, bool)>>,
}

#[derive(Debug)]
enum ScriptedError {
    Abort,
    Failure(Classification),
}

#[derive(Debug)]
struct ScriptedValue(Option<Classification>);

impl CallRun<'_> {
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
            Driver::Blocking => retry.execute(|attempt| self.operation(attempt)).into(),
            Driver::Async => {
                let operation = async |attempt| {
                    yield_once().await;
                    self.operation(attempt)
                };
                block_on(retry.execute_async(operation)).into()
            }
            #[cfg(not(target_family = "wasm"))]
            Driver::Tokio => {
                let operation = |attempt| async move {
                    yield_once().await;
                    self.operation(attempt)
                };
                block_on(retry.execute_future(operation)).into()
            }
            Driver::Steps => {
                let mut steps = match retry.begin() {
                    Ok(steps) => steps,
                    Err(rejection) => return Ended::Rejected(rejection.state),
                };
                let stop_reason = loop {
                    let attempt = match steps.start() {
                        Ok(attempt) => attempt,
                        Err(reason) => break Some(reason),
                    };
                    let decision = match self.operation(attempt) {
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
                        Decision::TooLong { .. } => {
                            unreachable!("delays are cut to the deadline here")
                        }
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

    fn operation(&self, attempt: Attempt) -> Result<ScriptedValue, ScriptedError> {
        let nth = self.attempt.get();
        self.attempt.set(nth + 1);
        if attempt.number as usize != nth + 1 {
            self.differ(&format!("attempt {} is the {}. one", attempt.number, nth + 1));
        }
        let Some(spec) = self.spec.attempts.get(nth) else {
            self.differ(&format!("attempt {} is beyond the script", nth + 1));
            return Ok(ScriptedValue(None));
        };
        for call in &spec.during {
            let nested = self.nested.get();
            self.nested.set(nested + 1);
            let expect = self.expect.and_then(|expect| expect.during.get(nested));
            let name = format!("{} during attempt {}", self.name, nth + 1);
            self.world.run_call(call, expect, &name);
        }
        self.world.advance(spec.takes_us);
        let outcome = &spec.outcome;
        if outcome.ok {
            return Ok(ScriptedValue(None));
        }
        let Some(class) = outcome.class else {
            return Err(ScriptedError::Abort);
        };
        let mut classification = Classification::new(class);
        // Hints are unsigned here: a negative one is none to wait for.
        classification.retry_after = outcome
            .retry_after_us
            .map(|hint| Duration::from_micros(u64::try_from(hint).unwrap_or(0)));
        match outcome.cause {
            Some(CauseSpec::Result) => Ok(ScriptedValue(Some(classification))),
            _ => Err(ScriptedError::Failure(classification)),
        }
    }

    fn differ(&self, what: &str) {
        self.world.differ(format!("{}: {what}", self.name));
    }

    /// How far a delay may be from the expected one.
    fn tolerance(&self, event: &EventSpec, want: u64) -> u64 {
        let spec = self.world.spec;
        let strategy = event
            .class
            .as_ref()
            .and_then(|class| spec.strategies.get(class))
            .or(spec.default_strategy.as_ref());
        let nth = (event.attempt as usize).saturating_sub(1);
        let attempt = self.spec.attempts.get(nth);
        let hinted = attempt.is_some_and(|a| a.outcome.retry_after_us.is_some());
        if strategy.is_none_or(|strategy| strategy.is_exact(hinted)) { 0 } else { 10 + want / 2000 }
    }

    fn compare(&self, ended: &Ended) {
        let Some(expect) = self.expect else {
            return self.differ("made, but not expected");
        };
        let events = self.events.borrow();
        for (i, (got, cut)) in events.iter().enumerate() {
            let Some(want) = expect.events.get(i) else {
                self.differ(&format!("event {got:?} is one too many"));
                break;
            };
            let delays = (got.sleep_us.unwrap_or(0), want.sleep_us.unwrap_or(0));
            let tolerance = if *cut { 0 } else { self.tolerance(want, delays.1) };
            let alike = EventSpec { sleep_us: want.sleep_us, ..got.clone() } == *want;
            let same_presence = got.sleep_us.is_some() == want.sleep_us.is_some();
            if !alike || !same_presence || delays.0.abs_diff(delays.1) > tolerance {
                self.differ(&format!("event {got:?}, expected {want:?}"));
            }
        }
        if let Some(missing) = expect.events.get(events.len()) {
            self.differ(&format!("no event {missing:?}"));
        }
        self.compare_outcome(ended, &expect.outcome);
        let world = self.world;
        let state = world.breaker.as_ref().map(|b| b.borrow().state().as_str().to_owned());
        self.equal("breaker_state", &state, &expect.breaker_state);
        let now = Instant::from_micros(world.now());
        let left = world.budget.as_ref().map(|budget| budget.borrow().remaining(now));
        self.equal("budget_remaining", &left, &expect.budget_remaining);
        self.equal("rng_used", &world.drawn.get(), &expect.rng_used);
        self.equal("clock_us", &world.now(), &expect.clock_us);
        self.equal("calls during attempts", &self.nested.get(), &expect.during.len());
    }

    fn compare_outcome(&self, got: &Ended, want: &ExpectOutcome) {
        match (*got, want) {
            (Ended::Rejected(state), ExpectOutcome::Rejected(want)) => {
                self.equal("circuit_open", &state.as_str(), &want.circuit_open.as_str());
            }
            (
                Ended::Ran { stop_reason, attempts, last, elapsed, next_sleep },
                ExpectOutcome::Ended(want),
            ) => {
                // It is the delay of the `scheduled` event, compared there.
                let next = next_sleep.map(Duration::as_micros);
                let close = next.is_some() == want.next_sleep_us.is_some();
                let got = EndedSpec {
                    ok: stop_reason.is_none(),
                    stop_reason: stop_reason.map(|r| r.as_str().to_owned()),
                    attempts,
                    last_class: last.map(|l| l.0.as_str().to_owned()),
                    cause: last.map(|l| l.1.as_str().to_owned()),
                    elapsed_us: elapsed.as_micros(),
                    next_sleep_us: if close { want.next_sleep_us } else { next },
                };
                self.equal("outcome", &got, want);
            }
            (got, want) => self.differ(&format!("ended {got:?}, expected {want:?}")),
        }
    }

    fn equal<V: PartialEq + std::fmt::Debug>(&self, what: &str, got: &V, want: &V) {
        if got != want {
            self.differ(&format!("{what} is {got:?}, expected {want:?}"));
        }
    }
}

impl Clock for CallRun<'_> {
    fn now(&self) -> Instant {
        Instant::from_micros(self.world.now())
    }
}

impl CallRun<'_> {
    /// The driver sleeps: exactly what it was told to.
    fn slept(&self, span: Duration) {
        if self.asked.take() != Some(span) {
            self.differ(&format!("slept {span}, which was not decided"));
        }
    }
}

impl Sleep for &CallRun<'_> {
    fn sleep(&mut self, span: Duration) {
        self.slept(span);
    }
}

impl Timer for &CallRun<'_> {
    /// A timer that limits an attempt never fires: the scripts say how long attempts take,
    /// and a result that is there wins over a limit that is due.
    async fn sleep(&mut self, span: Duration) {
        if self.in_flight.get() {
            return std::future::pending().await;
        }
        yield_once().await;
        self.slept(span);
    }
}

impl Observer for &CallRun<'_> {
    fn event(&mut self, event: &Event<'_>) {
        let mut digest = self.world.digest.get();
        digest.event(event);
        self.world.digest.set(digest);
        let waits = matches!(event.kind, EventKind::Retry | EventKind::Scheduled);
        let left = self.world.spec.deadline_us.saturating_sub(event.elapsed.as_micros());
        let cut = waits && event.delay.as_micros() == left;
        let spec = EventSpec {
            event: event.kind.as_str().to_owned(),
            attempt: event.attempt,
            sleep_us: waits.then_some(event.delay.as_micros()),
            class: event.class.map(|class| class.as_str().to_owned()),
            cause: event.cause.map(|cause| cause.as_str().to_owned()),
            stop_reason: event.stop_reason.map(|reason| reason.as_str().to_owned()),
            state: event.state.map(|state| state.as_str().to_owned()),
        };
        self.events.borrow_mut().push((spec, cut));
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
        let nth = self.retries.get();
        self.retries.set(nth + 1);
        let expected = self.expect.and_then(|expect| {
            let mut retries = expect.events.iter().filter(|event| event.event == "retry");
            retries.nth(nth).and_then(|event| event.sleep_us)
        });
        self.asked.set(Some(ended.delay));
        let attempt = self.spec.attempts.get(ended.attempt as usize - 1);
        self.world.advance(expected.unwrap_or(ended.delay.as_micros()));
        self.world.advance(attempt.map_or(0, |attempt| attempt.oversleep_us));
    }
}

impl Control for &CallRun<'_> {
    fn aborted(&mut self) -> bool {
        let nth = self.consulted.get();
        self.consulted.set(nth + 1);
        self.spec.abort_if.as_ref().is_some_and(|abort| {
            let point = match abort.at {
                AbortPoint::Start => 0,
                AbortPoint::Failure => 1,
                AbortPoint::Sleep => 2,
            };
            nth >= abort.attempt.saturating_sub(1) * 3 + point
        })
    }

    fn sleep_decision(&mut self, context: &BackoffContext, _: Duration) -> SleepDecision {
        let spec = self.spec.attempts.get(context.attempt as usize - 1);
        match spec.map(|spec| spec.decision) {
            Some(DecisionSpec::Defer) => SleepDecision::Defer,
            Some(DecisionSpec::Abort) => SleepDecision::Abort,
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

/// Pending once, so that the driver really suspends.
async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
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
