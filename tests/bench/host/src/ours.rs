//! The cases of redress.

use std::cell::{Cell, RefCell};
use std::hint::black_box;

use redress::breaker::{Admitted, CallResult, FailureRule, FailureTimes};
use redress::budget::{Budget, RatioConfig, RollingConfig};
use redress::random::{NoRandom, from_fn};
use redress::time::Sleep;
use redress::{
    Backoff, Breaker, BreakerConfig, CircuitOpen, Clock, Duration, ErrorClass, Instant, Outcome,
    Policy, RatioBudget, RollingBudget, policy,
};

use crate::case::{Bench, Case, failing, healthy, settings, xorshift};

const ALL: &str = "retry, jitter, breaker, ratio budget, deadline, classes";
const GUARDS: &str = "retry, breaker, ratio budget, deadline, classes";

pub const CASES: &[Case] = &[
    case(success, "redress_success", "success", "retry, deadline, classes"),
    case(success_volatile, "redress_success_volatile", "success", "the same, volatile clock"),
    case(guarded, "redress_guarded", "guarded", GUARDS),
    case(three, "redress_three", "three", ALL),
    case(three_rolling, "redress_three_rolling", "three", "the same, rolling budget of 16"),
    case(reject, "redress_reject", "reject", "breaker"),
    case(reject_call, "redress_guarded", "reject", GUARDS),
    case(withdraw, "redress_withdraw", "withdraw", "RatioBudget"),
    case(withdraw_rolling, "redress_withdraw_rolling", "withdraw", "RollingBudget<16>"),
];

const fn case(
    run: fn(&mut Bench),
    symbol: &'static str,
    scenario: &'static str,
    what: &'static str,
) -> Case {
    Case { scenario, library: "redress", what, symbol, run }
}

const HINTED: Backoff = Backoff::retry_after_or(&AT_ONCE, Duration::ZERO);
static AT_ONCE: Backoff = Backoff::constant(Duration::ZERO);

const PLAIN: Policy = policy! {
    Policy::builder()
        .max_attempts(6)
        .deadline(Duration::from_secs(60))
        .backoff(Backoff::constant(Duration::ZERO))
        .backoff_for(ErrorClass::RateLimit, HINTED)
        .backoff_for(
            ErrorClass::Transient,
            Backoff::exponential(Duration::ZERO, Duration::from_secs(1)),
        )
};

const JITTERED: Policy = policy! {
    Policy::builder()
        .max_attempts(6)
        .deadline(Duration::from_secs(60))
        .backoff(Backoff::decorrelated_jitter(Duration::ZERO, Duration::from_secs(1)))
        .backoff_for(ErrorClass::RateLimit, HINTED)
};

redress::settings! { Failures: BreakerConfig<FailureRule> = BreakerConfig::failures(5, Duration::from_secs(60)) }
redress::settings! { Share: RatioConfig = RatioConfig::new(100) }
redress::settings! { Sixteen: RollingConfig = RollingConfig::new(16, Duration::from_secs(60)) }

type Upstream = Breaker<FailureTimes<5>, 1, Failures>;
type Ratio = RatioBudget<Share>;
type Rolling = RollingBudget<16, Sixteen>;

struct Time<'a>(&'a Cell<u64>);

impl Clock for Time<'_> {
    #[inline]
    fn now(&self) -> Instant {
        Instant::from_micros(self.0.get())
    }
}

impl Sleep for Time<'_> {
    #[inline]
    fn sleep(&mut self, span: Duration) {
        self.0.set(self.0.get() + span.as_micros());
    }
}

struct World {
    clock: Cell<u64>,
    value: Cell<u32>,
    seed: Cell<u32>,
    breaker: RefCell<Upstream>,
    ratio: RefCell<Ratio>,
    rolling: RefCell<Rolling>,
}

impl World {
    const fn new() -> Self {
        Self {
            clock: Cell::new(5),
            value: Cell::new(1),
            seed: Cell::new(1),
            breaker: RefCell::new(Upstream::fixed(Failures)),
            ratio: RefCell::new(Ratio::fixed(Share)),
            rolling: RefCell::new(Rolling::fixed(Sixteen)),
        }
    }

    /// As `new`, with five failures in the breaker.
    fn tripped() -> Self {
        let world = Self::new();
        {
            let mut breaker = world.breaker.borrow_mut();
            let now = Instant::from_micros(world.clock.get());
            for _ in 0..5 {
                let permit = breaker.admit_closed().expect("closed until the fifth failure");
                breaker.settle(permit, CallResult::Failure(ErrorClass::Transient), now);
            }
        }
        world
    }

    fn advance(&self, span: Duration) {
        self.clock.set(self.clock.get() + span.as_micros());
    }
}

/// A clock that the compiler must read whenever it is asked.
struct Device<'a>(&'a Cell<u64>);

impl Clock for Device<'_> {
    #[inline]
    fn now(&self) -> Instant {
        // SAFETY: the pointer comes from a reference to a cell of this thread.
        Instant::from_micros(unsafe { self.0.as_ptr().read_volatile() })
    }
}

impl Sleep for Device<'_> {
    #[inline]
    fn sleep(&mut self, span: Duration) {
        self.0.set(self.0.get() + span.as_micros());
    }
}

// Macros, not functions: a closure that two cases share is one type, and what is
// generic over it is then one function with two callers, which the compiler no
// longer inlines as it does for a call that stands alone.

macro_rules! success {
    ($policy:expr, $time:expr, $value:expr) => {
        $policy
            .on($time, NoRandom)
            .classify(|_: &u32| ErrorClass::Transient)
            .execute(|_| healthy($value))
    };
}

macro_rules! guarded {
    ($policy:expr, $clock:expr, $value:expr, $breaker:expr, $budget:expr) => {
        $policy
            .on(Time($clock), NoRandom)
            .classify(|_: &u32| ErrorClass::Transient)
            .breaker($breaker)
            .budget($budget)
            .execute(|_| healthy($value))
    };
}

macro_rules! three {
    ($policy:expr, $clock:expr, $value:expr, $seed:expr, $breaker:expr, $budget:expr) => {
        $policy
            .on(Time($clock), from_fn(|| xorshift($seed)))
            .classify(|_: &u32| ErrorClass::Transient)
            .breaker($breaker)
            .budget($budget)
            .execute(|_| failing($value))
    };
}

#[inline(never)]
#[unsafe(no_mangle)]
fn redress_success(policy: &Policy, clock: &Cell<u64>, value: &Cell<u32>) -> Outcome<u32, u32> {
    success!(settings!(policy, PLAIN), Time(clock), value)
}

#[inline(never)]
#[unsafe(no_mangle)]
fn redress_success_volatile(
    policy: &Policy,
    clock: &Cell<u64>,
    value: &Cell<u32>,
) -> Outcome<u32, u32> {
    success!(settings!(policy, PLAIN), Device(clock), value)
}

fn success(bench: &mut Bench) {
    let world = World::new();
    let (world, policy) = (black_box(&world), black_box(&PLAIN));
    bench.measure(|| (), || redress_success(policy, &world.clock, &world.value));
}

fn success_volatile(bench: &mut Bench) {
    let world = World::new();
    let (world, policy) = (black_box(&world), black_box(&PLAIN));
    bench.measure(|| (), || redress_success_volatile(policy, &world.clock, &world.value));
}

#[inline(never)]
#[unsafe(no_mangle)]
fn redress_guarded(
    policy: &Policy,
    clock: &Cell<u64>,
    value: &Cell<u32>,
    breaker: &RefCell<Upstream>,
    budget: &RefCell<Ratio>,
) -> Outcome<u32, u32> {
    guarded!(settings!(policy, PLAIN), clock, value, breaker, budget)
}

fn guarded(bench: &mut Bench) {
    let world = World::new();
    let World { clock, value, breaker, ratio, .. } = black_box(&world);
    let policy = black_box(&PLAIN);
    bench.measure(|| (), || redress_guarded(policy, clock, value, breaker, ratio));
}

#[inline(never)]
#[unsafe(no_mangle)]
fn redress_three(
    policy: &Policy,
    clock: &Cell<u64>,
    value: &Cell<u32>,
    seed: &Cell<u32>,
    breaker: &RefCell<Upstream>,
    budget: &RefCell<Ratio>,
) -> Outcome<u32, u32> {
    three!(settings!(policy, JITTERED), clock, value, seed, breaker, budget)
}

#[inline(never)]
#[unsafe(no_mangle)]
fn redress_three_rolling(
    policy: &Policy,
    clock: &Cell<u64>,
    value: &Cell<u32>,
    seed: &Cell<u32>,
    breaker: &RefCell<Upstream>,
    budget: &RefCell<Rolling>,
) -> Outcome<u32, u32> {
    three!(settings!(policy, JITTERED), clock, value, seed, breaker, budget)
}

/// Three failures to come, and a minute later.
fn trouble(world: &World) {
    world.value.set(3);
    world.advance(Duration::from_secs(60));
}

fn recovered(outcome: Outcome<u32, u32>) -> Outcome<u32, u32> {
    assert!(outcome.attempts == 4 && outcome.result.is_ok());
    outcome
}

fn three(bench: &mut Bench) {
    let world = World::new();
    let world = black_box(&world);
    let World { clock, value, seed, breaker, ratio, .. } = world;
    let policy = black_box(&JITTERED);
    bench.measure(
        || trouble(world),
        || recovered(redress_three(policy, clock, value, seed, breaker, ratio)),
    );
}

fn three_rolling(bench: &mut Bench) {
    let world = World::new();
    let world = black_box(&world);
    let World { clock, value, seed, breaker, rolling, .. } = world;
    let policy = black_box(&JITTERED);
    bench.measure(
        || trouble(world),
        || recovered(redress_three_rolling(policy, clock, value, seed, breaker, rolling)),
    );
}

#[inline(never)]
#[unsafe(no_mangle)]
fn redress_reject(breaker: &mut Upstream, clock: &Cell<u64>) -> Result<Admitted, CircuitOpen> {
    breaker.admit(Instant::from_micros(clock.get()))
}

fn reject(bench: &mut Bench) {
    let world = World::tripped();
    let world = black_box(&world);
    let mut breaker = world.breaker.borrow_mut();
    bench.measure(
        || (),
        || {
            let rejection = redress_reject(&mut breaker, &world.clock);
            assert!(rejection.is_err());
            rejection
        },
    );
}

fn reject_call(bench: &mut Bench) {
    let world = World::tripped();
    let World { clock, value, breaker, ratio, .. } = black_box(&world);
    let policy = black_box(&PLAIN);
    bench.measure(
        || (),
        || {
            let outcome = redress_guarded(policy, clock, value, breaker, ratio);
            assert_eq!(outcome.attempts, 0);
            outcome
        },
    );
}

#[inline(never)]
#[unsafe(no_mangle)]
fn redress_withdraw(budget: &mut Ratio, clock: &Cell<u64>) -> bool {
    budget.consume(1, Instant::from_micros(clock.get()))
}

fn withdraw(bench: &mut Bench) {
    let world = World::new();
    let world = black_box(&world);
    let mut budget = world.ratio.borrow_mut();
    bench.measure(
        || world.advance(Duration::from_secs(1)),
        || assert!(redress_withdraw(&mut budget, &world.clock)),
    );
}

#[inline(never)]
#[unsafe(no_mangle)]
fn redress_withdraw_rolling(budget: &mut Rolling, clock: &Cell<u64>) -> bool {
    budget.consume(1, Instant::from_micros(clock.get()))
}

fn withdraw_rolling(bench: &mut Bench) {
    let world = World::new();
    let world = black_box(&world);
    let mut budget = world.rolling.borrow_mut();
    bench.measure(
        || world.advance(Duration::from_secs(60)),
        || assert!(redress_withdraw_rolling(&mut budget, &world.clock)),
    );
}
