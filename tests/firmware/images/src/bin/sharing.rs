//! One breaker for a timer interrupt, a task of an executor that runs in an interrupt,
//! and the thread: no permit may be lost or given out twice.
//!
//! The timer comes at random distances. With the feature `unguarded` the breaker's lock
//! is none, and the same test must fail.

#![no_std]
#![no_main]

use core::cell::{Cell, RefCell};
use core::ptr::null_mut;

use board::interrupts;
use critical_section::Mutex as Guarded;
use embassy_executor::raw::Executor;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use firmware::check::Checks;
use firmware::image;
use heapless::Vec;
use redress::breaker::{CallResult, FailureRule, FailureTimes, Permit};
use redress::classify::{self, Facts, Library};
use redress::driver::{Call, Decision};
use redress::event::{Cause, CircuitState};
use redress::random::from_fn;
use redress::{
    Backoff, Breaker, BreakerConfig, Classification, Duration, ErrorClass, Instant, Policy, Shared,
    checked, policy,
};
use redress_embassy::Locked;
use static_cell::StaticCell;

const PERMITS: usize = 2;
type Upstream = Breaker<FailureTimes<3>, PERMITS>;

/// The lease never ends, so that a lost permit stays lost and is seen.
static CONFIG: BreakerConfig<FailureRule> = BreakerConfig::failures(3, Duration::from_millis(1))
    .recovery_timeout(Duration::from_micros(20))
    .half_open_permits(PERMITS as u8)
    .successes_to_close(4)
    .lease(Duration::MAX);

const POLICY: Policy = policy! {
    Policy::builder()
        .max_attempts(3)
        .deadline(Duration::from_secs(1))
        .backoff(Backoff::decorrelated_jitter(Duration::from_micros(10), Duration::from_millis(1)))
        .backoff_for(ErrorClass::RateLimit, Backoff::equal_jitter(Duration::from_micros(10), Duration::from_millis(1)))
        .backoff_for(ErrorClass::ServerError, Backoff::token_backoff(Duration::from_micros(10), Duration::from_millis(1)))
        .backoff_for(ErrorClass::Concurrency, Backoff::fibonacci(Duration::from_micros(10), Duration::from_millis(1)))
};

#[cfg(not(feature = "unguarded"))]
type Raw = CriticalSectionRawMutex;
#[cfg(feature = "unguarded")]
type Raw = Open;

/// A lock that locks nothing.
#[cfg(feature = "unguarded")]
struct Open;

// SAFETY: there is none; that is what the test must notice. A `RefCell` is inside, so
// nothing worse than a refusal happens.
#[cfg(feature = "unguarded")]
unsafe impl embassy_sync::blocking_mutex::raw::RawMutex for Open {
    const INIT: Self = Self;

    fn lock<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }
}

static BREAKER: Locked<Raw, Upstream> =
    Locked::new(checked!(Breaker::<FailureTimes<3>, PERMITS>::new(&CONFIG)));

/// Probes in flight, and what went wrong.
struct Ledger {
    held: Vec<Permit, 8>,
    doubled: u32,
    lost: u32,
    probes: u32,
    questions: u32,
}

static LEDGER: Guarded<RefCell<Ledger>> = Guarded::new(RefCell::new(Ledger {
    held: Vec::new(),
    doubled: 0,
    lost: 0,
    probes: 0,
    questions: 0,
}));

fn ledger<R>(f: impl FnOnce(&mut Ledger) -> R) -> R {
    critical_section::with(|cs| f(&mut LEDGER.borrow_ref_mut(cs)))
}

/// Time passes by a microsecond with each question.
fn now() -> Instant {
    static MICROS: Guarded<Cell<u64>> = Guarded::new(Cell::new(0));
    critical_section::with(|cs| {
        let cell = MICROS.borrow(cs);
        cell.set(cell.get() + 1);
        Instant::from_micros(cell.get())
    })
}

/// Xorshift, from a seed: every run is the same.
fn random() -> u32 {
    static STATE: Guarded<Cell<u32>> = Guarded::new(Cell::new(0x9E37_79B9));
    critical_section::with(|cs| {
        let cell = STATE.borrow(cs);
        let mut x = cell.get();
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        cell.set(x);
        x
    })
}

fn admit() -> Option<Permit> {
    let permit = BREAKER.with(|breaker| breaker.admit(now()))?.ok()?.permit;
    if permit.is_probe() {
        ledger(|ledger| {
            ledger.probes += 1;
            ledger.doubled += u32::from(ledger.held.contains(&permit));
            let _ = ledger.held.push(permit);
        });
    }
    Some(permit)
}

fn settle(permit: Permit, result: CallResult) {
    // Off the ledger first: what comes in between may then have its place.
    ledger(|ledger| {
        if let Some(place) = ledger.held.iter().position(|held| *held == permit) {
            let _ = ledger.held.swap_remove(place);
        }
    });
    match result {
        CallResult::Cancelled => BREAKER.with(|breaker| breaker.cancel(permit)),
        result => BREAKER.with(|breaker| breaker.settle(permit, result, now())).map(|_| ()),
    };
}

fn result() -> CallResult {
    match random() % 8 {
        0..=3 => CallResult::Success,
        4..=6 => CallResult::Failure(class()),
        _ => CallResult::Cancelled,
    }
}

fn class() -> ErrorClass {
    *ErrorClass::ALL.get(random() as usize % 8).unwrap_or(&ErrorClass::Transient)
}

/// The addresses that were preempted between admit and settle: a bit for each halfword
/// of the first 64 KB of code.
struct Addresses {
    inside: Cell<bool>,
    seen: RefCell<[u32; 1024]>,
    distinct: Cell<u32>,
    interrupts: Cell<u32>,
}

static ADDRESSES: Guarded<Addresses> = Guarded::new(Addresses {
    inside: Cell::new(false),
    seen: RefCell::new([0; 1024]),
    distinct: Cell::new(0),
    interrupts: Cell::new(0),
});

fn inside(inside: bool) {
    critical_section::with(|cs| ADDRESSES.borrow(cs).inside.set(inside));
}

fn counts() -> (u32, u32) {
    critical_section::with(|cs| {
        let addresses = ADDRESSES.borrow(cs);
        (addresses.distinct.get(), addresses.interrupts.get())
    })
}

static WAKE: Signal<CriticalSectionRawMutex, ()> = Signal::new();

fn on_timer(preempted: usize) {
    critical_section::with(|cs| {
        let addresses = ADDRESSES.borrow(cs);
        addresses.interrupts.set(addresses.interrupts.get() + 1);
        if addresses.inside.get() {
            let bit = (preempted & 0xFFFF) >> 1;
            let mut seen = addresses.seen.borrow_mut();
            if let Some(word) = seen.get_mut(bit / 32) {
                let mask = 1 << (bit % 32);
                addresses.distinct.set(addresses.distinct.get() + u32::from(*word & mask == 0));
                *word |= mask;
            }
        }
    });
    if let Some(permit) = admit() {
        settle(permit, result());
    }
    if random().is_multiple_of(4) {
        WAKE.signal(());
    }
    interrupts::fire_in(1 + random() % 512);
}

/// The executor in the lower interrupt. Its context is not zero, the thread's would be.
static SOFT: StaticCell<Executor> = StaticCell::new();
static SOFT_EXECUTOR: Guarded<Cell<Option<Polled>>> = Guarded::new(Cell::new(None));

#[derive(Clone, Copy)]
struct Polled(&'static Executor);

// SAFETY: handed over once, before the interrupt that polls it comes.
unsafe impl Send for Polled {}

#[unsafe(export_name = "__pender")]
fn pend(_: *mut ()) {
    interrupts::pend_soft();
}

fn on_soft() {
    if let Some(Polled(executor)) = critical_section::with(|cs| SOFT_EXECUTOR.borrow(cs).get()) {
        // SAFETY: polled in this interrupt only, which does not preempt itself.
        unsafe { executor.poll() };
    }
}

/// Holds its permit across an await.
#[embassy_executor::task]
async fn neighbour() {
    loop {
        WAKE.wait().await;
        let Some(permit) = admit() else { continue };
        WAKE.wait().await;
        settle(permit, result());
    }
}

/// A call of the thread, with its decisions, step by step.
fn call() {
    inside(true);
    if let Some(permit) = admit() {
        let result = decide();
        settle(permit, result);
    }
    inside(false);
}

/// A failure of the operation, as one of the classifiers sees it.
fn classified() -> Classification {
    const DATE: &str = "Thu, 15 Jan 2026 12:00:05 GMT";
    let status = Some(400 + i64::from(random() % 112));
    let facts = Facts { status, now_unix_secs: 1_768_478_400, ..Facts::NONE };
    match random() % 8 {
        0 => classify::http_retry_after(&Facts {
            status: Some(429),
            retry_after_header: Some(DATE),
            ..facts
        }),
        1 => classify::sqlstate(&Facts { message: "ERROR 40P01 deadlock", ..Facts::NONE }),
        2 => classify::grpc(&Facts { grpc: Some("UNAVAILABLE"), ..Facts::NONE }),
        3 => classify::redis(&Facts {
            name: "BusyLoadingError",
            library: Library::Redis,
            ..Facts::NONE
        }),
        4 => classify::default(&Facts { name: "ConnectionResetError", ..Facts::NONE }),
        5 => classify::redis_message("LOADING Redis is loading the dataset in memory")
            .unwrap_or(ErrorClass::Unknown)
            .into(),
        6 => classify::http(&facts),
        _ => class().into(),
    }
}

fn decide() -> CallResult {
    let mut call = Call::begin(&POLICY, now());
    loop {
        call.start(&POLICY);
        if random().is_multiple_of(2) {
            let at = now();
            call.succeed(&POLICY, at);
            return CallResult::Success;
        }
        let classification = classified();
        match call.fail(
            &POLICY,
            now(),
            &classification,
            Cause::Exception,
            &mut from_fn(random),
            &(),
        ) {
            Decision::Retry { .. } if call.on_wake(now()).is_ok() => {}
            _ if random().is_multiple_of(4) => return CallResult::Cancelled,
            _ => return CallResult::Failure(classification.class),
        }
    }
}

/// If no caller holds a probe, a half-open breaker has all of its places.
fn question() {
    critical_section::with(|_| {
        if ledger(|ledger| !ledger.held.is_empty()) {
            return;
        }
        let permits = BREAKER.with(|breaker| {
            (breaker.state() == CircuitState::HalfOpen)
                .then(|| [(); PERMITS].map(|()| breaker.admit(Instant::ZERO).ok()))
        });
        let Some(Some(permits)) = permits else { return };
        ledger(|ledger| ledger.questions += 1);
        for permit in permits {
            match permit {
                Some(admitted) => {
                    BREAKER.with(|breaker| breaker.cancel(admitted.permit));
                }
                None => ledger(|ledger| ledger.lost += 1),
            }
        }
    });
}

fn main() -> bool {
    let executor = &*SOFT.init(Executor::new(null_mut()));
    critical_section::with(|cs| SOFT_EXECUTOR.borrow(cs).set(Some(Polled(executor))));
    let token = neighbour();
    interrupts::start(on_timer, on_soft);
    let Ok(token) = token else { return false };
    executor.spawner().spawn(token);
    interrupts::pend_soft();
    interrupts::fire_in(100);
    loop {
        call();
        question();
        let (distinct, interrupts) = counts();
        if (distinct >= 1_100 && interrupts >= 20_000) || interrupts >= 100_000 {
            break;
        }
    }
    interrupts::stop();
    let (distinct, interrupts) = counts();
    let mut checks = Checks::default();
    ledger(|ledger| {
        checks.check("timer interrupts", interrupts >= 20_000, interrupts);
        checks.check(
            "distinct addresses preempted between admit and settle",
            distinct >= 1_000,
            distinct,
        );
        checks.check("probes let through", ledger.probes >= 1_000, ledger.probes);
        checks.check(
            "times that all places were asked for",
            ledger.questions >= 50,
            ledger.questions,
        );
        checks.check("no permit is given out twice", ledger.doubled == 0, ledger.doubled);
        checks.check("no permit is lost", ledger.lost == 0, ledger.lost);
    });
    checks.close()
}

image!(main);
