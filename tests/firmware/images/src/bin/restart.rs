//! The clock of embassy-time begins anew while breakers, a budget and a call hold times of
//! before: nothing stays closed that was open, nothing stays open for longer than its own time,
//! and what waits ends.

#![no_std]
#![no_main]

use embassy_executor::Spawner;
use embassy_futures::join::join;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_time::Timer;
use firmware::check::Checks;
use firmware::clock;
use redress::breaker::{CallResult, FailureRule, FailureTimes};
use redress::budget::{Budget as _, RollingConfig};
use redress::event::CircuitState;
use redress::random::NoRandom;
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, Policy, RollingBudget, Shared,
    StopReason, checked, policy,
};
use redress_embassy::{EmbassyTime, Locked};

/// How long the board has run before.
const UPTIME_SECS: u64 = 3600;

type Upstream<const N: usize> = Locked<CriticalSectionRawMutex, Breaker<FailureTimes<N>>>;

const OPEN_RULE: BreakerConfig<FailureRule> =
    BreakerConfig::failures(1, Duration::from_secs(60)).recovery_timeout(Duration::from_secs(30));
static OPEN: Upstream<1> = Locked::new(checked!(Breaker::<FailureTimes<1>>::new(&OPEN_RULE)));

const PROBED_RULE: BreakerConfig<FailureRule> = BreakerConfig::failures(1, Duration::from_secs(60))
    .recovery_timeout(Duration::from_secs(5))
    .lease(Duration::from_secs(20));
static PROBED: Upstream<1> = Locked::new(checked!(Breaker::<FailureTimes<1>>::new(&PROBED_RULE)));

const WINDOW_RULE: BreakerConfig<FailureRule> = BreakerConfig::failures(2, Duration::from_secs(60));
static WINDOW: Upstream<2> = Locked::new(checked!(Breaker::<FailureTimes<2>>::new(&WINDOW_RULE)));

const RETRIES: RollingConfig = RollingConfig::new(4, Duration::from_secs(60));
static BUDGET: Locked<CriticalSectionRawMutex, RollingBudget<4>> =
    Locked::new(checked!(RollingBudget::<4>::new(&RETRIES)));

const PATIENT: Policy = policy! {
    Policy::builder().max_attempts(2).backoff(Backoff::constant(Duration::from_secs(5)))
};
const HASTY: Policy = policy! {
    Policy::builder()
        .max_attempts(10)
        .deadline(Duration::from_secs(3))
        .backoff(Backoff::constant(Duration::from_secs(1)))
        .long_delay(redress::config::LongDelay::Cut)
};

/// A failed call; whether it opened the breaker.
fn fail<const N: usize>(breaker: &Upstream<N>) -> bool {
    let now = EmbassyTime.now();
    let opened = breaker.with(|breaker| {
        let permit = breaker.admit(now).ok()?.permit;
        breaker.settle(permit, CallResult::Failure(ErrorClass::Transient), now)
    });
    opened.flatten() == Some(CircuitState::Open)
}

/// How long a caller is told to stay away; `None` if it is let through, and fails to report.
fn rejected<const N: usize>(breaker: &Upstream<N>) -> Option<Duration> {
    breaker
        .with(|breaker| breaker.admit(EmbassyTime.now()).err())?
        .and_then(|open| open.retry_after)
}

/// The seconds until a caller is let through, at most `most`.
async fn seconds_until_admitted<const N: usize>(breaker: &Upstream<N>, most: u64) -> u64 {
    for second in 0..=most {
        if rejected(breaker).is_none() {
            return second;
        }
        Timer::after_secs(1).await;
    }
    most + 1
}

async fn after_the_restart(checks: &mut Checks) {
    let uptime = EmbassyTime.now().as_micros();
    checks.check("us on the clock after its restart", uptime < 1_000, uptime);

    // Asked at once, so that each of them knows from when its time counts.
    let wait = rejected(&OPEN).unwrap_or_default();
    let full = Duration::from_secs(30);
    checks.check("an open breaker stays open, for its own time at most", wait == full, wait);
    let lease = rejected(&PROBED).unwrap_or_default();
    let recovery = Duration::from_secs(5);
    checks.check("a lost probe rejects for the recovery time", lease == recovery, lease);
    let opened = fail(&WINDOW);
    checks.check("a failure of before counts with one of after it", opened, opened);
    let tokens = BUDGET.with(|budget| budget.consume(1, EmbassyTime.now()));
    checks.check("an empty budget is still empty", tokens == Some(false), "0 tokens");

    let waited = seconds_until_admitted(&PROBED, 60).await;
    checks.check("s until the next probe after a lost one", waited == 20, waited);
    let waited = waited + seconds_until_admitted(&OPEN, 60).await;
    checks.check("s until the open breaker lets a probe through", waited == 30, waited);
    let state = OPEN.with(|breaker| breaker.state());
    let half_open = state == Some(CircuitState::HalfOpen);
    checks.check("it is half-open then", half_open, state.map_or("", CircuitState::as_str));
    Timer::after_secs(90).await;
    let tokens = BUDGET.with(|budget| budget.remaining(EmbassyTime.now()));
    checks.check("tokens of the budget two windows later", tokens == Some(4), tokens.unwrap_or(0));

    let started = EmbassyTime.now();
    let outcome = HASTY
        .on(EmbassyTime, NoRandom)
        .classify(|(): &()| ErrorClass::Transient)
        .execute_async(async |_| Err::<(), ()>(()))
        .await;
    let took = EmbassyTime.now().since(started).as_micros();
    let exact = outcome.stop_reason() == Some(StopReason::DeadlineExceeded)
        && (3_000_000..3_000_100).contains(&took);
    checks.check("a deadline of 3 s on the new clock, in us", exact, took);
}

#[embassy_executor::task]
async fn tests(_spawner: Spawner) {
    let mut checks = Checks::default();
    Timer::after_secs(UPTIME_SECS).await;
    let uptime = EmbassyTime.now().as_micros() / 1_000_000;
    checks.check("s on the clock before its restart", uptime == UPTIME_SECS, uptime);

    let opened = fail(&OPEN) && fail(&PROBED) && !fail(&WINDOW);
    checks.check("two breakers are open, one counts a failure", opened, opened);
    Timer::after_secs(5).await;
    let lost = rejected(&PROBED).is_none();
    checks.check("the probe of one is lost", lost, lost);
    let taken = BUDGET.with(|budget| budget.consume(4, EmbassyTime.now())) == Some(true);
    checks.check("the budget is used up", taken, taken);

    let mut retry = PATIENT.on(EmbassyTime, NoRandom).classify(|(): &()| ErrorClass::Transient);
    let call = retry.call_async(async |attempt| if attempt.number == 1 { Err(()) } else { Ok(()) });
    let (result, ()) = join(call, async {
        Timer::after_secs(1).await;
        clock::restart();
        after_the_restart(&mut checks).await;
    })
    .await;
    let ended = EmbassyTime.now().as_micros();
    let due = (UPTIME_SECS + 5 + 5) * 1_000_000;
    let exact = result.is_ok() && (due..due + 200).contains(&ended);
    checks.check("a delay of before ends at its own tick of the new clock, in us", exact, ended);
    semihosting::process::exit(if checks.close() { 0 } else { 1 });
}

firmware::tasks!(tests);
