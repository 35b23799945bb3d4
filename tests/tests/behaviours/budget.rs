//! How many retries all callers may make together.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::sync::Mutex;

use redress::budget::{Budget, RatioConfig, RollingConfig};
use redress::driver::Decision;
use redress::keyed::Entry;
use redress::random::NoRandom;
use redress::testing::{MockClock, Script};
use redress::time::Sleep;
use redress::{
    Backoff, Clock, Duration, ErrorClass, EventKind, Instant, Keyed, Policy, RatioBudget,
    RollingBudget, StopReason, by_key,
};

use crate::{block_on, each_second, on};

const SECOND: Duration = Duration::from_secs(1);
const TRANSIENT: ErrorClass = ErrorClass::Transient;

fn at_secs(secs: u64) -> Instant {
    Instant::ZERO.saturating_add(Duration::from_secs(secs))
}

/// Line 56.
#[test]
fn tokens_return_when_they_leave_the_window() {
    const CONFIG: RollingConfig = RollingConfig::new(2, Duration::from_secs(10));
    let mut budget = RollingBudget::<2>::new(&CONFIG).unwrap();
    // When, whether a token is granted, and how many are left after it.
    for (at, granted, left) in [
        (0, true, 1),
        (3, true, 0),
        (9, false, 0),
        (10, true, 0),
        (12, false, 0),
        (13, true, 0),
        (1_000_000, true, 1),
    ] {
        assert_eq!(budget.consume(1, at_secs(at)), granted, "at {at} s");
        assert_eq!(budget.remaining(at_secs(at)), left, "at {at} s");
    }
}

/// Line 57.
#[test]
fn a_cost_is_taken_as_a_whole_or_not_at_all() {
    const CONFIG: RollingConfig = RollingConfig::new(5, SECOND);
    let mut budget = RollingBudget::<5>::new(&CONFIG).unwrap();
    for (cost, granted, left) in [
        (3, true, 2),
        (3, false, 2),
        (u32::MAX, false, 2),
        (0, true, 2),
        (2, true, 0),
        (1, false, 0),
        (0, true, 0),
    ] {
        assert_eq!(budget.consume(cost, Instant::ZERO), granted, "{cost}");
        assert_eq!(budget.remaining(Instant::ZERO), left, "{cost}");
    }
}

/// Line 57.
#[test]
fn a_budget_without_retries_is_legal_and_a_wrong_one_says_what_is_wrong() {
    const NONE: RollingConfig = RollingConfig::new(0, SECOND);
    let mut budget = RollingBudget::<0>::new(&NONE).unwrap();
    assert!(!budget.consume(1, at_secs(7)));
    assert_eq!(budget.remaining(at_secs(7)), 0);

    let rolling = |config: RollingConfig| RollingBudget::<8, _>::new(&config).err();
    let ratio = |config: RatioConfig| RatioBudget::new(&config).err();
    for (error, message) in [
        (
            rolling(RollingConfig::new(1, Duration::ZERO)),
            "budget.window is 0 us: it must be 1 us or more",
        ),
        (
            rolling(RollingConfig::new(9, SECOND)),
            "budget.max_retries is 9: it must be at most the capacity of the budget",
        ),
        (
            ratio(RatioConfig::new(0)),
            "budget.ratio_milli is 0: it must be 1 or more, or floor_per_sec must be",
        ),
        (ratio(RatioConfig::new(1).limit(0)), "budget.limit is 0: it must be 1 to 100000"),
        (
            ratio(RatioConfig::new(1).limit(100_001)),
            "budget.limit is 100001: it must be 1 to 100000",
        ),
    ] {
        assert_eq!(error.unwrap().to_string(), message);
    }
}

/// Line 58: nothing else is paid for.
#[test]
fn the_budget_pays_only_for_a_retry_that_follows() {
    const CONFIG: RollingConfig = RollingConfig::new(8, Duration::from_secs(3600));
    let policy = each_second()
        .max_attempts(3)
        .backoff_for(ErrorClass::RateLimit, Backoff::short(|_, _, _| None))
        .max_attempts_for(ErrorClass::Concurrency, 0)
        .build()
        .unwrap();
    for (script, spent, reason) in [
        ([Ok(()); 3], 0, None),
        ([Err(ErrorClass::Permanent); 3], 0, Some(StopReason::NonRetryableClass)),
        ([Err(ErrorClass::RateLimit); 3], 0, Some(StopReason::NoStrategy)),
        ([Err(ErrorClass::Concurrency); 3], 0, Some(StopReason::MaxAttemptsPerClass)),
        ([Err(TRANSIENT), Ok(()), Ok(())], 1, None),
        ([Err(TRANSIENT), Err(ErrorClass::Auth), Ok(())], 1, Some(StopReason::NonRetryableClass)),
        // The third attempt is the last: it is followed by no retry.
        ([Err(TRANSIENT); 3], 2, Some(StopReason::MaxAttemptsGlobal)),
    ] {
        let clock = MockClock::new();
        let budget = RefCell::new(RollingBudget::<8>::new(&CONFIG).unwrap());
        let mut operation = Script::new(script);
        let outcome = on(&policy, &clock).budget(&budget).execute(|_| operation.next());
        assert_eq!(outcome.stop_reason(), reason);
        assert_eq!(budget.borrow().remaining(clock.now()), 8 - spent, "{reason:?}");
    }
}

thread_local! {
    static STEPS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn step(name: &'static str) {
    STEPS.with_borrow_mut(|steps| steps.push(name));
}

/// Line 58: the order is strategy, budget, sleep.
#[test]
fn the_budget_is_asked_after_the_strategy_and_before_the_sleep() {
    struct Telling;
    impl Budget for Telling {
        fn consume(&mut self, _: u32, _: Instant) -> bool {
            step("budget");
            true
        }
        fn remaining(&self, _: Instant) -> u32 {
            1
        }
    }
    struct Time(Cell<u64>);
    impl Clock for Time {
        fn now(&self) -> Instant {
            Instant::from_micros(self.0.get())
        }
    }
    impl Sleep for Time {
        fn sleep(&mut self, _: Duration) {
            step("sleep");
        }
    }
    let strategy = Backoff::short(|_, _, _| {
        step("strategy");
        Some(SECOND)
    });
    let policy = Policy::builder().backoff(strategy).build().unwrap();
    let mut operation = Script::new([Err(TRANSIENT), Ok(())]);
    policy
        .on(Time(Cell::new(0)), NoRandom)
        .classify(|class: &ErrorClass| *class)
        .budget(&RefCell::new(Telling))
        .call(|_| operation.next())
        .unwrap();
    assert_eq!(STEPS.take(), ["strategy", "budget", "sleep"]);
}

/// Line 58.
#[test]
fn an_exhausted_budget_stops_with_the_last_error_and_an_event() {
    const CONFIG: RollingConfig = RollingConfig::new(1, Duration::from_secs(3600));
    #[derive(Debug, PartialEq)]
    struct Mine(Box<u32>);
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let budget = RefCell::new(RollingBudget::<1>::new(&CONFIG).unwrap());
    let mut events = Vec::new();
    let outcome = policy
        .on(&clock, NoRandom)
        .classify(|_: &Mine| TRANSIENT)
        .budget(&budget)
        .on_event(|event| events.push((event.kind, event.attempt, event.stop_reason)))
        .execute(|attempt| Err::<(), _>(Mine(Box::new(attempt.number))));
    assert_eq!(outcome.stop_reason(), Some(StopReason::BudgetExhausted));
    assert_eq!((outcome.attempts, clock.slept()), (2, SECOND));
    assert_eq!(outcome.result.unwrap_err().into_error(), Some(Mine(Box::new(2))));
    let exhausted = (EventKind::BudgetExhausted, 2, Some(StopReason::BudgetExhausted));
    assert_eq!(events, [(EventKind::Retry, 1, None), exhausted]);
}

/// Line 59.
#[test]
fn one_budget_is_shared_across_policies_and_drivers() {
    const CONFIG: RollingConfig = RollingConfig::new(3, Duration::from_secs(3600));
    let (patient, hasty) =
        (each_second().build().unwrap(), each_second().max_attempts(2).build().unwrap());
    let clock = MockClock::new();
    let budget = RefCell::new(RollingBudget::<3>::new(&CONFIG).unwrap());
    let left = || budget.borrow().remaining(clock.now());

    let blocking = on(&hasty, &clock).budget(&budget).execute(|_| Err::<(), _>(TRANSIENT));
    assert_eq!((blocking.stop_reason(), left()), (Some(StopReason::MaxAttemptsGlobal), 2));

    let mut retry = on(&hasty, &clock).budget(&budget);
    let of_async = block_on(retry.execute_async(async |_| Err::<(), _>(TRANSIENT)));
    assert_eq!((of_async.stop_reason(), left()), (Some(StopReason::MaxAttemptsGlobal), 1));

    let mut retry = on(&patient, &clock).budget(&budget);
    let of_future = block_on(retry.execute_future(|_| async { Err::<(), _>(TRANSIENT) }));
    assert_eq!((of_future.stop_reason(), left()), (Some(StopReason::BudgetExhausted), 0));
    assert_eq!(of_future.attempts, 2);

    let mut retry = on(&patient, &clock).budget(&budget);
    let mut steps = retry.begin().unwrap();
    steps.start().unwrap();
    assert_eq!(steps.fail(TRANSIENT), Decision::Stop(StopReason::BudgetExhausted));
}

/// Line 59.
#[test]
fn threads_together_never_spend_more_than_the_budget() {
    static CONFIG: RollingConfig = RollingConfig::new(10, Duration::from_secs(3600));
    let policy = Policy::builder().backoff(Backoff::constant(Duration::ZERO)).build().unwrap();
    let budget = Mutex::new(RollingBudget::<10>::new(&CONFIG).unwrap());
    let attempts: u32 = std::thread::scope(|scope| {
        let caller = || {
            let clock = MockClock::new();
            on(&policy, &clock).budget(&budget).execute(|_| Err::<(), _>(TRANSIENT)).attempts
        };
        let callers: Vec<_> = (0..8).map(|_| scope.spawn(caller)).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    assert_eq!(attempts, 8 + 10);
}

/// Lines 56, 59: the proportional form.
#[test]
fn in_an_outage_a_ratio_budget_adds_its_share_of_load_and_no_more() {
    const DEFAULT: RatioConfig = RatioConfig::new(100);
    const BARE: RatioConfig = DEFAULT.initial(0).floor_per_sec(0);
    let policy = each_second().build().unwrap();
    let calls = if cfg!(miri) { 50 } else { 1000 };
    // Each of the calls fails, one a second: besides its share the default grants 10
    // retries at the start, and one each second.
    for (config, pause, retries) in [
        (&BARE, Duration::ZERO, calls / 10),
        (&BARE, SECOND, calls / 10),
        (&DEFAULT, Duration::ZERO, 10 + calls / 10),
        (&DEFAULT, SECOND, 10 + calls / 10 + calls),
    ] {
        let clock = MockClock::new();
        let budget = RefCell::new(RatioBudget::new(config).unwrap());
        let mut attempts = 0;
        for _ in 0..calls {
            clock.advance(pause);
            let mut retry = on(&policy, &clock).budget(&budget);
            let mut steps = retry.begin().unwrap();
            // Retries without a delay, so that the time is that of the calls alone.
            while steps.start().is_ok() {
                attempts += 1;
                if !matches!(steps.fail(TRANSIENT), Decision::Retry { .. }) {
                    break;
                }
            }
        }
        assert!(attempts <= calls + retries, "{attempts} attempts, {retries} retries");
        assert!(attempts + 2 >= calls + retries, "{attempts} attempts, {retries} retries");
    }
}

/// Lines 56, 57: the proportional form.
#[test]
fn a_ratio_budget_saves_up_to_its_limit_and_earns_its_floor_by_time() {
    const CONFIG: RatioConfig = RatioConfig::new(500).initial(1).floor_per_sec(1).limit(3);
    let mut budget = RatioBudget::new(&CONFIG).unwrap();
    assert_eq!(budget.remaining(at_secs(0)), 1);
    for _ in 0..100 {
        budget.deposit();
    }
    assert_eq!(budget.remaining(at_secs(0)), 3);
    assert!(!budget.consume(4, at_secs(0)));
    assert!(budget.consume(3, at_secs(0)) && !budget.consume(1, at_secs(0)));
    assert!(budget.consume(1, at_secs(1)) && !budget.consume(1, at_secs(1)));
    assert_eq!(budget.remaining(at_secs(1_000_000)), 3);
}

/// Lines 56, 59: what is not set suits a program with one budget, or with one a key.
#[test]
fn a_ratio_budget_lets_the_first_calls_of_a_program_or_of_a_key_retry() {
    const DEFAULT: RatioConfig = RatioConfig::new(100);
    const SET: RatioConfig = DEFAULT.initial(3).floor_per_sec(2);
    // The retries at the start, and those ten seconds after all are spent.
    for (config, one, of_key) in [
        (&DEFAULT, (10, 10), (1, 0)),
        (&SET, (3, 20), (3, 20)),
        (&const { DEFAULT.initial(0) }, (0, 10), (0, 0)),
        (&const { DEFAULT.floor_per_sec(0) }, (10, 0), (1, 0)),
    ] {
        let mut single = RatioBudget::new(config).unwrap();
        let keys = RefCell::new(Keyed::<u8, RatioBudget, 4>::new(single.clone()));
        let mut keys = keys.borrow_mut();
        for (budget, expected) in [
            (&mut single, one),
            (&mut keys.entry(&1).unwrap().clone(), of_key),
            (keys.entry(&2).unwrap(), of_key),
        ] {
            let spent = budget.remaining(at_secs(5));
            assert!(budget.consume(spent, at_secs(5)));
            assert_eq!((spent, budget.remaining(at_secs(15))), expected, "{config:?}");
        }
    }
}

/// Lines 58, 59: a budget of one's own, and none.
#[test]
fn a_budget_may_be_left_out_or_be_your_own() {
    struct Refusing;
    impl Budget for Refusing {
        fn consume(&mut self, _: u32, _: Instant) -> bool {
            false
        }
        fn remaining(&self, _: Instant) -> u32 {
            0
        }
    }
    let policy = each_second().build().unwrap();
    let own = RefCell::new(Refusing);
    for (budget, attempts) in [(None, 6), (Some(&own), 1)] {
        let clock = MockClock::new();
        let outcome = on(&policy, &clock).budget(budget).execute(|_| Err::<(), _>(TRANSIENT));
        assert_eq!(outcome.attempts, attempts);
    }
}

/// Line 59: a budget for each key.
#[test]
fn each_key_has_a_budget_of_its_own() {
    const CONFIG: RollingConfig = RollingConfig::new(2, Duration::from_secs(3600));
    type Hosts = Keyed<&'static str, RollingBudget<2>, 2>;
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let hosts = RefCell::new(Hosts::new(RollingBudget::new(&CONFIG).unwrap()));
    let attempts = |host| {
        let mut retry = on(&policy, &clock).budget(by_key(&hosts, host));
        retry.execute(|_| Err::<(), _>(TRANSIENT)).attempts
    };
    // The third host takes the place of the first, which then begins anew.
    let seen = ["a", "b", "a", "b", "c", "b", "a"].map(attempts);
    assert_eq!(seen, [3, 3, 1, 1, 3, 1, 3]);
    assert_eq!((hosts.borrow().len(), hosts.borrow().refused()), (2, 0));
}

/// Line 59: a map without room.
#[test]
fn a_key_that_finds_no_room_has_no_budget_and_is_counted() {
    #[derive(Clone)]
    struct Kept;
    impl Entry for Kept {
        fn must_stay(&self) -> bool {
            true
        }
    }
    impl Budget for Kept {
        fn consume(&mut self, _: u32, _: Instant) -> bool {
            false
        }
        fn remaining(&self, _: Instant) -> u32 {
            0
        }
    }
    let policy = each_second().build().unwrap();
    let clock = MockClock::new();
    let keys = RefCell::new(Keyed::<u8, Kept, 1>::new(Kept));
    for (key, attempts) in [(1, 1), (2, 6)] {
        let mut retry = on(&policy, &clock).budget(by_key(&keys, key));
        assert_eq!(retry.execute(|_| Err::<(), _>(TRANSIENT)).attempts, attempts);
    }
    assert_eq!(keys.borrow().len(), 1);
    // Once for the call and once for each of its retries.
    assert_eq!(keys.borrow().refused(), 6);
}

/// Some callers of one budget: each reads the clock, takes the lock later, and asks.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Callers {
    /// Of each: how often it still asks, and the instant that it has read.
    each: Vec<(u32, Option<u64>)>,
    now: u64,
    ticks: u32,
    /// Of each grant: when it was, and the latest instant that the budget knew then.
    granted: Vec<(u64, u64)>,
}

const MOST: usize = 2;
const WINDOW_US: u64 = 4;
const TWO: RollingConfig = RollingConfig::new(MOST as u16, Duration::from_micros(WINDOW_US));

/// Goes through every order of what the callers may do; returns how many grants were one too
/// many in a window of real time, which only an instant read too early can cause.
fn every_order(
    mut callers: Callers,
    budget: &RollingBudget<MOST>,
    seen: &mut HashSet<Callers>,
) -> u32 {
    // What a budget does next depends on its latest grants alone, and not on who is who.
    let older = callers.granted.len().saturating_sub(MOST);
    callers.granted.drain(..older);
    callers.each.sort_unstable();
    if !seen.insert(callers.clone()) {
        return 0;
    }
    let mut late = 0;
    if callers.ticks > 0 {
        let (now, ticks) = (callers.now + 1, callers.ticks - 1);
        late += every_order(Callers { now, ticks, ..callers.clone() }, budget, seen);
    }
    for caller in 0..callers.each.len() {
        let (mut after, mut budget) = (callers.clone(), budget.clone());
        let now = callers.now;
        match callers.each[caller] {
            (0, None) => continue,
            (asks, None) => after.each[caller] = (asks - 1, Some(now)),
            (asks, Some(read)) => {
                after.each[caller] = (asks, None);
                let newest = after.granted.last().map_or(0, |(_, known)| *known);
                // One that is older than a window is taken for a clock that was set back.
                let back = newest.saturating_sub(read + WINDOW_US);
                for (_, known) in &mut after.granted {
                    *known -= back;
                }
                let known = (newest - back).max(read);
                let in_window =
                    after.granted.iter().filter(|(_, then)| known - then < WINDOW_US).count();
                // By the instants that the budget knows it is exact.
                let is_granted = budget.consume(1, Instant::from_micros(read));
                assert_eq!(is_granted, in_window < MOST, "{:?} at {read}", callers.granted);
                if is_granted {
                    after.granted.push((now, known));
                    if let Some((then, known)) = after.granted.iter().rev().nth(MOST) {
                        // By real time it lacks no more than the first of them was late.
                        let lateness = then - known;
                        assert!(now - then + lateness >= WINDOW_US, "{:?}", after.granted);
                        late += u32::from(now - then < WINDOW_US);
                    }
                }
            }
        }
        late += every_order(after, &budget, seen);
    }
    late
}

/// Line 59: every order in which callers read the clock, take the lock and ask.
#[test]
fn a_rolling_budget_is_exact_by_the_instants_it_knows_in_every_order_of_callers() {
    for callers in [2, 3] {
        let each = vec![(2, None); callers];
        let start = Callers { each, now: 10, ticks: 6, granted: vec![] };
        let budget = RollingBudget::<MOST>::new(&TWO).unwrap();
        let late = every_order(start, &budget, &mut HashSet::new());
        // A caller that sleeps between its reading and its asking is known to itself alone.
        assert!(late > 0, "{callers}");
    }
}

/// A ratio budget without a floor needs no time, and one of zero cost is always granted.
#[test]
fn a_budget_without_a_floor_is_as_full_at_any_time() {
    let config = RatioConfig::new(1000).initial(1).floor_per_sec(0);
    let mut budget = RatioBudget::new(&config).unwrap();
    for now in [0, 5, 1 << 20, 7] {
        assert_eq!(budget.remaining(at_secs(now)), 1);
    }
    assert!(
        budget.consume(0, at_secs(9))
            && budget.consume(1, at_secs(9))
            && !budget.consume(1, at_secs(8))
    );
    budget.deposit();
    assert!(budget.consume(1, at_secs(3)) && budget.consume(0, at_secs(3)));
}

/// Fewer retries than there is room for.
#[test]
fn the_newest_token_of_a_budget_with_room_to_spare_is_known() {
    const TWO: RollingConfig = RollingConfig::new(2, Duration::from_secs(10));
    let mut budget = RollingBudget::<4>::new(&TWO).unwrap();
    assert!(budget.consume(1, at_secs(100)) && budget.consume(1, at_secs(111)));
    // A caller that read its clock before the second one learns of it.
    assert_eq!(budget.remaining(at_secs(109)), 1);
}

/// A clock that shows the end of time for once does not end the floor.
#[test]
fn the_floor_is_earned_again_after_a_clock_that_was_wrong_by_ages() {
    const FLOOR: RatioConfig = RatioConfig::new(100).initial(0).floor_per_sec(1);
    let mut budget = RatioBudget::new(&FLOOR).unwrap();
    assert!(!budget.consume(1, Instant::MAX.saturating_sub(Duration::from_secs(9))));
    assert!(!budget.consume(1, at_secs(0)));
    assert!(budget.consume(1, at_secs(5)));
    for (limit, is_fine) in [(0, false), (1, true), (100_000, true), (100_001, false)] {
        let config = FLOOR.limit(limit);
        assert_eq!(RatioBudget::new(&config).is_ok(), is_fine, "{limit}");
    }
}
