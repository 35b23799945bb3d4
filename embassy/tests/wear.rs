//! How often a node writes, counted over a day on which nothing goes well, and what
//! `writes_a_day` says of it.
#![cfg(feature = "storage")]

use std::cell::{Cell, RefCell};

use embedded_storage::{ReadStorage, Storage};
use redress::breaker::{FailureRule, FailureTimes};
use redress::driver::Decision;
use redress::random::NoRandom;
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, Policy, checked, policy,
};
use redress_embassy::durable::{Durable, Eeprom, OVERHEAD, Record, Transitions, writes_a_day};

type Circuit = Breaker<FailureTimes<2>>;

const RECOVERY: Duration = Duration::from_secs(60);
const RULE: BreakerConfig<FailureRule> =
    BreakerConfig::failures(1, Duration::from_secs(60)).recovery_timeout(RECOVERY);

const ONCE: Policy = Policy::once();

const LONG: Duration = Duration::from_secs(600);
const PATIENT: Policy = policy! {
    Policy::builder().max_attempts(2).deadline(Duration::MAX).backoff(Backoff::constant(LONG))
};

const DAY: u64 = 86_400_000_000;

/// An EEPROM that counts how often each of its slots is written.
struct Counting {
    bytes: [u8; 512],
    writes: [u64; 2],
}

impl ReadStorage for &mut Counting {
    type Error = std::convert::Infallible;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.copy_from_slice(&self.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl Storage for &mut Counting {
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        self.bytes[offset as usize..][..bytes.len()].copy_from_slice(bytes);
        self.writes[offset as usize / 256] += 1;
        Ok(())
    }
}

/// A node that runs for a day: it is given the clock, the observer, and what saves.
fn day(
    mut run: impl FnMut(&Cell<u64>, &RefCell<Circuit>, &Transitions, &mut dyn FnMut()),
) -> [u64; 2] {
    let clock = Cell::new(0);
    let breaker = RefCell::new(checked!(Circuit::new(&RULE)));
    let transitions = Transitions::new();
    let mut chip = Counting { bytes: [0xFF; 512], writes: [0; 2] };
    let mut durable = Durable::new(Eeprom::new(&mut chip, 0), 1);
    let mut save = || {
        let mut record = Record::<{ OVERHEAD + 64 }>::new();
        record.put(&breaker, clock.now()).expect("it has room");
        durable.save(&record).expect("the chip is in order");
    };
    while clock.get() < DAY {
        run(&clock, &breaker, &transitions, &mut save);
    }
    chip.writes
}

/// Calls one after the other, every second of the day; a saved transition for each that came.
fn a_day_of_calls(mut fails: impl FnMut() -> bool) -> [u64; 2] {
    day(|clock, breaker, transitions, save| {
        let mut seen = || {
            if transitions.take() {
                save();
            }
        };
        let mut retry = ONCE
            .on(clock, NoRandom)
            .classify(|(): &()| ErrorClass::Transient)
            .breaker(breaker)
            .observer(transitions);
        if let Ok(mut steps) = retry.begin() {
            seen();
            steps.start().expect("it has just begun");
            if fails() {
                steps.fail(ErrorClass::Transient);
            } else {
                steps.succeed();
            }
            seen();
        }
        clock.set(clock.get() + 1_000_000);
    })
}

#[test]
fn a_service_that_answers_probes_and_nothing_else_causes_the_writes_that_the_bound_tells() {
    // A probe's success closes the breaker, the call after it opens it again.
    let mut probe = false;
    let writes = a_day_of_calls(|| {
        probe = !probe;
        probe
    });
    let (counted, bound) = (writes[0] + writes[1], writes_a_day(&[RECOVERY], Duration::MAX));
    // One second of each cycle is the call's after the probe; the bound knows of no such pause.
    let cycles = DAY / (RECOVERY.as_micros() + 1_000_000);
    assert!((3 * cycles..=bound).contains(&counted), "{counted} of at most {bound}");
    assert!(writes[0].abs_diff(writes[1]) <= 1, "in turns: {writes:?}");
}

#[test]
fn a_dead_service_causes_two_of_the_three_writes() {
    let writes = a_day_of_calls(|| true);
    let (counted, bound) = (writes[0] + writes[1], writes_a_day(&[RECOVERY], Duration::MAX));
    // A probe goes through, and opens it again.
    assert_eq!(counted, 1 + 2 * (DAY / RECOVERY.as_micros() - 1));
    assert!(counted <= bound, "{counted} of at most {bound}");
}

#[test]
fn calls_that_go_well_or_fail_without_opening_the_breaker_cause_no_write() {
    assert_eq!(a_day_of_calls(|| false), [0, 0]);
    let permanent = day(|clock, breaker, transitions, save| {
        let mut retry = ONCE
            .on(clock, NoRandom)
            .classify(|(): &()| ErrorClass::Permanent)
            .breaker(breaker)
            .observer(transitions);
        retry.begin().expect("it stays closed").fail(ErrorClass::Permanent);
        if transitions.take() {
            save();
        }
        clock.set(clock.get() + 1_000_000);
    });
    assert_eq!(permanent, [0, 0]);
}

#[test]
fn calls_that_wait_for_long_all_day_cause_the_writes_that_the_bound_tells() {
    let writes = day(|clock, _, _, save| {
        let mut retry = PATIENT.on(clock, NoRandom).classify(|(): &()| ErrorClass::Transient);
        let mut steps = retry.begin().expect("no breaker");
        steps.start().expect("it has just begun");
        let Decision::Retry { after } = steps.fail(ErrorClass::Transient) else {
            panic!("it has two attempts")
        };
        // Before the delay, and when the call is over.
        save();
        clock.set(clock.get() + after.as_micros());
        steps.on_wake().expect("it has no deadline");
        steps.start().expect("it has no deadline");
        assert!(matches!(steps.fail(ErrorClass::Transient), Decision::Stop(_)));
        save();
    });
    let (counted, bound) = (writes[0] + writes[1], writes_a_day(&[], LONG));
    assert!((bound - 2..=bound).contains(&counted), "{counted} of at most {bound}");
}
