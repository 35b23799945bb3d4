//! Air time on the clock of embassy: a limiter whose unit is the millisecond, over calls, retries and resets.
#![cfg(feature = "storage")]

mod virtual_time;

use core::cell::RefCell;

use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_time::Timer;
use redress::budget::{Limited, LimiterConfig, WhenLimited};
use redress::random::NoRandom;
use redress::snapshot::Snapshot as _;
use redress::{
    Backoff, Clock, Duration, ErrorClass, Policy, RateLimiter, StopReason, checked, policy,
};
use redress_embassy::durable::{Durable, OVERHEAD, Record, Retained};
use redress_embassy::{EmbassyTime, Locked};

/// Half a minute between two attempts.
const UPLINK: Policy = policy! {
    Policy::builder()
        .max_attempts(3)
        .no_deadline()
        .backoff(Backoff::constant(Duration::from_secs(30)))
};

/// 1 % of an hour, in milliseconds.
const AIR_TIME: LimiterConfig = LimiterConfig::new().window(36_000, Duration::from_secs(3600));

type AirTime = RateLimiter<32>;
type Limiter = Locked<NoopRawMutex, AirTime>;

fn limiter() -> Limiter {
    Locked::new(checked!(AirTime::new(&AIR_TIME)))
}

/// A reading of 10 bytes at spreading factor 12.
const LONG: u64 = 1_483;
/// As many as fit into an hour.
const FIT: usize = 24;

/// Moves the time in steps of 50 ms until the future is done.
fn run<F: Future>(future: F) -> F::Output {
    virtual_time::run(embassy_time::Duration::from_millis(50), future)
}

fn now_ms() -> u64 {
    EmbassyTime.now().as_micros() / 1_000
}

/// Sends until `hours` are over; when each transmission began.
fn send_for(hours: u64, limiter: &Limiter, fails: bool) -> Vec<u64> {
    let sent = RefCell::new(Vec::new());
    let cost = u32::try_from(LONG).unwrap();
    let mut uplink = UPLINK
        .on(EmbassyTime, NoRandom)
        .budget(Limited::new((), limiter).cost(cost))
        .classify(|(): &()| ErrorClass::Transient);
    let end = now_ms() + hours * 3_600_000;
    while now_ms() < end {
        let _ = run(uplink.call_async(async |_| {
            sent.borrow_mut().push(now_ms());
            Timer::after_millis(LONG).await;
            if fails { Err(()) } else { Ok(()) }
        }));
    }
    sent.into_inner()
}

/// The most milliseconds on air within any hour that begins with a transmission.
fn most_in_an_hour(sent: &[u64]) -> u64 {
    let within = |&from: &u64| {
        let ends = sent.iter().filter(|&&at| (from..from + 3_600_000).contains(&at)).count();
        ends as u64 * LONG
    };
    sent.iter().map(within).max().unwrap_or(0)
}

#[test]
fn no_hour_holds_more_than_its_share_whether_uplinks_are_heard_or_not() {
    for fails in [false, true] {
        let _turn = virtual_time::turn();
        let sent = send_for(3, &limiter(), fails);
        let most = most_in_an_hour(&sent);
        assert!(most <= 36_000, "{most} ms within an hour, fails: {fails}");
        // And it is used up: each hour as many as fit.
        assert!(sent.len() >= 3 * FIT, "{} in three hours, fails: {fails}", sent.len());
    }
}

#[test]
fn an_uplink_that_does_not_fit_is_deferred_for_as_long_as_it_takes() {
    let _turn = virtual_time::turn();
    let limiter = limiter();
    let mut uplink = UPLINK
        .on(EmbassyTime, NoRandom)
        .budget(Limited::new((), &limiter).cost(36_000).when_limited(WhenLimited::Defer))
        .classify(|(): &()| ErrorClass::Transient);
    assert!(run(uplink.call_async(async |_| Ok::<(), ()>(()))).is_ok());
    run(Timer::after_secs(600));
    let outcome = run(uplink.execute_async(async |_| Ok::<(), ()>(())));
    assert_eq!((outcome.stop_reason(), outcome.attempts), (Some(StopReason::Scheduled), 0));
    let next = outcome.next_sleep();
    assert_eq!(next, Some(Duration::from_secs(3_000)));
}

#[test]
fn resets_give_no_air_time_back() {
    let _turn = virtual_time::turn();
    let mut memory = [0; 2 * (OVERHEAD + AirTime::BYTES)];
    let mut sent = Vec::new();
    // A node that is reset after each uplink, three times as many as an hour holds.
    for start in 0..3 * FIT {
        let limiter = limiter();
        let mut durable = Durable::new(Retained::new(&mut memory), 1);
        let mut record = Record::<{ OVERHEAD + AirTime::BYTES }>::new();
        if start > 0 {
            let mut fields = durable.load(&mut record).expect("it was saved");
            fields.take(&limiter, EmbassyTime.now(), None).expect("it fits");
        }
        let mut uplink = UPLINK
            .on(EmbassyTime, NoRandom)
            .budget(Limited::new((), &limiter).cost(u32::try_from(LONG).unwrap()))
            .classify(|(): &()| ErrorClass::Transient);
        let call = uplink.call_async(async |_| {
            sent.push(now_ms());
            Timer::after_millis(LONG).await;
            Ok::<(), ()>(())
        });
        assert!(run(call).is_ok());
        let mut record = Record::<{ OVERHEAD + AirTime::BYTES }>::new();
        record.put(&limiter, EmbassyTime.now()).expect("there is room");
        durable.save(&record).expect("memory takes it");
    }
    let most = most_in_an_hour(&sent);
    assert!(most <= 36_000, "{most} ms within an hour");
}
