//! Breakers by key.

use std::cell::RefCell;

use redress::testing::MockClock;
use redress::{Duration, ErrorClass, Keyed, Policy, by_key};

use crate::faults::{Small, TRIPPED};
use crate::on;

const ONCE: Policy = Policy::once();
const TRANSIENT: ErrorClass = ErrorClass::Transient;

type Hosts = Keyed<&'static str, Small, 2>;

/// A host that is down closes no door but its own.
#[test]
fn each_key_has_a_breaker_of_its_own() {
    let clock = MockClock::new();
    let hosts = RefCell::new(Hosts::new(Small::new(&TRIPPED).unwrap()));
    let call = |host, result: Result<(), ErrorClass>| {
        on(&ONCE, &clock).breaker(by_key(&hosts, host)).execute(|_| result).rejection().is_some()
    };
    assert!(!call("a", Err(TRANSIENT)));
    assert!(call("a", Ok(())) && !call("b", Ok(())));
    clock.advance(Duration::from_secs(30));
    assert!(!call("a", Ok(())) && !call("a", Ok(())));
    assert_eq!(hosts.borrow().len(), 2);
}

/// An open breaker is never evicted for a closed one, and full is a defined
/// answer.
#[test]
fn an_open_breaker_is_never_evicted_for_a_closed_one() {
    let clock = MockClock::new();
    let hosts = RefCell::new(Hosts::new(Small::new(&TRIPPED).unwrap()));
    let call = |host, result: Result<(), ErrorClass>| {
        on(&ONCE, &clock).breaker(by_key(&hosts, host)).execute(|_| result).attempts
    };
    assert_eq!(call("down", Err(TRANSIENT)), 1);
    for other in ["b", "c", "d", "e"] {
        assert_eq!(call(other, Ok(())), 1);
        assert_eq!(call("down", Ok(())), 0, "{other} took its place");
    }
    assert_eq!((call("e", Err(TRANSIENT)), call("e", Ok(()))), (1, 0));
    // Both are open: the next one has no breaker, and that is counted.
    assert_eq!(hosts.borrow().refused(), 0);
    for _ in 0..3 {
        assert_eq!(call("f", Err(TRANSIENT)), 1);
    }
    assert!(hosts.borrow().refused() >= 3);
    assert!(hosts.borrow().peek(&"f").is_none() && hosts.borrow().peek(&"down").is_some());
}

/// Hosts that are dead and never asked again give their places back, once a probe would
/// be let through to them.
#[test]
fn dead_hosts_do_not_fill_the_map_for_ever() {
    let clock = MockClock::new();
    let hosts = RefCell::new(Hosts::new(Small::new(&TRIPPED).unwrap()));
    let call = |host| {
        on(&ONCE, &clock)
            .breaker(by_key(&hosts, host))
            .execute(|_| Err::<(), _>(TRANSIENT))
            .attempts
    };
    assert_eq!((call("dead"), call("dead too"), call("new")), (1, 1, 1));
    assert_eq!((call("dead"), call("new")), (0, 1));
    assert_eq!(hosts.borrow().refused(), 2);
    clock.advance(Duration::from_secs(30));
    assert_eq!((call("new"), call("new")), (1, 0));
    assert!(hosts.borrow().peek(&"dead too").is_none() && hosts.borrow().peek(&"dead").is_some());
    assert_eq!(hosts.borrow().refused(), 2);
}

/// A breaker whose lock the caller holds itself cannot be asked: the call is rejected, by one
/// breaker as by one of many.
#[test]
fn a_call_within_the_lock_of_its_breaker_is_rejected() {
    let clock = MockClock::new();
    let hosts = RefCell::new(Hosts::new(Small::new(&TRIPPED).unwrap()));
    let one = RefCell::new(Small::new(&TRIPPED).unwrap());
    let (held, held_too) = (hosts.borrow_mut(), one.borrow_mut());
    let by_key =
        on(&ONCE, &clock).breaker(by_key(&hosts, "a")).execute(|_| Ok::<_, ErrorClass>(()));
    let alone = on(&ONCE, &clock).breaker(&one).execute(|_| Ok::<_, ErrorClass>(()));
    assert!(alone.rejection().is_some() && alone.rejection() == by_key.rejection());
    drop((held, held_too));
    assert!(on(&ONCE, &clock).breaker(&one).call(|_| Ok::<_, ErrorClass>(())).is_ok());
}
