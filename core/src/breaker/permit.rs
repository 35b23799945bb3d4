//! The right to make a call ([`Permit`]), its result ([`CallResult`]) and its rejection
//! ([`CircuitOpen`]).

use core::num::NonZeroU32;

use crate::class::ErrorClass;
use crate::event::CircuitState;
use crate::time::{Duration, Instant};

/// A call draws a random number for the recovery time.
pub(crate) const WANTS_RANDOM: u8 = 1;
/// A call asks again before each further attempt.
pub(crate) const WANTS_CHECK: u8 = 2;
/// Hints when to come back may open the breaker.
pub(crate) const WANTS_HINTS: u8 = 4;

/// The right to make one call. [`Breaker::admit`](crate::Breaker::admit) gives it;
/// [`Breaker::settle`](crate::Breaker::settle) takes it back with the result of the call.
///
/// A small `Copy` value that borrows nothing. A result is late if the state of the breaker
/// has changed since, or if the lease of the probe has ended; it is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "a permit that is not settled keeps its place until its lease ends"]
pub struct Permit {
    /// When the lease of a probe ends: tells two holders of a slot apart.
    pub(crate) lease: Instant,
    // Whole words, one of them never zero: no odd bytes are copied, and an `Option` of a
    // permit is no larger than a permit.
    /// The period of the breaker in the low half; above it what the breaker
    /// [wants](super::config) of the call, so that no lock is taken to ask for it.
    generation: u32,
    /// The place of a probe, from 1; [`Permit::CLOSED`] for none.
    place: NonZeroU32,
}

impl Permit {
    const CLOSED: NonZeroU32 = NonZeroU32::MAX;
    /// What stands for no slot in a snapshot.
    pub(crate) const NO_SLOT: u8 = u8::MAX;
    /// All that a breaker can want.
    pub(crate) const ALL_WANTS: u8 = WANTS_RANDOM | WANTS_CHECK | WANTS_HINTS;

    /// The permit of a call that a closed breaker admitted.
    #[inline]
    pub(crate) const fn closed(generation: u16, wants: u8) -> Self {
        let generation = generation as u32 | (wants as u32) << 16;
        Self { lease: Instant::ZERO, generation, place: Self::CLOSED }
    }

    /// The permit of a probe.
    #[inline]
    pub(crate) const fn probe(lease: Instant, generation: u16, slot: u8, wants: u8) -> Self {
        let place = NonZeroU32::MIN.saturating_add(slot as u32);
        Self { lease, generation: generation as u32 | (wants as u32) << 16, place }
    }

    /// Whether the call is a probe: a call that a half-open breaker admitted.
    #[inline]
    pub const fn is_probe(&self) -> bool {
        self.place.get() != Self::CLOSED.get()
    }

    /// Whether it is of this period of the breaker.
    #[inline]
    pub(crate) const fn is_of(&self, generation: u16) -> bool {
        self.generation as u16 == generation
    }

    /// Whether [`settle_timed`](crate::Breaker::settle_timed) needs a random number, also for a
    /// success, because the recovery time has jitter.
    #[inline]
    pub const fn wants_random(&self) -> bool {
        self.wants() & WANTS_RANDOM != 0
    }

    /// Whether the call must check [`still_admits`](crate::Breaker::still_admits) before each
    /// further attempt.
    #[inline]
    pub const fn wants_check(&self) -> bool {
        self.wants() & WANTS_CHECK != 0 && !self.is_probe()
    }

    /// Whether the call must pass on hints (Retry-After) to [`hold`](crate::Breaker::hold).
    #[inline]
    pub const fn wants_hints(&self) -> bool {
        self.wants() & WANTS_HINTS != 0
    }

    /// What the breaker wants of the call, as bits.
    #[inline]
    pub(crate) const fn wants(&self) -> u8 {
        (self.generation >> 16) as u8
    }

    /// The period of the breaker that it is of.
    pub(crate) const fn generation(&self) -> u16 {
        self.generation as u16
    }

    /// Whether a breaker of so many permits can have given it.
    pub(crate) const fn has_place_in(&self, permits: usize) -> bool {
        !self.is_probe() || (self.slot() as usize) < permits
    }

    /// The place of a probe, from 0; [`Permit::NO_SLOT`] for none.
    #[inline]
    pub(crate) const fn slot(&self) -> u8 {
        if self.is_probe() { (self.place.get() - 1) as u8 } else { Self::NO_SLOT }
    }
}

/// The rejection of a call: the breaker is open, or half-open with all slots for probes in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CircuitOpen {
    /// Open or half-open.
    pub state: CircuitState,
    /// How long to wait before the next call. Open: the rest of the recovery time. Half-open: the
    /// rest of the lease of the probe in flight, but no longer than the recovery time. `None` if
    /// only [`reset`](crate::Breaker::reset) closes the breaker.
    pub retry_after: Option<Duration>,
}

impl CircuitOpen {
    /// The rejection by a breaker that was opened by hand.
    pub(crate) const ISOLATED: Self = Self { state: CircuitState::Open, retry_after: None };

    /// A rejection for so long.
    pub(crate) const fn until(state: CircuitState, retry_after: Duration) -> Self {
        Self { state, retry_after: Some(retry_after) }
    }
}

impl core::fmt::Display for CircuitOpen {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "circuit is {}, ", self.state.as_str())?;
        match self.retry_after {
            Some(wait) => write!(f, "next probe in {wait}"),
            None => f.write_str("isolated until it is reset"),
        }
    }
}

impl core::error::Error for CircuitOpen {}

/// The result of a call, as its breaker counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum CallResult {
    /// It succeeded.
    Success,
    /// It failed; the class is that of the latest failure.
    Failure(ErrorClass),
    /// It was cancelled: nothing was learned.
    Cancelled,
}

/// An admitted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Admitted {
    /// The permit, to be settled with the result of the call.
    pub permit: Permit,
    /// Whether this call made the breaker half-open.
    pub half_opened: bool,
}
