//! Real threads, and the tasks of a multi-threaded runtime, around one breaker. Their clock is
//! a counter that each reading moves on; between a reading and the lock others run.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

use redress::breaker::{CallResult, FailureRule, FailureTimes};
use redress::budget::{Budget, RatioConfig, RollingConfig};
use redress::event::CircuitState;
use redress::random::NoRandom;
use redress::time::{Sleep, Timer};
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, Instant, Policy, RatioBudget,
    RollingBudget, policy,
};

use crate::{rounds, us};

const FAILURE: CallResult = CallResult::Failure(ErrorClass::Transient);
const ONCE: Policy = policy! {
    Policy::builder().max_attempts(1).no_deadline().backoff(Backoff::constant(Duration::ZERO))
};
/// No instant is stale by as much as this.
const LEASE: Duration = Duration::from_secs(1_000);
const ONE: BreakerConfig<FailureRule> =
    BreakerConfig::failures(1, us(100)).recovery_timeout(us(3)).lease(LEASE);
const TWO: BreakerConfig<FailureRule> = BreakerConfig::failures(2, Duration::from_secs(1))
    .recovery_timeout(us(3))
    .half_open_permits(2)
    .successes_to_close(2)
    .lease(LEASE);
type One = Breaker<FailureTimes<1>>;

/// A clock that each reading moves on, and that lets another thread run before the reading is
/// used.
#[derive(Clone, Copy)]
struct Ticks<'t>(&'t AtomicU64);

impl Clock for Ticks<'_> {
    fn now(&self) -> Instant {
        let now = self.0.fetch_add(1, SeqCst);
        thread::yield_now();
        Instant::from_micros(now)
    }
}

impl Sleep for Ticks<'_> {
    fn sleep(&mut self, span: Duration) {
        self.0.fetch_add(span.as_micros(), SeqCst);
    }
}

impl Timer for Ticks<'_> {
    async fn sleep(&mut self, span: Duration) {
        self.0.fetch_add(span.as_micros(), SeqCst);
        tokio::task::yield_now().await;
    }
}

fn opened() -> Mutex<One> {
    let mut breaker = One::new(&ONE).unwrap();
    let permit = breaker.admit_closed().unwrap();
    breaker.settle(permit, FAILURE, Instant::ZERO);
    Mutex::new(breaker)
}

/// How often a caller asks before it takes the recovery for lost.
const PATIENCE: u32 = 5_000;

/// How many threads, and how many recoveries of each.
fn crowds() -> [(usize, u64); 4] {
    [
        (2, rounds(50, 500, 5_000)),
        (4, rounds(50, 500, 5_000)),
        (16, rounds(10, 100, 1_000)),
        (64, rounds(2, 20, 200)),
    ]
}

/// An upstream that is well again: the first caller that is admitted closes the breaker,
/// however many ask at once.
#[test]
fn no_recovery_is_lost_by_threads() {
    for (threads, recoveries) in crowds() {
        for _ in 0..recoveries {
            let (breaker, ticks, closed) = (opened(), AtomicU64::new(0), AtomicBool::new(false));
            thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        let mut retry = ONCE.on(Ticks(&ticks), NoRandom).breaker(&breaker);
                        let mut patience = PATIENCE;
                        while patience > 0 && !closed.load(SeqCst) {
                            patience -= 1;
                            let called = retry.call(|_| {
                                thread::yield_now();
                                Ok::<_, std::io::Error>(())
                            });
                            closed.fetch_or(called.is_ok(), SeqCst);
                        }
                    });
                }
            });
            let state = breaker.lock().unwrap().state();
            assert_eq!(state, CircuitState::Closed, "{threads} threads lost a recovery");
        }
    }
}

/// The same on a runtime with several workers, whose tasks move between threads.
#[test]
fn no_recovery_is_lost_by_tasks() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    for (tasks, recoveries) in crowds() {
        for _ in 0..recoveries {
            let shared = Arc::new((opened(), AtomicU64::new(0), AtomicBool::new(false)));
            let run = |shared: Arc<(Mutex<One>, AtomicU64, AtomicBool)>| async move {
                let (breaker, ticks, closed) = &*shared;
                let mut retry = ONCE.on(Ticks(ticks), NoRandom).breaker(breaker);
                let mut patience = PATIENCE;
                while patience > 0 && !closed.load(SeqCst) {
                    patience -= 1;
                    let operation = |_| async {
                        tokio::task::yield_now().await;
                        Ok::<_, std::io::Error>(())
                    };
                    let called = retry.execute_future(operation).await.result.is_ok();
                    closed.fetch_or(called, SeqCst);
                    tokio::task::yield_now().await;
                }
            };
            let spawned: Vec<_> = (0..tasks).map(|_| runtime.spawn(run(shared.clone()))).collect();
            for task in spawned {
                runtime.block_on(task).unwrap();
            }
            let state = shared.0.lock().unwrap().state();
            assert_eq!(state, CircuitState::Closed, "{tasks} tasks lost a recovery");
        }
    }
}

/// Probes that succeed, fail and are cancelled, of a breaker with two permits and of two
/// budgets. Small under Miri, which looks at every access.
#[test]
fn threads_never_have_more_probes_than_permits_nor_spend_more_than_there_is() {
    const ROLLING: RollingConfig = RollingConfig::new(3, Duration::from_secs(3_600));
    const RATIO: RatioConfig = RatioConfig::new(500);
    let (threads, calls) = if cfg!(miri) { (3, 12) } else { (8, rounds(300, 3_000, 100_000)) };
    let breaker = Mutex::new(Breaker::<FailureTimes<2>, 2>::new(&TWO).unwrap());
    let rolling = Mutex::new(RollingBudget::<4>::new(&ROLLING).unwrap());
    let ratio = Mutex::new(RatioBudget::new(&RATIO).unwrap());
    let saved_up = u64::from(ratio.lock().unwrap().remaining(Instant::ZERO));
    let ticks = AtomicU64::new(0);
    // The half-open period, and how many of its probes are in flight; changed under the lock.
    let (period, in_flight) = (AtomicU32::new(0), AtomicU32::new(0));
    let (retries, share) = (AtomicU64::new(0), AtomicU64::new(0));
    let call = |nth: u64| {
        let now = Ticks(&ticks).now();
        ratio.lock().unwrap().deposit();
        let admitted = {
            let mut breaker = breaker.lock().unwrap();
            let admitted = breaker.admit(now).ok();
            if admitted.is_some_and(|admitted| admitted.half_opened) {
                period.fetch_add(1, SeqCst);
                in_flight.store(0, SeqCst);
            }
            if admitted.is_some_and(|admitted| admitted.permit.is_probe()) {
                assert!(in_flight.fetch_add(1, SeqCst) < 2, "more probes than permits");
            }
            admitted.map(|admitted| (admitted.permit, period.load(SeqCst)))
        };
        if let Some((permit, of)) = admitted {
            let result = [CallResult::Success, FAILURE, CallResult::Cancelled][nth as usize % 3];
            let now = Ticks(&ticks).now();
            let mut breaker = breaker.lock().unwrap();
            breaker.settle(permit, result, now);
            if permit.is_probe() && period.load(SeqCst) == of {
                in_flight.fetch_sub(1, SeqCst);
            }
        }
        let now = Ticks(&ticks).now();
        retries.fetch_add(u64::from(rolling.lock().unwrap().consume(1, now)), SeqCst);
        share.fetch_add(u64::from(ratio.lock().unwrap().consume(1, now)), SeqCst);
    };
    thread::scope(|scope| {
        for thread in 0..threads {
            let call = &call;
            scope.spawn(move || (0..calls).for_each(|nth| call(nth + thread)));
        }
    });
    assert!(retries.load(SeqCst) <= 3, "{retries:?}");
    assert!(share.load(SeqCst) <= saved_up + threads * calls / 2, "{share:?}");
    // No permit was lost: two probes are let through, and close it.
    let mut breaker = breaker.into_inner().unwrap();
    let later = Instant::from_micros(ticks.load(SeqCst) + 3);
    breaker.trip(later);
    let later = later.saturating_add(us(3));
    let probes: Vec<_> = (0..9).map_while(|_| breaker.admit(later).ok()).collect();
    assert_eq!(probes.len(), 2);
    for probe in probes {
        breaker.settle(probe.permit, CallResult::Success, later);
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}
