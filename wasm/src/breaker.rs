//! Breakers in slots.

use core::ptr::null_mut;

use redress::{Admitted, CircuitState, Duration};
use redress::{
    Breaker, BreakerConfig, CallResult, Circuit, CircuitOpen, ClassSet, ConfigError, ErrorClass,
    FailureTimes, Instant, LastOutcomes, Permit, Snapshot, TimeSlices, Window,
};

use crate::memory::{place, release, reserve};
use crate::snapshot::Saved;
use crate::table;

/// How many probes may be in flight at most.
const PERMITS: usize = 4;
/// How many slices a window of time has.
const SLICES: usize = 10;

/// A breaker of any kind and size.
pub(crate) trait Engine {
    fn state(&self) -> CircuitState;
    fn enter(&mut self) -> Option<Permit>;
    fn admit(&mut self, now: Instant) -> Result<Admitted, CircuitOpen>;
    fn hears_success(&self, permit: &Permit) -> bool;
    fn settle(
        &mut self,
        permit: Permit,
        result: CallResult,
        longest: Duration,
        now: Instant,
    ) -> Option<CircuitState>;
    fn isolate(&mut self);
    fn reset(&mut self);
    fn saved(&mut self) -> &mut dyn Saved;
}

impl<W: Window> Engine for Breaker<W, PERMITS>
where
    Self: Snapshot,
{
    fn state(&self) -> CircuitState {
        Breaker::state(self)
    }

    fn enter(&mut self) -> Option<Permit> {
        Breaker::enter(self)
    }

    fn admit(&mut self, now: Instant) -> Result<Admitted, CircuitOpen> {
        Breaker::admit(self, now)
    }

    fn hears_success(&self, permit: &Permit) -> bool {
        <Self as Circuit>::HEARS_SUCCESS || permit.is_probe()
    }

    fn settle(
        &mut self,
        permit: Permit,
        result: CallResult,
        longest: Duration,
        now: Instant,
    ) -> Option<CircuitState> {
        self.settle_timed(permit, result, longest, now)
    }

    fn isolate(&mut self) {
        Breaker::isolate(self);
    }

    fn reset(&mut self) {
        Breaker::reset(self);
    }

    fn saved(&mut self) -> &mut dyn Saved {
        self
    }
}

/// What a breaker's slot begins with.
pub(crate) struct Head {
    engine: *mut dyn Engine,
}

/// A breaker together with its settings.
#[repr(C)]
struct Slot<W: Window + 'static> {
    head: Head,
    config: BreakerConfig<W::Rule>,
    breaker: Breaker<W, PERMITS>,
}

/// The breaker in a slot.
///
/// # Safety
///
/// The slot is a breaker's that was not given back, and nothing else refers to it.
pub(crate) unsafe fn at(slot: u32) -> &'static mut dyn Engine {
    // SAFETY: the caller says so, and a breaker's slot begins with its head.
    unsafe { &mut *(*(slot as *const Head)).engine }
}

type New<W> =
    fn(&'static BreakerConfig<<W as Window>::Rule>) -> Result<Breaker<W, PERMITS>, ConfigError>;

/// Builds a breaker beside its settings; null if they are out of range.
fn build<W: Window + 'static>(config: BreakerConfig<W::Rule>, new: New<W>) -> *mut Head
where
    W::Rule: Copy,
    Breaker<W, PERMITS>: Snapshot,
{
    let slot = reserve(size_of::<Slot<W>>()).cast::<Slot<W>>();
    if slot.is_null() {
        return null_mut();
    }
    // SAFETY: the slot is large enough; the settings stay where they are for as long
    // as the breaker that refers to them.
    unsafe {
        (&raw mut (*slot).config).write(common(config));
        let Ok(breaker) = new(&*(&raw const (*slot).config)) else {
            release(slot.cast());
            return null_mut();
        };
        (&raw mut (*slot).breaker).write(breaker);
        (&raw mut (*slot).head).write(Head { engine: &raw mut (*slot).breaker });
    }
    slot.cast()
}

/// The settings that every kind has.
fn common<R: Copy>(config: BreakerConfig<R>) -> BreakerConfig<R> {
    let mut trip_on = ClassSet::EMPTY;
    for class in ErrorClass::ALL {
        if table::get(4) as u32 >> (class as u32) & 1 != 0 {
            trip_on = trip_on.with(class);
        }
    }
    let config = config
        .trip_on(trip_on)
        .recovery_timeout(table::duration(table::get(5)))
        .lease(table::duration(table::get(7)))
        .half_open_permits(table::get(8) as u8)
        .successes_to_close(table::get(9) as u8);
    match table::span(6) {
        Some(longest) => config.recovery_growth_to(longest),
        None => config,
    }
}

/// A breaker of the settings in the table: kind (0 failures, 1 calls, 2 time), three
/// numbers of the kind, classes that trip as bits, recovery time, its longest growth,
/// lease, probes at once, successes to close, thresholds by class (eight, 0 for none),
/// after how long a call is slow, and the share of slow calls. 0 if one is out of its
/// range.
#[unsafe(no_mangle)]
extern "C" fn breaker_new() -> *mut Head {
    let numbers = (table::get(1), table::get(2), table::get(3));
    match table::get(0) as u32 {
        0 => {
            let window = table::duration(numbers.1);
            let mut config = BreakerConfig::failures(numbers.0 as u8, window);
            let mut needs = numbers.0 as usize;
            for (index, class) in ErrorClass::ALL.into_iter().enumerate() {
                let own = table::get(10 + index) as u8;
                config = config.class_threshold(class, own);
                needs += usize::from(own.saturating_sub(1));
            }
            if needs <= 8 {
                build(config, Breaker::<FailureTimes<8>, _>::new)
            } else {
                build(config, Breaker::<FailureTimes<255>, _>::new)
            }
        }
        1 => {
            let (size, rate) = (numbers.0 as u16, numbers.1 as u16);
            let config = BreakerConfig::outcomes(size, rate, numbers.2 as u16);
            build(config, Breaker::<LastOutcomes<32>, _>::new)
        }
        _ => {
            let slice = table::duration(numbers.0 / SLICES as f64);
            let (rate, min_calls) = (numbers.1 as u16, numbers.2 as u16);
            let mut config = BreakerConfig::slices(slice, rate, min_calls);
            if let Some(after) = table::span(18) {
                config = config.slow_calls(after, table::get(19) as u16);
            }
            build(config, Breaker::<TimeSlices<SLICES>, _>::new)
        }
    }
}

/// The state: 0 closed, 1 open, 2 half-open.
#[unsafe(no_mangle)]
extern "C" fn breaker_state(slot: u32) -> u32 {
    // SAFETY: the package hands in a breaker that it has not given back.
    unsafe { at(slot) }.state() as u32
}

/// Opens by hand (1), until it is closed by hand (0).
#[unsafe(no_mangle)]
extern "C" fn breaker_switch(slot: u32, open: u32) {
    // SAFETY: as above.
    let breaker = unsafe { at(slot) };
    if open == 0 { breaker.reset() } else { breaker.isolate() }
}

/// The outcome of asking a breaker, for JavaScript: a rejection goes into the table as
/// state and milliseconds until the next probe.
pub(crate) fn admit(slot: u32, now: f64) -> Option<Admitted> {
    // SAFETY: as above.
    match unsafe { at(slot) }.admit(table::instant(now)) {
        Ok(admitted) => Some(admitted),
        Err(rejection) => {
            table::set(0, rejection.state as u32 as f64);
            table::set(1, table::millis(rejection.retry_after));
            None
        }
    }
}

/// A permit in a slot of its own, for callers who drive a breaker themselves: its lowest
/// bit says that the breaker has become half-open. 0 for a rejection.
#[unsafe(no_mangle)]
extern "C" fn breaker_admit(slot: u32, now: f64) -> usize {
    let Some(admitted) = admit(slot, now) else { return 0 };
    place(admitted.permit) as usize | usize::from(admitted.half_opened)
}

/// Takes such a permit back: result 0 for success, 1 for cancelled, 2 and up for
/// the class of a failure. The new state plus 1, 0 if it is the old one.
#[unsafe(no_mangle)]
extern "C" fn breaker_settle(slot: u32, permit: *mut Permit, result: u32, now: f64) -> u32 {
    let result = match result {
        0 => CallResult::Success,
        1 => CallResult::Cancelled,
        class => CallResult::Failure(table::class(class - 2)),
    };
    // SAFETY: the package hands in a permit that it was given and has not handed back.
    let held = unsafe { permit.read() };
    release(permit.cast());
    // SAFETY: as above.
    let breaker = unsafe { at(slot) };
    changed(breaker.settle(held, result, Duration::ZERO, table::instant(now)))
}

/// The new state plus 1, 0 if it is the old one.
pub(crate) fn changed(state: Option<CircuitState>) -> u32 {
    state.map_or(0, |state| state as u32 + 1)
}
