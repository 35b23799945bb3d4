//! Snapshots with wrong bytes: random ones, flipped bits, other lengths, other settings, and
//! wrong values under a right checksum. What is refused leaves the state as it was. What is
//! accepted is a state that can be: it goes on.

mod settings;
mod values;

use std::cell::RefCell;
use std::fmt::Debug;

use redress::breaker::{
    CallResult, FailureRule, FailureTimes, LastOutcomes, OutcomeRule, Permit, SliceRule,
    TimeSlices, Window,
};
use redress::budget::{Budget, Limit, LimiterConfig, RatioConfig, RollingConfig};
use redress::driver::Decision;
use redress::random::NoRandom;
use redress::snapshot::{Snapshot, SnapshotError};
use redress::testing::MockClock;
use redress::{
    Backoff, Breaker, BreakerConfig, Duration, ErrorClass, Policy, RateLimiter, RatioBudget,
    RollingBudget, policy,
};

use crate::{Numbers, at, rounds, us};

const FAILURE: CallResult = CallResult::Failure(ErrorClass::Transient);
const RECOVERY: Duration = Duration::from_millis(500);
const LEASE: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(4);

const TIMES: BreakerConfig<FailureRule> = BreakerConfig::failures(3, Duration::from_secs(1))
    .half_open_permits(2)
    .successes_to_close(2)
    .recovery_timeout(RECOVERY)
    .recovery_growth_to(LONGEST)
    .lease(LEASE);
const RATE: BreakerConfig<OutcomeRule> =
    BreakerConfig::outcomes(50, 500, 10).recovery_timeout(RECOVERY).lease(LEASE);
const SLICES: BreakerConfig<SliceRule> = BreakerConfig::slices(Duration::from_millis(100), 500, 5)
    .slow_calls(Duration::from_millis(50), 700)
    .recovery_timeout(RECOVERY)
    .lease(LEASE);

/// The checksum that a snapshot ends with: CRC-32 of IEEE 802.3.
pub(crate) fn seal(bytes: &mut [u8]) {
    let Some((body, checksum)) = bytes.split_last_chunk_mut::<4>() else { return };
    let crc = body.iter().fold(u32::MAX, |crc, byte| {
        let shift = |crc: u32, _| crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
        (0..8).fold(crc ^ u32::from(*byte), shift)
    });
    *checksum = (!crc).to_le_bytes();
}

/// Damages a snapshot, or leaves it as it is.
fn mangle(numbers: &mut Numbers, bytes: &mut Vec<u8>) {
    let length = bytes.len() as u64;
    match numbers.below(7) {
        0 => bytes.iter_mut().for_each(|byte| *byte = numbers.next() as u8),
        1 => {
            for _ in 0..=numbers.below(4) {
                bytes[numbers.below(length) as usize] ^= 1 << numbers.below(8);
            }
        }
        2 => bytes.truncate(numbers.below(length + 1) as usize),
        3 => bytes.extend((0..numbers.below(9)).map(|byte| byte as u8)),
        4 => {
            // Another version, which is written in full.
            bytes[1] = bytes[1].wrapping_add(1 + numbers.below(3) as u8);
            seal(bytes);
        }
        5 => {
            for _ in 0..=numbers.below(12) {
                let at = 6 + numbers.below(length - 10) as usize;
                bytes[at] = match numbers.below(4) {
                    0 => u8::MAX,
                    1 => 0,
                    _ => numbers.next() as u8,
                };
            }
            seal(bytes);
        }
        _ => {}
    }
}

/// How often each answer came.
#[derive(Debug, Default)]
struct Tally {
    refused: u64,
    value: u64,
    intact: u64,
    changed: u64,
}

impl Tally {
    fn add(&mut self, answer: Option<SnapshotError>, is_intact: bool) {
        match answer {
            Some(SnapshotError::Value) => self.value += 1,
            Some(_) => self.refused += 1,
            None if is_intact => self.intact += 1,
            None => self.changed += 1,
        }
    }

    fn ensure_all(&self) {
        let counts = [self.refused, self.value, self.intact, self.changed];
        assert!(counts.iter().all(|count| *count > 0), "{self:?}");
    }
}

fn written<S: Snapshot>(state: &S, now: u64) -> Vec<u8> {
    let mut bytes = vec![0; S::BYTES];
    state.snapshot(at(now), &mut bytes).unwrap();
    bytes
}

/// Restores a mangled snapshot; a refusal leaves the state as it was.
fn restored<S: Snapshot + Debug>(
    state: &mut S,
    bytes: &[u8],
    now: u64,
    off: Option<Duration>,
) -> Option<SnapshotError> {
    let before = format!("{state:?}");
    let error = state.restore(bytes, at(now), off).err();
    assert!(error.is_none() || format!("{state:?}") == before, "changed, and refused: {error:?}");
    error
}

fn some_time_off(numbers: &mut Numbers) -> Option<Duration> {
    match numbers.below(4) {
        0 => None,
        1 => Some(Duration::ZERO),
        2 => Some(Duration::MAX),
        _ => Some(us(numbers.below(3_000_000))),
    }
}

/// Calls that come and end at random.
fn used<W: Window<Rule: 'static>, const P: usize>(
    breaker: &mut Breaker<W, P>,
    numbers: &mut Numbers,
    now: &mut u64,
    steps: u64,
) {
    let mut held: Vec<Permit> = Vec::new();
    for _ in 0..steps {
        *now += numbers.below(300_000);
        let _ = breaker.check(at(*now));
        match held.pop() {
            Some(permit) if numbers.one_in(3) => {
                let result = if numbers.one_in(4) { CallResult::Success } else { FAILURE };
                let longest = us(numbers.below(100_000));
                breaker.settle_timed(permit, result, longest, 0, at(*now));
            }
            permit => {
                held.extend(permit);
                held.extend(breaker.admit(at(*now)).ok().map(|admitted| admitted.permit));
            }
        }
    }
}

fn breakers<W: Window<Rule: 'static>, const P: usize>(
    new: impl Fn() -> Breaker<W, P>,
    other: impl Fn() -> Breaker<W, P>,
) where
    Breaker<W, P>: Snapshot + Debug,
{
    let mut numbers = Numbers::new(99);
    let mut tally = Tally::default();
    for _ in 0..rounds(3_000, 100_000, 1_000_000) {
        let mut now = numbers.below(1 << 40);
        let mut breaker = new();
        let steps = numbers.below(30);
        used(&mut breaker, &mut numbers, &mut now, steps);
        if numbers.one_in(20) {
            breaker.isolate();
        }
        let whole = written(&breaker, now);
        let mut bytes = whole.clone();
        mangle(&mut numbers, &mut bytes);
        let is_other = numbers.one_in(8);
        let mut breaker = if is_other { other() } else { new() };
        // Something was there before.
        let steps = numbers.below(10);
        used(&mut breaker, &mut numbers, &mut now, steps);
        let off = some_time_off(&mut numbers);
        // The clock of another process, or that of the same.
        let mut now = if numbers.one_in(2) { now } else { numbers.below(1 << 40) };
        let error = restored(&mut breaker, &bytes, now, off);
        tally.add(error, bytes == whole);
        assert!(!is_other || error.is_some(), "it is of other settings");
        if error.is_none() {
            // Its own snapshot is one of the same state.
            let again = written(&breaker, now);
            assert_eq!(restored(&mut breaker, &again, now, None), None);
            assert_eq!(written(&breaker, now), again);
        }
        used(&mut breaker, &mut numbers, &mut now, 20);
        // Nothing keeps calls away for longer than the lease and the longest recovery time,
        // unless it is isolated.
        if let Err(rejection) = breaker.admit(at(now))
            && let Some(wait) = rejection.retry_after
        {
            assert!(wait <= LONGEST, "{rejection:?}");
            let later = at(now).saturating_add(LONGEST).saturating_add(LEASE);
            assert!(breaker.admit(later).is_ok(), "wedged: {breaker:?}");
        }
    }
    tally.ensure_all();
}

#[test]
fn mangled_snapshots_of_failure_times() {
    const OTHER: BreakerConfig<FailureRule> = TIMES.lease(Duration::from_secs(3));
    let new = |config| Breaker::<FailureTimes<3>, 2>::new(config).unwrap();
    breakers(|| new(&TIMES), || new(&OTHER));
}

#[test]
fn mangled_snapshots_of_last_outcomes() {
    const OTHER: BreakerConfig<OutcomeRule> = RATE.lease(Duration::from_secs(3));
    let new = |config| Breaker::<LastOutcomes<2>>::new(config).unwrap();
    breakers(|| new(&RATE), || new(&OTHER));
}

#[test]
fn mangled_snapshots_of_time_slices() {
    const OTHER: BreakerConfig<SliceRule> = SLICES.lease(Duration::from_secs(3));
    let new = |config| Breaker::<TimeSlices<4>>::new(config).unwrap();
    breakers(|| new(&SLICES), || new(&OTHER));
}

#[test]
fn mangled_snapshots_of_budgets() {
    const ROLLING: RollingConfig = RollingConfig::new(5, Duration::from_secs(1));
    const RATIO: RatioConfig = RatioConfig::new(100).floor_per_sec(3).limit(20);
    let mut numbers = Numbers::new(7);
    let mut tally = Tally::default();
    for _ in 0..rounds(3_000, 100_000, 1_000_000) {
        let mut now = numbers.below(1 << 40);
        let mut rolling = RollingBudget::<6>::new(&ROLLING).unwrap();
        let mut ratio = RatioBudget::new(&RATIO).unwrap();
        for _ in 0..numbers.below(30) {
            now += numbers.below(200_000);
            rolling.consume(1 + numbers.below(2) as u32, at(now));
            ratio.deposit();
            ratio.consume(1, at(now));
        }
        let off = some_time_off(&mut numbers);
        let whole = written(&rolling, now);
        let mut bytes = whole.clone();
        mangle(&mut numbers, &mut bytes);
        let mut rolling = RollingBudget::<6>::new(&ROLLING).unwrap();
        rolling.consume(2, at(now));
        tally.add(restored(&mut rolling, &bytes, now, off), bytes == whole);
        let granted =
            |budget: &mut dyn Budget, now| (0..30).filter(|_| budget.consume(1, at(now))).count();
        assert!(granted(&mut rolling, now) <= 5, "more than the limit");
        assert_eq!(granted(&mut rolling, now + 1_000_000), 5, "wedged: {rolling:?}");

        let mut bytes = written(&ratio, now);
        mangle(&mut numbers, &mut bytes);
        let mut ratio = RatioBudget::new(&RATIO).unwrap();
        restored(&mut ratio, &bytes, now, off);
        assert!(ratio.remaining(at(now)) <= 20 && granted(&mut ratio, now) <= 20);
    }
    tally.ensure_all();
}

#[test]
fn mangled_snapshots_of_rate_limiters() {
    const CONFIG: LimiterConfig = LimiterConfig::new()
        .phase(9, Duration::from_secs(2))
        .window(3, Duration::from_secs(1))
        .window(5, Duration::from_secs(4));
    let mut numbers = Numbers::new(5);
    let mut tally = Tally::default();
    for _ in 0..rounds(3_000, 100_000, 1_000_000) {
        let mut now = numbers.below(1 << 40);
        let mut limiter = RateLimiter::<6>::new(&CONFIG).unwrap();
        for _ in 0..numbers.below(30) {
            now += numbers.below(400_000);
            let _ = limiter.acquire(1 + numbers.below(2) as u32, at(now));
        }
        let whole = written(&limiter, now);
        let mut bytes = whole.clone();
        mangle(&mut numbers, &mut bytes);
        let mut limiter = RateLimiter::<6>::new(&CONFIG).unwrap();
        let _ = limiter.acquire(2, at(now));
        let off = some_time_off(&mut numbers);
        tally.add(restored(&mut limiter, &bytes, now, off), bytes == whole);
        let granted = |limiter: &mut RateLimiter<6>, now| {
            (0..30).filter(|_| limiter.acquire(1, at(now)).is_ok()).count()
        };
        assert!(granted(&mut limiter, now) <= 9, "more than the limit");
        // The phase is over, and so are both windows: the shorter one is full again.
        assert_eq!(granted(&mut limiter, now + 6_000_000), 3, "wedged: {limiter:?}");
    }
    tally.ensure_all();
}

const CALL: Policy = policy! {
    Policy::builder()
        .max_attempts(5)
        .deadline(Duration::from_secs(30))
        .max_attempts_for(ErrorClass::ServerError, 2)
        .backoff(Backoff::exponential(Duration::from_secs(1), Duration::from_secs(9)))
};

#[test]
fn mangled_snapshots_of_calls() {
    let mut numbers = Numbers::new(3);
    let mut tally = Tally::default();
    let classes = [ErrorClass::Transient, ErrorClass::Unknown, ErrorClass::ServerError];
    for _ in 0..rounds(3_000, 100_000, 1_000_000) {
        let clock = MockClock::new();
        clock.advance(us(numbers.below(1 << 40)));
        let breaker = RefCell::new(Breaker::<FailureTimes<3>, 2>::new(&TIMES).unwrap());
        let mut retry = CALL.on(&clock, NoRandom).breaker(&breaker);
        let mut steps = retry.begin().unwrap();
        let mut is_over = false;
        for _ in 0..=numbers.below(2) {
            steps.start().unwrap();
            clock.advance(us(numbers.below(1_000_000)));
            let decision = steps.fail(numbers.of(&classes));
            clock.advance(decision.delay());
            is_over = matches!(decision, Decision::Stop(_)) || steps.on_wake().is_err();
        }
        if is_over {
            continue;
        }
        steps.start().unwrap();
        if !matches!(steps.fail(ErrorClass::RateLimit), Decision::Retry { .. }) {
            continue;
        }
        let call = steps.suspend().unwrap();
        let whole = call.bytes.to_vec();
        let mut bytes = whole.clone();
        mangle(&mut numbers, &mut bytes);
        let off = some_time_off(&mut numbers);
        let now = call.at;
        let mut retry = CALL.on(&clock, NoRandom).breaker(&breaker);
        let resumed = match retry.resume(&bytes, now, off) {
            Ok(resumed) => resumed,
            Err(error) => {
                tally.add(Some(error), false);
                continue;
            }
        };
        tally.add(None, bytes == whole);
        let mut steps = resumed.steps;
        let rest = resumed.due.since(now);
        assert!(rest <= steps.call().previous());
        clock.advance(rest);
        let mut attempts = steps.call().attempts();
        assert!(attempts < 5, "{attempts}");
        while steps.on_wake().is_ok() && steps.start().is_ok() {
            attempts += 1;
            match steps.fail(numbers.of(&classes)) {
                Decision::Retry { after } => clock.advance(after),
                _ => break,
            }
        }
        assert!(attempts <= 5, "{attempts}");
    }
    tally.ensure_all();
}
