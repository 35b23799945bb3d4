//! What states take: in their type, and on the heap where they have more of it.

use backon::{BackoffBuilder, ExponentialBuilder};
use redress::backoff::{Adaptive, Memory};
use redress::breaker::{FailureRule, FailureTimes, LastOutcomes, Permit, TimeSlices};
use redress::driver::Call;
use redress::event::Timeline;
use redress::{Breaker, BreakerConfig, Keyed, Policy, RatioBudget, RollingBudget};
use reliakit_circuit::{CircuitBreaker, RollingBreaker};
use reliakit_retry::RetryPolicy;

use crate::heap;
use crate::peers::{ample, failsafe_of_five, failsafe_rate, recloser_of};

/// One line for each type: kind, library, name, bytes of the type, bytes on the heap.
pub fn print() {
    line::<Policy>("policy", "redress", "Policy");
    line::<RetryPolicy>("policy", "reliakit", "RetryPolicy");
    line::<ExponentialBuilder>("policy", "backon", "ExponentialBuilder");
    line::<tokio_retry::strategy::ExponentialBackoff>(
        "policy",
        "tokio-retry",
        "ExponentialBackoff",
    );

    line::<Call>("state of a call", "redress", "Call");
    line::<Permit>("state of a call", "redress", "Permit");
    line::<<ExponentialBuilder as BackoffBuilder>::Backoff>(
        "state of a call",
        "backon",
        "ExponentialBackoff",
    );

    line::<BreakerConfig<FailureRule>>(
        "breaker's settings",
        "redress",
        "BreakerConfig<FailureRule>",
    );
    let five = "breaker, 5 failures";
    line::<Breaker<FailureTimes<5>>>(five, "redress", "Breaker<FailureTimes<5>>");
    line::<CircuitBreaker>(five, "reliakit", "CircuitBreaker, in a row, no window");
    built(five, "failsafe", "StateMachine, in a row, no window", failsafe_of_five);
    built(five, "recloser", "Recloser, ring of 5", || recloser_of(5));

    let rate = "breaker, rate over 100";
    line::<Breaker<LastOutcomes<4>>>(rate, "redress", "Breaker<LastOutcomes<4>>");
    line::<RollingBreaker<100>>(rate, "reliakit", "RollingBreaker<100>");
    built(rate, "recloser", "Recloser, ring of 100", || recloser_of(100));

    let slices = "breaker, rate over time";
    line::<Breaker<TimeSlices<10>>>(slices, "redress", "Breaker<TimeSlices<10>>");
    built(slices, "failsafe", "StateMachine, success rate", failsafe_rate);

    line::<RatioBudget>("budget", "redress", "RatioBudget");
    line::<RollingBudget<16>>("budget", "redress", "RollingBudget<16>");
    built("budget", "tower", "TpsBudget", ample);

    line::<Adaptive>("others", "redress", "Adaptive");
    line::<Memory<16>>("others", "redress", "Memory<16>");
    line::<Keyed<u32, RatioBudget, 16>>("others", "redress", "Keyed<u32, RatioBudget, 16>");
    line::<Timeline<16>>("others", "redress", "Timeline<16>");
}

fn line<T>(kind: &str, library: &str, name: &str) {
    println!("{kind}\t{library}\t{name}\t{}\t0", size_of::<T>());
}

/// As `line`, for a type that allocates when it is made.
fn built<T>(kind: &str, library: &str, name: &str, make: impl Fn() -> T) {
    // Some libraries set up something of their own for the first one.
    drop(make());
    let before = heap::live();
    let value = make();
    println!("{kind}\t{library}\t{name}\t{}\t{}", size_of::<T>(), heap::live() - before);
    drop(value);
}
