//! How delays grow, at both ends of what numbers hold.

use redress::backoff::BackoffContext;
use redress::random::{Draw, NoRandom, from_fn};
use redress::{Backoff, Duration, ErrorClass};

const MAX: Duration = Duration::MAX;

const fn us(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

fn after(backoff: &Backoff, attempt: u32, random: &mut dyn Draw) -> Option<Duration> {
    backoff.delay(&BackoffContext::new(attempt, ErrorClass::Transient), random)
}

/// A power of two in its base, one that is none, and the largest: none begins anew.
#[test]
fn a_growth_of_any_size_reaches_its_cap_and_stays_there() {
    let cap = us(1 << 62);
    for growth in [1_100, 1_500, 2_000, 3_000, 4_000, 9_999, 16_000, 256_000, 65_535_000] {
        let backoff = Backoff::exponential_by(us(1), cap, growth);
        for doublings in (9..32).step_by(if cfg!(miri) { 11 } else { 1 }) {
            for attempt in [(1 << doublings) - 1, 1 << doublings, (1 << doublings) + 1] {
                assert_eq!(
                    after(&backoff, attempt, &mut NoRandom),
                    Some(cap),
                    "{growth} {attempt}"
                );
            }
        }
        assert_eq!(after(&backoff, u32::MAX, &mut NoRandom), Some(cap), "{growth}");
    }
}

#[test]
fn a_delay_that_outgrows_all_time_is_the_longest_one() {
    for (backoff, attempt, want) in [
        (Backoff::exponential_by(us((1 << 63) + 1), MAX, 3_000), 2, MAX),
        (Backoff::exponential_by(us((1 << 62) + 1), MAX, 3_000), 2, us((3 << 62) + 3)),
        (Backoff::exponential(us((1 << 63) + 1), MAX), 2, MAX),
        (Backoff::exponential(us((1 << 62) + 1), MAX), 2, us((1 << 63) + 2)),
        (Backoff::fibonacci(us(1), MAX), 93, us(12_200_160_415_121_876_738)),
        (Backoff::fibonacci(us(1), MAX), 94, MAX),
        (Backoff::fibonacci(us(1), MAX), 95, MAX),
        (Backoff::fibonacci(us(1), MAX), 96, MAX),
    ] {
        assert_eq!(after(&backoff, attempt, &mut NoRandom), Some(want), "{backoff} {attempt}");
    }
}

/// Attempts count from 1.
#[test]
fn a_number_that_no_attempt_has_is_that_of_the_first() {
    const STEPS: [Duration; 3] = [us(7), us(8), us(9)];
    for backoff in [
        Backoff::exponential(us(10), us(99)),
        Backoff::exponential_by(us(10), us(99), 3_000),
        Backoff::fibonacci(us(10), us(99)),
        Backoff::sequence(&STEPS),
        Backoff::full_jitter(us(10), us(99)),
    ] {
        let of = |attempt| after(&backoff, attempt, &mut from_fn(|| 1 << 31));
        assert_eq!(of(0), of(1), "{backoff}");
        assert_ne!(of(1), of(3), "{backoff}");
    }
}

/// From the base up to three times the previous delay, which may be more than there is.
#[test]
fn decorrelated_jitter_after_a_very_long_delay_is_as_long() {
    let backoff = Backoff::decorrelated_jitter(us(2), MAX);
    for previous in [us(u64::MAX / 3 + 1), us(u64::MAX / 2 + 1), us(u64::MAX / 2 + 2), MAX] {
        let mut context = BackoffContext::new(2, ErrorClass::Transient);
        context.previous = previous;
        let half = backoff.delay(&context, &mut from_fn(|| 1 << 31));
        assert_eq!(half, Some(us(1 << 63)), "{previous}");
    }
}

#[test]
fn a_hint_with_the_least_jitter_is_the_hint() {
    const NONE: Backoff = Backoff::constant(Duration::ZERO);
    let backoff = Backoff::retry_after_or(&NONE, us(100));
    let mut context = BackoffContext::new(1, ErrorClass::RateLimit);
    context.classification.retry_after = Some(us(50));
    for (random, want) in [(0, 50), (1 << 31, 100), (u32::MAX, 149)] {
        assert_eq!(backoff.delay(&context, &mut from_fn(|| random)), Some(us(want)));
    }
}
