//! Any bytes as a snapshot of anything: they are refused and change nothing, or give a state
//! whose own snapshot restores to its equal, and which keeps its bounds however it is used.

#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use redress::budget::{Budget, Limit};
use redress::driver::Decision;
use redress::random::from_fn;
use redress::snapshot::{Progress, Restored, Snapshot};
use redress::testing::MockClock;
use redress::{Classification, Duration, Keyed};
use redress_fuzz::breakers::{self, Of, Settings, checked};
use redress_fuzz::budgets::{self, RatioSettings, RollingSettings};
use redress_fuzz::rules::{self, Counts};
use redress_fuzz::{Input, Times, at, limiter, policies, us};

/// Kind, version and fingerprint.
const HEADER: usize = 6;

/// The checksum that a snapshot ends with: CRC-32 of IEEE 802.3.
fn seal(bytes: &mut [u8]) {
    let Some((body, checksum)) = bytes.split_last_chunk_mut::<4>() else { return };
    let crc = body.iter().fold(u32::MAX, |crc, byte| {
        let shift = |crc: u32, _| crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
        (0..8).fold(crc ^ u32::from(*byte), shift)
    });
    *checksum = (!crc).to_le_bytes();
}

/// A snapshot in which some bytes, all, or none are others. Most are sealed: else nothing
/// behind the checksum would ever be reached.
fn damaged(mut bytes: Vec<u8>, input: &mut Input<'_>) -> Vec<u8> {
    let end = bytes.len() - 4;
    match input.below(8) {
        0 => {
            let length = input.below(2 * bytes.len() as u64) as usize;
            bytes.resize(length, 0);
            bytes.iter_mut().for_each(|byte| *byte = input.any());
        }
        1 | 2 => {
            bytes[HEADER..end].iter_mut().for_each(|byte| *byte = input.any());
            seal(&mut bytes);
        }
        3..=6 => {
            for _ in 0..=input.below(4) {
                let first = HEADER + input.below((end - HEADER) as u64) as usize;
                let last = (first + 1 + input.below(8) as usize).min(end);
                let value = input.micros().to_le_bytes();
                bytes[first..last].iter_mut().zip(value).for_each(|(to, from)| *to = from);
            }
            seal(&mut bytes);
        }
        _ => {}
    }
    bytes
}

fn written<S: Snapshot>(state: &S, now: u64) -> Vec<u8> {
    let mut bytes = vec![0; S::BYTES];
    assert_eq!(state.snapshot(at(now), &mut bytes), Ok(S::BYTES));
    bytes
}

/// Whether it is of a limiter that has run for more than 292,000 years, which is restored as so
/// long.
fn is_long_run(bytes: &[u8]) -> bool {
    let age = bytes[HEADER..].first_chunk().copied().map(u64::from_le_bytes);
    bytes[0] == 7 && age.is_some_and(|age| age != u64::MAX && age > 1 << 63)
}

fn time_off(input: &mut Input<'_>) -> Option<Duration> {
    input.any::<bool>().then(|| input.span())
}

/// Restores it; returns another state that was restored from the snapshot of this one.
fn restored<S>(state: &mut S, fresh: &S, bytes: &[u8], now: u64, input: &mut Input<'_>) -> Option<S>
where
    S: Snapshot + Clone + Debug,
{
    let (before, off) = (state.clone(), time_off(input));
    match state.restore(bytes, at(now), off) {
        Err(_) => {
            assert_eq!(format!("{state:?}"), format!("{before:?}"), "refused, and changed");
            None
        }
        Ok(restored) => {
            assert_eq!(restored == Restored::TimeOff, off.is_some());
            let again = written(state, now);
            let mut other = fresh.clone();
            let accepted = other.restore(&again, at(now), None);
            assert!(accepted.is_ok(), "{accepted:?}, of its own: {state:?}");
            if is_long_run(&again) {
                return None;
            }
            assert_eq!(written(&other, now), again, "{other:?} of {state:?}");
            Some(other)
        }
    }
}

/// A state and its copy answer alike.
fn go_on_alike<S, A: PartialEq + Debug>(
    mut state: S,
    mut copy: S,
    now: u64,
    input: &mut Input<'_>,
    ask: impl Fn(&mut S, u64, u64) -> A,
) {
    let mut now = now;
    for _ in 0..20 {
        now = now.saturating_add(input.below(1 << 22));
        let choice = input.below(4);
        assert_eq!(ask(&mut state, choice, now), ask(&mut copy, choice, now));
    }
}

fn times(input: &mut Input<'_>, stale: u64) -> Times {
    if input.one_in(3) { Times::wild(input) } else { Times::orderly(input, stale) }
}

/// A moment at which it is restored: now, or on another clock.
fn moment(times: &Times, input: &mut Input<'_>) -> u64 {
    match input.below(3) {
        0 => times.latest,
        1 => input.below(1 << 40),
        _ if times.is_orderly() => times.latest,
        _ => input.moment(),
    }
}

fn rolling(input: &mut Input<'_>) {
    let settings = RollingSettings::any(input);
    let config = settings.config();
    let Some(fresh) = settings.budget(&config) else { return };
    let mut times = times(input, settings.window.as_micros());
    let mut budget = fresh.clone();
    budgets::roll(&mut budget, &settings, true, &mut input.part(48), &mut times);
    let bytes = damaged(written(&budget, times.latest), input);
    let now = moment(&times, input);
    if let Some(copy) = restored(&mut budget, &fresh, &bytes, now, input) {
        let ask =
            |budget: &mut budgets::Rolling<'_>, cost, now| budget.consume(cost as u32, at(now));
        go_on_alike(budget.clone(), copy, now, input, ask);
    }
    budgets::roll(&mut budget, &settings, false, input, &mut times.from(now));
}

fn ratio(input: &mut Input<'_>) {
    let settings = RatioSettings::any(input);
    let config = settings.config();
    let Some(fresh) = settings.budget(&config) else { return };
    let mut times = times(input, budgets::STALE);
    let mut budget = fresh.clone();
    budgets::share(&mut budget, &settings, true, &mut input.part(48), &mut times);
    let bytes = damaged(written(&budget, times.latest), input);
    let now = moment(&times, input);
    let ask = |budget: &mut redress::RatioBudget<_>, cost, now| {
        budget.deposit();
        (budget.consume(cost as u32, at(now)), budget.remaining(at(now)))
    };
    // Those of two keys, too, which by default earn nothing by time.
    let mut keyed = Keyed::<u8, _, 2>::new(fresh.clone());
    let fresh_of_key = keyed.entry(&1).expect("there is room").clone();
    let of_key = keyed.entry(&2).expect("there is room");
    if let Some(copy) = restored(of_key, &fresh_of_key, &bytes, now, input) {
        go_on_alike(of_key.clone(), copy, now, input, ask);
        let later = of_key.remaining(at(now).saturating_add(Duration::from_secs(1 << 20)));
        assert!(settings.has_floor() || later == of_key.remaining(at(now)));
    }
    if let Some(copy) = restored(&mut budget, &fresh, &bytes, now, input) {
        go_on_alike(budget.clone(), copy, now, input, ask);
    }
    budgets::share(&mut budget, &settings, false, input, &mut times.from(now));
}

fn limits(input: &mut Input<'_>) {
    let settings = limiter::Settings::any(input);
    let config = settings.config;
    let Some(fresh) = settings.limiter(&config) else { return };
    let mut times = times(input, settings.shortest.as_micros());
    let mut limiter = fresh.clone();
    limiter::limit(&mut limiter, &settings, true, &mut input.part(48), &mut times);
    let bytes = damaged(written(&limiter, times.latest), input);
    let now = moment(&times, input);
    if let Some(copy) = restored(&mut limiter, &fresh, &bytes, now, input) {
        let ask = |limiter: &mut limiter::Limiter<'_>, cost, now| {
            (limiter.available(at(now)), limiter.acquire(cost as u32, at(now)))
        };
        go_on_alike(limiter.clone(), copy, now, input, ask);
    }
    limiter::limit(&mut limiter, &settings, false, input, &mut times.from(now));
}

fn breaker<W: Counts>(input: &mut Input<'_>)
where
    for<'c> Of<'c, W>: Snapshot,
{
    let settings = &Settings::any(input);
    let (config, are_right) = W::any(input, settings);
    let Some(fresh) = checked(W::breaker(&config), are_right) else { return };
    let mut times = times(input, settings.lease.as_micros());
    let mut keyed = Keyed::<u8, _, 1>::new(fresh.clone());
    let mut breaker =
        if input.any() { fresh.clone() } else { keyed.entry(&1).expect("there is room").clone() };
    breakers::used(&mut breaker, settings, &mut input.part(64), &mut times);
    let bytes = damaged(written(&breaker, times.latest), input);
    let now = moment(&times, input);
    if let Some(copy) = restored(&mut breaker, &fresh, &bytes, now, input) {
        breakers::go_on_alike(breaker.clone(), copy, input, now);
    }
    breakers::used(&mut breaker, settings, input, &mut times.from(now));
}

/// A call between two attempts.
fn call(input: &mut Input<'_>) {
    let Some((policy, limits)) = policies::policy(input) else { return };
    let clock = MockClock::new();
    clock.jump_to(at(input.below(1 << 40)));
    let mut retry = policy
        .on(&clock, from_fn(|| 0x9E37_79B9))
        .classifier(redress::classify::ByDescription)
        .classify(|failure: &Classification| *failure);
    let suspended = {
        let Ok(mut steps) = retry.begin() else { return };
        loop {
            let Ok(_) = steps.start() else { return };
            clock.advance(us(input.below(1 << 30)));
            let mut failure = Classification::new(input.class());
            if input.any() {
                failure = failure.retry_after(input.span());
            }
            match steps.fail(failure) {
                Decision::Retry { after } if input.one_in(3) => {
                    clock.advance(after);
                    if steps.on_wake().is_err() {
                        return;
                    }
                }
                Decision::Stop(_) => return,
                _ => break,
            }
        }
        let Ok(suspended) = steps.suspend() else { return };
        suspended
    };
    let bytes = damaged(suspended.bytes.to_vec(), input);
    let now = if input.any() { input.below(1 << 40) } else { input.moment() };
    clock.jump_to(at(now));
    let off = time_off(input);
    let expected = Some(off.unwrap_or_default());
    // It is suspended again at once, with the rest of its delay, and then again.
    let again = match retry.resume(&bytes, at(now), expected) {
        Err(_) => return,
        Ok(resumed) => {
            let (rest, call) = (resumed.due.since(at(now)), *resumed.steps.call());
            assert!(rest <= call.previous() && call.attempts() < limits.attempts);
            resumed.call_or_suspend(Duration::ZERO, |_| Ok::<u8, Classification>(0))
        }
    };
    let Progress::Suspended(one) = again else { panic!("{again:?}") };
    let resumed = retry.resume(&one.bytes, at(now), Some(Duration::ZERO)).expect("its own");
    let again = resumed.call_or_suspend(Duration::ZERO, |_| Ok::<u8, Classification>(0));
    // What is due at the end of time is due earlier than it was to be.
    let is_due_in_time = one.at.saturating_add(one.wake_after) < redress::Instant::MAX;
    assert!(!is_due_in_time || again == Progress::Suspended(one), "{one:?}, {again:?}");
    // It goes on, and fails as often as it may.
    let mut starts = 0_u32;
    let resumed = retry.resume(&bytes, at(now), off).expect("it was accepted before");
    let resumed_after = resumed.steps.call().attempts();
    let progress = resumed.call_or_suspend(Duration::MAX, |attempt| {
        starts += 1;
        assert!(attempt.number <= limits.attempts && attempt.number == resumed_after + starts);
        clock.advance(us(input.below(1 << 30)));
        if starts > 64 || input.is_over() {
            return Ok(0);
        }
        Err(Classification::new(input.class()))
    });
    if let Progress::Over(outcome) = progress {
        assert_eq!(outcome.attempts, resumed_after + starts);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let input = &mut Input::new(bytes);
    match input.below(7) {
        0 => rolling(input),
        1 => ratio(input),
        2 => limits(input),
        3 => call(input),
        4 => breaker::<rules::Failures>(input),
        5 => breaker::<rules::Outcomes>(input),
        _ => breaker::<rules::Slices>(input),
    }
});
