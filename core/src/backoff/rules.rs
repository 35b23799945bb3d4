//! How each strategy finds its delay.

use super::growth::{doubled, grown, growth};
use super::{Backoff, BackoffContext, Kind, Link};
use crate::random::{Draw, uniform};
use crate::time::Duration;

#[inline(always)]
pub(super) fn constant(own: &Backoff, _: &BackoffContext, _: &mut dyn Draw) -> Option<Duration> {
    Some(own.first)
}

#[inline(always)]
pub(super) fn exponential(
    own: &Backoff,
    context: &BackoffContext,
    _: &mut dyn Draw,
) -> Option<Duration> {
    let doublings = context.attempt.saturating_sub(1);
    Some(Duration::from_micros(doubled(own, doublings)))
}

pub(super) fn linear(
    own: &Backoff,
    context: &BackoffContext,
    _: &mut dyn Draw,
) -> Option<Duration> {
    let (base, times) = (own.first.as_micros(), u64::from(context.attempt));
    // By halves: a product that saturates takes a wide multiply on a Cortex-M0.
    let low = u64::from(base as u32) * times;
    let high = (base >> 32) * times + (low >> 32);
    let is_over = high > u64::from(u32::MAX);
    let delay = if is_over { u64::MAX } else { high << 32 | u64::from(low as u32) };
    Some(Duration::from_micros(delay).min(own.second))
}

pub(super) fn plus_jitter(
    own: &Backoff,
    context: &BackoffContext,
    random: &mut dyn Draw,
) -> Option<Duration> {
    let Link::Plus(kind, jitter) = own.link else { return None };
    let rule = match kind {
        Kind::Linear => linear,
        Kind::Exponential => exponential,
        Kind::Fibonacci => fibonacci,
        _ => constant,
    };
    plus(rule(own, context, random)?, jitter, random)
}

/// A delay with up to `jitter` more.
fn plus(delay: Duration, jitter: Duration, random: &mut dyn Draw) -> Option<Duration> {
    if jitter.is_zero() {
        return Some(delay);
    }
    let more = uniform(0, jitter.as_micros(), random)?;
    Some(delay.saturating_add(Duration::from_micros(more)))
}

pub(super) fn exponential_by(
    own: &Backoff,
    context: &BackoffContext,
    random: &mut dyn Draw,
) -> Option<Duration> {
    let Link::Growth(growth, jitter) = own.link else { return None };
    let delay = grown(own, growth, context.attempt.saturating_sub(1));
    plus(Duration::from_micros(delay), jitter, random)
}

pub(super) fn fibonacci(
    own: &Backoff,
    context: &BackoffContext,
    _: &mut dyn Draw,
) -> Option<Duration> {
    let (mut delay, mut next) = (own.first, own.first);
    // fib(94) is the first that leaves 64 bits.
    for _ in 1..context.attempt.min(94) {
        (delay, next) = (next, delay.saturating_add(next));
    }
    Some(delay.min(own.second))
}

pub(super) fn sequence(
    own: &Backoff,
    context: &BackoffContext,
    _: &mut dyn Draw,
) -> Option<Duration> {
    let Link::Sequence(delays) = own.link else { return None };
    let nth = context.attempt.saturating_sub(1) as usize;
    delays.get(nth).or(delays.last()).copied()
}

#[inline(always)]
pub(super) fn full_jitter(
    own: &Backoff,
    context: &BackoffContext,
    random: &mut dyn Draw,
) -> Option<Duration> {
    let cap = doubled(own, context.attempt.saturating_sub(1));
    uniform(0, cap, random).map(Duration::from_micros)
}

#[inline(always)]
pub(super) fn equal_jitter(
    own: &Backoff,
    context: &BackoffContext,
    random: &mut dyn Draw,
) -> Option<Duration> {
    let cap = doubled(own, context.attempt);
    uniform(cap >> 1, cap, random).map(Duration::from_micros)
}

#[inline(always)]
pub(super) fn decorrelated_jitter(
    own: &Backoff,
    context: &BackoffContext,
    random: &mut dyn Draw,
) -> Option<Duration> {
    let base = own.first.as_micros();
    let previous = match context.previous.as_micros() {
        0 => base,
        previous => previous,
    };
    // Three times by additions: a product saturates only after a wide multiply.
    let triple = previous.saturating_add(previous).saturating_add(previous);
    let delay = uniform(base, triple.max(base), random)?;
    Some(Duration::from_micros(delay.min(own.second.as_micros())))
}

pub(super) fn token_backoff(
    own: &Backoff,
    context: &BackoffContext,
    random: &mut dyn Draw,
) -> Option<Duration> {
    let cap = grown(own, growth(1500), context.attempt);
    uniform(cap >> 1, cap, random).map(Duration::from_micros)
}

#[inline(always)]
pub(super) fn retry_after_or(
    own: &Backoff,
    context: &BackoffContext,
    random: &mut dyn Draw,
) -> Option<Duration> {
    let Link::Fallback(fallback, _) = own.link else { return None };
    let Some(hint) = context.classification.retry_after else {
        return fallback?.delay(context, random);
    };
    plus(hint.max(own.second), own.first, random)
}

pub(super) fn own(
    own: &Backoff,
    context: &BackoffContext,
    random: &mut dyn Draw,
) -> Option<Duration> {
    match own.link {
        Link::Short(delay) => {
            delay(context.attempt, context.classification.class, context.previous)
        }
        Link::Full(delay) => delay(context, random),
        Link::Own(strategy) => strategy.delay(context, random),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::ErrorClass;
    use crate::random::{NoRandom, from_fn};
    use std::vec::Vec;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn first(backoff: &Backoff, count: u32) -> Vec<u64> {
        (1..=count)
            .map(|n| {
                let context = BackoffContext::new(n, ErrorClass::Transient);
                backoff.delay(&context, &mut NoRandom).unwrap().as_micros()
            })
            .collect()
    }

    #[test]
    fn strategies_without_jitter_give_their_series() {
        const STEPS: [Duration; 2] = [Duration::from_micros(7), Duration::from_micros(9)];
        let us = Duration::from_micros;
        for (backoff, want) in [
            (Backoff::constant(us(4)), [4, 4, 4, 4, 4, 4]),
            (Backoff::exponential(us(4), us(50)), [4, 8, 16, 32, 50, 50]),
            (
                Backoff::exponential_by(us(1000), us(9000), 3000),
                [1000, 3000, 9000, 9000, 9000, 9000],
            ),
            (Backoff::exponential_by(us(1), us(9000), 1500), [1, 1, 2, 3, 5, 7]),
            (Backoff::exponential_by(us(1000), us(9000), 500), [1000, 500, 250, 125, 62, 31]),
            (Backoff::exponential_by(us(1000), us(800), 900), [800, 800, 800, 728, 656, 590]),
            (Backoff::linear(us(10), us(45)), [10, 20, 30, 40, 45, 45]),
            (Backoff::linear(us(10), us(45)).plus_jitter(us(0)), [10, 20, 30, 40, 45, 45]),
            (Backoff::fibonacci(us(10), us(60)), [10, 10, 20, 30, 50, 60]),
            (Backoff::sequence(&STEPS), [7, 9, 9, 9, 9, 9]),
        ] {
            assert_eq!(first(&backoff, 6), want, "{backoff}");
        }
    }

    #[test]
    fn jitter_never_exceeds_the_cap_nor_falls_below_its_floor() {
        for r in [0, 1, 1 << 31, u32::MAX] {
            for n in [1, 2, 5, 60, u32::MAX] {
                let mut context = BackoffContext::new(n, ErrorClass::Transient);
                context.previous = MS(7);
                let mut draw = from_fn(|| r);
                let mut of = |backoff: Backoff| backoff.delay(&context, &mut draw).unwrap();
                assert!(of(Backoff::full_jitter(MS(10), MS(100))) <= MS(100));
                let equal = of(Backoff::equal_jitter(MS(10), MS(100)));
                assert!(equal >= MS(10) && equal <= MS(100));
                let token = of(Backoff::token_backoff(MS(10), MS(100)));
                assert!(token >= Duration::from_micros(7_400) && token <= MS(100), "{token}");
                let decorrelated = of(Backoff::decorrelated_jitter(MS(10), MS(100)));
                assert!(decorrelated >= MS(10) && decorrelated <= MS(21), "{decorrelated}");
            }
        }
    }

    #[test]
    fn jitter_is_added_to_what_has_none_also_beyond_the_cap() {
        const STEPS: [Duration; 1] = [Duration::from_micros(7)];
        let half = |backoff: Backoff| {
            let context = BackoffContext::new(2, ErrorClass::Transient);
            backoff.plus_jitter(MS(8)).delay(&context, &mut from_fn(|| 1 << 31))
        };
        assert_eq!(half(Backoff::constant(MS(10))), Some(MS(14)));
        assert_eq!(half(Backoff::linear(MS(10), MS(15))), Some(MS(19)));
        assert_eq!(half(Backoff::exponential(MS(10), MS(100))), Some(MS(24)));
        assert_eq!(half(Backoff::exponential_by(MS(10), MS(100), 3000)), Some(MS(34)));
        assert_eq!(half(Backoff::fibonacci(MS(10), MS(100))), Some(MS(14)));
        // One that has its own, or none on purpose, is as before.
        assert_eq!(half(Backoff::full_jitter(MS(10), MS(100))), Some(MS(10)));
        assert_eq!(half(Backoff::sequence(&STEPS)), Some(Duration::from_micros(7)));
        let context = BackoffContext::new(1, ErrorClass::Transient);
        let plus = Backoff::constant(MS(10)).plus_jitter(MS(8));
        assert_eq!(plus.delay(&context, &mut NoRandom), None);
    }

    #[test]
    fn a_line_never_overflows() {
        let context = BackoffContext::new(u32::MAX, ErrorClass::Transient);
        let line = |base| Backoff::linear(Duration::from_micros(base), Duration::MAX);
        assert_eq!(line(1 << 33).delay(&context, &mut NoRandom), Some(Duration::MAX));
        let exact = Duration::from_micros(u64::from(u32::MAX) << 32);
        assert_eq!(line(1 << 32).delay(&context, &mut NoRandom), Some(exact));
        let odd = Duration::from_micros(u64::from(u32::MAX) * 0xFFFF_FFFF);
        assert_eq!(line(0xFFFF_FFFF).delay(&context, &mut NoRandom), Some(odd));
    }

    #[test]
    fn a_cut_previous_delay_does_not_pull_decorrelated_jitter_below_its_base() {
        let mut context = BackoffContext::new(3, ErrorClass::Transient);
        context.previous = Duration::from_micros(1);
        let backoff = Backoff::decorrelated_jitter(MS(10), MS(100));
        assert_eq!(backoff.delay(&context, &mut from_fn(|| u32::MAX)), Some(MS(10)));
    }

    #[test]
    fn a_hint_is_followed_and_its_absence_falls_back() {
        const SLOW: Backoff = Backoff::constant(Duration::from_secs(9));
        let backoff = Backoff::retry_after_or(&SLOW, MS(100));
        let mut context = BackoffContext::new(1, ErrorClass::RateLimit);
        assert_eq!(backoff.delay(&context, &mut NoRandom), Some(MS(9_000)));
        context.classification.retry_after = Some(MS(2_000));
        assert_eq!(backoff.delay(&context, &mut from_fn(|| 1 << 31)), Some(MS(2_050)));
        let exact = Backoff::retry_after_or(&SLOW, Duration::ZERO);
        assert_eq!(exact.delay(&context, &mut NoRandom), Some(MS(2_000)));
    }

    #[test]
    fn your_own_sees_everything_and_may_have_no_delay() {
        let context = BackoffContext::new(2, ErrorClass::Unknown);
        let short = Backoff::short(|n, class, previous| {
            (class == ErrorClass::Unknown)
                .then(|| previous.saturating_add(Duration::from_micros(u64::from(n))))
        });
        assert_eq!(short.delay(&context, &mut NoRandom), Some(Duration::from_micros(2)));
        let full = Backoff::function(|context, random| {
            random.draw().map(|r| context.remaining.min(Duration::from_micros(u64::from(r))))
        });
        assert_eq!(full.delay(&context, &mut from_fn(|| 5)), Some(Duration::from_micros(5)));
        assert_eq!(full.delay(&context, &mut NoRandom), None);
        assert_eq!(Backoff::sequence(&[]).delay(&context, &mut NoRandom), None);
    }
}
