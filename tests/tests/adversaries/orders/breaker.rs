//! Callers of one breaker.

use redress::breaker::{CallResult, FailureRule, FailureTimes, Permit};
use redress::event::CircuitState;
use redress::snapshot::Snapshot;
use redress::{Breaker, BreakerConfig, ErrorClass};

use super::{Limits, World, ensure, explore, limits};
use crate::{at, rounds, us};

const RECOVERY: u64 = 2;
/// No world lasts as long as this: all instants are stale by less, and no lease ends.
const LEASE: u64 = 50;
const ONE: BreakerConfig<FailureRule> =
    BreakerConfig::failures(1, us(100)).recovery_timeout(us(RECOVERY)).lease(us(LEASE));
const TWO: BreakerConfig<FailureRule> = ONE.half_open_permits(2).successes_to_close(2);

const FAILURE: CallResult = CallResult::Failure(ErrorClass::Transient);
const RESULTS: [CallResult; 3] = [CallResult::Success, FAILURE, CallResult::Cancelled];

#[derive(Clone, Copy, Debug)]
enum Caller {
    Idle,
    /// It has read the clock, and asks next.
    Asks(u64),
    Holds(Permit),
    /// Its call has ended and it has read the clock; it settles next.
    Settles(Permit, u64),
    Done,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Tick,
    SaveAndRestore,
    Read(usize),
    Ask(usize),
    End(usize),
    Settle(usize, CallResult),
}

#[derive(Clone, Debug)]
struct Callers<const PERMITS: usize> {
    breaker: Breaker<FailureTimes<1>, PERMITS>,
    permits: usize,
    callers: Vec<Caller>,
    now: u64,
    left: Limits,
    /// The probes of this half-open period that are in flight, by their callers.
    probes: Vec<usize>,
    /// Those of the closed period.
    calls: Vec<usize>,
    successes: usize,
    /// When it is half-open at the latest, while it is open.
    recovered: u64,
}

impl<const PERMITS: usize> Callers<PERMITS> {
    fn closed(config: &'static BreakerConfig<FailureRule>, left: Limits) -> Self {
        let breaker = Breaker::<FailureTimes<1>, PERMITS>::new(config).unwrap();
        let callers = vec![Caller::Idle; left.callers];
        let (probes, calls) = (Vec::new(), Vec::new());
        let permits = PERMITS;
        Self { breaker, permits, callers, now: 10, left, probes, calls, successes: 0, recovered: 0 }
    }

    /// Its recovery time ends now.
    fn opened(config: &'static BreakerConfig<FailureRule>, left: Limits) -> Self {
        let mut world = Self::closed(config, left);
        let permit = world.breaker.admit_closed().unwrap();
        assert!(world.breaker.settle(permit, FAILURE, at(world.now - RECOVERY)).is_some());
        world.recovered = world.now;
        world
    }

    fn ask(&mut self, caller: usize, now: u64) -> Result<(), String> {
        let before = self.breaker.state();
        let admitted = self.breaker.admit(at(now));
        self.callers[caller] = match admitted {
            Ok(admitted) => Caller::Holds(admitted.permit),
            Err(_) => Caller::Done,
        };
        match (before, admitted) {
            (CircuitState::Closed, Ok(admitted)) => {
                self.calls.push(caller);
                return ensure(!admitted.permit.is_probe(), "a closed breaker has no probes");
            }
            (CircuitState::Open, Err(_)) => {
                return ensure(now < self.recovered, "its recovery time is over");
            }
            (CircuitState::Open, Ok(_)) => (self.probes, self.successes) = (Vec::new(), 0),
            (CircuitState::HalfOpen, Err(_)) => {
                return ensure(self.probes.len() == self.permits, "a free place was refused");
            }
            (CircuitState::HalfOpen, Ok(_)) => {}
            (CircuitState::Closed, Err(_)) => return Err("a closed breaker rejects".into()),
        }
        self.probes.push(caller);
        ensure(self.probes.len() <= self.permits, "more probes in flight than permitted")
    }

    fn settle(&mut self, caller: usize, result: CallResult) -> Result<(), String> {
        let Caller::Settles(permit, now) = self.callers[caller] else { unreachable!() };
        self.callers[caller] = Caller::Done;
        let before = self.breaker.state();
        let changed = self.breaker.settle(permit, result, at(now));
        let of = |callers: &mut Vec<usize>| {
            let position = callers.iter().position(|one| *one == caller);
            position.map(|position| callers.swap_remove(position)).is_some()
        };
        let expected = if of(&mut self.calls) {
            (result == FAILURE).then_some(CircuitState::Open)
        } else if of(&mut self.probes) {
            self.successes += usize::from(result == CallResult::Success);
            match result {
                CallResult::Success if self.successes == self.permits => Some(CircuitState::Closed),
                FAILURE => Some(CircuitState::Open),
                _ => None,
            }
        } else {
            None
        };
        ensure(changed == expected, &format!("{expected:?} was to come of it, not {changed:?}"))?;
        let after = expected.unwrap_or(before);
        ensure(self.breaker.state() == after, "a change of state that no result was reason for")?;
        if changed.is_some() {
            self.probes.clear();
            self.calls.clear();
            // A stale caller may ask with an instant before the breaker opened.
            self.recovered = now + RECOVERY;
        }
        Ok(())
    }

    /// No permit is lost: every place is free or has its probe in flight.
    fn places(&self) -> Result<(), String> {
        if self.breaker.state() != CircuitState::HalfOpen {
            return Ok(());
        }
        let mut breaker = self.breaker.clone();
        let free = (0..9).take_while(|_| breaker.admit(at(self.now)).is_ok()).count();
        ensure(free + self.probes.len() == self.permits, "a permit is lost")
    }
}

impl<const PERMITS: usize> World for Callers<PERMITS> {
    type Step = Step;

    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.left.ticks > 0 {
            steps.push(Step::Tick);
        }
        if self.left.snapshots > 0 {
            steps.push(Step::SaveAndRestore);
        }
        for (number, caller) in self.callers.iter().enumerate() {
            match caller {
                Caller::Idle => steps.push(Step::Read(number)),
                Caller::Asks(_) => steps.push(Step::Ask(number)),
                Caller::Holds(_) => steps.push(Step::End(number)),
                Caller::Settles(..) => {
                    steps.extend(RESULTS.map(|result| Step::Settle(number, result)));
                }
                Caller::Done => {}
            }
        }
        steps
    }

    fn take(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Tick => {
                self.now += 1;
                self.left.ticks -= 1;
            }
            Step::SaveAndRestore => {
                let mut bytes = [0; 256];
                let written = self.breaker.snapshot(at(self.now), &mut bytes).unwrap();
                let off = Some(us(0));
                let restored = self.breaker.restore(&bytes[..written], at(self.now), off);
                self.left.snapshots -= 1;
                ensure(restored.is_ok(), "its own snapshot is refused")?;
            }
            Step::Read(caller) => self.callers[caller] = Caller::Asks(self.now),
            Step::Ask(caller) => {
                let Caller::Asks(now) = self.callers[caller] else { unreachable!() };
                self.ask(caller, now)?;
            }
            Step::End(caller) => {
                let Caller::Holds(permit) = self.callers[caller] else { unreachable!() };
                self.callers[caller] = Caller::Settles(permit, self.now);
            }
            Step::Settle(caller, result) => self.settle(caller, result)?,
        }
        self.places()
    }

    /// It is not wedged: the next caller is admitted when the recovery time is over.
    fn end(&self) -> Result<(), String> {
        let mut breaker = self.breaker.clone();
        let later = at(self.now + RECOVERY);
        ensure(breaker.admit(later).is_ok(), "it rejects for longer than its recovery time")
    }
}

#[test]
fn probes_of_one_permit_in_every_order() {
    for left in [limits(2, 4, 0), limits(3, 2, 0), limits(4, 1, 0)] {
        let states = explore(Callers::<1>::opened(&ONE, left));
        assert!(states > 500, "{left:?}: {states}");
    }
}

#[test]
fn probes_of_two_permits_in_every_order() {
    for left in [limits(2, 4, 0), limits(3, 2, 0)] {
        let states = explore(Callers::<2>::opened(&TWO, left));
        assert!(states > 500, "{left:?}: {states}");
    }
}

#[test]
fn calls_that_are_in_flight_when_it_opens_in_every_order() {
    for left in [limits(2, 5, 0), limits(3, 3, 0)] {
        let states = explore(Callers::<1>::closed(&ONE, left));
        assert!(states > 500, "{left:?}: {states}");
    }
}

#[test]
fn a_breaker_that_is_saved_and_restored_in_every_order() {
    for left in [limits(2, 3, 1), limits(2, 2, 2)] {
        explore(Callers::<1>::opened(&ONE, left));
        explore(Callers::<1>::closed(&ONE, left));
        explore(Callers::<2>::opened(&TWO, left));
    }
}

/// Minutes, where the short form takes seconds.
#[test]
fn more_callers_and_ticks_in_every_order() {
    let ticks = rounds(1, 2, 4) as u32;
    explore(Callers::<1>::opened(&ONE, limits(3, ticks, 1)));
    explore(Callers::<2>::opened(&TWO, limits(3, ticks, 1)));
    explore(Callers::<1>::closed(&ONE, limits(3, ticks, 1)));
}

/// The clock is set back by a lease or more: a lost probe's place is free again two leases
/// later at the latest, and never is more than one probe let through meanwhile.
#[test]
fn a_clock_that_is_set_back_wedges_nothing() {
    for back in [LEASE - 1, LEASE, LEASE + 1, 3 * LEASE, 1_000_000] {
        let start = 2_000_000;
        let mut breaker = Breaker::<FailureTimes<1>>::new(&ONE).unwrap();
        let permit = breaker.admit_closed().unwrap();
        breaker.settle(permit, FAILURE, at(start - RECOVERY));
        // It never comes back.
        let _ = breaker.admit(at(start)).unwrap().permit;
        let (mut admitted, mut asked) = (0, 0);
        for now in start - back..=start - back + 2 * LEASE {
            asked += 1;
            admitted += u32::from(breaker.admit(at(now)).is_ok());
        }
        assert_eq!(asked, 2 * LEASE + 1);
        // Each of these probes is lost, too; its place is free after one lease.
        assert!((1..=2).contains(&admitted), "{back}: {admitted}");
    }
}
