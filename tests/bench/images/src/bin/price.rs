//! redress: retry at a constant delay, and what a feature adds to it: its price.

#![no_std]
#![no_main]
#![allow(unused_imports, reason = "each option needs some")]

use core::cell::RefCell;
use core::ops::ControlFlow;

use bench_images::{Board, OneThread, image, operation, output, random};
use redress::backoff::{Adaptive, AdaptiveConfig, Memory};
use redress::breaker::{
    FailureRule, FailureTimes, LastOutcomes, OutcomeRule, SliceRule, TimeSlices,
};
use redress::budget::{LimiterConfig, RatioConfig, RollingConfig};
use redress::classify::ClassSet;
use redress::config::{LongDelay, RetryConfig};
use redress::event::Timeline;
use redress::random::{NoRandom, from_fn};
use redress::session::SessionConfig;
use redress::{
    Backoff, Breaker, BreakerConfig, Classification, Duration, ErrorClass, Last, Policy,
    RateLimiter, RatioBudget, Retry, RollingBudget, policy, settings,
};

const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[cfg(feature = "retry_after_or")]
static AT_ONCE: Backoff = Backoff::constant(millis(10));

#[cfg(feature = "adaptive")]
static CAREFUL: Adaptive<OneThread<RefCell<Memory<16>>>> =
    policy! { AdaptiveConfig::new(Backoff::constant(millis(10))) }
        .memory(OneThread(RefCell::new(Memory::new())));

const DELAYS: &[Duration] = &[millis(10), millis(20), millis(50)];

const BACKOFF: Backoff = if cfg!(feature = "exponential") {
    Backoff::exponential(millis(10), millis(1000))
} else if cfg!(feature = "exponential_by") {
    Backoff::exponential_by(millis(10), millis(1000), 1500)
} else if cfg!(feature = "fibonacci") {
    Backoff::fibonacci(millis(10), millis(1000))
} else if cfg!(feature = "sequence") {
    Backoff::sequence(DELAYS)
} else if cfg!(feature = "full_jitter") {
    Backoff::full_jitter(millis(10), millis(1000))
} else if cfg!(feature = "equal_jitter") {
    Backoff::equal_jitter(millis(10), millis(1000))
} else if cfg!(feature = "decorrelated_jitter") {
    Backoff::decorrelated_jitter(millis(10), millis(1000))
} else if cfg!(feature = "token_backoff") {
    Backoff::token_backoff(millis(10), millis(1000))
} else {
    own()
};

const fn own() -> Backoff {
    #[cfg(feature = "retry_after_or")]
    return Backoff::retry_after_or(&AT_ONCE, Duration::ZERO);
    #[cfg(feature = "adaptive")]
    return Backoff::own(&CAREFUL);
    #[cfg(not(any(feature = "retry_after_or", feature = "adaptive")))]
    Backoff::constant(millis(10))
}

const fn configured() -> RetryConfig {
    let mut config = Policy::builder().max_attempts(6).no_deadline().backoff(BACKOFF);
    if cfg!(feature = "deadline") {
        config = config.deadline(Duration::from_secs(60));
    }
    if cfg!(feature = "attempt_timeout") {
        config = config.attempt_timeout(Duration::from_secs(1));
    }
    if cfg!(feature = "class_strategy") {
        config = config.backoff_for(ErrorClass::RateLimit, Backoff::constant(millis(500)));
    }
    if cfg!(feature = "class_limit") {
        config = config.max_attempts_for(ErrorClass::Transient, 2);
    }
    if cfg!(feature = "long_delay_cut") {
        config = config.long_delay(LongDelay::Cut);
    }
    if cfg!(feature = "retriable") {
        config = config
            .retriable(ErrorClass::Auth, 1)
            .backoff_for(ErrorClass::Auth, Backoff::constant(millis(500)));
    }
    config
}

settings! {
    Calls: Policy = policy! { configured() }
}

#[cfg(feature = "breaker_failures")]
mod gate {
    use super::*;
    const fn rule() -> BreakerConfig<FailureRule> {
        let mut config = BreakerConfig::failures(5, Duration::from_secs(60));
        if cfg!(feature = "half_open_on") {
            config = config.half_open_on(ClassSet::EMPTY.with(ErrorClass::Transient));
        }
        if cfg!(feature = "recovery_jitter") {
            config = config.recovery_jitter(Duration::from_secs(5));
        }
        if cfg!(feature = "open_for_hint") {
            config = config.open_for_hint(Duration::from_secs(60));
        }
        config.check_before_retry(cfg!(feature = "check_before_retry"))
    }
    settings! { pub Rule: BreakerConfig<FailureRule> = rule() }
    pub type Circuit = Breaker<FailureTimes<5>, 1, Rule>;
    pub static GATE: OneThread<RefCell<Circuit>> = OneThread(RefCell::new(Circuit::fixed(Rule)));
}

#[cfg(feature = "breaker_rate")]
mod gate {
    use super::*;
    settings! { pub Rule: BreakerConfig<OutcomeRule> = BreakerConfig::outcomes(100, 500, 10) }
    pub type Circuit = Breaker<LastOutcomes<4>, 1, Rule>;
    pub static GATE: OneThread<RefCell<Circuit>> = OneThread(RefCell::new(Circuit::fixed(Rule)));
}

#[cfg(feature = "breaker_slices")]
mod gate {
    use super::*;
    settings! {
        pub Rule: BreakerConfig<SliceRule> =
            BreakerConfig::slices(Duration::from_secs(6), 500, 10).slow_calls(millis(800), 500)
    }
    pub type Circuit = Breaker<TimeSlices<10>, 1, Rule>;
    pub static GATE: OneThread<RefCell<Circuit>> = OneThread(RefCell::new(Circuit::fixed(Rule)));
}

#[cfg(feature = "limiter")]
mod limit {
    use super::*;
    const HOUR: Duration = Duration::from_secs(3600);
    settings! {
        pub Rule: LimiterConfig =
            LimiterConfig::new().window(3, HOUR).window(8, Duration::from_secs(86_400))
    }
    pub type Limiter = RateLimiter<8, Rule>;
    pub static LIMIT: OneThread<RefCell<Limiter>> = OneThread(RefCell::new(Limiter::fixed(Rule)));
}

#[cfg(feature = "rolling_budget")]
mod pool {
    use super::*;
    settings! { pub Retries: RollingConfig = RollingConfig::new(16, Duration::from_secs(60)) }
    pub type Tokens = RollingBudget<16, Retries>;
    pub static POOL: OneThread<RefCell<Tokens>> = OneThread(RefCell::new(Tokens::fixed(Retries)));
}

#[cfg(feature = "ratio_budget")]
mod pool {
    use super::*;
    settings! { pub Retries: RatioConfig = RatioConfig::new(100) }
    pub type Share = RatioBudget<Retries>;
    pub static POOL: OneThread<RefCell<Share>> = OneThread(RefCell::new(Share::fixed(Retries)));
}

fn class(error: &u32) -> Classification {
    let class = if *error & 2 == 0 { ErrorClass::Transient } else { ErrorClass::RateLimit };
    let mut classification = Classification::new(class);
    if cfg!(feature = "retry_after_or") {
        classification.retry_after = Some(millis(u64::from(*error >> 2)));
    }
    classification
}

fn job() {
    #[cfg(feature = "random")]
    let retry = Retry::new(Calls, Board, from_fn(random));
    #[cfg(not(feature = "random"))]
    let retry = Retry::new(Calls, Board, NoRandom);
    let retry = retry.classify(class);
    #[cfg(any(feature = "breaker_failures", feature = "breaker_rate", feature = "breaker_slices"))]
    let retry = retry.breaker(&gate::GATE.0);
    #[cfg(any(feature = "rolling_budget", feature = "ratio_budget"))]
    let retry = retry.budget(&pool::POOL.0);
    #[cfg(feature = "limiter")]
    let retry = retry.limiter(&limit::LIMIT.0);
    #[cfg(feature = "before_retry")]
    let retry = retry.before_retry(|context, _: &Last<u32>| {
        output(context.attempt);
        ControlFlow::Continue(())
    });
    #[cfg(feature = "abort_if")]
    let retry = retry.abort_if(|| random() & 1 == 0);
    #[cfg(feature = "observer")]
    let retry = retry.on_event(|event| output(event.attempt + event.kind as u32));
    #[cfg(feature = "timeline")]
    let mut timeline = Timeline::<8>::new();
    #[cfg(feature = "timeline")]
    let retry = retry.observer(&mut timeline);
    let mut retry = retry;
    #[cfg(feature = "session")]
    let result = retry.session(SessionConfig::new()).run(|attempt, link| {
        link.up();
        output(attempt.number);
        operation()
    });
    #[cfg(not(feature = "session"))]
    let result = {
        let outcome = retry.execute(|_| operation());
        output(outcome.attempts);
        outcome.result
    };
    match result {
        Ok(value) => output(value),
        Err(error) => output(error.into_error().unwrap_or(0)),
    }
    #[cfg(feature = "timeline")]
    output(timeline.entries().len() as u32);
}

image!(job);
