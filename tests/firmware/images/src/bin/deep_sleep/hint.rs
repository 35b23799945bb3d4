//! A server that asks to come back in an hour, of a call that has ten seconds: the node sleeps
//! through the hour, is woken too early once, and makes its second attempt after it.

use board::reset::reset;
use embassy_time::Timer;
use firmware::check::Checks;
use redress::budget::Budget as _;
use redress::random::NoRandom;
use redress::snapshot::{Progress, Suspended};
use redress::{
    Attempt, Backoff, Classification, Clock, Duration, ErrorClass, Instant, Policy, Shared,
    StopReason, policy,
};
use redress_embassy::EmbassyTime;

use crate::{BUDGET, LIMIT, Left, nearly, save};

const TEN_SECONDS: Duration = Duration::from_secs(10);
const HOUR: Duration = Duration::from_secs(3600);
/// When something else wakes the node.
const EARLY: Duration = Duration::from_secs(600);

const FALLBACK: Backoff = Backoff::constant(Duration::from_secs(1));
const HINTED: Policy = policy! {
    Policy::builder()
        .deadline(TEN_SECONDS)
        .backoff(Backoff::retry_after_or(&FALLBACK, Duration::ZERO))
};
const BUSY: Classification = Classification::new(ErrorClass::RateLimit).retry_after(HOUR);

fn busy((): &()) -> Classification {
    BUSY
}

/// A clock that runs through the sleep, in memory that a reset leaves alone: microseconds slept
/// in all and in the last sleep.
fn asleep() -> *mut [u64; 2] {
    #[unsafe(link_section = ".uninit.asleep")]
    static mut ASLEEP: [u64; 2] = [0; 2];
    &raw mut ASLEEP
}

/// How long the last sleep was.
pub(crate) fn slept() -> Duration {
    // SAFETY: one thread, and no reference to it is ever made.
    Duration::from_micros(unsafe { asleep().read_volatile() }[1])
}

fn slept_in_all() -> Duration {
    // SAFETY: as above.
    Duration::from_micros(unsafe { asleep().read_volatile() }[0])
}

fn tokens() -> u32 {
    BUDGET.with(|budget| budget.remaining(EmbassyTime.now())).unwrap_or(0)
}

/// The chip sleeps until its alarm, and starts anew.
async fn sleep(call: &Suspended, left: &Left, in_all: Duration, alarm: Duration) -> ! {
    save(call.at, left);
    Timer::after_micros(alarm.as_micros()).await;
    let last = EmbassyTime.now().since(call.at);
    let in_all = in_all.saturating_add(last);
    // SAFETY: as above.
    unsafe { asleep().write_volatile([in_all.as_micros(), last.as_micros()]) };
    reset()
}

fn end(checks: &Checks) -> ! {
    semihosting::process::exit(if checks.close() { 0 } else { 1 })
}

/// The first attempt.
pub(crate) async fn begin(mut checks: Checks) -> ! {
    let (before, mut made) = (tokens(), 0);
    let mut retry = HINTED.on(EmbassyTime, NoRandom).classify(busy).budget(&BUDGET);
    let outcome = retry.execute_async(async |_| Err::<(), ()>(())).await;
    let at_once = outcome.stop_reason() == Some(StopReason::DeadlineExceeded)
        && outcome.attempts == 1
        && outcome.elapsed < Duration::from_micros(100);
    let name = "an hour's delay under a deadline of 10 s ends the call at once";
    checks.check(name, at_once, outcome.elapsed);
    let whole = outcome.next_sleep().unwrap_or_default();
    checks.check("with the whole delay", whole == HOUR && tokens() == before, whole);

    let progress = retry
        .call_or_suspend_async(LIMIT, async |_| {
            made += 1;
            Err::<(), ()>(())
        })
        .await;
    let Progress::Suspended(call) = progress else {
        checks.check("it is suspended", false, made);
        end(&checks)
    };
    checks.check("attempts before it is suspended", made == 1, made);
    checks.check("an hour until it is due", nearly(call.wake_after, HOUR), call.wake_after);
    let left = tokens();
    checks.check("tokens left, one less", left + 1 == before, left);
    let left = Left { start: 5, checks, call: Some((call.bytes, None)) };
    sleep(&call, &left, Duration::ZERO, EARLY).await
}

/// The fifth start, too early, and the sixth.
pub(crate) async fn go_on(now: Instant, left: Left) -> ! {
    let Left { start, mut checks, call } = left;
    let Some((call, off)) = call else {
        checks.check("a call to go on with", false, start);
        end(&checks)
    };
    let (before, mut made, mut remaining) = (tokens(), 0, Duration::ZERO);
    let mut retry =
        HINTED.on(EmbassyTime, NoRandom).classify(busy).budget(&BUDGET).deadline(TEN_SECONDS);
    let operation = async |attempt: Attempt| {
        (made, remaining) = (made + 1, attempt.remaining);
        Ok::<(), ()>(())
    };
    let progress = match retry.resume(&call, now, off) {
        Ok(call) => call.call_or_suspend_async(LIMIT, operation).await,
        Err(why) => panic!("{why}"),
    };
    match (start, progress) {
        (5, Progress::Suspended(call)) => {
            let slept = slept().as_secs();
            checks.check("s slept, as it was woken too early", slept == EARLY.as_secs(), slept);
            checks.check("attempts then", made == 0, made);
            let rest = HOUR.saturating_sub(EARLY);
            let goes_on = nearly(call.wake_after, rest);
            checks.check("it sleeps again, for the rest", goes_on, call.wake_after);
            let left = Left { start: 6, checks, call: Some((call.bytes, None)) };
            sleep(&call, &left, slept_in_all(), call.wake_after).await
        }
        (6, Progress::Over(outcome)) => {
            let hour = slept_in_all().as_secs();
            checks.check("s slept in all", hour == HOUR.as_secs(), hour);
            let second = made == 1 && outcome.is_ok() && outcome.attempts == 2;
            checks.check("then its second attempt succeeds", second, outcome.attempts);
            let whole = nearly(remaining, TEN_SECONDS);
            checks.check("under a new deadline, of which is left", whole, remaining);
            let left = tokens();
            checks.check("tokens left, none taken again", left == before && left == 3, left);
        }
        _ => checks.check("a call that sleeps once more and is then over", false, start),
    }
    end(&checks)
}
