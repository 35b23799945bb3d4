//! What a call asks its breaker, whatever stands for one: none, one that may be left out, one of
//! many, or one of your own.

use std::cell::RefCell;

use redress::breaker::{
    ByHand, CallResult, Circuit, FailureRule, FailureTimes, Gate, LastOutcomes, OutcomeRule, Permit,
};
use redress::event::CircuitState;
use redress::keyed::{ByKey, Entry};
use redress::testing::{FakeBreaker, MockClock};
use redress::{Breaker, BreakerConfig, Duration, ErrorClass, Instant, Keyed, Policy, by_key};

use crate::on;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const NOW: Instant = Instant::from_micros(1_000_000_000);
const FAILURE: CallResult = CallResult::Failure(ErrorClass::Transient);
const HINTED: BreakerConfig<FailureRule> =
    BreakerConfig::failures(1, secs(60)).open_for_hint(secs(3600));
type One = Breaker<FailureTimes<1>>;
type Hosts = Keyed<u8, One, 1>;

fn one() -> RefCell<One> {
    RefCell::new(One::new(&HINTED).unwrap())
}

fn hosts() -> RefCell<Hosts> {
    RefCell::new(Hosts::new(One::new(&HINTED).unwrap()))
}

fn counts_success<G: Gate>(_: &G, pass: &G::Pass) -> bool {
    G::counts_success(pass)
}

fn permit<G: Gate>(_: &G, pass: &G::Pass) -> Option<Permit> {
    G::permit(pass)
}

fn pass<G: Gate>(_: &G, permit: Option<Permit>) -> Option<G::Pass> {
    G::pass(permit)
}

#[test]
fn without_a_breaker_every_call_goes_on() {
    assert_eq!(Gate::admit(&(), NOW), Ok(((), false)));
    assert!(Gate::still_admits(&(), ()) && !counts_success(&(), &()));
    assert_eq!(Gate::hold(&(), (), secs(9), NOW), None);
    let none: Option<&RefCell<One>> = None;
    assert_eq!(Gate::admit(&none, NOW), Ok((None, false)));
    assert!(Gate::still_admits(&none, None) && !counts_success(&none, &None));
    assert_eq!(Gate::set(&none, ByHand::Trip, NOW), None);
}

#[test]
fn a_breaker_that_may_be_left_out_is_asked_as_it_is() {
    let breaker = one();
    let gate = Some(&breaker);
    let permit = breaker.borrow().admit_closed().unwrap();
    assert!(gate.still_admits(Some(permit)) && !counts_success(&gate, &Some(permit)));
    assert_eq!(gate.set(ByHand::Trip, NOW), Some(CircuitState::Open));
    assert!(!gate.still_admits(Some(permit)));
    // One that is lent out already does not stop a call that is under way.
    let lent = breaker.borrow_mut();
    assert!(gate.still_admits(Some(permit)));
    drop(lent);
}

/// A circuit of your own that implements only what it must.
#[test]
fn a_circuit_of_ones_own_lets_calls_go_on() {
    let decisions = [Ok(())];
    let mut fake = FakeBreaker::new(&decisions);
    let permit = Circuit::admit(&mut fake, NOW).unwrap().permit;
    assert!(Circuit::still_admits(&mut fake, permit));
    assert_eq!(Circuit::hold(&mut fake, permit, secs(9), NOW), None);
    assert_eq!(Circuit::set(&mut fake, ByHand::Trip, NOW), None);
}

#[test]
fn the_breaker_of_a_key_is_asked_for_everything() {
    let hosts = hosts();
    let gate = by_key(&hosts, 1);
    let closed = gate.admit_closed().unwrap();
    assert!(gate.still_admits(closed) && !counts_success(&gate, &closed));
    assert_eq!(permit(&gate, &closed), closed);
    assert!(Entry::is_over(&mut One::new(&HINTED).unwrap(), NOW));
    assert_eq!(pass(&gate, closed), Some(closed));
    assert_eq!(gate.hold(closed, secs(100), NOW), Some(CircuitState::Open));
    assert!(!gate.still_admits(closed));
    let later = NOW.saturating_add(secs(100));
    let (probe, half_opened) = gate.admit(later).unwrap();
    assert!(half_opened && counts_success(&gate, &probe));
    // Its place is free again when it is cancelled.
    assert!(gate.admit(later).is_err());
    gate.cancel(probe);
    assert!(gate.admit(later).is_ok());
    // No permit goes beyond the places that there are.
    let foreign = RefCell::new(Breaker::<FailureTimes<1>, 2>::new(&TWO).unwrap());
    foreign.borrow_mut().trip(NOW);
    let _ = foreign.borrow_mut().admit(later).unwrap();
    let second = foreign.borrow_mut().admit(later).unwrap().permit;
    assert_eq!(pass(&gate, Some(second)), None);
    assert_eq!(pass(&gate, None), Some(None));
}

const TWO: BreakerConfig<FailureRule> = BreakerConfig::failures(1, secs(60)).half_open_permits(2);

#[test]
fn a_call_without_an_entry_goes_on_and_changes_nothing() {
    let hosts = hosts();
    let gate = by_key(&hosts, 1);
    assert!(gate.still_admits(None) && !counts_success(&gate, &None));
    let closed = gate.admit_closed().unwrap();
    // Another key takes its place.
    assert!(by_key(&hosts, 2).admit_closed().is_some());
    assert!(gate.still_admits(closed));
    assert_eq!(gate.settle(closed, FAILURE, Duration::ZERO, 0, NOW), None);
    // Nor does the lock of the map, lent out already, grant a retry.
    let budgets = RefCell::new(Keyed::<u8, redress::RatioBudget, 1>::new(
        redress::RatioBudget::new(&RATIO).unwrap(),
    ));
    let lent = budgets.borrow_mut();
    assert!(!redress::budget::Withdraw::withdraw(&by_key(&budgets, 1), NOW));
    drop(lent);
    assert!(redress::budget::Withdraw::withdraw(&by_key(&budgets, 1), NOW));
}

const RATIO: redress::budget::RatioConfig = redress::budget::RatioConfig::new(100);

/// The successor of an entry is another breaker, however often its predecessor has changed.
#[test]
fn a_permit_of_an_entry_that_made_room_does_not_fit_its_successor() {
    for periods in [2, 256] {
        let hosts = hosts();
        let first: ByKey<_, u8> = by_key(&hosts, 1);
        assert!(first.admit_closed().is_some());
        for _ in 0..periods / 2 {
            first.set(ByHand::Trip, NOW);
            first.set(ByHand::Reset, NOW);
        }
        let permit = first.admit_closed().unwrap();
        assert!(by_key(&hosts, 2).admit_closed().is_some() && first.admit_closed().is_some());
        assert_eq!(first.settle(permit, FAILURE, Duration::ZERO, 0, NOW), None, "{periods}");
    }
}

/// A map of three, of which the first to come was not used since.
#[test]
fn of_several_entries_the_least_recently_used_one_makes_room() {
    let template = One::new(&HINTED).unwrap();
    let mut hosts = Keyed::<u8, One, 3>::new(template);
    for key in [1, 2, 3, 4] {
        assert!(hosts.entry(&key).is_some());
    }
    let there = [1, 2, 3, 4].map(|key| hosts.peek(&key).is_some());
    assert_eq!(there, [false, true, true, true]);
    assert!(hosts.entry(&2).is_some() && hosts.entry(&5).is_some());
    let there = [1, 2, 3, 4, 5].map(|key| hosts.peek(&key).is_some());
    assert_eq!(there, [false, true, false, true, true]);
}

/// A rate needs to know of the calls that succeed.
#[test]
fn the_successes_of_a_key_are_counted_where_its_window_counts_them() {
    const RATE: BreakerConfig<OutcomeRule> = BreakerConfig::outcomes(10, 500, 2);
    type Rate = Breaker<LastOutcomes<1>>;
    const ONCE: Policy = Policy::once();
    let hosts = RefCell::new(Keyed::<u8, Rate, 2>::new(Rate::new(&RATE).unwrap()));
    let clock = MockClock::new();
    let mut retry = on(&ONCE, &clock).breaker(by_key(&hosts, 1));
    assert!(retry.call(|_| Ok(())).is_ok());
    assert!(retry.call(|_| Err::<(), _>(ErrorClass::Transient)).is_err());
    assert_eq!(hosts.borrow().peek(&1).unwrap().state(), CircuitState::Open);
    assert_eq!(Policy::once().max_attempts(), 1);
}
