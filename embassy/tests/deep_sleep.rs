//! A node that sleeps deeply between its attempts, with its state in retained memory.

mod virtual_time;

use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_time::MockDriver;
use redress::breaker::{FailureRule, FailureTimes};
use redress::budget::{Budget as _, RollingConfig};
use redress::event::CircuitState;
use redress::random::NoRandom;
use redress::snapshot::{Progress, Snapshot, Suspended};
use redress::{
    Attempt, Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, Outcome, Policy,
    RollingBudget, Shared, StopReason, checked, policy,
};
use redress_embassy::durable::{Durable, LoadError, OVERHEAD, Record, Retained};
use redress_embassy::{EmbassyTime, Locked};

/// A second, ten, a hundred: the third delay is slept through.
const NETWORK: Policy = policy! {
    Policy::builder()
        .max_attempts(5)
        .deadline(Duration::from_secs(3600))
        .backoff(Backoff::exponential_by(Duration::from_secs(1), Duration::from_secs(100), 10_000))
};
const LIMIT: Duration = Duration::from_secs(60);
const RULE: BreakerConfig<FailureRule> =
    BreakerConfig::failures(1, Duration::from_secs(60)).recovery_timeout(Duration::from_secs(600));
const RETRIES: RollingConfig = RollingConfig::new(8, Duration::from_secs(7200));

type Circuit = Breaker<FailureTimes<1>>;
type Retries = RollingBudget<8>;

const SIZE: usize = OVERHEAD + Circuit::BYTES + Retries::BYTES + Suspended::BYTES;

/// Moves the time, millisecond by millisecond, until it is done.
fn run<F: Future>(future: F) -> F::Output {
    virtual_time::run(embassy_time::Duration::from_millis(1), future)
}

/// What a start of the node leaves: the end of its call, or when to wake.
#[derive(Debug)]
struct Start {
    ended: Option<Outcome<(), ErrorClass>>,
    wake_after: Duration,
    awake: u64,
    circuit: CircuitState,
    retries: u32,
}

/// One start of the node, from reset to sleep: everything but `memory` is new.
fn start(memory: &mut [u8], off: Option<Duration>, attempts: &mut Vec<u32>) -> Start {
    MockDriver::get().reset();
    let breaker: Locked<NoopRawMutex, Circuit> = Locked::new(checked!(Circuit::new(&RULE)));
    let budget: Locked<NoopRawMutex, Retries> = Locked::new(checked!(Retries::new(&RETRIES)));
    let mut durable = Durable::new(Retained::new(memory), 1);
    let mut record = Record::<SIZE>::new();
    let now = EmbassyTime.now();
    let call = durable.load(&mut record).ok().and_then(|mut fields| {
        fields.take(&breaker, now, off).unwrap();
        fields.take(&budget, now, off).unwrap();
        fields.take_bytes::<{ Suspended::BYTES }>().ok()
    });
    let mut retry = NETWORK
        .on(EmbassyTime, NoRandom)
        .classify(|class: &ErrorClass| *class)
        .breaker(&breaker)
        .budget(&budget);
    let mut operation = async |attempt: Attempt| {
        attempts.push(attempt.number);
        Err::<(), _>(ErrorClass::Transient)
    };
    let progress = match call {
        Some(call) => {
            let call = retry.resume(&call, now, off).unwrap();
            run(call.call_or_suspend_async(LIMIT, &mut operation))
        }
        None => run(retry.call_or_suspend_async(LIMIT, &mut operation)),
    };
    let mut left = Start {
        ended: None,
        wake_after: Duration::ZERO,
        awake: EmbassyTime.now().as_micros() / 1_000_000,
        circuit: breaker.with(|breaker| breaker.state()).unwrap(),
        retries: budget.with(|budget| budget.remaining(EmbassyTime.now())).unwrap(),
    };
    match progress {
        Progress::Over(outcome) => left.ended = Some(outcome),
        Progress::Suspended(call) => {
            let mut record = Record::<SIZE>::new();
            record.put(&breaker, call.at).unwrap();
            record.put(&budget, call.at).unwrap();
            record.put_bytes(&call.bytes).unwrap();
            durable.save(&record).unwrap();
            left.wake_after = call.wake_after;
        }
    }
    left
}

#[test]
fn a_call_goes_on_over_deep_sleeps_with_its_breaker_and_its_budget() {
    let _turn = virtual_time::turn();
    let mut memory = [0xA5; 2 * SIZE];
    let mut attempts = Vec::new();

    let first = start(&mut memory, None, &mut attempts);
    assert_eq!((first.wake_after.as_secs(), first.awake, first.retries), (100, 11, 5));
    // The clock that runs through the sleep says that the alarm was 30 s early.
    let early = start(&mut memory, Some(Duration::from_secs(30)), &mut attempts);
    assert_eq!((early.wake_after.as_secs(), early.awake), (70, 0));
    let second = start(&mut memory, Some(Duration::from_secs(70)), &mut attempts);
    assert_eq!((second.wake_after.as_secs(), second.awake, second.retries), (100, 0, 4));
    assert_eq!(second.circuit, CircuitState::Closed);
    // Without such a clock the delay is waited for awake.
    let last = start(&mut memory, None, &mut attempts);
    let outcome = last.ended.expect("five attempts are over");
    assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttemptsGlobal));
    assert_eq!((last.awake, last.retries, last.circuit), (100, 4, CircuitState::Open));
    assert_eq!(attempts, [1, 2, 3, 4, 5]);
}

#[test]
fn memory_that_lost_its_content_is_a_fresh_start() {
    let _turn = virtual_time::turn();
    let mut memory = [0; 2 * SIZE];
    let mut attempts = Vec::new();
    let first = start(&mut memory, None, &mut attempts);
    assert!(first.ended.is_none());
    for byte in &mut memory {
        *byte = !*byte;
    }
    let mut durable = Durable::new(Retained::new(&mut memory), 1);
    let lost = durable.load(&mut Record::<SIZE>::new()).err();
    assert_eq!(lost, Some(LoadError::Empty));
    let again = start(&mut memory, first.wake_after.into(), &mut attempts);
    assert!(again.ended.is_none());
    assert_eq!(attempts, [1, 2, 3, 1, 2, 3]);
}

#[test]
fn memory_too_small_for_the_record_is_refused_by_its_length() {
    let _turn = virtual_time::turn();
    let mut memory = [0; 2 * OVERHEAD + 6];
    let mut record = Record::<SIZE>::new();
    record.put_bytes(&[1, 2, 3, 4]).unwrap();
    let mut durable = Durable::new(Retained::new(&mut memory), 1);
    let refused = durable.save(&record).unwrap_err();
    let (needs, has) = (OVERHEAD + 4, OVERHEAD + 3);
    let expected = format!("needs {needs}");
    let said = refused.to_string();
    assert!(said.contains(&expected) && said.contains(&format!("{has} bytes")), "{said}");
}
