//! A breaker as lists of what happened, each with its time.

use redress::breaker::FailureRule;
use redress::classify::ClassSet;
use redress::event::CircuitState;
use redress::{BreakerConfig, ErrorClass};

use super::some_time;
use crate::{Numbers, us};

/// Settings as plain numbers; the classes are bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    threshold: u64,
    window: u64,
    recovery: u64,
    /// What the recovery time grows to, if it grows.
    longest: Option<u64>,
    permits: u64,
    successes: u64,
    lease: u64,
    trip_on: u8,
    half_open_on: u8,
    /// Thresholds of classes that have their own; 0 for the others.
    own: [u64; ErrorClass::COUNT],
}

fn classes(bits: u8) -> ClassSet {
    let is_in = |class: &ErrorClass| bits & 1 << *class as u8 != 0;
    let classes = ErrorClass::ALL.into_iter().filter(is_in);
    classes.fold(ClassSet::EMPTY, |set, class| set.with(class))
}

impl Rules {
    pub(super) fn any(numbers: &mut Numbers) -> Self {
        let mut own = [0; ErrorClass::COUNT];
        if numbers.one_in(3) {
            own[numbers.below(8) as usize] = 1 + numbers.below(3);
        }
        let recovery = some_time(numbers);
        Self {
            threshold: 1 + numbers.below(6),
            window: some_time(numbers) * 4,
            recovery,
            longest: numbers.one_in(2).then(|| recovery * (1 + numbers.below(20))),
            permits: 1 + numbers.below(3),
            successes: 1 + numbers.below(4),
            lease: some_time(numbers) * 3,
            trip_on: numbers.below(256) as u8,
            half_open_on: if numbers.one_in(3) { numbers.below(256) as u8 } else { u8::MAX },
            own,
        }
    }

    pub(super) fn config(&self) -> BreakerConfig<FailureRule> {
        let mut config = BreakerConfig::failures(self.threshold as u8, us(self.window))
            .trip_on(classes(self.trip_on))
            .half_open_on(classes(self.half_open_on))
            .recovery_timeout(us(self.recovery))
            .half_open_permits(self.permits as u8)
            .successes_to_close(self.successes as u8)
            .lease(us(self.lease));
        if let Some(longest) = self.longest {
            config = config.recovery_growth_to(us(longest));
        }
        for (class, own) in ErrorClass::ALL.into_iter().zip(self.own) {
            config = config.class_threshold(class, own as u8);
        }
        config
    }
}

/// The permit of a call: of which period, and which one of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    number: u64,
    period: u64,
    pub(super) is_probe: bool,
}

/// What the breaker learns of a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Learned {
    Success,
    Failure(ErrorClass),
    Nothing,
}

#[derive(Clone, Debug)]
pub(super) struct Model {
    rules: Rules,
    pub(super) state: CircuitState,
    /// Counts the changes of state.
    period: u64,
    /// Counts the permits.
    number: u64,
    failures: Vec<(u64, ErrorClass)>,
    opened: u64,
    /// Probes, by the number of their permit, and when their leases end.
    probes: Vec<(u64, u64)>,
    successes: u64,
    reopened: u32,
}

impl Model {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            state: CircuitState::Closed,
            period: 0,
            number: 0,
            failures: Vec::new(),
            opened: 0,
            probes: Vec::new(),
            successes: 0,
            reopened: 0,
        }
    }

    fn recovery(&self) -> u64 {
        let recovery = self.rules.recovery;
        let grown = recovery << self.reopened.min(40);
        self.rules.longest.map_or(recovery, |longest| grown.min(longest))
    }

    /// The longest that a rejected caller may have to wait.
    pub(super) fn longest_wait(&self) -> u64 {
        match self.state {
            CircuitState::HalfOpen => self.rules.lease.min(self.recovery()),
            _ => self.recovery(),
        }
    }

    pub(super) fn admit(&mut self, now: u64) -> Option<Held> {
        self.number += 1;
        let held = |model: &Self, is_probe| {
            Some(Held { number: model.number, period: model.period, is_probe })
        };
        if self.state == CircuitState::Closed {
            return held(self, false);
        }
        if self.state == CircuitState::Open {
            if now < self.opened + self.recovery() {
                return None;
            }
            self.change(CircuitState::HalfOpen);
        }
        let end = now + self.rules.lease;
        if (self.probes.len() as u64) < self.rules.permits {
            self.probes.push((self.number, end));
        } else {
            // The place of a probe whose lease is over is another's from now on.
            *self.probes.iter_mut().find(|(_, end)| *end <= now)? = (self.number, end);
        }
        held(self, true)
    }

    pub(super) fn settle(&mut self, held: Held, learned: Learned, now: u64) {
        if held.period != self.period {
            return;
        }
        if !held.is_probe {
            if let Learned::Failure(class) = learned {
                self.count(class, now);
            }
            return;
        }
        let place = self.probes.iter().position(|(number, _)| *number == held.number);
        let Some((_, end)) = place.map(|place| self.probes.remove(place)) else { return };
        let is_alive = |class: ErrorClass| self.rules.half_open_on & 1 << class as u8 == 0;
        match learned {
            _ if end <= now => {}
            Learned::Nothing => {}
            Learned::Failure(class) if !is_alive(class) => {
                self.reopened += 1;
                self.open(now);
            }
            Learned::Success | Learned::Failure(_) => {
                self.successes += 1;
                if self.successes == self.rules.successes {
                    self.reopened = 0;
                    self.change(CircuitState::Closed);
                }
            }
        }
    }

    /// A failure of a call that a closed breaker has admitted.
    fn count(&mut self, class: ErrorClass, now: u64) {
        let own = self.rules.own;
        let of = |class: ErrorClass| own[class as usize];
        if of(class) == 0 && self.rules.trip_on & 1 << class as u8 == 0 {
            return;
        }
        self.failures.retain(|(time, _)| now - time < self.rules.window);
        self.failures.push((now, class));
        let together = |other: ErrorClass| {
            if of(class) > 0 { other == class } else { of(other) == 0 }
        };
        let count = self.failures.iter().filter(|(_, other)| together(*other)).count() as u64;
        let threshold = if of(class) > 0 { of(class) } else { self.rules.threshold };
        if count >= threshold {
            self.open(now);
        }
    }

    fn open(&mut self, now: u64) {
        self.opened = now;
        self.change(CircuitState::Open);
    }

    fn change(&mut self, state: CircuitState) {
        self.state = state;
        self.period += 1;
        self.failures.clear();
        self.probes.clear();
        self.successes = 0;
    }
}
