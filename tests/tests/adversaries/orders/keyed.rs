//! Callers of two hosts whose breakers share one place.

use std::cell::RefCell;

use redress::breaker::{CallResult, FailureRule, FailureTimes, Gate, Permit};
use redress::event::CircuitState;
use redress::{Breaker, BreakerConfig, ErrorClass, Keyed, by_key};

use super::{Limits, World, ensure, explore, limits};
use crate::{at, us};

const RECOVERY: u64 = 2;
const CONFIG: BreakerConfig<FailureRule> =
    BreakerConfig::failures(1, us(100)).recovery_timeout(us(RECOVERY)).lease(us(50));
const FAILURE: CallResult = CallResult::Failure(ErrorClass::Transient);

type Host = usize;
type Hosts = Keyed<Host, Breaker<FailureTimes<1>>, 1>;

#[derive(Clone, Copy, Debug)]
enum Caller {
    Idle,
    Asks(u64),
    /// Without a permit it found no room and goes on beside the breaker.
    Holds(Option<Permit>),
    Settles(Option<Permit>, u64),
    Done,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Tick,
    Read(usize),
    Ask(usize),
    End(usize),
    Settle(usize, CallResult),
}

#[derive(Clone, Debug)]
struct Callers {
    hosts: RefCell<Hosts>,
    callers: Vec<Caller>,
    now: u64,
    left: Limits,
    /// The probe in flight, by its caller.
    probe: Option<usize>,
}

const fn host(caller: usize) -> Host {
    caller % 2
}

impl Callers {
    fn new(left: Limits) -> Self {
        let template = Breaker::<FailureTimes<1>>::new(&CONFIG).unwrap();
        let hosts = RefCell::new(Hosts::new(template));
        let world =
            Self { hosts, callers: vec![Caller::Idle; left.callers], now: 10, left, probe: None };
        // The first host has failed a moment ago.
        let gate = by_key(&world.hosts, 0);
        let pass = gate.admit_closed().unwrap();
        assert!(gate.settle(pass, FAILURE, us(0), 0, at(world.now - 1)).is_some());
        world
    }

    fn state(&self, host: Host) -> Option<CircuitState> {
        self.hosts.borrow().peek(&host).map(Breaker::state)
    }
}

impl World for Callers {
    type Step = Step;

    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.left.ticks > 0 {
            steps.push(Step::Tick);
        }
        for (number, caller) in self.callers.iter().enumerate() {
            match caller {
                Caller::Idle => steps.push(Step::Read(number)),
                Caller::Asks(_) => steps.push(Step::Ask(number)),
                Caller::Holds(_) => steps.push(Step::End(number)),
                Caller::Settles(..) => {
                    let results = [CallResult::Success, FAILURE, CallResult::Cancelled];
                    steps.extend(results.map(|result| Step::Settle(number, result)));
                }
                Caller::Done => {}
            }
        }
        steps
    }

    fn take(&mut self, step: Step) -> Result<(), String> {
        let before = [self.state(0), self.state(1)];
        match step {
            Step::Tick => {
                self.now += 1;
                self.left.ticks -= 1;
            }
            Step::Read(caller) => self.callers[caller] = Caller::Asks(self.now),
            Step::Ask(caller) => {
                let Caller::Asks(now) = self.callers[caller] else { unreachable!() };
                let admitted = by_key(&self.hosts, host(caller)).admit(at(now));
                self.callers[caller] = match admitted {
                    Ok((pass, _)) => Caller::Holds(pass),
                    Err(_) => Caller::Done,
                };
                let is_probe = |pass: Option<Permit>| pass.is_some_and(|permit| permit.is_probe());
                if admitted.is_ok_and(|(pass, _)| is_probe(pass)) {
                    ensure(self.probe.is_none(), "two probes of one place are in flight")?;
                    self.probe = Some(caller);
                }
            }
            Step::End(caller) => {
                let Caller::Holds(pass) = self.callers[caller] else { unreachable!() };
                self.callers[caller] = Caller::Settles(pass, self.now);
            }
            Step::Settle(caller, result) => {
                let Caller::Settles(pass, now) = self.callers[caller] else { unreachable!() };
                self.callers[caller] = Caller::Done;
                let gate = by_key(&self.hosts, host(caller));
                let changed = gate.settle(pass, result, us(0), 0, at(now));
                let after = [self.state(0), self.state(1)];
                if self.probe == Some(caller) {
                    self.probe = None;
                    let expected = match result {
                        CallResult::Success => Some(CircuitState::Closed),
                        FAILURE => Some(CircuitState::Open),
                        _ => None,
                    };
                    ensure(changed == expected, "the result of a probe was not counted")?;
                } else {
                    let opens = changed.is_some();
                    let may_open = result == FAILURE && pass.is_some();
                    ensure(!opens || may_open, "a result that was not counted changed a state")?;
                    let was = before[host(caller)];
                    ensure(!opens || was == Some(CircuitState::Closed), "a probe was overtaken")?;
                }
                let other = 1 - host(caller);
                ensure(before[other] == after[other], "the result of another host was counted")?;
            }
        }
        if let Some(caller) = self.probe {
            let state = self.state(host(caller));
            ensure(state == Some(CircuitState::HalfOpen), "a breaker with a probe made room")?;
        }
        Ok(())
    }

    /// Each host finds room and an open door when the recovery time is over.
    fn end(&self) -> Result<(), String> {
        for host in [0, 1] {
            let hosts = self.hosts.clone();
            let admitted = by_key(&hosts, host).admit(at(self.now + RECOVERY));
            let found = matches!(admitted, Ok((Some(_), _)));
            ensure(found, "a host finds no room although the other one has recovered")?;
        }
        Ok(())
    }
}

#[test]
fn two_hosts_that_share_a_place_in_every_order() {
    for left in [limits(2, 5, 0), limits(3, 3, 0), limits(4, 1, 0)] {
        let states = explore(Callers::new(left));
        assert!(states > 500, "{left:?}: {states}");
    }
}
