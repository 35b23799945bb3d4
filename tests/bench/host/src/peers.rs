//! The cases of the other libraries, each where it has the feature. `what` says
//! what takes part; where a library has no such part, none is made up for it.
//!
//! Macros stand where functions would do, for the reason that `ours.rs` gives.

use std::cell::Cell;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use backon::{BlockingRetryable, ExponentialBuilder};
use failsafe::CircuitBreaker as _;
use recloser::Recloser;
use reliakit_circuit::{CircuitBreaker, RollingBreaker};
use reliakit_retry::{Backoff, RetryError, RetryPolicy, retry_with_sleep};
use tokio::runtime::Runtime;
use tokio_retry::strategy::{ExponentialBackoff, jitter};
use tower::retry::budget::{Budget, TpsBudget};
use tower::{Service, service_fn};

use crate::case::{Bench, Case, failing, healthy, settings, xorshift};

pub const CASES: &[Case] = &[
    case(backon_plain, "backon_success", "success", "backon", "retry"),
    case(tower_plain, "tower_success", "success", "tower", "retry"),
    case(reliakit_plain, "reliakit_success", "success", "reliakit", "retry"),
    case(tokio_retry_plain, "tokio_retry_success", "success", "tokio-retry", "retry"),
    case(tower_budget, "tower_guarded", "guarded", "tower", "retry, TpsBudget"),
    case(reliakit_guard, "reliakit_guarded", "guarded", "reliakit", "retry, CircuitBreaker"),
    case(failsafe_guard, "failsafe_guarded", "guarded", "failsafe", "breaker"),
    case(recloser_guard, "recloser_guarded", "guarded", "recloser", "breaker"),
    case(backon_three, "backon_failures", "three", "backon", "retry, jitter"),
    case(tower_three, "tower_failures", "three", "tower", "retry, TpsBudget"),
    case(reliakit_three, "reliakit_failures", "three", "reliakit", "retry, jitter, CircuitBreaker"),
    case(
        tokio_retry_three,
        "tokio_retry_failures",
        "three",
        "tokio-retry",
        "retry, jitter; waits for the timer, 1 ms each",
    ),
    case(reliakit_open, "reliakit_reject", "reject", "reliakit", "CircuitBreaker"),
    case(
        reliakit_rolling_open,
        "reliakit_rolling_reject",
        "reject",
        "reliakit",
        "RollingBreaker<16>",
    ),
    case(failsafe_open, "failsafe_reject", "reject", "failsafe", "breaker, reads the clock"),
    case(recloser_open, "recloser_guarded", "reject", "recloser", "breaker, reads the clock"),
    case(tower_withdraw, "tower_budget_withdraw", "withdraw", "tower", "TpsBudget"),
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

const HOUR: Duration = Duration::from_secs(3600);

/// Sleeps by the clock of the case, and not at all for zero, as ours does.
#[inline]
fn sleep(clock: &Cell<u64>, span: Duration) {
    if !span.is_zero() {
        clock.set(clock.get() + span.as_micros() as u64);
    }
}

/// Polls a future that is never pending.
#[inline]
fn finish<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("nothing in these cases waits"),
    }
}

/// Says so if a case does something else than it should.
fn recovered<E: std::fmt::Debug>(result: Result<u32, E>) -> Result<u32, E> {
    assert!(result.is_ok(), "the fourth attempt succeeds");
    result
}

// backon: its sleeper must be 'static, so it cannot move the case's clock.

const BACKON: ExponentialBuilder =
    ExponentialBuilder::new().with_min_delay(Duration::ZERO).with_max_times(5);
const JITTERED: ExponentialBuilder = BACKON.with_jitter();

macro_rules! through_backon {
    ($builder:expr, $operation:expr) => {
        ($operation).retry($builder).sleep(|span| real_sleep(span)).call()
    };
}

#[inline(never)]
#[unsafe(no_mangle)]
fn backon_success(builder: &ExponentialBuilder, value: &Cell<u32>) -> Result<u32, u32> {
    through_backon!(settings!(builder, BACKON), || healthy(value))
}

#[inline(never)]
#[unsafe(no_mangle)]
fn backon_failures(builder: &ExponentialBuilder, value: &Cell<u32>) -> Result<u32, u32> {
    through_backon!(settings!(builder, JITTERED), || failing(value))
}

fn real_sleep(span: Duration) {
    if !span.is_zero() {
        std::thread::sleep(span);
    }
}

fn backon_plain(bench: &mut Bench) {
    let world = (BACKON, Cell::new(1));
    let (builder, value) = black_box(&world);
    bench.measure(|| (), || backon_success(builder, value));
}

fn backon_three(bench: &mut Bench) {
    let world = (JITTERED, Cell::new(1));
    let (builder, value) = black_box(&world);
    bench.measure(|| value.set(3), || recovered(backon_failures(builder, value)));
}

// reliakit

const RELIAKIT: RetryPolicy = match RetryPolicy::new(6, Backoff::exponential(Duration::ZERO, 2)) {
    Some(policy) => policy,
    None => panic!("six attempts are allowed"),
};

macro_rules! reliakit_retry {
    ($policy:expr, $clock:expr, $value:expr) => {
        retry_with_sleep($policy, || healthy($value), |_| true, |span| sleep($clock, span))
    };
}

/// Jitter is the caller's: on the delay that the policy gives.
macro_rules! reliakit_jittered {
    ($policy:expr, $clock:expr, $value:expr, $seed:expr) => {
        retry_with_sleep(
            $policy,
            || failing($value),
            |_| true,
            |span| sleep($clock, reliakit_backoff::equal_jitter(span, xorshift($seed))),
        )
    };
}

#[inline(never)]
#[unsafe(no_mangle)]
fn reliakit_success(
    policy: &RetryPolicy,
    clock: &Cell<u64>,
    value: &Cell<u32>,
) -> Result<u32, RetryError<u32>> {
    reliakit_retry!(settings!(policy, RELIAKIT), clock, value)
}

type Guarded = Option<Result<u32, RetryError<u32>>>;

macro_rules! through_reliakit {
    ($breaker:expr, $clock:expr, $retry:expr) => {{
        if !$breaker.allow($clock.get()) {
            return None;
        }
        let result = $retry;
        match result {
            Ok(_) => $breaker.on_success(),
            Err(_) => $breaker.on_failure($clock.get()),
        }
        Some(result)
    }};
}

#[inline(never)]
#[unsafe(no_mangle)]
fn reliakit_guarded(
    policy: &RetryPolicy,
    clock: &Cell<u64>,
    value: &Cell<u32>,
    breaker: &mut CircuitBreaker,
) -> Guarded {
    through_reliakit!(breaker, clock, reliakit_retry!(settings!(policy, RELIAKIT), clock, value))
}

#[inline(never)]
#[unsafe(no_mangle)]
fn reliakit_failures(
    policy: &RetryPolicy,
    clock: &Cell<u64>,
    value: &Cell<u32>,
    seed: &Cell<u32>,
    breaker: &mut CircuitBreaker,
) -> Guarded {
    through_reliakit!(
        breaker,
        clock,
        reliakit_jittered!(settings!(policy, RELIAKIT), clock, value, seed)
    )
}

#[inline(never)]
#[unsafe(no_mangle)]
fn reliakit_reject(clock: &Cell<u64>, breaker: &mut CircuitBreaker) -> bool {
    breaker.allow(clock.get())
}

#[inline(never)]
#[unsafe(no_mangle)]
fn reliakit_rolling_reject(clock: &Cell<u64>, breaker: &mut RollingBreaker<16>) -> bool {
    breaker.allow(clock.get())
}

fn reliakit_plain(bench: &mut Bench) {
    let world = (RELIAKIT, Cell::new(5), Cell::new(1));
    let (policy, clock, value) = black_box(&world);
    bench.measure(|| (), || reliakit_success(policy, clock, value));
}

fn reliakit_guard(bench: &mut Bench) {
    let world = (RELIAKIT, Cell::new(5), Cell::new(1));
    let (policy, clock, value) = black_box(&world);
    let mut breaker = CircuitBreaker::new(5, 30_000_000);
    let breaker = black_box(&mut breaker);
    bench.measure(|| (), || reliakit_guarded(policy, clock, value, breaker));
}

fn reliakit_three(bench: &mut Bench) {
    let world = (RELIAKIT, Cell::new(5), Cell::new(1), Cell::new(1));
    let (policy, clock, value, seed) = black_box(&world);
    let mut breaker = CircuitBreaker::new(5, 30_000_000);
    let breaker = black_box(&mut breaker);
    bench.measure(
        || value.set(3),
        || reliakit_failures(policy, clock, value, seed, breaker).map(recovered),
    );
}

fn reliakit_open(bench: &mut Bench) {
    let clock = Cell::new(5);
    let clock = black_box(&clock);
    let mut breaker = CircuitBreaker::new(5, 30_000_000);
    breaker.trip(5);
    let breaker = black_box(&mut breaker);
    bench.measure(|| (), || assert!(!reliakit_reject(clock, breaker)));
}

fn reliakit_rolling_open(bench: &mut Bench) {
    let clock = Cell::new(5);
    let clock = black_box(&clock);
    let mut breaker = RollingBreaker::<16>::new(5, 30_000_000);
    breaker.trip(5);
    let breaker = black_box(&mut breaker);
    bench.measure(|| (), || assert!(!reliakit_rolling_reject(clock, breaker)));
}

// tower

const RETRIES: u32 = 5;

/// Retries at once, up to so many times, and out of a budget if there is one.
#[derive(Clone)]
pub struct AtOnce<B> {
    left: u32,
    budget: B,
}

/// The budget of a policy that has none.
#[derive(Clone)]
pub struct Unlimited;

impl Budget for Unlimited {
    #[inline]
    fn deposit(&self) {}

    #[inline]
    fn withdraw(&self) -> bool {
        true
    }
}

/// A budget of several callers.
#[derive(Clone)]
pub struct Pooled(Arc<TpsBudget>);

impl Budget for Pooled {
    #[inline]
    fn deposit(&self) {
        self.0.deposit();
    }

    #[inline]
    fn withdraw(&self) -> bool {
        self.0.withdraw()
    }
}

impl<B: Budget> tower::retry::Policy<(), u32, u32> for AtOnce<B> {
    type Future = Ready<()>;

    #[inline]
    fn retry(&mut self, (): &mut (), result: &mut Result<u32, u32>) -> Option<Ready<()>> {
        match result {
            Ok(_) => {
                self.budget.deposit();
                None
            }
            Err(_) if self.left > 0 && self.budget.withdraw() => {
                self.left -= 1;
                Some(ready(()))
            }
            Err(_) => None,
        }
    }

    #[inline]
    fn clone_request(&mut self, (): &()) -> Option<()> {
        Some(())
    }
}

#[inline]
fn through_tower<P, S>(policy: P, service: S) -> Result<u32, u32>
where
    P: tower::retry::Policy<(), u32, u32> + Clone,
    S: Service<(), Response = u32, Error = u32> + Clone,
{
    let mut service = tower::retry::Retry::new(policy, service);
    let Poll::Ready(Ok(())) = service.poll_ready(&mut Context::from_waker(Waker::noop())) else {
        unreachable!("always ready");
    };
    finish(service.call(()))
}

#[inline(never)]
#[unsafe(no_mangle)]
fn tower_success(left: &u32, value: &Cell<u32>) -> Result<u32, u32> {
    let policy = AtOnce { left: *settings!(left, RETRIES), budget: Unlimited };
    through_tower(policy, service_fn(|()| ready(healthy(value))))
}

#[inline(never)]
#[unsafe(no_mangle)]
fn tower_guarded(left: &u32, value: &Cell<u32>, budget: &Pooled) -> Result<u32, u32> {
    let policy = AtOnce { left: *settings!(left, RETRIES), budget: budget.clone() };
    through_tower(policy, service_fn(|()| ready(healthy(value))))
}

#[inline(never)]
#[unsafe(no_mangle)]
fn tower_failures(left: &u32, value: &Cell<u32>, budget: &Pooled) -> Result<u32, u32> {
    let policy = AtOnce { left: *settings!(left, RETRIES), budget: budget.clone() };
    through_tower(policy, service_fn(|()| ready(failing(value))))
}

#[inline(never)]
#[unsafe(no_mangle)]
fn tower_budget_withdraw(budget: &TpsBudget) -> bool {
    budget.withdraw()
}

/// A reserve that no benchmark empties.
pub fn ample() -> TpsBudget {
    TpsBudget::new(Duration::from_secs(10), 1_000_000_000, 0.1)
}

fn tower_plain(bench: &mut Bench) {
    let value = Cell::new(1);
    let value = black_box(&value);
    bench.measure(|| (), || tower_success(black_box(&RETRIES), value));
}

fn tower_budget(bench: &mut Bench) {
    let world = (Cell::new(1), Pooled(Arc::new(ample())));
    let (value, budget) = black_box(&world);
    bench.measure(|| (), || tower_guarded(black_box(&RETRIES), value, budget));
}

fn tower_three(bench: &mut Bench) {
    let world = (Cell::new(1), Pooled(Arc::new(ample())));
    let (value, budget) = black_box(&world);
    bench
        .measure(|| value.set(3), || recovered(tower_failures(black_box(&RETRIES), value, budget)));
}

fn tower_withdraw(bench: &mut Bench) {
    let budget = ample();
    let budget = black_box(&budget);
    bench.measure(|| (), || assert!(tower_budget_withdraw(budget)));
}

// tokio-retry

const AT_ONCE: ExponentialBackoff = ExponentialBackoff::from_millis(0);

macro_rules! through_tokio_retry {
    ($delays:expr, $value:expr) => {
        finish(tokio_retry::Retry::start($delays.take(5), || ready(healthy($value))))
    };
}

#[inline(never)]
#[unsafe(no_mangle)]
fn tokio_retry_success(delays: &ExponentialBackoff, value: &Cell<u32>) -> Result<u32, u32> {
    through_tokio_retry!(settings!(delays, AT_ONCE).clone(), value)
}

#[inline(never)]
#[unsafe(no_mangle)]
fn tokio_retry_failures(
    delays: &ExponentialBackoff,
    value: &Cell<u32>,
    runtime: &Runtime,
) -> Result<u32, u32> {
    let delays = settings!(delays, AT_ONCE).clone().map(jitter).take(5);
    runtime.block_on(tokio_retry::Retry::start(delays, || ready(failing(value))))
}

fn tokio_retry_plain(bench: &mut Bench) {
    let world = (AT_ONCE, Cell::new(1));
    let (delays, value) = black_box(&world);
    bench.measure(|| (), || tokio_retry_success(delays, value));
}

fn tokio_retry_three(bench: &mut Bench) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let world = (AT_ONCE, Cell::new(1), runtime.expect("a runtime without I/O"));
    let (delays, value, runtime) = black_box(&world);
    bench.measure(|| value.set(3), || recovered(tokio_retry_failures(delays, value, runtime)));
}

// failsafe and recloser: breakers with a clock of their own.

type Delays = std::iter::Repeat<Duration>;
pub type Failsafe =
    failsafe::StateMachine<failsafe::failure_policy::ConsecutiveFailures<Delays>, ()>;

pub fn failsafe_of_five() -> Failsafe {
    let policy =
        failsafe::failure_policy::consecutive_failures(5, failsafe::backoff::constant(HOUR));
    failsafe::Config::new().failure_policy(policy).build()
}

/// At least half of the calls of half a minute.
pub fn failsafe_rate() -> impl failsafe::CircuitBreaker {
    let delays = failsafe::backoff::constant(HOUR);
    let window = Duration::from_secs(30);
    let policy = failsafe::failure_policy::success_rate_over_time_window(0.5, 5, window, delays);
    failsafe::Config::new().failure_policy(policy).build()
}

pub fn recloser_of(length: usize) -> Recloser {
    Recloser::custom().error_rate(0.5).closed_len(length).half_open_len(1).open_wait(HOUR).build()
}

#[inline(never)]
#[unsafe(no_mangle)]
fn failsafe_guarded(value: &Cell<u32>, breaker: &Failsafe) -> Result<u32, failsafe::Error<u32>> {
    breaker.call(|| healthy(value))
}

#[inline(never)]
#[unsafe(no_mangle)]
fn failsafe_reject(breaker: &Failsafe) -> bool {
    breaker.is_call_permitted()
}

#[inline(never)]
#[unsafe(no_mangle)]
fn recloser_guarded(value: &Cell<u32>, breaker: &Recloser) -> Result<u32, recloser::Error<u32>> {
    breaker.call(|| healthy(value))
}

fn failsafe_guard(bench: &mut Bench) {
    let world = (Cell::new(1), failsafe_of_five());
    let (value, breaker) = black_box(&world);
    bench.measure(|| (), || failsafe_guarded(value, breaker).is_ok());
}

fn failsafe_open(bench: &mut Bench) {
    let breaker = failsafe_of_five();
    let breaker = black_box(&breaker);
    (0..5).for_each(|_| breaker.on_error());
    bench.measure(|| (), || assert!(!failsafe_reject(breaker)));
}

fn recloser_guard(bench: &mut Bench) {
    let world = (Cell::new(1), recloser_of(100));
    let (value, breaker) = black_box(&world);
    bench.measure(|| (), || recloser_guarded(value, breaker).is_ok());
}

fn recloser_open(bench: &mut Bench) {
    let world = (Cell::new(0), recloser_of(5));
    let (value, breaker) = black_box(&world);
    // The rate is known once the ring is full and one result more is in.
    (0..6).for_each(|_| drop(recloser_guarded(value, breaker)));
    bench.measure(
        || (),
        || {
            let rejection = recloser_guarded(value, breaker);
            assert!(matches!(rejection, Err(recloser::Error::Rejected)));
        },
    );
}
