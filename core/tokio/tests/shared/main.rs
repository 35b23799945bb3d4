//! Breakers and budgets that processes share, by a store whose time is the test's.

mod store;

use std::future::ready;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration as Std;

use redress::breaker::{CallResult, FailureRule, FailureTimes, Permit};
use redress::budget::{Budget, RatioConfig, RollingConfig};
use redress::event::CircuitState;
use redress::{
    Backoff, Breaker, BreakerConfig, Duration, Error, ErrorClass, Instant, Policy, RatioBudget,
    RollingBudget, StopReason,
};
use redress_tokio::shared::{SharedBreaker, SharedBudget, SharedPermit, Sharing, WhenUnreachable};
use redress_tokio::{AsyncGate, Upstream};

use crate::store::{Fault, Memory};

const DOWN: CallResult = CallResult::Failure(ErrorClass::Transient);

fn settings(threshold: u8) -> BreakerConfig<FailureRule> {
    BreakerConfig::failures(threshold, Duration::from_secs(60))
        .recovery_timeout(Duration::from_secs(1))
        .lease(Duration::from_secs(5))
}

fn breaker(store: &Memory, threshold: u8) -> SharedBreaker<Memory> {
    SharedBreaker::new(store.clone(), "orders", settings(threshold)).unwrap()
}

async fn permit(breaker: &SharedBreaker<Memory>) -> SharedPermit {
    breaker.admit("").await.unwrap().0
}

/// A call with this result; the new state, if it changed.
async fn call(breaker: &SharedBreaker<Memory>, result: CallResult) -> Option<CircuitState> {
    breaker.settle(permit(breaker).await, result).await
}

/// Numbers that are the same in each run.
fn seeded(mut state: u32) -> impl FnMut(u32) -> usize {
    move |below| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((u64::from(state) * u64::from(below)) >> 32) as usize
    }
}

#[tokio::test]
async fn handles_decide_as_one_breaker_does() {
    let store = Memory::new();
    let config = BreakerConfig::failures(3, Duration::from_millis(700))
        .recovery_timeout(Duration::from_millis(200))
        .recovery_growth_to(Duration::from_millis(900))
        .lease(Duration::from_millis(400))
        .half_open_permits(2)
        .successes_to_close(3);
    let mut one = Breaker::<FailureTimes<3>, 4, _>::from_settings(config).unwrap();
    let handles = [(); 3].map(|()| SharedBreaker::new(store.clone(), "orders", config).unwrap());
    let results = [
        CallResult::Success,
        CallResult::Success,
        CallResult::Cancelled,
        DOWN,
        CallResult::Failure(ErrorClass::ServerError),
        CallResult::Failure(ErrorClass::RateLimit),
    ];
    let mut random = seeded(7);
    let mut out: Vec<(Permit, SharedPermit)> = Vec::new();
    let mut seen = [0; 4];
    for step in 0..3_000 {
        store.state().us += random(60_000) as u64;
        let now = Instant::from_micros(store.state().us);
        let handle = &handles[random(3)];
        if out.is_empty() || random(2) == 0 {
            let (want, found) = (one.admit(now), handle.admit("").await);
            match (want, found) {
                (Ok(want), Ok((permit, half_opened))) => {
                    seen[usize::from(want.half_opened)] += 1;
                    assert_eq!(half_opened, want.half_opened, "step {step}");
                    out.push((want.permit, permit));
                }
                (Err(want), Err(found)) => {
                    seen[2 + usize::from(want.state == CircuitState::Open)] += 1;
                    assert_eq!(found, want, "step {step}");
                }
                (want, found) => panic!("step {step}: {found:?}, not {want:?}"),
            }
        } else {
            let (own, shared) = out.swap_remove(random(out.len() as u32));
            let result = results[random(6)];
            let want = one.settle(own, result, now);
            assert_eq!(handle.settle(shared, result).await, want, "step {step}");
        }
    }
    assert!(seen.iter().all(|&times| times > 0), "{seen:?}");
}

#[tokio::test]
async fn handles_decide_as_one_budget_does() {
    let rolling = RollingConfig::new(5, Duration::from_millis(500));
    let ratio = RatioConfig::new(200).initial(3).floor_per_sec(2).limit(6);
    let mut one = RollingBudget::<5, _>::from_settings(rolling).unwrap();
    decides_as(&mut one, |store| SharedBudget::new(store, "orders", rolling).unwrap()).await;
    let mut one = RatioBudget::from_settings(ratio).unwrap();
    decides_as(&mut one, |store| SharedBudget::new(store, "orders", ratio).unwrap()).await;
}

async fn decides_as(one: &mut impl Budget, new: impl Fn(Memory) -> SharedBudget<Memory>) {
    let store = Memory::new();
    let handles = [(); 2].map(|()| new(store.clone()));
    let mut random = seeded(11);
    let mut granted = [0; 2];
    for step in 0..1_000 {
        store.state().us += random(150_000) as u64;
        let now = Instant::from_micros(store.state().us);
        let handle = &handles[random(2)];
        for _ in 0..random(3) {
            one.deposit();
            handle.deposit();
        }
        let want = one.consume(1, now);
        granted[usize::from(want)] += 1;
        assert_eq!(handle.consume(1).await, want, "step {step}");
    }
    assert!(granted.iter().all(|&times| times > 0), "{granted:?}");
}

#[tokio::test]
async fn a_success_that_changes_nothing_writes_nothing_and_needs_no_answer() {
    let store = Memory::new();
    let breaker = breaker(&store, 2);
    for _ in 0..5 {
        call(&breaker, CallResult::Success).await;
    }
    assert_eq!(store.state().asked(), (5, 0));
    call(&breaker, CallResult::Failure(ErrorClass::Permanent)).await;
    assert_eq!(store.state().writes, 0);
    call(&breaker, DOWN).await;
    assert_eq!(store.state().writes, 1);
}

#[tokio::test]
async fn what_is_asked_at_the_same_time_is_decided_together() {
    let store = Memory::new();
    let breaker = breaker(&store, 100);
    let asked: Vec<_> = (0..50)
        .map(|_| {
            tokio::spawn({
                let breaker = breaker.clone();
                async move { call(&breaker, DOWN).await }
            })
        })
        .collect();
    for task in asked {
        task.await.unwrap();
    }
    let (reads, writes) = store.state().asked();
    assert!((2..=6).contains(&reads) && (1..=4).contains(&writes), "{reads} {writes}");
}

#[tokio::test]
async fn a_result_counts_after_four_conflicts_and_after_five_it_does_not_and_that_is_told() {
    for (conflicts, told) in [(4, 0), (5, 1)] {
        let store = Memory::new();
        let heard = Arc::new(AtomicU32::new(0));
        let hook = heard.clone();
        let sharing = Sharing::new("orders").on_conflict(move || {
            hook.fetch_add(1, Ordering::Relaxed);
            panic!("which changes nothing");
        });
        let breaker = SharedBreaker::new(store.clone(), sharing, settings(2)).unwrap();
        call(&breaker, DOWN).await;
        store.state().conflicts = conflicts;
        let opened = (told == 0).then_some(CircuitState::Open);
        assert_eq!(call(&breaker, DOWN).await, opened);
        assert_eq!(heard.load(Ordering::Relaxed), told);
        assert_eq!(store.state().writes, 1 + 5);
    }
}

#[tokio::test]
async fn a_probe_whose_place_cannot_be_written_is_rejected() {
    let store = Memory::new();
    let breaker = breaker(&store, 1);
    call(&breaker, DOWN).await;
    store.advance_ms(1_000);
    store.state().conflicts = 5;
    assert_eq!(breaker.admit("").await.unwrap_err().retry_after, Some(Duration::ZERO));
    assert!(breaker.admit("").await.unwrap().1, "the place is still free");
}

#[tokio::test]
async fn time_goes_on_where_it_was_when_a_server_with_an_earlier_clock_takes_over() {
    let store = Memory::new();
    let breaker = breaker(&store, 1);
    call(&breaker, DOWN).await;
    store.state().us -= 3_600_000_000;
    let wait = breaker.admit("").await.unwrap_err().retry_after;
    assert_eq!(wait, Some(Duration::from_secs(1)));
    store.advance_ms(999);
    assert!(breaker.admit("").await.is_err());
    store.advance_ms(1);
    assert!(breaker.admit("").await.is_ok());
}

#[tokio::test]
async fn a_value_that_is_damaged_begins_anew() {
    let store = Memory::new();
    let breaker = breaker(&store, 1);
    call(&breaker, DOWN).await;
    assert!(breaker.admit("").await.is_err());
    for value in store.state().values.values_mut() {
        value.1.replace_range(50..52, "00");
        value.1.push('0');
    }
    assert!(breaker.admit("").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_reached_means_local_state_or_rejection_and_that_is_told() {
    for (fault, words) in [
        (Fault::Refuses, "connection refused"),
        (Fault::Hangs, "the store did not answer within 50 ms"),
    ] {
        for when in [WhenUnreachable::Local, WhenUnreachable::Reject] {
            let store = Memory::new();
            let reasons = Arc::new(std::sync::Mutex::new(Vec::new()));
            let heard = reasons.clone();
            let sharing = Sharing::new("orders")
                .timeout(Std::from_millis(50))
                .when_unreachable(when)
                .on_unreachable(move |why| heard.lock().unwrap().push(why.to_string()));
            let breaker = SharedBreaker::new(store.clone(), sharing, settings(2)).unwrap();
            call(&breaker, DOWN).await;
            store.state().fault = Some(fault);
            if when == WhenUnreachable::Reject {
                assert_eq!(breaker.admit("").await.unwrap_err().retry_after, Some(Duration::ZERO));
            } else {
                // The failure that the store knew counts.
                assert_eq!(call(&breaker, DOWN).await, Some(CircuitState::Open));
                assert!(breaker.admit("").await.is_err());
                tokio::time::advance(Std::from_secs(1)).await;
                assert!(breaker.admit("").await.unwrap().1);
            }
            assert!(reasons.lock().unwrap().iter().all(|why| why.contains(words)), "{words}");
            assert!(!reasons.lock().unwrap().is_empty());
            store.state().fault = None;
            assert!(!breaker.admit("").await.unwrap().1, "the store has it closed");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_whose_answer_is_lost_is_free_when_its_lease_has_ended() {
    let store = Memory::new();
    let sharing = Sharing::new("orders").when_unreachable(WhenUnreachable::Reject);
    let one = SharedBreaker::new(store.clone(), sharing, settings(1)).unwrap();
    let two = breaker(&store, 1);
    call(&one, DOWN).await;
    store.advance_ms(1_000);
    store.state().fault = Some(Fault::LosesAnswers);
    assert!(one.admit("").await.is_err());
    store.state().fault = None;
    store.advance_ms(4_999);
    assert!(two.admit("").await.is_err());
    store.advance_ms(1);
    assert!(two.admit("").await.is_ok());
}

#[tokio::test]
async fn a_probe_whose_caller_is_gone_before_its_answer_gives_its_place_back() {
    let store = Memory::new();
    let breaker = breaker(&store, 1);
    call(&breaker, DOWN).await;
    store.advance_ms(1_000);
    let writes = store.state().writes;
    let asked = tokio::spawn({
        let breaker = breaker.clone();
        async move { breaker.admit("").await.is_ok() }
    });
    while store.state().writes == writes {
        tokio::task::yield_now().await;
    }
    asked.abort();
    let _ = asked.await;
    while store.state().writes < writes + 2 {
        tokio::task::yield_now().await;
    }
    assert!(breaker.admit("").await.is_ok());
}

#[tokio::test]
async fn a_handle_goes_on_after_the_runtime_that_ran_its_exchange_has_ended() {
    let store = Memory::new();
    store.state().fault = Some(Fault::Hangs);
    let sharing = Sharing::new("orders").timeout(None);
    let breaker = SharedBreaker::new(store.clone(), sharing, settings(1)).unwrap();
    let other = breaker.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let asked = tokio::spawn(async move { other.admit("").await.is_ok() });
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            assert!(!asked.is_finished());
        });
    })
    .join()
    .unwrap();
    store.state().fault = None;
    assert!(breaker.admit("").await.is_ok());
}

/// One process fails, and calls of the others succeed.
#[tokio::test]
async fn one_bad_process_of_four_opens_the_breaker_for_itself_alone() {
    let store = Memory::new();
    let handles = [(); 4].map(|()| breaker(&store, 5).max_own_failures(2).unwrap());
    let [bad, others @ ..] = &handles;
    for nth in 1..=5 {
        let opened = (nth == 5).then_some(CircuitState::Open);
        assert_eq!(call(bad, DOWN).await, opened, "failure {nth}");
        for other in others {
            call(other, CallResult::Success).await;
        }
    }
    assert!(bad.admit("").await.is_err(), "all its failures count for itself");
    // Two of them count for all, so that three more open it.
    for (nth, other) in others.iter().enumerate() {
        let opened = (nth == 2).then_some(CircuitState::Open);
        assert_eq!(call(other, DOWN).await, opened);
    }
    for other in others {
        assert!(other.admit("").await.is_err());
    }
}

#[tokio::test]
async fn a_share_of_the_failures_is_that_of_a_window_and_leaves_out_what_counts_for_none() {
    let store = Memory::new();
    let (bad, other) = (breaker(&store, 4).max_own_failures(1).unwrap(), breaker(&store, 4));
    for _ in 0..9 {
        call(&bad, CallResult::Failure(ErrorClass::Permanent)).await;
    }
    call(&bad, DOWN).await;
    store.advance_ms(59_999);
    call(&bad, DOWN).await;
    assert_eq!(call(&other, DOWN).await, None);
    store.advance_ms(1);
    // Its first failure has left the window: another may count.
    assert_eq!(call(&bad, DOWN).await, None);
    assert_eq!(call(&other, DOWN).await, None);
    assert_eq!(call(&other, DOWN).await, Some(CircuitState::Open));
    store.advance_ms(1_000);
    // A probe counts always.
    assert_eq!(call(&bad, DOWN).await, Some(CircuitState::Open));
    assert!(other.admit("").await.is_err());
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_its_path() {
    let store = Memory::new;
    let told = |result: Result<SharedBreaker<Memory>, redress_tokio::SettingsError>| {
        result.unwrap_err().to_string()
    };
    for (error, words) in [
        (
            told(SharedBreaker::new(store(), "", settings(1))),
            "sharedBreaker.key: \"\" is not a string",
        ),
        (
            told(SharedBreaker::new(store(), "a", settings(1).check_before_retry(true))),
            "sharedBreaker.checkBeforeRetry: ",
        ),
        (
            told(SharedBreaker::new(store(), "a", settings(1).open_for_hint(Duration::MAX))),
            "sharedBreaker.openForHintMs: ",
        ),
        (
            told(SharedBreaker::new(store(), "a", settings(0))),
            "sharedBreaker: breaker.failure_threshold is 0",
        ),
        (
            told(breaker(&store(), 3).max_own_failures(3)),
            "sharedBreaker.maxOwnFailures: 3 is out of range: a whole number of at least 1, at most 2",
        ),
        (
            told(
                SharedBreaker::new(store(), "a", BreakerConfig::outcomes(9, 500, 2))
                    .unwrap()
                    .max_own_failures(1),
            ),
            "sharedBreaker.maxOwnFailures: 1 is not used with a window that counts a share",
        ),
    ] {
        assert!(error.starts_with(words), "{error}");
    }
}

fn upstream() -> Upstream {
    let backoff = Backoff::constant(Duration::from_millis(10));
    Upstream::new(Policy::builder().max_attempts(9).backoff(backoff).build().unwrap())
}

fn down() -> io::Result<()> {
    Err(io::ErrorKind::ConnectionRefused.into())
}

#[tokio::test(start_paused = true)]
async fn calls_of_tasks_share_a_breaker_and_a_budget() {
    let store = Memory::new();
    let breaker = breaker(&store, 2);
    let budget =
        SharedBudget::new(store.clone(), "orders", RollingConfig::new(3, Duration::from_secs(60)));
    let (budget, upstream) = (budget.unwrap(), upstream());
    let attempts = Arc::new(AtomicU32::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let (breaker, budget, upstream) = (breaker.clone(), budget.clone(), upstream.clone());
        let attempts = attempts.clone();
        tasks.spawn(async move {
            let call = upstream.call_through_with(&breaker, &budget, "orders", |_| {
                attempts.fetch_add(1, Ordering::Relaxed);
                ready(down())
            });
            match call.await.unwrap_err() {
                Error::Exhausted(exhausted) => exhausted.stop_reason,
                Error::CircuitOpen(rejection) => panic!("{rejection}"),
            }
        });
    }
    for reason in tasks.join_all().await {
        assert_eq!(reason, StopReason::BudgetExhausted);
    }
    // Two calls, and the three retries of the budget.
    assert_eq!(attempts.load(Ordering::Relaxed), 5);
    let rejected = upstream.call_through(&breaker, "orders", |_| ready(down())).await;
    assert!(matches!(rejected, Err(Error::CircuitOpen(_))));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_in_its_delay_takes_no_retry() {
    let store = Memory::new();
    let config = RollingConfig::new(1, Duration::from_secs(60));
    let budget = SharedBudget::new(store.clone(), "orders", config).unwrap();
    let upstream = upstream();
    let call = upstream.call_through_with(&(), &budget, "orders", |_| ready(down()));
    assert!(tokio::time::timeout(Std::from_millis(5), call).await.is_err());
    assert_eq!(store.state().reads, 0);
    assert!(budget.consume(1).await && !budget.consume(1).await);
}
