//! No job, but a static for each state: its symbol is named after library and type,
//! and the symbol's size is the state's on a 32-bit target.

#![no_std]
#![no_main]

use core::hint::black_box;

use backon::{BackoffBuilder, ExponentialBuilder};
use bench_images::image;
use redress::backoff::{Adaptive, Memory};
use redress::breaker::{FailureRule, FailureTimes, LastOutcomes, Permit, TimeSlices};
use redress::driver::Call;
use redress::event::Timeline;
use redress::{Breaker, BreakerConfig, Keyed, Policy, RatioBudget, RollingBudget};
use reliakit_circuit::{CircuitBreaker, RollingBreaker};
use reliakit_retry::RetryPolicy;

macro_rules! states {
    ($($name:literal: $state:ty,)*) => {
        fn job() {
            $({
                #[unsafe(export_name = $name)]
                static STATE: [u8; size_of::<$state>()] = [0; size_of::<$state>()];
                black_box(&STATE);
            })*
        }
    };
}

states! {
    "size/redress/Policy": Policy,
    "size/redress/Call": Call,
    "size/redress/Permit": Permit,
    "size/redress/BreakerConfig<FailureRule>": BreakerConfig<FailureRule>,
    "size/redress/Breaker<FailureTimes<5>>": Breaker<FailureTimes<5>>,
    "size/redress/Breaker<LastOutcomes<4>>": Breaker<LastOutcomes<4>>,
    "size/redress/Breaker<TimeSlices<10>>": Breaker<TimeSlices<10>>,
    "size/redress/RatioBudget": RatioBudget,
    "size/redress/RollingBudget<16>": RollingBudget<16>,
    "size/redress/Adaptive": Adaptive,
    "size/redress/Memory<16>": Memory<16>,
    "size/redress/Keyed<u32, RatioBudget, 16>": Keyed<u32, RatioBudget, 16>,
    "size/redress/Timeline<16>": Timeline<16>,
    "size/reliakit/RetryPolicy": RetryPolicy,
    "size/reliakit/CircuitBreaker, in a row, no window": CircuitBreaker,
    "size/reliakit/RollingBreaker<100>": RollingBreaker<100>,
    "size/backon/ExponentialBuilder": ExponentialBuilder,
    "size/backon/ExponentialBackoff": <ExponentialBuilder as BackoffBuilder>::Backoff,
}

image!(job);
