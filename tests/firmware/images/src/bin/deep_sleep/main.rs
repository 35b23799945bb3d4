//! A call that is longer than the node is awake: it waits for its short delays, sleeps through
//! the long ones, and goes on after a reset where it stood, with its breaker and its budget, from
//! memory that the reset leaves alone. A reset by software stands for the sleep.

#![no_std]
#![no_main]

mod hint;

use core::convert::Infallible;

use board::reset::reset;
use embassy_executor::Spawner;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use firmware::check::Checks;
use heapless::Vec;
use redress::breaker::{FailureRule, FailureTimes};
use redress::budget::{Budget as _, RollingConfig};
use redress::event::CircuitState;
use redress::random::NoRandom;
use redress::snapshot::{Progress, Snapshot, SnapshotError, Suspended};
use redress::{
    Attempt, Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, Instant, Policy,
    RollingBudget, Shared, StopReason, checked, policy,
};
use redress_embassy::durable::{Durable, LoadError, OVERHEAD, Record, Retained};
use redress_embassy::{EmbassyTime, Locked};

/// A second, ten, a hundred, a hundred.
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

static BREAKER: Locked<CriticalSectionRawMutex, Circuit> =
    Locked::new(checked!(Circuit::new(&RULE)));
static BUDGET: Locked<CriticalSectionRawMutex, Retries> =
    Locked::new(checked!(Retries::new(&RETRIES)));

/// Breaker and budget; which start is next, what passed and what failed so far; the call.
const SIZE: usize = OVERHEAD + Circuit::BYTES + Retries::BYTES + 3 * 4 + Suspended::BYTES;

/// The long delay, and so what the alarm is set to.
const ALARM: Duration = Duration::from_secs(100);

fn retained() -> Retained<'static> {
    /// Nothing initialises it.
    #[unsafe(link_section = ".uninit.retained")]
    static mut MEMORY: [u8; 2 * SIZE] = [0; 2 * SIZE];
    // SAFETY: one thread, and no two of these live at once.
    Retained::new(unsafe { &mut *core::hint::black_box(&raw mut MEMORY) })
}

/// What a start leaves to the next one: which one that is, the counts, a call and how long
/// nothing ran.
struct Left {
    start: u32,
    checks: Checks,
    call: Option<([u8; Suspended::BYTES], Option<Duration>)>,
}

/// Some microseconds have gone by since it began.
fn nearly(rest: Duration, whole: Duration) -> bool {
    rest <= whole && whole.saturating_sub(rest) < Duration::from_micros(100)
}

/// Writes it all down as of `now`.
fn save(now: Instant, left: &Left) {
    let (passed, failed) = left.checks.counts();
    let put = |record: &mut Record<SIZE>| {
        for number in [left.start, passed, failed] {
            record.put_bytes(&number.to_le_bytes())?;
        }
        record.put(&BREAKER, now)?;
        record.put(&BUDGET, now)?;
        left.call.iter().try_for_each(|(call, _)| record.put_bytes(call))
    };
    let mut record = Record::new();
    if let Err(why) = put(&mut record) {
        panic!("{why}");
    }
    if let Err(why) = Durable::new(retained(), 1).save(&record) {
        panic!("{why}");
    }
}

/// Writes it all down as of `now`, and resets.
fn sleep(now: Instant, left: &Left) -> ! {
    save(now, left);
    reset()
}

/// What the start before has left, as of `now`.
fn wake(now: Instant) -> Result<Left, LoadError<Infallible>> {
    let mut record = Record::<SIZE>::new();
    let mut fields = Durable::new(retained(), 1).load(&mut record)?;
    let mut take = || {
        let mut number = || fields.take_bytes().map(u32::from_le_bytes);
        let (start, passed, failed) = (number()?, number()?, number()?);
        // The alarm woke it for the second start, no clock ran before the third and the fourth.
        let off = match start {
            2 => Some(ALARM),
            3 | 4 => None,
            _ => Some(hint::slept()),
        };
        fields.take(&BREAKER, now, off)?;
        fields.take(&BUDGET, now, off)?;
        let call = fields.take_bytes().ok().map(|call| (call, off));
        Ok::<_, SnapshotError>(Left { start, checks: Checks::going_on(passed, failed), call })
    };
    take().map_or_else(|why| panic!("{why}"), Ok)
}

#[embassy_executor::task]
async fn tests(_spawner: Spawner) {
    let now = EmbassyTime.now();
    let (left, fresh) = match wake(now) {
        Ok(left) => (left, false),
        Err(LoadError::Empty) => (Left { start: 1, checks: Checks::default(), call: None }, true),
        Err(why) => panic!("{why}"),
    };
    if left.start > 4 {
        hint::go_on(now, left).await
    }
    let Left { start, mut checks, call } = left;
    let expected = fresh == (start == 1);
    checks.check("start, from memory that was never written only the first", expected, start);
    let mut made = Vec::<u32, 8>::new();
    let mut retry = NETWORK
        .on(EmbassyTime, NoRandom)
        .classify(|class: &ErrorClass| *class)
        .breaker(&BREAKER)
        .budget(&BUDGET);
    let operation = async |attempt: Attempt| {
        let _ = made.push(attempt.number);
        Err::<(), _>(ErrorClass::Transient)
    };
    let progress = match call {
        Some((call, off)) => match retry.resume(&call, now, off) {
            Ok(call) => call.call_or_suspend_async(LIMIT, operation).await,
            Err(why) => panic!("{why}"),
        },
        None => retry.call_or_suspend_async(LIMIT, operation).await,
    };
    let awake = EmbassyTime.now().since(now).as_micros();
    let awake_for = |secs: u64| (secs * 1_000_000..secs * 1_000_000 + 100).contains(&awake);
    let tokens = BUDGET.with(|budget| budget.remaining(EmbassyTime.now())).unwrap_or(0);
    let state = BREAKER.with(|breaker| breaker.state());
    match (start, progress) {
        (1 | 2, Progress::Suspended(call)) => {
            let (attempts, secs, rest): (&[u32], _, _) =
                if start == 1 { (&[1, 2, 3], 11, 5) } else { (&[4], 0, 4) };
            let last = made.last().copied().unwrap_or(0);
            checks.check("its last attempt before a delay too long", made == attempts, last);
            checks.check("us awake until then", awake_for(secs), awake);
            checks.check("when to wake", nearly(call.wake_after, ALARM), call.wake_after);
            checks.check("tokens of the budget that are left", tokens == rest, tokens);
            let left = Left { start: start + 1, checks, call: Some((call.bytes, None)) };
            sleep(call.at, &left)
        }
        (3, Progress::Over(outcome)) => {
            let over = outcome.stop_reason() == Some(StopReason::MaxAttemptsGlobal);
            checks.check("the last of five attempts, after the delay", over && made == [5], 5);
            checks.check("us awake, without the time asleep", awake_for(100), awake);
            let open = state == Some(CircuitState::Open);
            checks.check("the call opens the breaker", open, open);
            sleep(EmbassyTime.now(), &Left { start: 4, checks, call: None })
        }
        (4, Progress::Over(outcome)) => {
            let wait = outcome.rejection().and_then(|open| open.retry_after).unwrap_or_default();
            let rejected = made.is_empty() && nearly(wait, Duration::from_secs(600));
            checks.check("it is open after one more reset, for its whole time", rejected, wait);
            checks.check("and the budget has what it had", tokens == 4, tokens);
            hint::begin(checks).await
        }
        (_, Progress::Over(outcome)) => {
            checks.check("a call that is not over yet", false, outcome.attempts);
        }
        (_, Progress::Suspended(call)) => {
            checks.check("a call that is over", false, call.wake_after);
        }
    }
    semihosting::process::exit(if checks.close() { 0 } else { 1 });
}

firmware::tasks!(tests);
