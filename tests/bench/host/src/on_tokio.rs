//! The cases on tokio: a retry alone, and all that an upstream has, beside layers of tower.

use std::future::ready;
use std::hint::black_box;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time;

use backon::Retryable;
use redress::budget::RatioConfig;
use redress::{Backoff, BreakerConfig, Duration, Policy, policy};
use redress_tokio::{OnTokio, Upstream};
use tokio::runtime::{Builder, Runtime};
use tower::retry::budget::{Budget, TpsBudget};
use tower::timeout::Timeout;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_resilience::circuitbreaker::CircuitBreakerLayer;
use tower_resilience::retry::RetryLayer;
use tower_resilience::timelimiter::TimeLimiterLayer;

use crate::case::{Bench, Case, settings};
use crate::peers::ample;

pub const CASES: &[Case] = &[
    case(redress_alone, "redress_tokio", "tokio", "redress-tokio", "retry, classes"),
    case(limited_alone, "redress_limited", "tokio", "redress-tokio", "the same, deadline"),
    case(backon_alone, "backon_tokio", "tokio", "backon", "retry"),
    case(
        policy_alone,
        "upstream_policy",
        "upstream",
        "redress-tokio",
        "policy, classes, deadlines",
    ),
    case(with_budget, "upstream_budget", "upstream", "redress-tokio", "the same, ratio budget"),
    case(with_breaker, "upstream_breaker", "upstream", "redress-tokio", "the same, breaker"),
    case(
        with_keys,
        "upstream_keys",
        "upstream",
        "redress-tokio",
        "the same, breaker of a known key",
    ),
    case(tower_whole, "tower_layers", "upstream", "tower", "retry, timeout, TpsBudget"),
    case(
        resilience,
        "resilience_layers",
        "upstream",
        "tower-resilience",
        "retry, time limiter, breaker",
    ),
];

const fn case(
    run: fn(&mut Bench),
    symbol: &'static str,
    scenario: &'static str,
    library: &'static str,
    what: &'static str,
) -> Case {
    Case { scenario, library, what, symbol, run }
}

static VALUE: AtomicU32 = AtomicU32::new(1);

/// The operation of every case: the compiler does not know that it succeeds.
#[inline]
fn operation() -> io::Result<u32> {
    match VALUE.load(Ordering::Relaxed) {
        0 => Err(io::ErrorKind::ConnectionReset.into()),
        value => Ok(value),
    }
}

/// Polls a future that is ready at once.
#[inline]
fn finish<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the operation is ready"),
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}

const BASE: Duration = Duration::from_millis(50);
const MOST: Duration = Duration::from_secs(2);
const POLICY: Policy = policy! {
    Policy::builder().max_attempts(4).no_deadline().backoff(Backoff::full_jitter(BASE, MOST))
};

const LIMITED: Policy =
    policy! { Policy::builder().max_attempts(4).backoff(Backoff::full_jitter(BASE, MOST)) };

macro_rules! redress_case {
    ($run:ident, $symbol:ident, $policy:ident) => {
        #[inline(never)]
        #[unsafe(no_mangle)]
        fn $symbol(policy: &'static Policy) -> u32 {
            // Without its name it would be the same function as the other.
            black_box(stringify!($symbol));
            let mut retry = settings!(policy, $policy).on_tokio();
            finish(retry.call_future(|_| ready(operation()))).unwrap_or_default()
        }

        fn $run(bench: &mut Bench) {
            let runtime = runtime();
            let _guard = runtime.enter();
            bench.measure(|| (), || $symbol(black_box(&$policy)));
        }
    };
}

redress_case!(redress_alone, redress_tokio, POLICY);
redress_case!(limited_alone, redress_limited, LIMITED);

const BACKON: backon::ExponentialBuilder = backon::ExponentialBuilder::new()
    .with_min_delay(time::Duration::from_millis(50))
    .with_max_delay(time::Duration::from_secs(2))
    .with_max_times(3)
    .with_jitter();

#[inline(never)]
#[unsafe(no_mangle)]
fn backon_tokio(policy: &'static backon::ExponentialBuilder) -> u32 {
    let retry = (|| ready(operation()))
        .retry(*settings!(policy, BACKON))
        .when(|error: &io::Error| error.kind() == io::ErrorKind::ConnectionReset);
    finish(retry.into_future()).unwrap_or_default()
}

fn backon_alone(bench: &mut Bench) {
    let runtime = runtime();
    let _guard = runtime.enter();
    bench.measure(|| (), || backon_tokio(black_box(&BACKON)));
}

/// A policy with an attempt timeout and a deadline, made at run time.
fn upstream() -> Upstream {
    let policy = Policy::builder()
        .max_attempts(4)
        .deadline(Duration::from_secs(10))
        .attempt_timeout(Duration::from_secs(2))
        .backoff(Backoff::full_jitter(BASE, MOST));
    Upstream::new(policy.build().expect("a policy"))
}

/// Calls `$call`, which is made in the runtime, in a function of its own that callgrind counts.
macro_rules! whole {
    ($run:ident, $symbol:ident, $call:expr) => {
        #[inline(never)]
        #[unsafe(no_mangle)]
        fn $symbol(call: &dyn Fn() -> u32) -> u32 {
            // Without its name it would be the same function as the others.
            black_box(stringify!($symbol));
            call()
        }

        fn $run(bench: &mut Bench) {
            let runtime = runtime();
            let _guard = runtime.enter();
            let call = $call;
            bench.measure(|| (), || assert_eq!($symbol(black_box(&call)), 1));
        }
    };
}

fn through(upstream: Upstream, key: &'static str) -> impl Fn() -> u32 {
    move || {
        let mut retry = upstream.at(black_box(key));
        finish(retry.call_future(|_| ready(operation()))).unwrap_or_default()
    }
}

fn budgeted() -> Upstream {
    upstream().budget(RatioConfig::new(100)).expect("a budget")
}

fn guarded() -> Upstream {
    let breaker = BreakerConfig::failures(5, Duration::from_secs(60));
    budgeted().breaker(breaker).expect("a breaker")
}

whole!(policy_alone, upstream_policy, through(upstream(), ""));
whole!(with_budget, upstream_budget, through(budgeted(), ""));
whole!(with_breaker, upstream_breaker, through(guarded(), ""));
whole!(with_keys, upstream_keys, through(guarded(), "orders.internal:8080"));

/// Retries a failure out of a budget, after a delay.
#[derive(Clone)]
struct Retries {
    left: u32,
    budget: Arc<TpsBudget>,
}

type Boxed = Box<dyn std::error::Error + Send + Sync>;

impl tower::retry::Policy<(), u32, Boxed> for Retries {
    type Future = tokio::time::Sleep;

    fn retry(&mut self, (): &mut (), result: &mut Result<u32, Boxed>) -> Option<Self::Future> {
        match result {
            Ok(_) => {
                self.budget.deposit();
                None
            }
            Err(_) if self.left > 0 && self.budget.withdraw() => {
                self.left -= 1;
                Some(tokio::time::sleep(time::Duration::from_millis(50)))
            }
            Err(_) => None,
        }
    }

    fn clone_request(&mut self, (): &()) -> Option<()> {
        Some(())
    }
}

/// One request to a service as a client makes it: clone, wait until it is ready, call.
fn requests<S: Service<(), Response = u32> + Clone>(service: S) -> impl Fn() -> u32 {
    move || finish(service.clone().oneshot(())).unwrap_or_default()
}

whole!(tower_whole, tower_layers, {
    let timed = Timeout::new(service_fn(|()| ready(operation())), time::Duration::from_secs(2));
    let budget = Arc::new(ample());
    requests(tower::retry::Retry::new(Retries { left: 3, budget }, timed))
});

/// A failure that can be cloned, as these layers want it.
#[derive(Clone, Debug)]
struct Failure;

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a failure")
    }
}

impl std::error::Error for Failure {}

whole!(resilience, resilience_layers, {
    let limiter =
        TimeLimiterLayer::builder().timeout_duration(time::Duration::from_secs(2)).build();
    let breaker = CircuitBreakerLayer::builder().build().expect("a breaker");
    let retry = RetryLayer::builder().max_attempts(4).build();
    let operation = service_fn(|()| ready(operation().map_err(|_| Failure)));
    requests(retry.layer(breaker.layer(limiter.layer(operation))))
});
