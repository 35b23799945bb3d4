//! A snapshot is of its settings, to each number of them. In these lists two neighbours, and
//! any other two, differ in what their names say alone.

use redress::breaker::{FailureTimes, LastOutcomes, TimeSlices};
use redress::budget::{LimiterConfig, RatioConfig, RollingConfig};
use redress::classify::ClassSet;
use redress::config::{LongDelay, RetryConfig};
use redress::random::from_fn;
use redress::snapshot::{Snapshot, SnapshotError};
use redress::testing::MockClock;
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, Policy, RateLimiter, RatioBudget,
    RollingBudget,
};

use super::{RATE, SLICES, TIMES, written};
use crate::at;

const SECOND: Duration = Duration::from_secs(1);
const OTHER: Duration = Duration::from_micros(1_000_001);
const CLASSES: ClassSet = ClassSet::of(&[ErrorClass::Transient]);

/// Each of these refuses the snapshots of all others, and takes its own.
fn all_differ<C, S: Snapshot>(settings: &[(&str, C)], new: impl Fn(&C) -> S) {
    let snapshots: Vec<_> = settings.iter().map(|(_, config)| written(&new(config), 7)).collect();
    for (of, bytes) in settings.iter().zip(&snapshots) {
        for (under, config) in settings {
            let expected = if *under == of.0 { None } else { Some(SnapshotError::Fingerprint) };
            let error = new(config).restore(bytes, at(7), None).err();
            assert_eq!(error, expected, "of {}, under {under}", of.0);
        }
    }
}

fn leak<T>(value: &T) -> &'static T
where
    T: Copy,
{
    Box::leak(Box::new(*value))
}

/// What all breakers have, whatever they count.
macro_rules! of_breakers {
    ($base:expr) => {{
        let base = $base;
        vec![
            ("base", base),
            ("trip_on", base.trip_on(CLASSES)),
            ("half_open_on", base.half_open_on(CLASSES)),
            ("recovery_timeout", base.recovery_timeout(SECOND)),
            ("recovery_timeout by 1 us", base.recovery_timeout(OTHER)),
            ("recovery_growth_to", base.recovery_growth_to(Duration::from_secs(9))),
            ("recovery_jitter", base.recovery_jitter(SECOND)),
            ("recovery_jitter by 1 us", base.recovery_jitter(OTHER)),
            ("check_before_retry", base.check_before_retry(true)),
            ("open_for_hint", base.open_for_hint(SECOND)),
            ("open_for_hint by 1 us", base.open_for_hint(OTHER)),
            ("lease", base.lease(SECOND)),
            ("lease by 1 us", base.lease(OTHER)),
            ("successes_to_close", base.successes_to_close(3)),
            ("half_open_permits", base.half_open_permits(3)),
        ]
    }};
}

#[test]
fn every_number_of_a_breaker_that_counts_failures() {
    let window = |micros| {
        let window = Duration::from_micros(micros);
        let config = BreakerConfig::failures(3, window).half_open_permits(2);
        config.successes_to_close(2).lease(super::LEASE)
    };
    let mut settings = of_breakers!(TIMES);
    settings.extend([
        ("window", window(5)),
        ("window by 1 us", window(6)),
        ("threshold", TIMES.class_threshold(ErrorClass::RateLimit, 1)),
        ("threshold by 1", TIMES.class_threshold(ErrorClass::RateLimit, 2)),
        ("threshold of another class", TIMES.class_threshold(ErrorClass::Unknown, 2)),
        ("other failures", BreakerConfig::failures(2, SECOND)),
        ("other failures by 1", BreakerConfig::failures(1, SECOND)),
    ]);
    all_differ(&settings, |config| Breaker::<FailureTimes<5>, 3>::new(leak(config)).unwrap());
}

#[test]
fn every_number_of_a_breaker_that_counts_outcomes() {
    let mut settings = of_breakers!(RATE);
    settings.extend([
        ("outcomes", BreakerConfig::outcomes(50, 500, 10)),
        ("size", BreakerConfig::outcomes(51, 500, 10)),
        ("rate_milli", BreakerConfig::outcomes(50, 501, 10)),
        ("min_calls", BreakerConfig::outcomes(50, 500, 11)),
    ]);
    all_differ(&settings, |config| Breaker::<LastOutcomes<2>, 3>::new(leak(config)).unwrap());
}

#[test]
fn every_number_of_a_breaker_that_counts_by_time() {
    let slices = BreakerConfig::slices(SECOND, 500, 5).slow_calls(SECOND, 700);
    let mut settings = of_breakers!(SLICES);
    settings.extend([
        ("slices", slices),
        ("slice", BreakerConfig::slices(OTHER, 500, 5).slow_calls(SECOND, 700)),
        ("failure rate", BreakerConfig::slices(SECOND, 501, 5).slow_calls(SECOND, 700)),
        ("min_calls", BreakerConfig::slices(SECOND, 500, 6).slow_calls(SECOND, 700)),
        ("slow after", slices.slow_calls(OTHER, 700)),
        ("slow rate", slices.slow_calls(SECOND, 701)),
    ]);
    all_differ(&settings, |config| Breaker::<TimeSlices<3>, 3>::new(leak(config)).unwrap());
}

#[test]
fn every_number_of_a_budget() {
    let rolling = [
        ("base", RollingConfig::new(3, SECOND)),
        ("max_retries", RollingConfig::new(4, SECOND)),
        ("window", RollingConfig::new(3, OTHER)),
    ];
    all_differ(&rolling, |config| RollingBudget::<5>::new(leak(config)).unwrap());
    let base = RatioConfig::new(100).floor_per_sec(2).limit(9);
    let ratio = [
        ("base", base),
        ("ratio", RatioConfig::new(101).floor_per_sec(2).limit(9)),
        ("floor_per_sec", base.floor_per_sec(3)),
        ("limit", base.limit(10)),
    ];
    all_differ(&ratio, |config| RatioBudget::new(leak(config)).unwrap());
}

#[test]
fn every_number_of_a_rate_limiter() {
    const MINUTE: Duration = Duration::from_secs(60);
    let of = LimiterConfig::new;
    let settings = [
        ("base", of().phase(7, SECOND).window(3, SECOND).window(9, MINUTE)),
        ("limit of the phase", of().phase(8, SECOND).window(3, SECOND).window(9, MINUTE)),
        ("length of the phase", of().phase(7, OTHER).window(3, SECOND).window(9, MINUTE)),
        ("limit of a window", of().phase(7, SECOND).window(4, SECOND).window(9, MINUTE)),
        ("length of a window", of().phase(7, SECOND).window(3, OTHER).window(9, MINUTE)),
        ("limit of the other", of().phase(7, SECOND).window(3, SECOND).window(8, MINUTE)),
        ("length of the other", of().phase(7, SECOND).window(3, SECOND).window(9, OTHER)),
        ("order", of().phase(7, SECOND).window(9, MINUTE).window(3, SECOND)),
        ("a window from the start", of().window(3, SECOND).phase(7, SECOND).window(9, MINUTE)),
        ("without the phase", of().window(3, SECOND).window(9, MINUTE)),
        ("without the other", of().phase(7, SECOND).window(3, SECOND)),
        ("two phases", of().phase(7, SECOND).phase(7, SECOND).window(3, SECOND)),
    ];
    all_differ(&settings, |config| RateLimiter::<9>::new(leak(config)).unwrap());
}

/// One call of each policy, suspended after a failure; and every other policy refuses it.
#[test]
fn every_number_of_a_policy() {
    const S: fn(u64) -> Duration = Duration::from_secs;
    const ONE: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
    const ANOTHER: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];
    const LONGER: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::ZERO];
    const FALLBACK: Backoff = Backoff::full_jitter(Duration::from_secs(1), Duration::from_secs(9));
    const FALLBACK_2: Backoff =
        Backoff::full_jitter(Duration::from_secs(2), Duration::from_secs(9));
    const FALLBACK_3: Backoff =
        Backoff::full_jitter(Duration::from_secs(1), Duration::from_secs(8));
    const NESTED: Backoff = Backoff::retry_after_or(&FALLBACK, Duration::from_secs(1));
    const NESTED_2: Backoff = Backoff::retry_after_or(&FALLBACK_2, Duration::from_secs(1));
    let base = Policy::builder()
        .max_attempts(6)
        .deadline(S(60))
        .backoff(Backoff::constant(S(1)))
        .max_attempts_for(ErrorClass::RateLimit, 3);
    let of = |backoff: Backoff| base.backoff_for(ErrorClass::ServerError, backoff);
    let settings: Vec<(&str, RetryConfig)> = vec![
        ("base", base),
        ("max_attempts", base.max_attempts(7)),
        ("deadline", base.deadline(S(61))),
        ("no deadline", base.no_deadline()),
        ("attempt_timeout", base.attempt_timeout(S(1))),
        ("attempt_timeout by 1 us", base.attempt_timeout(OTHER)),
        ("max_unknown_attempts", base.max_unknown_attempts(3)),
        ("no_unknown_limit", base.no_unknown_limit()),
        ("max_attempts_for", base.max_attempts_for(ErrorClass::RateLimit, 4)),
        ("max_attempts_for another", base.max_attempts_for(ErrorClass::Concurrency, 3)),
        ("retriable", base.retriable(ErrorClass::Auth, 3)),
        ("a limit of a final class", base.max_attempts_for(ErrorClass::Auth, 3)),
        ("long_delay", base.long_delay(LongDelay::Cut)),
        ("backoff", base.backoff(Backoff::constant(OTHER))),
        ("constant", of(Backoff::constant(S(1)))),
        ("constant by 1 us", of(Backoff::constant(OTHER))),
        ("of another class", base.backoff_for(ErrorClass::Unknown, Backoff::constant(S(1)))),
        ("exponential", of(Backoff::exponential(S(1), S(9)))),
        ("exponential base", of(Backoff::exponential(S(2), S(9)))),
        ("exponential max", of(Backoff::exponential(S(1), S(8)))),
        ("exponential_by", of(Backoff::exponential_by(S(1), S(9), 1500))),
        ("exponential_by growth", of(Backoff::exponential_by(S(1), S(9), 1501))),
        ("fibonacci", of(Backoff::fibonacci(S(1), S(9)))),
        ("linear", of(Backoff::linear(S(1), S(9)))),
        ("linear plus jitter", of(Backoff::linear(S(1), S(9)).plus_jitter(S(1)))),
        ("linear plus more jitter", of(Backoff::linear(S(1), S(9)).plus_jitter(S(2)))),
        (
            "exponential_by plus jitter",
            of(Backoff::exponential_by(S(1), S(9), 1500).plus_jitter(S(1))),
        ),
        ("full_jitter", of(Backoff::full_jitter(S(1), S(9)))),
        ("equal_jitter", of(Backoff::equal_jitter(S(1), S(9)))),
        ("decorrelated_jitter", of(Backoff::decorrelated_jitter(S(1), S(9)))),
        ("token_backoff", of(Backoff::token_backoff(S(1), S(9)))),
        ("sequence", of(Backoff::sequence(&ONE))),
        ("sequence entry", of(Backoff::sequence(&ANOTHER))),
        ("sequence length", of(Backoff::sequence(&LONGER))),
        ("retry_after_or", of(NESTED)),
        ("jitter of hints", of(Backoff::retry_after_or(&FALLBACK, OTHER))),
        ("at_least", of(NESTED.at_least(S(1)))),
        ("at_least by 1 us", of(NESTED.at_least(OTHER))),
        ("at_most", of(NESTED.at_most(S(1)))),
        ("at_most by 1 us", of(NESTED.at_most(OTHER))),
        ("fallback base", of(NESTED_2)),
        ("fallback max", of(Backoff::retry_after_or(&FALLBACK_3, S(1)))),
        ("nested twice", of(Backoff::retry_after_or(&NESTED, S(1)))),
        ("nested twice, base", of(Backoff::retry_after_or(&NESTED_2, S(1)))),
        ("function", of(Backoff::short(|_, _, _| None))),
    ];
    let policies: Vec<_> =
        settings.iter().map(|(name, config)| (*name, config.build().unwrap())).collect();
    let clock = MockClock::new();
    for (of, policy) in &policies {
        let mut retry = policy.on(&clock, from_fn(|| 7));
        let mut steps = retry.begin().unwrap();
        steps.start().unwrap();
        let _ = steps.fail(ErrorClass::Transient);
        let call = steps.suspend().unwrap();
        for (under, policy) in &policies {
            let expected = if under == of { None } else { Some(SnapshotError::Fingerprint) };
            let mut retry = policy.on(&clock, from_fn(|| 7));
            let error = retry.resume(&call.bytes, clock.now(), None).err();
            assert_eq!(error, expected, "of {of}, under {under}");
        }
    }
}
