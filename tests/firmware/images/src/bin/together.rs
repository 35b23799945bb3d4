//! Calls together at one breaker and one budget: who is let through when it is half-open, what a
//! probe's end means to the others, and that retries are paid from one purse.

#![no_std]
#![no_main]

use core::cell::Cell;
use core::future::pending;

use embassy_executor::Spawner;
use embassy_futures::join::join_array;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_time::Timer;
use firmware::check::Checks;
use redress::breaker::{FailureRule, FailureTimes};
use redress::budget::RollingConfig;
use redress::event::CircuitState;
use redress::random::NoRandom;
use redress::{
    Backoff, Breaker, BreakerConfig, Duration, ErrorClass, Event, EventKind, Outcome, Policy,
    RollingBudget, Shared, StopReason, checked, policy,
};
use redress_embassy::{EmbassyTime, Locked};

/// An M0 has 16 KB of RAM.
const CALLERS: usize = if cfg!(target_has_atomic = "ptr") { 12 } else { 7 };

const ONCE: Policy = Policy::once();
const TWICE: Policy = policy! {
    Policy::builder().max_attempts(2).backoff(Backoff::constant(Duration::from_millis(1)))
};

const RULE: BreakerConfig<FailureRule> = BreakerConfig::failures(1, Duration::from_secs(60))
    .recovery_timeout(Duration::from_millis(30))
    .lease(Duration::from_millis(200));
static BREAKER: Locked<CriticalSectionRawMutex, Breaker<FailureTimes<1>>> =
    Locked::new(checked!(Breaker::<FailureTimes<1>>::new(&RULE)));

const RETRIES: RollingConfig = RollingConfig::new(5, Duration::from_secs(60));
static BUDGET: Locked<CriticalSectionRawMutex, RollingBudget<5>> =
    Locked::new(checked!(RollingBudget::<5>::new(&RETRIES)));

fn state() -> Option<CircuitState> {
    BREAKER.with(|breaker| breaker.state())
}

/// What all calls together have done and heard.
#[derive(Default)]
struct Seen {
    made: Cell<u32>,
    rejected: Cell<u32>,
    half_opened: Cell<u32>,
    opened: Cell<u32>,
    closed: Cell<u32>,
    /// How often the breaker was locked while an observer or an operation ran.
    locked: Cell<u32>,
}

fn count(cell: &Cell<u32>) {
    cell.set(cell.get() + 1);
}

impl Seen {
    fn look(&self) {
        if state().is_none() {
            count(&self.locked);
        }
    }

    fn record(&self, event: &Event<'_>) {
        self.look();
        match event.kind {
            EventKind::CircuitRejected => count(&self.rejected),
            EventKind::CircuitHalfOpen => count(&self.half_opened),
            EventKind::CircuitOpened => count(&self.opened),
            EventKind::CircuitClosed => count(&self.closed),
            _ => {}
        }
    }

    /// A call of one attempt behind the breaker, which takes 2 ms.
    async fn call(&self, result: Result<(), ErrorClass>) -> Outcome<(), ErrorClass> {
        ONCE.on(EmbassyTime, NoRandom)
            .classify(|class: &ErrorClass| {
                self.look();
                *class
            })
            .breaker(&BREAKER)
            .on_event(|event: &Event<'_>| self.record(event))
            .execute_async(async |_| {
                count(&self.made);
                self.look();
                Timer::after_millis(2).await;
                self.look();
                result
            })
            .await
    }

    /// As many of them as there are callers, at once.
    async fn calls(&self, result: Result<(), ErrorClass>) -> [Outcome<(), ErrorClass>; CALLERS] {
        join_array([(); CALLERS].map(|()| self.call(result))).await
    }
}

async fn recovered() {
    Timer::after_millis(30).await;
}

async fn half_open(checks: &mut Checks) {
    let seen = Seen::default();
    let failed = seen.call(Err(ErrorClass::Transient)).await;
    let open = !failed.is_ok() && state() == Some(CircuitState::Open);
    checks.check("a failed call opens the breaker", open, seen.opened.get());

    let outcomes = seen.calls(Ok(())).await;
    let rejected = outcomes.iter().filter(|outcome| {
        outcome.attempts == 0
            && outcome.rejection().is_some_and(|why| why.state == CircuitState::Open)
    });
    let rejected = rejected.count();
    let none = rejected == CALLERS && seen.made.get() == 1;
    checks.check("while it is open no call is made", none, rejected);

    recovered().await;
    let waiting = state() == Some(CircuitState::Open);
    checks.check("time alone changes no state", waiting, waiting);
    let outcomes = seen.calls(Err(ErrorClass::Permanent)).await;
    let rejected = outcomes.iter().filter(|outcome| {
        outcome.rejection().is_some_and(|why| why.state == CircuitState::HalfOpen)
    });
    let rejected = rejected.count();
    let one = rejected == CALLERS - 1 && seen.made.get() == 2 && seen.half_opened.get() == 1;
    checks.check("of all that ask at once one is the probe", one, rejected);
    let again = state() == Some(CircuitState::Open) && seen.opened.get() == 2;
    checks.check("a probe that fails, of whatever class, opens it anew", again, seen.opened.get());

    // The failed probe has started the recovery time anew.
    Timer::after_millis(25).await;
    let early = seen.call(Ok(())).await.rejection().is_some();
    checks.check("for the whole recovery time", early, early);
    Timer::after_millis(5).await;
    let closing = seen.calls(Ok(())).await;
    let let_through = closing.iter().filter(|outcome| outcome.is_ok()).count();
    let closed = state() == Some(CircuitState::Closed) && seen.closed.get() == 1;
    checks.check("a probe that succeeds closes it", closed && let_through == 1, let_through);
    let all = seen.calls(Ok(())).await.iter().filter(|outcome| outcome.is_ok()).count();
    checks.check("then all are let through", all == CALLERS, all);
    let locked = seen.locked.get();
    checks.check("times that it was locked while code of the caller ran", locked == 0, locked);
}

async fn lost_probe(checks: &mut Checks) {
    let seen = Seen::default();
    seen.call(Err(ErrorClass::Transient)).await;
    recovered().await;
    let mut retry =
        ONCE.on(EmbassyTime, NoRandom).classify(|(): &()| ErrorClass::Transient).breaker(&BREAKER);
    // It hangs for ever, and no caller waits behind it.
    let probe = retry.call_async(async |_| pending::<Result<(), ()>>().await);
    let others = async {
        let rejected = seen.call(Ok(())).await.rejection().is_some();
        checks.check("no caller waits behind a probe that hangs", rejected, rejected);
        Timer::after_millis(199).await;
        let still = seen.call(Ok(())).await.rejection().is_some();
        Timer::after_millis(1).await;
        let next = seen.call(Ok(())).await.is_ok();
        let closed = still && next && state() == Some(CircuitState::Closed);
        checks.check("after its lease another one is let through", closed, closed);
    };
    embassy_futures::select::select(probe, others).await;
    let closed = state() == Some(CircuitState::Closed);
    checks.check("the lost one, dropped later, changes nothing", closed, closed);
}

async fn one_budget(checks: &mut Checks) {
    let attempts = Cell::new(0);
    let exhausted = Cell::new(0);
    let call = || async {
        let outcome = TWICE
            .on(EmbassyTime, NoRandom)
            .classify(|(): &()| ErrorClass::Transient)
            .budget(&BUDGET)
            .execute_async(async |_| {
                count(&attempts);
                Err::<(), ()>(())
            })
            .await;
        if outcome.stop_reason() == Some(StopReason::BudgetExhausted) {
            count(&exhausted);
        }
    };
    join_array([(); CALLERS].map(|()| call())).await;
    let all = CALLERS as u32;
    let paid = attempts.get() - all;
    checks.check("retries of all callers from a budget of 5", paid == 5, paid);
    let rest = exhausted.get();
    checks.check("calls that end for want of one", rest == all - 5, rest);
}

#[embassy_executor::task]
async fn tests(_spawner: Spawner) {
    let mut checks = Checks::default();
    half_open(&mut checks).await;
    lost_probe(&mut checks).await;
    one_budget(&mut checks).await;
    semihosting::process::exit(if checks.close() { 0 } else { 1 });
}

firmware::tasks!(tests);
