//! The full policy that figures are of: classes, jitter, a breaker of 5 and a rolling
//! budget of 16, under a clock that a test moves.

use core::cell::Cell;

use critical_section::Mutex;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use redress::breaker::{FailureRule, FailureTimes};
use redress::budget::RollingConfig;
use redress::random::FromFn;
use redress::time::Sleep;
use redress::{
    Backoff, Breaker, BreakerConfig, Clock, Duration, ErrorClass, Instant, Policy, Retry,
    RollingBudget, policy,
};
use redress_embassy::Locked;

const SLOW: Backoff = Backoff::equal_jitter(Duration::from_millis(100), Duration::from_secs(5));

redress::settings! {
    /// At most six attempts in a minute.
    pub Calls: Policy = policy! {
    Policy::builder()
        .max_attempts(6)
        .deadline(Duration::from_secs(60))
        .backoff(Backoff::decorrelated_jitter(Duration::from_millis(10), Duration::from_secs(1)))
        .backoff_for(ErrorClass::RateLimit, SLOW)
    }
}

/// How many failures open the breaker.
pub const FAILURES: u8 = if cfg!(feature = "long-breaker") { 20 } else { 5 };
/// How many retries the budget holds.
pub const RETRIES: u16 = if cfg!(feature = "long-budget") { 64 } else { 16 };

redress::settings! {
    /// Five failures within a minute.
    pub Failures: BreakerConfig<FailureRule> =
        BreakerConfig::failures(FAILURES, Duration::from_secs(60))
}
redress::settings! {
    /// Sixteen retries within ten seconds.
    pub Tokens: RollingConfig = RollingConfig::new(RETRIES, Duration::from_secs(10))
}

type Circuit = Breaker<FailureTimes<{ FAILURES as usize }>, 1, Failures>;
type Pool = RollingBudget<{ RETRIES as usize }, Tokens>;

/// The breaker of the upstream.
pub type Upstream = Locked<CriticalSectionRawMutex, Circuit>;
/// Its budget.
pub type Retries = Locked<CriticalSectionRawMutex, Pool>;

/// Shared by all calls.
pub static BREAKER: Upstream = Locked::new(Circuit::fixed(Failures));
/// Shared by all calls.
pub static BUDGET: Retries = Locked::new(Pool::fixed(Tokens));

/// The policy at work.
pub type FullRetry = Retry<
    'static,
    (Time, FromFn<fn() -> u32>, &'static Upstream, &'static Retries, (), (), Calls),
    redress::classify::Classifier<Classes>,
>;

/// Errors that are their own class.
#[derive(Clone, Copy, Debug)]
pub struct Classes;

impl<T> redress::classify::Classify<T, ErrorClass> for Classes {
    type Rejected = core::convert::Infallible;

    fn error(&mut self, error: &ErrorClass) -> redress::classify::Verdict {
        (*error).into()
    }
}

/// Ready to run operations.
pub fn retry() -> FullRetry {
    let random: fn() -> u32 = random;
    Retry::new(Calls, Time, redress::random::from_fn(random))
        .classifier(Classes)
        .breaker(&BREAKER)
        .budget(&BUDGET)
}

static MICROS: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));

/// The clock that a test moves.
#[derive(Clone, Copy, Debug)]
pub struct Time;

impl Time {
    /// Time passes.
    pub fn pass(self, span: Duration) {
        critical_section::with(|cs| {
            let micros = MICROS.borrow(cs);
            micros.set(micros.get().saturating_add(span.as_micros()));
        });
    }
}

impl Clock for Time {
    #[inline]
    fn now(&self) -> Instant {
        Instant::from_micros(critical_section::with(|cs| MICROS.borrow(cs).get()))
    }
}

impl Sleep for Time {
    fn sleep(&mut self, span: Duration) {
        self.pass(span);
    }
}

/// Xorshift, from a seed: every run is the same.
pub fn random() -> u32 {
    static STATE: Mutex<Cell<u32>> = Mutex::new(Cell::new(0x9E37_79B9));
    critical_section::with(|cs| {
        let state = STATE.borrow(cs);
        let mut x = state.get();
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        state.set(x);
        x
    })
}
