//! Breakers, budgets and limiters with any settings, asked in any order: with instants that
//! are a little stale each answer is as a list of what happened says, and with a clock that
//! shows anything nothing panics and nothing waits for longer than the settings say.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redress_fuzz::breakers::{self, Settings, checked};
use redress_fuzz::budgets::{self, RatioSettings, RollingSettings};
use redress_fuzz::rules::{self, Counts};
use redress_fuzz::{Input, Times, limiter};

/// A clock whose readings are stale by less than this, or one that shows anything.
fn times(input: &mut Input<'_>, stale: u64) -> Times {
    if input.one_in(3) { Times::wild(input) } else { Times::orderly(input, stale) }
}

fn rolling(input: &mut Input<'_>) {
    let settings = RollingSettings::any(input);
    let config = settings.config();
    if let Some(mut budget) = settings.budget(&config) {
        let mut times = times(input, settings.window.as_micros());
        budgets::roll(&mut budget, &settings, true, input, &mut times);
    }
}

fn ratio(input: &mut Input<'_>) {
    let settings = RatioSettings::any(input);
    let config = settings.config();
    if let Some(mut budget) = settings.budget(&config) {
        let mut times = times(input, budgets::STALE);
        budgets::share(&mut budget, &settings, true, input, &mut times);
    }
}

fn limits(input: &mut Input<'_>) {
    let settings = limiter::Settings::any(input);
    let config = settings.config;
    if let Some(mut limiter) = settings.limiter(&config) {
        let mut times = times(input, settings.shortest.as_micros());
        limiter::limit(&mut limiter, &settings, true, input, &mut times);
    }
}

fn breaker<W: Counts>(input: &mut Input<'_>) {
    let settings = &Settings::any(input);
    let (config, are_right) = W::any(input, settings);
    if let Some(mut breaker) = checked(W::breaker(&config), are_right) {
        let mut times = times(input, settings.lease.as_micros());
        breakers::used(&mut breaker, settings, input, &mut times);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let input = &mut Input::new(bytes);
    match input.below(6) {
        0 => rolling(input),
        1 => ratio(input),
        2 => limits(input),
        3 => breaker::<rules::Failures>(input),
        4 => breaker::<rules::Outcomes>(input),
        _ => breaker::<rules::Slices>(input),
    }
});
