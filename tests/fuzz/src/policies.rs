//! Policies with any settings, and what they say in plain numbers.

use redress::config::LongDelay;
use redress::{Backoff, Duration, ErrorClass, Policy};

use crate::breakers::checked;
use crate::{Input, us};

const FALLBACKS: [Backoff; 3] = [
    Backoff::constant(us(7)),
    Backoff::equal_jitter(us(5), us(500)),
    Backoff::exponential(us(1), Duration::MAX),
];
const SEQUENCES: [&[Duration]; 3] = [&[], &[us(0)], &[us(1), us(1_000), Duration::MAX]];

fn backoff(input: &mut Input<'_>) -> Backoff {
    let (base, max) = (input.span(), input.span());
    match input.below(12) {
        0 => Backoff::constant(base),
        1 => Backoff::exponential(base, max),
        2 => Backoff::exponential_by(base, max, input.any()),
        3 => Backoff::fibonacci(base, max),
        4 => Backoff::full_jitter(base, max),
        5 => Backoff::equal_jitter(base, max),
        6 => Backoff::decorrelated_jitter(base, max),
        7 => Backoff::token_backoff(base, max),
        8 => Backoff::sequence(SEQUENCES[input.below(3) as usize]),
        9 => Backoff::short(|attempt, _, previous| (attempt % 3 > 0).then_some(previous)),
        10 => Backoff::function(|context, random| {
            random.draw().map(|number| us(u64::from(number) >> (context.attempt % 32)))
        }),
        _ => {
            static STRATEGIES: [Backoff; 3] = FALLBACKS;
            let strategy = &STRATEGIES[input.below(3) as usize];
            let hinted = Backoff::retry_after_or(strategy, input.span());
            hinted.at_least(base).at_most(max)
        }
    }
}

/// The limits of a policy as plain numbers.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub attempts: u32,
    pub deadline: Option<u64>,
    pub timeout: u64,
    /// How many failures of each class are retried.
    pub failures: [u64; ErrorClass::COUNT],
}

/// A policy of which nothing is wrong.
pub fn policy(input: &mut Input<'_>) -> Option<(Policy, Limits)> {
    let mut limits = Limits {
        attempts: if input.one_in(8) { input.any() } else { 1 + input.below(8) as u32 },
        deadline: input.any::<bool>().then(|| input.deadline().as_micros()),
        timeout: if input.any() { input.micros() } else { u64::MAX },
        failures: [u64::MAX; ErrorClass::COUNT],
    };
    let mut config = Policy::builder()
        .max_attempts(limits.attempts)
        .attempt_timeout(us(limits.timeout))
        .long_delay(if input.any() { LongDelay::Cut } else { LongDelay::Stop });
    config = match limits.deadline {
        Some(deadline) => config.deadline(us(deadline)),
        None => config.no_deadline(),
    };
    // No deadline by its number.
    limits.deadline = limits.deadline.filter(|deadline| *deadline < u64::MAX);
    let unknown = if input.any() { input.below(4) as u16 } else { u16::MAX };
    config = config.max_unknown_attempts(unknown);
    for class in [ErrorClass::Auth, ErrorClass::Permission, ErrorClass::Permanent] {
        limits.failures[class as usize] = 0;
    }
    let mut are_right = limits.attempts > 0 && limits.timeout > 0;
    let mut own = [None; ErrorClass::COUNT];
    for _ in 0..input.below(3) {
        let (class, failures) = (input.class(), input.below(3) as u16);
        if input.one_in(3) {
            config = config.retriable(class, failures);
            are_right &= class.is_final();
            limits.failures[class as usize] = u64::MAX;
        } else {
            config = config.max_attempts_for(class, failures);
        }
        own[class as usize] = Some(u64::from(failures));
    }
    if unknown < u16::MAX {
        limits.failures[ErrorClass::Unknown as usize] = unknown.into();
    }
    for (most, own) in limits.failures.iter_mut().zip(own) {
        *most = own.unwrap_or(u64::MAX).min(*most);
    }
    let (has_default, specials) = (!input.one_in(4), input.below(3));
    if has_default {
        config = config.backoff(backoff(input));
    }
    for _ in 0..specials {
        let class = input.class();
        config = config.backoff_for(class, backoff(input));
    }
    are_right &= has_default || specials > 0;
    Some((checked(config.build(), are_right)?, limits))
}
