//! Every decision in one line of the log.
#![cfg(feature = "log")]

use std::cell::{Cell, RefCell};

use redress::breaker::{FailureRule, FailureTimes};
use redress::random::NoRandom;
use redress::{
    Backoff, Breaker, BreakerConfig, Classification, Duration, ErrorClass, Policy, checked, policy,
};
use redress_embassy::LogObserver;

const POLICY: Policy = policy! {
    Policy::builder().max_attempts(2).backoff(Backoff::constant(Duration::from_millis(250)))
};
const RULE: BreakerConfig<FailureRule> =
    BreakerConfig::failures(1, Duration::from_secs(60)).recovery_timeout(Duration::from_secs(30));

std::thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct Lines;

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {} {}", record.level(), record.target(), record.args());
        LINES.with_borrow_mut(|lines| lines.push(line));
    }
    fn flush(&self) {}
}

#[test]
fn a_line_names_operation_event_attempt_class_detail_and_delay() {
    log::set_logger(&Lines).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let clock = Cell::new(0_u64);
    let breaker = RefCell::new(checked!(Breaker::<FailureTimes<1>>::new(&RULE)));
    let mut retry = POLICY
        .on(&clock, NoRandom)
        .classify(|(): &()| Classification::new(ErrorClass::Transient).detail("no answer"))
        .breaker(&breaker)
        .observer(LogObserver)
        .operation("sensor");
    let mut steps = retry.begin().unwrap();
    steps.start().unwrap();
    let failure = Classification::new(ErrorClass::Transient).detail("no answer");
    steps.fail(failure);
    steps.on_wake().unwrap();
    steps.start().unwrap();
    steps.fail(failure);
    drop(steps);
    retry.begin().map(drop).unwrap_err();
    clock.set(30_000_000);
    let mut steps = retry.begin().unwrap();
    steps.start().unwrap();
    steps.succeed();
    drop(steps);
    LINES.with_borrow(|lines| {
        assert_eq!(
            *lines,
            [
                "WARN redress sensor: retry #1 TRANSIENT (no answer) in 0.25s",
                "ERROR redress sensor: max_attempts_exceeded #2 TRANSIENT (no answer)",
                "WARN redress sensor: circuit_opened #0 TRANSIENT () in 0s",
                "WARN redress sensor: circuit_rejected #0  () in 0s",
                "WARN redress sensor: circuit_half_open #0  () in 0s",
                "DEBUG redress sensor: success #1",
                "INFO redress sensor: circuit_closed #0 ",
            ]
        );
    });
}
