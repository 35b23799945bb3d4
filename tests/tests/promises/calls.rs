//! Promises 1, 9 and 10: one engine behind every driver, the caller's own error, and
//! nothing paid for what is not used.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use redress::breaker::FailureTimes;
use redress::budget::RatioConfig;
use redress::config::LongDelay;
use redress::driver::{Decision, SleepDecision};
use redress::random::from_fn;
use redress::testing::MockClock;
use redress::time::{Sleep, Timer};
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, Event, EventKind, Instant,
    Policy, RatioBudget, StopReason,
};

use crate::{any_u64, cases};

/// One attempt of a script: how long it takes, and its class if it fails.
type Line = (u64, Option<ErrorClass>);

fn any_script() -> impl Strategy<Value = Vec<Line>> {
    let class = prop::option::weighted(0.7, prop::sample::select(ErrorClass::ALL.to_vec()));
    prop::collection::vec((any_u64().prop_map(|takes| takes >> 30), class), 1..12)
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let strategy = (any_u64(), any_u64(), 0_u8..6).prop_map(|(base, max, kind)| {
        let (base, max) = (Duration::from_micros(base >> 24), Duration::from_micros(max >> 16));
        match kind {
            0 => Backoff::constant(base),
            1 => Backoff::exponential(base, max),
            2 => Backoff::equal_jitter(base, max),
            3 => Backoff::token_backoff(base, max),
            4 => Backoff::fibonacci(base, max),
            _ => Backoff::decorrelated_jitter(base, max),
        }
    });
    let long_delay = prop::sample::select(vec![LongDelay::Stop, LongDelay::Cut]);
    (1_u32..8, any_u64(), strategy.clone(), strategy, 0_u16..4, 0_u16..4, long_delay).prop_map(
        |(attempts, deadline, one, other, unknown, limit, long_delay)| {
            Policy::builder()
                .max_attempts(attempts)
                .deadline(Duration::from_micros(deadline))
                .long_delay(long_delay)
                .backoff(one)
                .backoff_for(ErrorClass::RateLimit, other)
                .max_unknown_attempts(unknown)
                .max_attempts_for(ErrorClass::Concurrency, limit)
                .build()
                .unwrap()
        },
    )
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// Everything that a driver did, as text.
fn trace(driver: u8, policy: &Policy, scripts: &[Vec<Line>], seed: u32) -> Vec<String> {
    let failures = BreakerConfig::failures(2, Duration::from_secs(60))
        .recovery_timeout(Duration::from_millis(1));
    let breaker = RefCell::new(Breaker::<FailureTimes<2>, 1, _>::new(&failures).unwrap());
    let ratio = RatioConfig::new(900).initial(1).floor_per_sec(1);
    let budget = RefCell::new(RatioBudget::<_>::new(&ratio).unwrap());
    let clock = MockClock::new();
    let seed = Cell::new(seed);
    let lines = RefCell::new(Vec::new());
    for script in scripts {
        let nth = Cell::new(0);
        let operation = || {
            let (takes, class) = script[nth.get().min(script.len() - 1)];
            nth.set(nth.get() + 1);
            clock.advance(Duration::from_micros(takes));
            class.map_or(Ok(nth.get()), Err)
        };
        let random = from_fn(|| {
            seed.set(seed.get().wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
            seed.get()
        });
        let mut retry = policy
            .on(&clock, random)
            .classify(|class: &ErrorClass| *class)
            .breaker(&breaker)
            .budget(&budget)
            .on_event(|event: &Event<'_>| lines.borrow_mut().push(format!("{event:?}")));
        let ended = match driver {
            0 => format!("{:?}", retry.execute(|_| operation())),
            1 => format!("{:?}", block_on(retry.execute_async(async |_| operation()))),
            2 => format!("{:?}", block_on(retry.execute_future(|_| async { operation() }))),
            _ => {
                // The step form says the same through its events alone.
                if let Ok(mut steps) = retry.begin() {
                    while steps.start().is_ok() {
                        let Err(class) = operation() else {
                            steps.succeed();
                            break;
                        };
                        let after = match steps.fail(class) {
                            Decision::Retry { after } => after,
                            Decision::TooLong { .. } => {
                                steps.on_sleep_decision(SleepDecision::Sleep);
                                break;
                            }
                            Decision::Stop(_) => break,
                        };
                        clock.advance(after);
                        if steps.on_wake().is_err() {
                            break;
                        }
                    }
                }
                String::new()
            }
        };
        lines.borrow_mut().push(ended);
        lines.borrow_mut().push(format!("{:?}", clock.elapsed()));
    }
    lines.into_inner()
}

/// Counts how often it is read, and refuses to wait.
struct Counting {
    reads: Cell<u32>,
}

impl Clock for &Counting {
    fn now(&self) -> Instant {
        self.reads.set(self.reads.get() + 1);
        Instant::ZERO
    }
}

impl Sleep for &Counting {
    fn sleep(&mut self, span: Duration) {
        panic!("slept {span} for nothing");
    }
}

impl Timer for &Counting {
    async fn sleep(&mut self, span: Duration) {
        panic!("a timer of {span} for nothing");
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn promise_1_every_driver_takes_the_same_decisions(
        policy in any_policy(), scripts in prop::collection::vec(any_script(), 1..4),
        seed in any::<u32>(),
    ) {
        let blocking = trace(0, &policy, &scripts, seed);
        prop_assert_eq!(&blocking, &trace(1, &policy, &scripts, seed));
        prop_assert_eq!(&blocking, &trace(2, &policy, &scripts, seed));
        // The step form has no outcome and no type name of an error; all else is equal.
        let plain = |lines: Vec<String>| -> Vec<String> {
            let lines = lines.into_iter().filter(|line| !line.starts_with("Outcome"));
            lines.filter(|line| !line.is_empty()).map(|line| line.replace("Some(\"ErrorClass\")", "None")).collect()
        };
        prop_assert_eq!(plain(blocking), plain(trace(3, &policy, &scripts, seed)));
    }

    #[test]
    fn promise_9_the_last_error_comes_back_with_the_reason(
        policy in any_policy(), script in any_script(),
    ) {
        let clock = MockClock::new();
        let mut runs = 0_usize;
        let mut events = Vec::new();
        let mut retry = policy
            .on(&clock, from_fn(|| 77))
            .classify(|error: &(usize, ErrorClass)| error.1)
            .on_event(|event: &Event<'_>| events.push((event.kind, event.stop_reason)));
        let outcome = retry.execute(|_| {
            let (takes, class) = script[runs.min(script.len() - 1)];
            runs += 1;
            clock.advance(Duration::from_micros(takes));
            class.map_or(Ok(runs), |class| Err((runs, class)))
        });
        prop_assert_eq!(outcome.attempts as usize, runs);
        let class = script[(runs - 1).min(script.len() - 1)].1;
        let last = *events.last().unwrap();
        match outcome.result {
            Ok(value) => {
                prop_assert_eq!((value, class), (runs, None));
                prop_assert_eq!(last, (EventKind::Success, None));
            }
            Err(error) => {
                let reason = error.stop_reason().unwrap();
                prop_assert_eq!(last, (reason.event(), Some(reason)));
                if class.is_some_and(ErrorClass::is_final) {
                    let plain = [StopReason::NonRetryableClass, StopReason::MaxAttemptsPerClass];
                    prop_assert!(plain.contains(&reason));
                }
                prop_assert_eq!(error.into_error(), class.map(|class| (runs, class)));
            }
        }
        // Nothing but an exceeded deadline lets a call end after fewer attempts than
        // its failures deserve.
        prop_assert!(runs <= policy.max_attempts() as usize);
    }

    #[test]
    fn promise_10_success_through_a_closed_breaker_costs_nothing(
        value in any_u64(), asynchronous in any::<bool>(), deadline in any::<bool>(),
    ) {
        let config = Policy::builder().backoff(Backoff::full_jitter(Duration::MAX, Duration::MAX));
        let config = if deadline { config } else { config.no_deadline() };
        let policy = config.build().unwrap();
        let failures = BreakerConfig::failures(1, Duration::from_secs(1));
        let breaker = RefCell::new(Breaker::<FailureTimes<1>, 1, _>::new(&failures).unwrap());
        let ratio = RatioConfig::new(100);
        let budget = RefCell::new(RatioBudget::<_>::new(&ratio).unwrap());
        let counting = Counting { reads: Cell::new(0) };
        let mut retry = policy
            .on(&counting, from_fn(|| panic!("a number for nothing")))
            .classify(|(): &()| ErrorClass::Unknown)
            .breaker(&breaker)
            .budget(&budget);
        let result = if asynchronous {
            block_on(retry.call_async(async |_| Ok::<_, ()>(value)))
        } else {
            retry.call(|_| Ok::<_, ()>(value))
        };
        prop_assert_eq!(result.unwrap(), value);
        prop_assert_eq!(counting.reads.get(), u32::from(deadline));
    }
}
