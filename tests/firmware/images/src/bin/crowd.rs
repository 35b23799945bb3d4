//! More tasks than a queue of a fixed size holds wait at once, each in a call of its own:
//! embassy's queue grows with the tasks, so every delay and every timeout ends to its tick.

#![no_std]
#![no_main]

use core::cell::Cell;
use core::future::pending;

use critical_section::Mutex;
use embassy_executor::Spawner;
use embassy_time::Timer;
use firmware::check::Checks;
use redress::random::NoRandom;
use redress::{Backoff, Clock, Duration, ErrorClass, Policy, policy};
use redress_embassy::EmbassyTime;

/// The largest queue of a fixed size that embassy has holds 128; an M0 has 16 KB of RAM.
const TASKS: u32 = if cfg!(target_has_atomic = "ptr") { 130 } else { 40 };

const PATIENCE: u64 = 2_000;
const DELAY: u64 = 10_000;
const POLICY: Policy = policy! {
    Policy::builder()
        .max_attempts(2)
        .attempt_timeout(Duration::from_micros(PATIENCE))
        .backoff(Backoff::constant(Duration::from_micros(DELAY)))
};

/// What came of all calls.
#[derive(Clone, Copy)]
struct Ended {
    calls: u32,
    early: u32,
    /// The latest, in microseconds after its tick.
    late: u64,
}

static ENDED: Mutex<Cell<Ended>> = Mutex::new(Cell::new(Ended { calls: 0, early: 0, late: 0 }));

#[embassy_executor::task(pool_size = TASKS as usize)]
async fn caller(nth: u32) {
    let started = EmbassyTime.now();
    // One in three hangs, and waits for its timeout; each of the others fails at its own time.
    let (hangs, fails_after) = (nth.is_multiple_of(3), u64::from(nth) * 10);
    let result = POLICY
        .on(EmbassyTime, NoRandom)
        .classify(|(): &()| ErrorClass::Transient)
        .call_async(async |attempt| match attempt.number {
            1 if hangs => pending().await,
            1 => {
                Timer::after_micros(fails_after).await;
                Err(())
            }
            _ => Ok(()),
        })
        .await;
    let took = EmbassyTime.now().since(started).as_micros();
    let due = DELAY + if hangs { PATIENCE } else { fails_after };
    critical_section::with(|cs| {
        let ended = ENDED.borrow(cs);
        let Ended { calls, early, late } = ended.get();
        ended.set(Ended {
            calls: calls + u32::from(result.is_ok()),
            early: early + u32::from(took < due),
            late: late.max(took.saturating_sub(due)),
        });
    });
}

#[embassy_executor::task]
async fn tests(spawner: Spawner) {
    let mut spawned = 0;
    for nth in 0..TASKS {
        let Ok(token) = caller(nth) else { break };
        spawner.spawn(token);
        spawned += 1;
    }
    Timer::after_millis(50).await;
    let Ended { calls, early, late } = critical_section::with(|cs| ENDED.borrow(cs).get());
    let mut checks = Checks::default();
    checks.check("tasks that wait at once", spawned == TASKS, spawned);
    checks.check("their calls that ended with their value", calls == TASKS, calls);
    checks.check("calls that ended early", early == 0, early);
    // Many of them are due at the same tick, and polled one after the other.
    checks.check("the latest, in us after its tick", late <= 200, late);
    semihosting::process::exit(if checks.close() { 0 } else { 1 });
}

firmware::tasks!(tests);
