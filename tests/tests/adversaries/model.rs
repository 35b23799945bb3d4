//! Random policies and random events beside a model of a call, a breaker and a rolling budget
//! that was written from the vectors' description alone. Every answer must be the model's.

mod breaker;
mod call;

use std::cell::{Cell, RefCell};

use redress::breaker::{CallResult, FailureRule, FailureTimes, Permit};
use redress::budget::RollingConfig;
use redress::driver::{Decision, SleepDecision};
use redress::random::NoRandom;
use redress::{Attempt, Breaker, BreakerConfig, ErrorClass, Policy, RollingBudget, StopReason};

use self::breaker::{Held, Learned, Model, Rules};
use self::call::{Call, Limits, Verdict};
use crate::{Numbers, at, rounds, us};

/// The most retries of a budget in a window.
const RETRIES: u64 = 7;

type Circuit<'c> = Breaker<FailureTimes<12>, 3, &'c BreakerConfig<FailureRule>>;
type Retries<'c> = RollingBudget<8, &'c RollingConfig>;

/// What a model of a budget is: when each retry was spent.
struct Spent {
    times: Vec<u64>,
    most: u64,
    window: u64,
}

impl Spent {
    fn within(&mut self, now: u64) -> u64 {
        self.times.retain(|time| now - time < self.window);
        self.times.len() as u64
    }

    fn spend(&mut self, now: u64) -> bool {
        let is_left = self.within(now) < self.most;
        if is_left {
            self.times.push(now);
        }
        is_left
    }
}

/// What has been seen, so that a model which is never asked is noticed.
#[derive(Debug, Default)]
struct Tally {
    steps: u64,
    calls: u64,
    states: [u64; 3],
    reasons: [u64; 10],
    lost: u64,
    cut: u64,
    deferred: u64,
}

/// One policy, breaker and budget, and what becomes of them.
struct Scenario<'c> {
    numbers: Numbers,
    clock: &'c Cell<u64>,
    circuit: &'c RefCell<Circuit<'c>>,
    retries: &'c RefCell<Retries<'c>>,
    policy: &'c Policy,
    limits: Limits,
    model: Model,
    spent: Spent,
    held: Vec<(Permit, Held)>,
}

fn some_time(numbers: &mut Numbers) -> u64 {
    numbers.of(&[1, 2, 3, 5, 10, 50, 1000]) * (1 + numbers.below(3))
}

impl Scenario<'_> {
    /// Another caller asks the breaker, and holds its permit for a while.
    fn ask(&mut self) {
        let now = self.clock.get();
        let admitted = self.circuit.borrow_mut().admit(at(now));
        match (admitted, self.model.admit(now)) {
            (Ok(admitted), Some(held)) => {
                assert_eq!(admitted.permit.is_probe(), held.is_probe);
                self.held.push((admitted.permit, held));
            }
            (Err(rejection), None) => {
                let wait = rejection.retry_after.unwrap().as_micros();
                assert!(wait > 0 && wait <= self.model.longest_wait(), "{rejection:?}");
            }
            (admitted, held) => panic!("{admitted:?}, in the model {held:?}: {:?}", self.model),
        }
    }

    fn settle(&mut self) {
        let which = self.numbers.below(self.held.len() as u64) as usize;
        let (permit, held) = self.held.swap_remove(which);
        let class = self.numbers.of(&ErrorClass::ALL);
        let (result, learned) = match self.numbers.below(4) {
            0 => (CallResult::Success, Learned::Success),
            1 => (CallResult::Cancelled, Learned::Nothing),
            _ => (CallResult::Failure(class), Learned::Failure(class)),
        };
        let now = self.clock.get();
        self.circuit.borrow_mut().settle(permit, result, at(now));
        self.model.settle(held, learned, now);
    }

    /// A whole call, step by step.
    fn call(&mut self, tally: &mut Tally) {
        let engine = self.policy.on(self.clock, NoRandom);
        let mut engine = engine.breaker(self.circuit).budget(self.retries);
        let begun = engine.begin();
        let start = self.clock.get();
        let (mut steps, held) = match (begun, self.model.admit(start)) {
            (Ok(steps), Some(held)) => (steps, held),
            (Err(_), None) => return,
            (begun, held) => panic!("{:?}, in the model {held:?}", begun.is_ok()),
        };
        tally.calls += 1;
        let mut call = Call::new(start);
        let learned = loop {
            tally.steps += 1;
            let attempt = steps.start().unwrap();
            let now = self.clock.get();
            let (remaining, timeout) = call.start(&self.limits, now);
            let given = |span: Option<u64>| span.map_or(redress::Duration::MAX, us);
            let expected = (call.attempts, given(remaining), given(timeout));
            let Attempt { number, remaining, timeout, .. } = attempt;
            assert_eq!((number, remaining, timeout), expected);
            if !self.numbers.one_in(3) {
                self.clock.set(now + self.numbers.below(30));
            }
            let now = self.clock.get();
            match self.numbers.below(24) {
                0..=2 => {
                    steps.succeed();
                    break Learned::Success;
                }
                3 => {
                    steps.abort();
                    break Learned::Nothing;
                }
                4 => {
                    drop(steps);
                    break Learned::Nothing;
                }
                _ => {}
            }
            let class = match self.numbers.below(7) {
                0 | 1 => ErrorClass::Transient,
                2 => ErrorClass::ServerError,
                3 => ErrorClass::RateLimit,
                4 => ErrorClass::Unknown,
                5 => ErrorClass::Concurrency,
                _ => self.numbers.of(&ErrorClass::ALL),
            };
            let is_cut = timeout != redress::Duration::MAX && self.numbers.one_in(6);
            let decision = if is_cut { steps.cut() } else { steps.fail(class) };
            tally.cut += u64::from(is_cut);
            let spent = &mut self.spent;
            let expected = call.fail(&self.limits, class, is_cut, now, || spent.spend(now));
            match (decision, expected) {
                (Decision::Retry { after }, Verdict::Retry(delay)) if after == us(delay) => {}
                (Decision::TooLong { after }, Verdict::TooLong(delay)) if after == us(delay) => {
                    let choice = self.numbers.of(&[
                        SleepDecision::Sleep,
                        SleepDecision::Defer,
                        SleepDecision::Abort,
                    ]);
                    let stopped = steps.on_sleep_decision(choice);
                    let reason = match choice {
                        SleepDecision::Sleep => StopReason::DeadlineExceeded,
                        SleepDecision::Defer if self.spent.spend(now) => StopReason::Scheduled,
                        SleepDecision::Defer => StopReason::BudgetExhausted,
                        SleepDecision::Abort => StopReason::Aborted,
                    };
                    assert_eq!(stopped, Decision::Stop(reason));
                    tally.reasons[reason as usize] += 1;
                    tally.deferred += 1;
                    break if reason == StopReason::Aborted {
                        Learned::Nothing
                    } else {
                        call.learned()
                    };
                }
                (Decision::Stop(reason), Verdict::Stop(expected)) if reason == expected => {
                    tally.reasons[reason as usize] += 1;
                    break call.learned();
                }
                (decision, expected) => panic!("{decision:?}, in the model {expected:?}: {call:?}"),
            }
            match self.numbers.below(12) {
                0 => {
                    steps.on_sleep_decision(SleepDecision::Defer);
                    tally.reasons[StopReason::Scheduled as usize] += 1;
                    break call.learned();
                }
                1 => {
                    steps.on_sleep_decision(SleepDecision::Abort);
                    tally.reasons[StopReason::Aborted as usize] += 1;
                    break Learned::Nothing;
                }
                _ => {}
            }
            let overslept = if self.numbers.one_in(4) { self.numbers.below(5) } else { 0 };
            self.clock.set(now + call.delay + overslept);
            let woke = steps.on_wake();
            if call.is_late(&self.limits, self.clock.get()) {
                assert_eq!(woke, Err(StopReason::DeadlineExceeded));
                break call.learned();
            }
            assert_eq!(woke, Ok(()));
        };
        self.model.settle(held, learned, self.clock.get());
    }

    fn run(&mut self, tally: &mut Tally) {
        for _ in 0..60 {
            tally.steps += 1;
            if !self.numbers.one_in(3) {
                self.clock.set(self.clock.get() + self.numbers.below(60));
            }
            match self.numbers.below(10) {
                0..=2 => self.ask(),
                3..=5 if !self.held.is_empty() => self.settle(),
                6 if !self.held.is_empty() => {
                    // It never comes back.
                    self.held.pop();
                    tally.lost += 1;
                }
                _ => self.call(tally),
            }
            let now = self.clock.get();
            assert_eq!(self.circuit.borrow().state(), self.model.state, "{:?}", self.model);
            let left = self.spent.most - self.spent.within(now);
            let remaining = redress::budget::Budget::remaining(&*self.retries.borrow(), at(now));
            assert_eq!(u64::from(remaining), left);
            tally.states[self.model.state as usize] += 1;
        }
    }
}

fn scenario(seed: u64, tally: &mut Tally) {
    let mut numbers = Numbers::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let rules = Rules::any(&mut numbers);
    let config = rules.config();
    let limits = Limits::any(&mut numbers);
    let policy = limits.policy();
    let (most, window) = (numbers.below(RETRIES), some_time(&mut numbers) * 3);
    let retries = RollingConfig::new(most as u16, us(window));
    let clock = Cell::new(numbers.below(3) * 1000);
    let circuit = RefCell::new(Circuit::new(&config).unwrap());
    let retries = RefCell::new(Retries::new(&retries).unwrap());
    let mut scenario = Scenario {
        numbers,
        clock: &clock,
        circuit: &circuit,
        retries: &retries,
        policy: &policy,
        limits,
        model: Model::new(rules),
        spent: Spent { times: Vec::new(), most, window },
        held: Vec::new(),
    };
    scenario.run(tally);
}

#[test]
fn a_million_calls_go_as_in_an_independent_model() {
    let steps = rounds(300_000, 10_000_000, 200_000_000);
    let mut tally = Tally::default();
    for seed in 1.. {
        scenario(seed, &mut tally);
        if tally.steps >= steps {
            break;
        }
    }
    // Each answer that there is was given, and often.
    let often = steps / 10_000;
    let reasons = tally.reasons.iter().filter(|count| **count > often).count();
    // All but CIRCUIT_OPEN, which a breaker must be configured for.
    assert_eq!(reasons, 9, "{tally:?}");
    assert!(tally.states.iter().all(|count| *count > often), "{tally:?}");
    let rare = [tally.calls, tally.lost, tally.cut, tally.deferred];
    assert!(rare.iter().all(|count| *count > often), "{tally:?}");
}
