//! Breakers in slots: what the modules share.

#![allow(dead_code, reason = "each module makes or asks a part of it")]

use redress::breaker::{
    Admitted, ByHand, CallResult, Circuit, Counts, FailureTimes, Permit, Window,
};
use redress::event::CircuitState;
use redress::{Breaker, BreakerConfig, CircuitOpen, Duration, Instant};

use crate::memory::{release, reserve};
use crate::settings::{self, classes, span, whole};
use crate::slot::{Content, content};

/// How many probes may be in flight at most.
pub(crate) const PERMITS: usize = 4;

/// A breaker of any kind.
pub(crate) trait Engine {
    fn state(&self) -> CircuitState;
    fn admit_closed(&mut self) -> Option<Permit>;
    fn admit(&mut self, now: Instant) -> Result<Admitted, CircuitOpen>;
    fn check(&self, now: Instant) -> Result<(), CircuitOpen>;
    fn counts(&self, now: Instant) -> Counts;
    fn counts_success(&self, permit: &Permit) -> bool;
    fn settle(
        &mut self,
        permit: Permit,
        result: CallResult,
        longest: Duration,
        random: u32,
        now: Instant,
    ) -> Option<CircuitState>;
    fn hold(&mut self, permit: Permit, hint: Duration, now: Instant) -> Option<CircuitState>;
    fn still_admits(&self, permit: Permit) -> bool;
    fn set(&mut self, by_hand: ByHand, now: Instant) -> Option<CircuitState>;
}

impl<W: Window> Engine for Breaker<W, PERMITS, BreakerConfig<W::Rule>> {
    fn state(&self) -> CircuitState {
        Breaker::state(self)
    }

    fn admit_closed(&mut self) -> Option<Permit> {
        Breaker::admit_closed(self)
    }

    fn admit(&mut self, now: Instant) -> Result<Admitted, CircuitOpen> {
        Breaker::admit(self, now)
    }

    fn check(&self, now: Instant) -> Result<(), CircuitOpen> {
        Breaker::check(self, now)
    }

    fn counts(&self, now: Instant) -> Counts {
        Breaker::counts(self, now)
    }

    fn counts_success(&self, permit: &Permit) -> bool {
        <Self as Circuit>::COUNTS_SUCCESS || permit.is_probe()
    }

    fn settle(
        &mut self,
        permit: Permit,
        result: CallResult,
        longest: Duration,
        random: u32,
        now: Instant,
    ) -> Option<CircuitState> {
        self.settle_timed(permit, result, longest, random, now)
    }

    fn hold(&mut self, permit: Permit, hint: Duration, now: Instant) -> Option<CircuitState> {
        Breaker::hold(self, permit, hint, now)
    }

    fn still_admits(&self, permit: Permit) -> bool {
        Breaker::still_admits(self, permit)
    }

    fn set(&mut self, by_hand: ByHand, now: Instant) -> Option<CircuitState> {
        Circuit::set(self, by_hand, now)
    }
}

/// What a breaker's slot begins with.
#[repr(C)]
pub(crate) struct Head {
    engine: *mut dyn Engine,
    /// What it counts: 0 failures, 1 calls, 2 time.
    pub(crate) kind: u32,
}

impl Content for Head {
    const KIND: u32 = 3;
}

/// A breaker with its settings; the entries of a window of failures come after it.
#[repr(C)]
pub(crate) struct Slot<W: Window> {
    head: Head,
    pub(crate) breaker: Breaker<W, PERMITS, BreakerConfig<W::Rule>>,
}

/// The failures that a breaker counts, as many as its settings need.
pub(crate) type Failures = FailureTimes<255, &'static mut [Instant], &'static mut [u8]>;

/// The breaker in a slot. The reference ends before another is asked for.
pub(crate) fn at(slot: u32) -> &'static mut dyn Engine {
    // SAFETY: a breaker's slot begins with its head.
    unsafe { &mut *(*content::<Head>(slot)).engine }
}

/// Builds a breaker whose window may refer to so many bytes after it; 0 if its settings are out
/// of range or there is no memory.
pub(crate) fn build<W: Window + 'static>(
    kind: u32,
    config: BreakerConfig<W::Rule>,
    bytes: usize,
    window: impl FnOnce(u32) -> Option<W>,
) -> u32 {
    let address = reserve((size_of::<Slot<W>>() + bytes) as u32, Head::KIND);
    if address == 0 {
        return 0;
    }
    let window = window(address + size_of::<Slot<W>>() as u32);
    let Some(window) = window else {
        release(address);
        return 0;
    };
    let breaker = Breaker::assume_checked(config, window);
    let slot = address as *mut Slot<W>;
    // SAFETY: the slot is large enough.
    unsafe {
        (&raw mut (*slot).breaker).write(breaker);
        (&raw mut (*slot).head).write(Head { engine: &raw mut (*slot).breaker, kind });
    }
    address
}

/// The settings that every kind has.
pub(crate) fn common<R: Copy>(
    config: BreakerConfig<R>,
    given: &settings::Breaker,
) -> BreakerConfig<R> {
    config
        .trip_on(classes(given.trip_on))
        .half_open_on(classes(given.half_open_on))
        .recovery_timeout(span(given.recovery))
        .recovery_growth_to(span(given.longest_recovery))
        .lease(span(given.lease))
        .half_open_permits(whole(given.permits) as u8)
        .successes_to_close(whole(given.successes) as u8)
        .recovery_jitter(span(given.jitter))
        .open_for_hint(span(given.longest_hint))
        .check_before_retry(given.checks != 0.0)
}
